"""Pictures of computations.

>>> import tinytorch
>>> from tinytorch import viz
>>> x = tinytorch.tensor([1.0, 2.0], requires_grad=True)
>>> g = viz.graph((x * x).sum())
>>> print(g)
2 ops, 8 B saved for backward
x   input      2  value [1.0, 2.0]  grad –
n1  mul(x, x)  2
n2  sum(n1)    scalar  value 5.0

``g.save("picture.svg")`` draws it; in a notebook ``g`` shows itself. :class:`Graph` lists what can be done with one.

The way from a computation to a picture: recording (:mod:`.walk` goes back from a result; :mod:`.build` gives names and
numbers) makes a plain :class:`Graph` (:mod:`.data`); transformations (:mod:`.collapse`, :mod:`.roll`, :mod:`.select`,
:mod:`.fold`) turn it into another one; writers (:mod:`.dot`, :mod:`.text`, :mod:`.mermaid`, :mod:`.html`) write
it down, and :mod:`.render` finds a program that draws.
"""

from tinytorch.viz.data import Edge, Graph, Node, Scope
from tinytorch.viz.familiar import draw_dot, draw_graph, make_dot
from tinytorch.viz.render import save_digraph
from tinytorch.viz.trace import trace
from tinytorch.viz.walk import graph
from tinytorch.viz.watch import watch

__all__ = [
    "Edge", "Graph", "Node", "Scope", "draw_dot", "draw_graph", "graph", "make_dot", "save_digraph", "trace", "watch",
]  # fmt: skip
