"""Parts of a graph: one scope alone, or all but some nodes."""

from __future__ import annotations

from collections.abc import Callable

from tinytorch.viz.collapse import with_closed
from tinytorch.viz.data import Edge, Graph, Node

__all__ = ["focus", "hide", "stub"]


def focus(graph: Graph, what: str) -> Graph:
    """See :meth:`Graph.focus`. A stub of kind ``"outside"`` stands for each neighbour that is not in the scope."""
    whole = graph.whole or graph
    scopes = set(whole.find_scopes(what))
    opened = with_closed(whole, graph.closed - {outer for scope in scopes for outer in whole.ancestors(scope)})
    new = opened.copy()
    inside = {
        node.id
        for node in opened.nodes.values()
        if node.id in scopes or scopes.intersection(opened.ancestors(node.scope))
    }
    new.edges = [edge for edge in opened.edges if edge.source in inside or edge.target in inside]
    touched = inside.union(*({edge.source, edge.target} for edge in new.edges))
    new.nodes = {id: node if id in inside else stub(node) for id, node in new.nodes.items() if id in touched}
    kept = {outer for id in inside for outer in opened.ancestors(new.nodes[id].scope)}
    new.scopes = {
        id: scope for id, scope in new.scopes.items() if id in kept and (id in scopes or _below(opened, id, scopes))
    }
    for scope in new.scopes.values():
        scope.parent = scope.parent if scope.parent in new.scopes else ""
    for node in new.nodes.values():
        node.scope = node.scope if node.scope in new.scopes else ""
    new.results = [id for id in opened.results if id in inside]
    new.whole, new.closed = None, frozenset()
    names = ", ".join(dict.fromkeys(whole.scopes[id].title for id in scopes))
    new.remarks = [*graph.remarks, f"only {names}"]
    return new


def _below(graph: Graph, scope: str, scopes: set[str]) -> bool:
    return bool(scopes.intersection(graph.ancestors(scope)))


def stub(node: Node) -> Node:
    """What stands for a node outside the picture."""
    name = node.module or node.label or node.name
    return Node(node.id, "outside", name, outputs=node.outputs[:1], trainable=node.trainable)


def hide(graph: Graph, *what: str | Callable[[Node], bool]) -> Graph:
    """See :meth:`Graph.hide`."""
    hidden = {node.id for node in graph.nodes.values() if any(_matches(node, each) for each in what)}
    hidden -= set(graph.results)
    new = graph.copy()
    new.whole, new.closed = None, frozenset()
    if not hidden:
        return new
    into: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        if edge.target in hidden:
            into.setdefault(edge.target, []).append(edge)
    new.edges = [
        bridged for edge in graph.edges if edge.target not in hidden for bridged in _bridge(edge, hidden, into)
    ]
    new.nodes = {id: node for id, node in new.nodes.items() if id not in hidden}
    used = {outer for node in new.nodes.values() for outer in new.ancestors(node.scope)}
    new.scopes = {id: scope for id, scope in new.scopes.items() if id in used}
    words = ", ".join(each if isinstance(each, str) else getattr(each, "__name__", "a condition") for each in what)
    new.remarks.append(f"hidden: {len(hidden):,} ({words})")
    return new


def _matches(node: Node, what: str | Callable[[Node], bool]) -> bool:
    return what in (node.kind, node.name, node.id) if isinstance(what, str) else bool(what(node))


def _bridge(edge: Edge, hidden: set[str], into: dict[str, list[Edge]]) -> list[Edge]:
    """The edge itself, or edges from what the hidden nodes before it were made of."""
    bridges, stack, seen = [], [edge], set()
    while stack:
        last = stack.pop()
        if last.source not in hidden:
            note = last.note or edge.note
            bridges.append(Edge(last.source, edge.target, last.output, edge.position, edge.label, note, last.grad_norm))
        elif last.source not in seen:
            seen.add(last.source)
            stack.extend(reversed(into.get(last.source, [])))
    return bridges
