"""Views: the pictures between which the interactive page goes back and forth, one for every module that can be opened.

The first view is the graph as it was given; if nothing is closed in it, the children of the outermost modules are. A
module's view shows what is inside it, its own children closed, and stubs for what it is connected to.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.viz.data import Edge, Graph, Node
from tinytorch.viz.dot import MAX_NODES
from tinytorch.viz.select import stub

__all__ = ["FIRST", "FLAT", "View", "views_of"]

FIRST, FLAT = "first", "flat"  # names of views that are no module's


@dataclass
class View:
    """One picture: its name (a scope's id, or ``FIRST`` or ``FLAT``), where "back" leads, and what to draw."""

    id: str
    parent: str
    graph: Graph


def views_of(graph: Graph) -> list[View]:
    """All views, the first one first; the one with everything open, if it differs from it, last."""
    whole = graph.whole or graph
    first = graph if graph.closed or not graph.scopes else graph.collapse(depth=1)
    views = [View(FIRST, "", _ready(first))]
    inside = _Inside(whole)
    for view in views:  # grows: what a view shows closed can be opened
        for node in view.graph.nodes.values():
            if node.kind == "module" and node.id in whole.scopes:
                views.append(View(node.id, view.id, _ready(inside.of(node.id))))
    if len(views) > 1:
        views.append(View(FLAT, FIRST, _ready(whole)))
    return views


def _ready(graph: Graph) -> Graph:
    """As it will be drawn. The page says by itself what a picture's title says."""
    drawn = graph.limit(MAX_NODES).folded()
    drawn.title, drawn.remarks = "", []
    return drawn


class _Inside:
    """Cuts modules out of a graph; who belongs to which is found once for all of them."""

    def __init__(self, whole: Graph) -> None:
        self.whole = whole
        self.place = {id: place for place, id in enumerate(whole.nodes)}
        self.below: dict[str, list[str]] = {id: [] for id in whole.scopes}
        self.nodes: dict[str, list[Node]] = {id: [] for id in whole.scopes}
        self.edges: dict[str, list[Edge]] = {id: [] for id in whole.scopes}
        chains = {id: whole.ancestors(id) for id in whole.scopes} | {"": []}
        for inner, chain in chains.items():
            for scope in chain[1:]:
                self.below[scope].append(inner)
        for node in whole.nodes.values():
            for scope in chains[node.scope]:
                self.nodes[scope].append(node)
        for edge in whole.edges:
            ends = (chains[whole.nodes[edge.source].scope], chains[whole.nodes[edge.target].scope])
            for scope in dict.fromkeys([*ends[0], *ends[1]]):
                self.edges[scope].append(edge)

    def of(self, scope: str) -> Graph:
        """What is inside a scope, its children closed, and stubs for its neighbours."""
        whole, members = self.whole, {node.id: node for node in self.nodes[scope]}
        new = Graph(edges=self.edges[scope], style=whole.style)
        ends = {end for edge in new.edges for end in (edge.source, edge.target)}
        for id in sorted(ends.union(members), key=self.place.__getitem__):
            new.nodes[id] = members[id] if id in members else self.neighbour(whole.nodes[id], scope)
        new.scopes = {id: whole.scopes[id] for id in (scope, *self.below[scope])}
        new.results = [id for id in whole.results if id in members]
        new = new.copy()
        new.scopes[scope].parent = ""
        return new.collapse(depth=1)

    def neighbour(self, node: Node, scope: str) -> Node:
        """A stub, named after the module beside this scope that holds the node."""
        around = set(self.whole.ancestors(scope))
        beside = [outer for outer in self.whole.ancestors(node.scope) if outer not in around]
        new = stub(node)
        if beside:
            new.name = self.whole.scopes[beside[-1]].title
        return new
