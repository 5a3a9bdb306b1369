"""The title of a picture: what it shows, and its sums."""

from __future__ import annotations

from tinytorch.viz.colors import metric_text
from tinytorch.viz.data import Graph
from tinytorch.viz.describe import bytes_text
from tinytorch.viz.saved import total_saved

__all__ = ["title_of"]


def title_of(graph: Graph) -> str:
    """``"model: 34 ops, 69,290 parameters, 24 MB saved for backward, 1.8 GFLOP, 61 ms forward, 90 ms backward"``."""
    ops = sum(node.kind == "op" for node in graph.nodes.values())
    parts = [f"{ops:,} op{'s' if ops != 1 else ''}"]
    if graph.total("params"):
        parts.append(f"{int(graph.total('params')):,} parameters")
    if total_saved(graph):
        parts.append(f"{bytes_text(total_saved(graph))} saved for backward")
    for metric, words in (("flops", ""), ("time", " forward"), ("time_backward", " backward")):
        total = graph.total(metric)
        if total:
            parts.append(metric_text(metric, total) + words)
    what = _subject(graph)
    return f"{what}: {', '.join(parts)}" if what else ", ".join(parts)


def _subject(graph: Graph) -> str:
    """The one outermost module, or else the one result that has a name."""
    outermost = list(dict.fromkeys(scope.name or scope.kind for scope in graph.scopes.values() if not scope.parent))
    if len(outermost) == 1:
        return outermost[0]
    results = [graph.nodes[id] for id in graph.results]
    if len(results) != 1:
        return ""
    return results[0].label or (results[0].name if results[0].kind != "op" else "")
