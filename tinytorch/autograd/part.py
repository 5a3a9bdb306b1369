"""Chapter 1, part 5. A part of the graph: the nodes behind a result, and those of them that lead to given tensors.

After: tinytorch/autograd/engine.py
Next: tinytorch/tensor_base.py

Goal: walk a graph without recursion, and find out what need not be computed.

``backward()`` wants the gradients of all leaves. ``grad(loss, x)`` wants that of x alone, so everything that does not
lead to x can be left out: in a large network, to ask for the gradient of the last layer's weights is cheap.
:class:`Wanted` goes once through the graph from the inputs to the results (in ascending order of creation numbers, so
that what a node depends on has been judged before it) and notes which inputs of a node lead to a target::

    an input leads to a target   if it is one, or if the node that made it has an input that does

That is all: in the engine's walk, a gradient that is never sent wakes up no node. And where all leaves are targets,
every input of every node leads to one, so nothing has to be judged.

>>> import tinytorch
>>> x, w = tinytorch.tensor(2.0, requires_grad=True), tinytorch.tensor(3.0, requires_grad=True)
>>> hidden = x.exp()
>>> loss = (hidden * w).sum()
>>> nodes, leaves = reachable((loss,))
>>> [node.name() for node in nodes]
['SumBackward0', 'MulBackward0', 'ExpBackward0']
>>> wanted = Wanted((loss,), (w,))               # not x: so exp need not run, nor mul for its first input
>>> {node.name(): wanted.needs(node) for node in nodes}
{'SumBackward0': (True,), 'MulBackward0': (False, True), 'ExpBackward0': (False,)}

What PyTorch does. The same, as ``exec_info`` of a ``GraphTask``.

Pitfalls. A recursive walk ends at a depth of about a thousand: :func:`reachable` goes through a list that grows
meanwhile.

Exercises. Which nodes run for ``grad(loss, hidden)``? And what is captured there?
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tinytorch.autograd.node import Node

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["Wanted", "reachable"]

_edges = attrgetter("edges")


class Wanted:
    """The part of the graph that leads to given tensors, and the gradients captured there."""

    def __init__(self, starts: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> None:
        self._keys: list[tuple[int, int]] = []  # the ends of the targets' edges
        self.captured: dict[tuple[int, int], Tensor] = {}
        #: The nodes that do not run as in ``backward()``: those whose inputs do not all lead to targets, and those
        #: whose outputs are targets. For each of their inputs, whether it leads to a target.
        self.special: dict[int, tuple[bool, ...]] = {}  # by id(node)
        for position, target in enumerate(targets):
            if not target.requires_grad:
                raise RuntimeError(f"One of the differentiated Tensors does not require grad (input {position})")
            end, index = target._gradient_edge()
            self._keys.append((id(end), index))
            if isinstance(end, Node):
                self.special[id(end)] = end.needs_input_grad
        self._targets = set(self._keys)
        self._ends = {key[0] for key in self._keys}  # ids of the nodes and leaves that the targets belong to
        nodes, leaves = reachable(starts)
        if not all(id(leaf) in self._ends for leaf in leaves):
            self._judge(sorted(nodes, key=attrgetter("number")))  # inputs come before users

    def _judge(self, nodes: list[Node]) -> None:
        """Find out which inputs of these nodes lead to targets."""
        leading, targets = set(), self._targets
        for node in nodes:
            needs = []
            for edge in node.edges:
                needs.append(edge is not None and (id(edge[0]) in leading or (id(edge[0]), edge[1]) in targets))
            if True in needs:
                leading.add(id(node))
            if tuple(needs) != node.needs_input_grad:
                self.special[id(node)] = tuple(needs)

    def needs(self, node: Node) -> tuple[bool, ...]:
        """For each input of a node, whether its gradient leads to a target."""
        return self.special.get(id(node), node.needs_input_grad)

    def asks_for(self, end: Any) -> bool:
        """Whether a node or leaf leads to a target, or is one: other gradients are nobody's, and no hook sees them."""
        return id(end) in self._ends or (isinstance(end, Node) and any(self.needs(end)))

    def capture(self, node: Node, received: list[Tensor | None]) -> None:
        """Keep the gradients of this node's outputs that were asked for."""
        for index, gradient in enumerate(received):
            if gradient is not None and (id(node), index) in self._targets:
                self.captured[id(node), index] = gradient

    def results(self, leaves: dict[int, list[Any]]) -> list[Tensor | None]:
        """One gradient per target; None where no path led to it.

        Each is a Tensor of its own, save a leaf (the cotangent that was given, say): an alias of a leaf would be
        another leaf.
        """
        for leaf_id, (_, gradient) in leaves.items():
            self.captured[leaf_id, 0] = gradient
        found = [self.captured.get(key) for key in self._keys]
        return [g if g is None or (g._edge is None and g._requires_grad) else g._alias() for g in found]


def reachable(starts: Iterable[Tensor]) -> tuple[list[Node], list[Tensor]]:
    """All nodes and all leaves from which ``starts`` were made, without recursion."""
    nodes: list[Node] = []
    leaves: list[Tensor] = []
    seen = set()
    for edges in chain([[start._gradient_edge() for start in starts if start.requires_grad]], map(_edges, nodes)):
        for edge in edges:
            if edge is not None and id(edge[0]) not in seen:
                seen.add(id(edge[0]))
                (nodes if isinstance(edge[0], Node) else leaves).append(edge[0])
    return nodes, leaves
