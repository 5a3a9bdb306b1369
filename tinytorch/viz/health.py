"""Health: what is wrong with a recorded computation, in words, at the place where it went wrong.

Each check looks at what :func:`~tinytorch.viz.trace` and :class:`~tinytorch.viz.watch` measured and adds *notes* to
nodes, which every writer shows. What is found is summed up in the graph's remarks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinytorch.viz.data import Edge, Graph, Node
from tinytorch.viz.describe import rounded, shape_text

__all__ = ["diagnose"]

_DEAD_SHARE = 0.1  # of a layer's units; a few are zero for one batch in any network


def diagnose(graph: Graph, vanishing: float = 1e-6, exploding: float = 1e3) -> Graph:
    """See :meth:`Graph.diagnose`."""
    new = graph.copy()
    into: dict[str, list[Edge]] = {id: [] for id in new.nodes}
    for edge in new.edges:
        into[edge.target].append(edge)
    found = [
        *_not_finite(new, into),
        *_dead_rectifiers(new),
        *_gradients(new, vanishing, exploding),
        *_never_reached(new),
        *_cuts(new),
    ]
    new.remarks += found or ["nothing wrong was found"]
    if new.whole is not None:
        new.whole = diagnose(new.whole, vanishing, exploding)
    return new


def _note(node: Node, text: str) -> None:
    if text not in node.notes:
        node.notes = [*node.notes, text]


def _place(node: Node) -> str:
    """What and where a node is: ``"log (2×3)"``."""
    name = node.label or node.name
    return f"{name} ({shape_text(node.outputs[0].shape)})" if node.outputs else name


def _bad(node: Node) -> str:
    """``"3 of 640 NaN"``, or nothing."""
    size = math.prod(node.outputs[0].shape) if node.outputs else 0
    counts = [(node.stats.get("nan", 0), "NaN"), (node.stats.get("inf", 0), "inf")]
    return ", ".join(f"{int(n):,} of {size:,} {word}" for n, word in counts if n)


def _not_finite(graph: Graph, into: dict[str, list[Edge]]) -> list[str]:
    """Where NaN or inf came from, and what it reached. An infinity that the program put in, as a mask, is fine."""
    sick: set[str] = set()
    found = []
    for node in graph.nodes.values():
        bad = _bad(node)
        if not bad:
            continue
        sources = [graph.nodes[edge.source] for edge in into[node.id]]
        if any(source.id in sick for source in sources):
            _note(node, f"poisoned: {bad}")
        elif _wanted_infinity(node) or (not node.stats.get("nan") and any(_bad(source) for source in sources)):
            continue
        else:
            _note(node, f"{'makes' if node.kind == 'op' else 'holds'} {bad}")
            found.append(f"{_place(node)} {'makes' if node.kind == 'op' else 'holds'} {bad}")
        sick.add(node.id)
    return found


def _wanted_infinity(node: Node) -> bool:
    if node.kind != "op":
        return not node.stats.get("nan")
    texts = [*node.constants.values(), *node.attributes.values()]
    return not node.stats.get("nan") and any(text in ("inf", "-inf") for text in texts)


def _dead_rectifiers(graph: Graph) -> list[str]:
    """Units that gave zero for the whole batch: no gradient passes, so they cannot recover by themselves."""
    found = []
    for node in graph.nodes.values():
        dead, units = node.stats.get("dead", 0), node.stats.get("units", 0)
        if units and dead / units >= _DEAD_SHARE:
            text = f"dead: {int(dead):,} of {int(units):,} units"
            _note(node, text)
            found.append(f"{_place(node)} {text}")
    return found


def _gradients(graph: Graph, vanishing: float, exploding: float) -> list[str]:
    """Parameters whose gradients are far smaller than the others', or huge. Compared per element (root mean square)."""
    sizes = {}
    for node in graph.nodes.values():
        if node.kind == "parameter" and "grad_norm" in node.metrics:
            sizes[node.id] = node.metrics["grad_norm"] / math.sqrt(max(node.metrics.get("params", 1), 1))
    largest = max((size for size in sizes.values() if math.isfinite(size)), default=0.0)
    words: dict[str, list[str]] = {}
    for id, size in sizes.items():
        if not math.isfinite(size):
            word = "gradient is NaN or inf"
        elif size > exploding:
            word = "exploding gradient"
        elif size == 0:
            word = "gradient is zero"
        elif size < vanishing * largest:
            word = "vanishing gradient"
        else:
            continue
        _note(graph.nodes[id], word if word.endswith("zero") else f"{word}: {rounded(size)} per element")
        words.setdefault(word, []).append(graph.nodes[id].name)
    return [f"{word}: {_some(names)}" for word, names in words.items()]


def _never_reached(graph: Graph) -> list[str]:
    """Trainable parameters without a gradient, if others have one or if nothing uses them."""
    any_gradient = any("grad_norm" in node.metrics for node in graph.nodes.values() if node.kind == "parameter")
    names = []
    for node in graph.nodes.values():
        missing = any_gradient and node.gradient == "–"
        if node.kind == "parameter" and node.trainable and (missing or "never reached" in node.notes):
            _note(node, "never reached")
            names.append(node.name)
    return [f"never reached by a gradient: {_some(names)}"] if names else []


def _cuts(graph: Graph) -> list[str]:
    """Places on the way from something trainable to a result where no gradient comes back."""
    learns = _reach([n.id for n in graph.nodes.values() if n.kind == "parameter" and n.trainable], graph.edges, True)
    leads = _reach(graph.results, graph.edges, False)
    found = []
    for edge in graph.edges:
        if edge.note and edge.source in learns and edge.target in leads:
            node = graph.nodes[edge.target]
            _note(node, f"gradient cut: {edge.note}")
            found.append(f"gradient cut before {_place(node)}: {edge.note}")
    return list(dict.fromkeys(found))


def _reach(starts: Iterable[str], edges: list[Edge], forward: bool) -> set[str]:
    """All nodes that can be reached along the edges, or against them."""
    following: dict[str, list[str]] = {}
    for edge in edges:
        here, there = (edge.source, edge.target) if forward else (edge.target, edge.source)
        following.setdefault(here, []).append(there)
    seen = set(starts)
    stack = list(seen)
    while stack:
        for there in following.get(stack.pop(), ()):
            if there not in seen:
                seen.add(there)
                stack.append(there)
    return seen


def _some(names: list[str], most: int = 4) -> str:
    names = [name or "a parameter" for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
