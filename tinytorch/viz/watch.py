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

from tinytorch.viz.data import Graph
from tinytorch.viz.names import Names, variables_of
from tinytorch.viz.record import Recorder
from tinytorch.viz.title import title_of

__all__ = ["watch"]


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
        graph.title = title_of(graph)
        graph.style["values"] = self.values
        graph.style["metrics"] = ["time", "time_backward", "grad_norm"]
        return graph
