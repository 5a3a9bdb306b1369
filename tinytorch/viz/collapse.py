"""Closing scopes: a module becomes one box that stands for all that happens inside.

A graph with closed scopes remembers the whole graph and *which* scopes are closed. So opening one again is closing
all others, and the boxes inside a scope that was just opened are closed themselves, as in a folder tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tinytorch.viz.data import Edge, Graph, Node, Scope

__all__ = ["collapse", "expand", "limit"]


def collapse(graph: Graph, depth: float | None, where: Callable[[Scope], bool] | None) -> Graph:
    """See :meth:`Graph.collapse`."""
    whole = graph.whole or graph
    if depth is None and where is None:
        depth = 1
    if depth is not None and depth < 0:
        raise ValueError(f"depth must be at least 0, not {depth}")
    closed = {
        scope.id
        for scope in whole.scopes.values()
        if (depth is not None and whole.depth(scope.id) >= depth) or (where is not None and where(scope))
    }
    return with_closed(whole, graph.closed | closed)


def expand(graph: Graph, what: str) -> Graph:
    """See :meth:`Graph.expand`."""
    whole = graph.whole or graph
    opened = {outer for scope in whole.find_scopes(what) for outer in whole.ancestors(scope)}
    return with_closed(whole, graph.closed - opened)


def limit(graph: Graph, max_nodes: int) -> Graph:
    """See :meth:`Graph.limit`."""
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, not {max_nodes}")
    boxes = len(graph.folded().nodes)
    if boxes <= max_nodes or not graph.scopes:
        return graph
    whole = graph.whole or graph
    smaller, depth = graph, max(whole.depth(scope) for scope in whole.scopes)
    while depth >= 0 and len(smaller.folded().nodes) > max_nodes:
        smaller = collapse(graph, depth, None)
        depth -= 1
    left = len(smaller.folded().nodes)
    smaller = smaller.copy()
    smaller.remarks.append(f"{boxes:,} boxes were too many: modules at depth {depth + 1} are closed, {left:,} are left")
    return smaller


def with_closed(whole: Graph, closed: frozenset[str] | set[str]) -> Graph:
    """The whole graph, drawn with these scopes closed."""
    closed = frozenset(closed)
    box_of = _boxes(whole, closed - _of_one_op(whole))
    new = whole.copy()
    new.whole, new.closed = whole, closed
    new.nodes = {}
    members: dict[str, list[Node]] = {}
    for node in whole.nodes.values():
        box = box_of[node.id]
        if box == node.id:
            new.nodes[node.id] = node
        else:
            if box not in members:
                new.nodes[box] = Node(box, "module", "")  # in the place of its first op; filled in below
            members.setdefault(box, []).append(node)
    inner = {id for id, chain in _chains(whole).items() if any(scope in members for scope in chain)}
    new.scopes = {id: scope for id, scope in new.scopes.items() if id not in members and id not in inner}
    new.edges = _edges_between(whole, box_of)
    leaving = _leaving(whole, box_of)
    for box, nodes in members.items():
        new.nodes[box] = _module_box(whole.scopes[box], nodes, leaving)
    new.results = list(dict.fromkeys(box_of[id] for id in whole.results))
    return new


def _of_one_op(graph: Graph) -> set[str]:
    """Scopes with one op inside: closing them would hide the op and gain nothing."""
    ops = Counter(outer for node in graph.ops() for outer in graph.ancestors(node.scope))
    return {id for id in graph.scopes if ops[id] <= 1}


def _chains(graph: Graph) -> dict[str, list[str]]:
    return {id: graph.ancestors(id) for id in graph.scopes}


def _boxes(graph: Graph, closed: frozenset[str] | set[str]) -> dict[str, str]:
    """For every node the box that shows it: the outermost closed scope round it, or itself."""
    outermost = {
        id: next((scope for scope in reversed(chain) if scope in closed), "") for id, chain in _chains(graph).items()
    }
    outermost[""] = ""
    return {node.id: outermost[node.scope] or node.id for node in graph.nodes.values()}


def _edges_between(graph: Graph, box_of: dict[str, str]) -> list[Edge]:
    """Edges between boxes; between an open op and another op all of them, as in ``x * x``."""
    edges = []
    seen = set()
    for edge in graph.edges:
        source, target = box_of[edge.source], box_of[edge.target]
        if source == target and source != edge.source:
            continue
        if source != edge.source or target != edge.target:
            key = (source, target, edge.output if source == edge.source else edge.source)
            if key in seen:
                continue
            seen.add(key)
        moved = target != edge.target
        edges.append(
            Edge(source, target, edge.output, 0 if moved else edge.position, "" if moved else edge.label, edge.note,
                 edge.grad_norm)
        )  # fmt: skip
    return edges


def _module_box(scope: Scope, nodes: list[Node], leaving: set[str]) -> Node:
    """The box of a closed scope: what goes out of it, and the sums of what is inside."""
    ops = [node for node in nodes if node.kind == "op"]
    box = Node(scope.id, "module", scope.kind, scope=scope.parent, members=len(ops))
    box.module, box.module_kind = scope.label, scope.kind
    last = [node for node in nodes if node.id in leaving] or ops[-1:]
    box.outputs = [output for node in last for output in node.outputs[:1]]
    box.label = last[-1].label if last else ""
    box.value, box.gradient = (last[-1].value, last[-1].gradient) if last else ("", "")
    box.attributes = dict(ops[0].attributes) if len(ops) == 1 else {}
    box.notes = _notes(nodes)
    for node in nodes:
        for metric, value in node.metrics.items():
            if metric != "grad_norm":
                box.metrics[metric] = box.metrics.get(metric, 0.0) + value
    norms = [node.metrics["grad_norm"] for node in last if "grad_norm" in node.metrics]
    if norms:
        box.metrics["grad_norm"] = max(norms)
    box.saved = [saved for node in nodes for saved in node.saved]
    box.trainable = any(node.trainable for node in nodes if node.kind == "parameter")
    return box


def _leaving(graph: Graph, box_of: dict[str, str]) -> set[str]:
    """Nodes whose results are used outside of the box that they are in."""
    return {edge.source for edge in graph.edges if box_of[edge.source] != box_of[edge.target]} | set(graph.results)


def _notes(nodes: list[Node]) -> list[str]:
    """The notes of what is inside, with where they come from; long lists cut short."""
    notes = [f"{node.module or node.name}: {note}" for node in nodes for note in node.notes]
    return notes if len(notes) <= 3 else [*notes[:2], f"and {len(notes) - 2} more"]
