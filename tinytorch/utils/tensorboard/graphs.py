"""A model's graph in TensorFlow's form: nodes with names like ``Net/block1/conv``, whose parts are boxes to open."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tinytorch.utils.tensorboard.records import message

__all__ = ["graph_def"]


def graph_def(model: Any, inputs: Any) -> bytes:
    """The message ``GraphDef`` of one call of ``model`` on ``inputs``, a tensor or a tuple of them."""
    from tinytorch import viz

    graph = viz.trace(model, *(inputs if isinstance(inputs, (tuple, list)) else (inputs,)))
    names: dict[str, str] = {}
    taken: dict[str, Iterator[int]] = {}
    for node in graph.nodes.values():
        module = graph.scopes[node.scope].name if node.scope and graph.scopes[node.scope].parent else ""
        last = node.name.rpartition(".")[2] or node.kind
        name = "/".join([type(model).__name__, *filter(None, module.split(".")), last.replace("/", "_")])
        names[node.id] = _unlike(name, taken)
    sources = defaultdict(list)
    for edge in graph.edges:
        if edge.source in names:
            sources[edge.target].append((3, names[edge.source]))
    nodes = []
    for node in graph.nodes.values():
        kind = node.name if node.kind == "op" else node.kind
        nodes.append((1, message((1, names[node.id]), (2, kind), *sources[node.id])))
    return message(*nodes, (4, message((1, 22))))


def _unlike(name: str, taken: dict[str, Iterator[int]]) -> str:
    """The name, with a number if it is taken already; ``taken`` has the next numbers."""
    free = name
    while free in taken:
        free = f"{name}_{next(taken[name])}"
    taken[free] = itertools.count(1)
    return free
