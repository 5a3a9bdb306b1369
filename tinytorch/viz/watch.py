"""watch: measure a piece of a program while it runs, and draw what it did.

::

    with viz.watch() as w:
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
    w.graph().color_by("time").save("step.svg")
"""

from __future__ import annotations

import sys
from typing import Any

from tinytorch.viz.colors import metric_text
from tinytorch.viz.data import Graph
from tinytorch.viz.names import Names, variables_of
from tinytorch.viz.record import Recorder

__all__ = ["measured_title", "watch"]


class watch(Recorder):
    """A context manager that records the ops of this thread: shapes, FLOPs, times and gradient norms.

    No tensor is kept alive. ``values=True`` looks at every result too (mean, range, zeros, NaN), which takes longer.

    >>> import tinytorch
    >>> w = tinytorch.ones(4, requires_grad=True)
    >>> with watch() as watched:
    ...     (w * 2).sum().backward()
    >>> graph = watched.graph()
    >>> [(node.name, node.metrics["flops"], node.metrics["grad_norm"]) for node in graph.ops()]
    [('mul', 4.0, 2.0), ('sum', 4.0, 1.0)]
    """

    def graph(self, model: Any = None, names: dict[str, Any] | None = None) -> Graph:
        """What ran so far. ``model`` adds parameters that were never reached; variables of the caller give names."""
        known = Names(model, names, variables_of(sys._getframe(1)))
        if model is not None:
            self.builder.add_unreached(model)
        graph = self.finish(known)
        graph.title = measured_title(graph)
        graph.style["values"] = self.values
        graph.style["metrics"] = ["time", "time_backward", "grad_norm"]
        return graph


def measured_title(graph: Graph) -> str:
    """``"CNNExample: 34 ops, 69,290 parameters, 2.6 GFLOP, 61 ms forward, 90 ms backward"``."""
    outermost = dict.fromkeys(scope.name or scope.kind for scope in graph.scopes.values() if not scope.parent)
    ops = sum(node.kind == "op" for node in graph.nodes.values())
    parts = [f"{ops:,} op{'s' if ops != 1 else ''}"]
    if graph.total("params"):
        parts.append(f"{int(graph.total('params')):,} parameters")
    for metric, words in (("flops", ""), ("time", " forward"), ("time_backward", " backward")):
        total = graph.total(metric)
        if total:
            parts.append(metric_text(metric, total) + words)
    return f"{', '.join(outermost)}: {', '.join(parts)}" if len(outermost) == 1 else ", ".join(parts)
