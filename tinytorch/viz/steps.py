"""Steps: the backward pass of a graph, one op at a time, as the interactive page walks through it.

The order is the engine's: of all ops that a gradient has reached, the one created last comes first. Each step says
what comes in, and what it adds to the gradient of each of its inputs; where an input has several users, which
contribution of how many it is.
"""

from __future__ import annotations

import math
from typing import Any

from tinytorch.viz.data import Edge, Graph, Node
from tinytorch.viz.describe import rounded, shape_text
from tinytorch.viz.formulas import formula

__all__ = ["steps_of"]


def steps_of(graph: Graph) -> list[dict[str, Any]]:
    """All steps, in order. Empty if the graph does not take part in autograd."""
    whole = graph.whole or graph
    into: dict[str, list[Edge]] = {id: [] for id in whole.nodes}
    for edge in whole.edges:
        into[edge.target].append(edge)
    run = _that_run(whole, into)
    users: dict[str, int] = {}
    for id in run:
        into[id] = [edge for edge in into[id] if not edge.note and _takes_gradient(whole.nodes[edge.source])]
        for edge in into[id]:
            users[edge.source] = users.get(edge.source, 0) + 1
    arrived: dict[str, int] = {}
    steps = []
    for id in run:
        node = whole.nodes[id]
        gives = []
        for edge in into[id]:
            source = whole.nodes[edge.source]
            arrived[source.id] = arrived.get(source.id, 0) + 1
            gives.append(_contribution(node, edge, source, arrived[source.id], users[source.id]))
        steps.append({
            "node": id, "op": node.name, "backward": node.backward, "gives": gives, "gradient": _gradient(node),
            "shape": shape_text(node.outputs[0].shape) if node.outputs else "", "starts": id in whole.results,
        })  # fmt: skip
    return steps


def _that_run(graph: Graph, into: dict[str, list[Edge]]) -> list[str]:
    """Ids of the ops whose backward runs, in the order in which it does."""
    watched = [node.id for node in graph.ops() if "time_backward" in node.metrics]
    reached, stack = set(watched), [] if watched else list(graph.results)
    while stack:
        id = stack.pop()
        node = graph.nodes[id]
        if id not in reached and node.kind in ("op", "module") and _takes_gradient(node):
            reached.add(id)
            stack.extend(edge.source for edge in into[id] if not edge.note)
    return [id for id in reversed(graph.nodes) if id in reached]


def _takes_gradient(node: Node) -> bool:
    return node.kind == "module" or (bool(node.backward) if node.kind == "op" else node.trainable)


def _contribution(node: Node, edge: Edge, source: Node, number: int, count: int) -> dict[str, Any]:
    norm = edge.grad_norm
    return {
        "to": source.id,
        "argument": edge.label,
        "formula": formula(node.name, edge.label) if node.kind == "op" else "what its ops make of g",
        "number": number,
        "count": count,
        "norm": None if norm is None else rounded(norm),
        "values": [_for_json(value) for value in edge.gradient],
        "shape": list(source.outputs[edge.output].shape) if edge.output < len(source.outputs) else [],
    }


def _for_json(value: float) -> float | str:
    """JSON knows neither NaN nor infinities; as text, JavaScript's ``Number()`` reads them."""
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"


def _gradient(node: Node) -> str:
    """What is known of the gradient that comes in: the numbers, or their norm."""
    if node.gradient not in ("", "–"):
        return node.gradient
    return f"|∇| {rounded(node.metrics['grad_norm'])}" if "grad_norm" in node.metrics else ""
