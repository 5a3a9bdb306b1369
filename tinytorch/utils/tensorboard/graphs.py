"""A model's graph in TensorFlow's form: nodes with names like ``Net/block1/conv``, whose parts are boxes to open."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

from tinytorch.utils.tensorboard.records import message

__all__ = ["graph_def"]


def graph_def(model: Any, inputs: Any) -> bytes:
    """The message ``GraphDef`` of one call of ``model`` on ``inputs``, a tensor or a tuple of them."""
    from tinytorch import viz

    graph = viz.trace(model, *(inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
    names: dict[str, str] = {}
    for node in graph.nodes.values():
        module = graph.scopes[node.scope].name if node.scope and graph.scopes[node.scope].parent else ""
        last = node.name.rpartition(".")[2] or node.kind
        name = "/".join([type(model).__name__, *filter(None, module.split(".")), last.replace("/", "_")])
        names[node.id] = _unlike(name, names.values())
    nodes = []
    for node in graph.nodes.values():
        sources = [(3, names[edge.source]) for edge in graph.edges if edge.target == node.id and edge.source in names]
        nodes.append((1, message((1, names[node.id]), (2, node.name if node.kind == "op" else node.kind), *sources)))
    return message(*nodes, (4, message((1, 22))))


def _unlike(name: str, others: Collection[str]) -> str:
    """The name, with a number if others have it already."""
    numbered = (f"{name}_{count}" for count in itertools.count(1))
    return name if name not in others else next(candidate for candidate in numbered if candidate not in others)
