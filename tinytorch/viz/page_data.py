"""What the interactive page knows, as data for its JavaScript: views, nodes, steps of the backward pass, and code."""

from __future__ import annotations

from typing import Any

from tinytorch.viz.colors import metric_text
from tinytorch.viz.data import Graph, Node, Parameter
from tinytorch.viz.describe import bytes_text, rounded, shape_text, short
from tinytorch.viz.formulas import backward_sources
from tinytorch.viz.labels import parameter_notes
from tinytorch.viz.steps import steps_of
from tinytorch.viz.views import FIRST, FLAT, View

__all__ = ["page_data"]

_METRICS = {"time": "forward", "time_backward": "backward", "flops": "work", "grad_norm": "|∇|", "params": "parameters"}


def page_data(graph: Graph, views: list[View]) -> dict[str, Any]:
    """Dictionaries, lists, text and finite numbers."""
    whole = graph.whole or graph
    steps = steps_of(graph)
    return {
        "title": graph.title,
        "remarks": graph.remarks,
        "views": {view.id: _view(view, whole) for view in views},
        "nodes": _nodes(whole, views),
        "steps": steps,
        "sources": backward_sources({step["op"] for step in steps}),
    }


def _view(view: View, whole: Graph) -> dict[str, Any]:
    titles = {FIRST: "overview", FLAT: "everything open"}
    return {
        "title": titles.get(view.id) or short(whole.scopes[view.id].title, 60),
        "parent": view.parent,
        "edges": list(dict.fromkeys((edge.source, edge.target) for edge in view.graph.edges)),
        "outside": [node.id for node in view.graph.nodes.values() if node.kind == "outside"],
    }


def _nodes(whole: Graph, views: list[View]) -> dict[str, dict[str, Any]]:
    """Everything that can be drawn or named. ``home`` is the view that shows it; ``chain`` lists the boxes in which it
    is seen, from its own to that of the outermost module.
    """
    drawn: dict[str, tuple[Node, str]] = {}
    for view in views:
        for node in view.graph.nodes.values():
            if node.kind != "outside":
                drawn.setdefault(node.id, (node, view.id))
    users: dict[str, str] = {}
    for edge in whole.edges:
        users.setdefault(edge.source, edge.target)
    opened = {view.id for view in views}
    nodes = {}
    for id in dict.fromkeys([*whole.nodes, *drawn]):
        # a parameter may be a line in its user's box; a hidden one has no box at all
        box = id if id in drawn else users.get(id, id)
        node = drawn[id][0] if id in drawn else whole.nodes[id]
        scope = whole.nodes[box].scope if box in whole.nodes else whole.scopes[box].parent
        nodes[id] = {
            "title": _title(node),
            "name": _name(node),
            "kind": node.kind,
            "rows": _rows(node, whole),
            "notes": [*node.notes, *parameter_notes(node)],
            "chain": [*dict.fromkeys([id, box]), *whole.ancestors(scope)],
            "home": drawn[box][1] if box in drawn else FIRST,
            "opens": id in opened,
        }
    return nodes


def _name(node: Node) -> str:
    """What other nodes' entries call it."""
    return node.module or node.label or node.name or node.kind


def _title(node: Node) -> str:
    count = f" ×{node.count}" if node.count > 1 else ""
    if node.kind == "module":
        return f"{node.module}: {node.name}{count}" if node.name != node.module else node.name + count
    if node.kind == "op":
        where = node.module or node.label
        return (f"{node.name}, {where}" if where else node.name) + count
    return node.name or node.kind


def _rows(node: Node, whole: Graph) -> list[tuple[str, str]]:
    """What is known of a node, as (what, text)."""
    scope = whole.scopes.get(node.id) or whole.scopes.get(node.scope)
    kinds = {"op": "op", "module": "module", "parameter": "parameter" if node.trainable else "parameter, frozen"}
    rows = [("kind", f"{kinds.get(node.kind, node.kind)} {node.id}")]
    if scope is not None and node.kind == "module":
        rows += [("module", scope.name), ("options", scope.description), ("ops inside", f"{node.members:,}")]
    elif node.module or scope is not None:
        rows.append(("in module", f"{node.module} {node.module_kind}" if node.module else scope.title if scope else ""))
    rows.append(("result", node.label))
    rows += [(name, value) for name, value in {**node.attributes, **node.constants}.items()]
    for number, output in enumerate(node.outputs[:8]):
        text = f"{shape_text(output.shape)}  {output.dtype}, {bytes_text(output.nbytes)}"
        rows.append((f"output {number}" if number else "shape", text))
    rows += [("value", node.value), ("gradient", node.gradient)]
    rows += [_parameter(parameter) for parameter in node.parameters]
    shown = {name: value for name, value in node.metrics.items() if node.kind == "module" or name != "memory"}
    rows += [
        (_METRICS.get(name, name), metric_text(name, value))
        for name, value in shown.items()
        if name != "params" or value
    ]
    rows += [("statistics", ", ".join(f"{name} {rounded(value)}" for name, value in node.stats.items()))]
    if node.kind == "op":
        rows += [("saves", f"{s.name} {shape_text(s.shape)}, {bytes_text(s.nbytes)}") for s in node.saved]
        rows.append(("backward", node.backward))
    return [(what, short(text, 300)) for what, text in rows if text]


def _parameter(parameter: Parameter) -> tuple[str, str]:
    text = shape_text(parameter.shape) + (f" = {parameter.count:,}" if len(parameter.shape) > 1 else "")
    text += "" if parameter.trainable else ", frozen"
    if "grad_norm" in parameter.metrics:
        text += f", |∇| {rounded(parameter.metrics['grad_norm'])}"
    return parameter.short_name, text
