"""Folding: the form in which a graph is drawn. It holds the same, in fewer boxes.

A parameter that one op uses becomes a line in that op's box, a nameless number a part of its text; a module that did
just one op is drawn as that op. Folding twice changes nothing.
"""

from __future__ import annotations

from collections import Counter

from tinytorch.viz.data import Edge, Graph, Node, Parameter

__all__ = ["fold"]


def fold(graph: Graph) -> Graph:
    """See the module's text. ``style["parameters"]`` ``"boxes"`` leaves parameters alone, ``"none"`` drops them."""
    new = graph.copy()
    if new.style.get("parameters") == "none":
        new = new.hide("parameter")
    elif new.style.get("parameters") != "boxes":
        _fold_parameters(new)
    _fold_numbers(new)
    _fold_scopes(new)
    return new


def _fold_parameters(graph: Graph) -> None:
    users: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        users.setdefault(edge.source, []).append(edge)
    folded = set()
    for node in list(graph.nodes.values()):
        edges = users.get(node.id, [])
        if node.kind != "parameter" or len(edges) != 1 or node.id in graph.results:
            continue
        user = graph.nodes[edges[0].target]
        user.parameters = [*user.parameters, _as_line(node, edges[0])]
        params = user.metrics.get("params", 0) + node.metrics.get("params", 0)
        user.metrics = {**user.metrics, "params": params}
        folded.add(node.id)
        del graph.nodes[node.id]
    graph.edges = [edge for edge in graph.edges if edge.source not in folded]
    for node in graph.nodes.values():
        node.parameters = sorted(node.parameters, key=lambda parameter: parameter.position)


def _fold_numbers(graph: Graph) -> None:
    """A nameless scalar that one op uses becomes a part of that op's text, as a Python number is."""
    users: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        users.setdefault(edge.source, []).append(edge)
    for node in list(graph.nodes.values()):
        edges = users.get(node.id, [])
        scalar = node.kind == "input" and not (node.name or node.trainable or node.notes or node.outputs[0].shape)
        if scalar and len(edges) == 1 and node.value and graph.nodes[edges[0].target].kind == "op":
            user = graph.nodes[edges[0].target]
            value = node.value.removesuffix(".0")
            user.constants = {**user.constants, edges[0].label or str(edges[0].position): value}
            del graph.nodes[node.id]
    graph.edges = [edge for edge in graph.edges if edge.source in graph.nodes]


def _as_line(node: Node, edge: Edge) -> Parameter:
    shape = node.outputs[0].shape
    count = int(node.metrics.get("params", 0))
    return Parameter(
        node.name, edge.label, edge.position, shape, count, node.trainable,
        node.value, node.gradient, node.metrics, node.notes,
    )  # fmt: skip


def _fold_scopes(graph: Graph) -> None:
    """Scopes that hold one op, and nothing else, dissolve into it: the innermost first."""
    children = Counter(scope.parent for scope in graph.scopes.values())
    members: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        members.setdefault(node.scope, []).append(node)
    for scope in reversed(list(graph.scopes.values())):
        inside = members.get(scope.id, [])
        if scope.parent and not children[scope.id] and len(inside) == 1 and inside[0].kind == "op":
            node = inside[0]
            node.module, node.module_kind = node.module or scope.label, node.module_kind or scope.kind
            node.scope, node.count = scope.parent, node.count * scope.count
            members.setdefault(scope.parent, []).append(node)
            children[scope.parent] -= 1
            del graph.scopes[scope.id]
