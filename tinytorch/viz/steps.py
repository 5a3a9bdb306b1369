"""Steps: the backward pass of a graph, one op at a time, as the interactive page walks through it.

The order is the engine's: of all ops that a gradient has reached, the one created last comes first. Each step says
what comes in, and what it adds to the gradient of each of its inputs; where an input has several users, which
contribution of how many it is.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from tinytorch.viz.data import Edge, Graph, Node
from tinytorch.viz.describe import rounded, shape_text, short
from tinytorch.viz.formulas import formula

__all__ = ["steps_of"]


def steps_of(graph: Graph) -> list[dict[str, Any]]:
    """All steps, in order. Empty if the graph does not take part in autograd."""
    whole = graph.whole or graph
    into: dict[str, list[Edge]] = {id: [] for id in whole.nodes}
    for edge in whole.edges:
        into[edge.target].append(edge)
    run = _that_run(whole, into)
    users = Counter(edge.source for id in run for edge in into[id] if _passes(whole, edge))
    arrived: Counter[str] = Counter()
    steps = []
    for id in run:
        node = whole.nodes[id]
        names = [(edge.label, _name(whole.nodes[edge.source])) for edge in into[id]]
        step = _step(node, [name for _, name in names])
        step["starts"] = id in whole.results
        for edge in into[id]:
            if _passes(whole, edge):
                arrived[edge.source] += 1
                contribution = _contribution(node, edge, whole.nodes[edge.source], dict(names) | node.constants)
                step["gives"].append({**contribution, "number": arrived[edge.source], "count": users[edge.source]})
        steps.append(step)
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


def _passes(graph: Graph, edge: Edge) -> bool:
    """Whether a gradient comes back along the edge."""
    return not edge.note and _takes_gradient(graph.nodes[edge.source])


def _step(node: Node, inputs: list[str]) -> dict[str, Any]:
    """The op, as one would write it (``"y = mul(a, b)"``), and what is known of the gradient that comes in."""
    options = [f"{name}={value}" for name, value in {**node.constants, **node.attributes}.items()]
    gradient = "" if node.gradient == "–" else node.gradient
    if not gradient and "grad_norm" in node.metrics:
        gradient = f"|∇| {rounded(node.metrics['grad_norm'])}"
    return {
        "node": node.id,
        "op": node.name,
        "call": short(f"y = {node.name}({', '.join([*inputs, *options])})", 200),
        "backward": node.backward,
        "gradient": gradient,
        "shape": shape_text(node.outputs[0].shape) if node.outputs else "",
        "gives": [],
    }


def _contribution(node: Node, edge: Edge, source: Node, names: dict[str, str]) -> dict[str, Any]:
    """What the op adds to the gradient of one input."""
    norm = edge.grad_norm
    return {
        "to": source.id,
        "name": _name(source),
        "formula": formula(node.name, edge.label, names) if node.kind == "op" else "what its ops make of g",
        "norm": None if norm is None else rounded(norm),
        "values": [_for_json(value) for value in edge.gradient],
        "shape": list(source.outputs[edge.output].shape) if edge.output < len(source.outputs) else [],
    }


def _name(node: Node) -> str:
    """What formulas call a node: as the text of a graph does."""
    return short(node.label or node.module or (node.name if node.kind != "op" else "") or node.id, 40)


def _for_json(value: float) -> float | str:
    """JSON knows neither NaN nor infinities; as text, JavaScript's ``Number()`` reads them."""
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
