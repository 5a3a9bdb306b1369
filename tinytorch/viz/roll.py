"""Rolling: where equal modules follow one another, the first is drawn, marked "×12"; the others are left out.

Two modules are equal if the same ops with the same options and shapes stand in the same places inside, connected in
the same way. That is written down as a *signature*, and neighbours with equal signatures form a run.
"""

from __future__ import annotations

from typing import Any

from tinytorch.viz.data import Edge, Graph, Node

__all__ = ["roll"]


def roll(graph: Graph) -> Graph:
    """See :meth:`Graph.roll`."""
    return _Roller(graph).run()


class _Roller:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.members: dict[str, list[str]] = {}  # every node in a scope or below, in order
        self.children: dict[str, list[str]] = {}  # scopes, and closed modules, in order of what happens first
        self.into: dict[str, list[Edge]] = {id: [] for id in graph.nodes}
        for edge in graph.edges:
            self.into[edge.target].append(edge)
        self.stands_for: dict[str, str] = {}  # node -> the node of the first equal module
        self.dropped: set[str] = set()  # scopes
        self.counts: dict[str, int] = {}
        self.last: dict[str, str] = {}  # what the last of the equal ones is called
        for node in graph.nodes.values():
            path = [node.id, *graph.ancestors(node.scope)] if node.kind == "module" else graph.ancestors(node.scope)
            for inner, outer in zip(path, [*path[1:], ""], strict=False):
                siblings = self.children.setdefault(outer, [])
                if inner not in siblings:
                    siblings.append(inner)
            for scope in path:
                self.members.setdefault(scope, []).append(node.id)

    def run(self) -> Graph:
        """The rolled graph."""
        queue = [""]
        while queue:
            for first, others in self.runs(queue.pop()):
                if others:
                    self.merge(first, others)
                queue.append(first)
        return self.rolled() if self.counts else self.graph

    def runs(self, scope: str) -> list[tuple[str, list[str]]]:
        """The children of a scope: each that stays, with the equal ones right after it."""
        runs: list[tuple[str, list[str]]] = []
        last: Any = None
        for child in self.children.get(scope, []):
            signature = self.signature(child)
            if runs and signature == last and self.feeds([runs[-1][0], *runs[-1][1]][-1], child):
                runs[-1][1].append(child)
            else:
                runs.append((child, []))
            last = signature
        return runs

    def signature(self, scope: str) -> Any:
        """What is inside a scope, without names: equal signatures mean equal modules."""
        places = {id: place for place, id in enumerate(self.members[scope])}
        head = self.graph.scopes[scope].kind if scope in self.graph.scopes else ""
        return head, tuple(
            (
                node.kind, node.name.rpartition(".")[2], node.module_kind, node.members, node.trainable,
                tuple(node.attributes.items()), tuple(node.constants.items()),
                tuple((output.shape, output.dtype) for output in node.outputs),
                tuple((edge.position, edge.output, places.get(edge.source, -1)) for edge in self.into[node.id]),
            )
            for node in (self.graph.nodes[id] for id in self.members[scope])
        )  # fmt: skip

    def feeds(self, one: str, other: str) -> bool:
        """Whether a result of one module is an input of the other."""
        sources = set(self.members[one])
        return any(edge.source in sources for id in self.members[other] for edge in self.into[id])

    def merge(self, first: str, others: list[str]) -> None:
        """Let the first module stand for all."""
        self.counts[first] = 1 + len(others)
        names = [self.label(scope).partition(" (call ")[0] for scope in (first, others[-1])]
        self.last[first] = names[1].rpartition(".")[2] if names[0] != names[1] else ""
        for other in others:
            self.dropped.add(other)
            self.stands_for.update(zip(self.members[other], self.members[first], strict=True))

    def label(self, scope: str) -> str:
        """What a scope or a closed module is called."""
        return self.graph.scopes[scope].label if scope in self.graph.scopes else self.graph.nodes[scope].module

    # ------------------------------------------------------------------------------------ the result

    def rolled(self) -> Graph:
        """The graph without what others stand for."""
        new = self.graph.copy()
        new.whole, new.closed = None, frozenset()
        new.nodes = {id: node for id, node in new.nodes.items() if id not in self.stands_for}
        for id, place in self.stands_for.items():
            self.add_metrics(new.nodes.get(self.final(place)), self.graph.nodes[id])
        new.scopes = {id: s for id, s in new.scopes.items() if not self.dropped.intersection(new.ancestors(id))}
        for id, count in self.counts.items():
            if id in new.scopes:
                scope = new.scopes[id]
                scope.count, scope.last = count, self.last[id]
                scope.calls = scope.calls if scope.last else 1  # the same module several times: "×2" says it
            elif id in new.nodes:
                new.nodes[id].count = count
                new.nodes[id].module += f" … {self.last[id]}" if self.last[id] else ""
        new.edges = self.edges()
        new.results = list(dict.fromkeys(self.final(id) for id in new.results))
        return new

    def final(self, id: str) -> str:
        """The node that stands for this one in the end."""
        while id in self.stands_for:
            id = self.stands_for[id]
        return id

    def add_metrics(self, kept: Node | None, dropped: Node) -> None:
        """Times, FLOPs, bytes and parameters of what is left out count in the box that stays."""
        if kept is None:
            return
        kept.metrics = {
            metric: value + dropped.metrics.get(metric, 0.0) if metric != "grad_norm" else value
            for metric, value in kept.metrics.items()
        }
        kept.notes = [*kept.notes, *(note for note in dropped.notes if note not in kept.notes)]

    def edges(self) -> list[Edge]:
        """Edges between what stays. From one turn of a run to the next there is none: the mark "×12" says it."""
        edges: list[Edge] = []
        seen = set()
        for edge in self.graph.edges:
            source, target = self.final(edge.source), self.final(edge.target)
            if edge.target in self.stands_for and (source, target) != (edge.source, edge.target):
                continue  # inside a turn that is left out, or into it
            key = (source, target, edge.output, edge.position)
            if key not in seen:
                seen.add(key)
                edges.append(Edge(source, target, edge.output, edge.position, edge.label, edge.note, edge.grad_norm))
        return edges
