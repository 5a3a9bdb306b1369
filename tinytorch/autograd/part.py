"""Chapter 1, part 4. A part of the graph: the nodes behind a result, and those of them that lead to given tensors.

After: tinytorch/autograd/primitive.py
Next: tinytorch/autograd/engine.py

Goal: walk a graph without recursion, and find out what need not be computed.

``backward()`` wants the gradients of all leaves. ``grad(loss, x)`` wants that of x alone, so everything that does not
lead to x can be left out: in a large network, to ask for the gradient of the last layer's weights is cheap.
:class:`Wanted` goes once through the graph from the inputs to the results (in ascending order of creation numbers, so
that what a node depends on has been judged before it) and notes for each node which of its inputs lead to a target::

    an input leads to a target   if it is one, or if the node that made it has an input that does

>>> import tinytorch
>>> x, w = tinytorch.tensor(2.0, requires_grad=True), tinytorch.tensor(3.0, requires_grad=True)
>>> hidden = x.exp()
>>> loss = (hidden * w).sum()
>>> [node.name() for node in reachable([loss])]
['SumBackward0', 'MulBackward0', 'ExpBackward0']
>>> wanted = Wanted((loss,), (w,))               # not x: so exp need not run, nor mul for its first input
>>> {node.name(): wanted.needs.get(id(node)) for node in reachable([loss])}
{'SumBackward0': (True,), 'MulBackward0': (False, True), 'ExpBackward0': None}

What PyTorch does. The same, as ``exec_info`` of a ``GraphTask``.

Pitfalls. A recursive walk ends at a depth of about a thousand: :func:`reachable` goes through a list that grows
meanwhile.

Exercises. Which nodes run for ``grad(loss, hidden)``? And what is captured there?
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tinytorch.autograd.node import Node

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["Wanted", "reachable"]


class Wanted:
    """The part of the graph that leads to given tensors, and the gradients captured there."""

    def __init__(self, starts: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> None:
        self.keys = []
        for position, target in enumerate(targets):
            if not target.requires_grad:
                raise RuntimeError(f"One of the differentiated Tensors does not require grad (input {position})")
            end, index = target._gradient_edge()
            self.keys.append((id(end), index))
        self.captured: dict[tuple[int, int], Tensor] = {}
        self._targets = set(self.keys)
        self.ends = {key[0] for key in self.keys}  # ids of the nodes and leaves that the targets belong to
        #: The nodes that have to run, and for each of their inputs, whether its gradient leads to a target.
        self.needs: dict[int, tuple[bool, ...]] = {}  # by id(node)
        running, targeted = self.needs, self._targets
        for node in sorted(reachable(starts), key=attrgetter("number")):  # inputs come before users
            needs = []
            for edge in node.edges:
                key = (0, 0) if edge is None else (id(edge[0]), edge[1])
                needs.append(key[0] in running or key in targeted)
            if True in needs:
                running[id(node)] = tuple(needs)

    def asks_for(self, end: Any) -> bool:
        """Whether a node or leaf leads to a target, or is one: other gradients are nobody's, and no hook sees them."""
        return id(end) in self.needs or id(end) in self.ends

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
        found = [self.captured.get(key) for key in self.keys]
        return [g if g is None or (g._edge is None and g._requires_grad) else g._alias() for g in found]


def reachable(starts: Iterable[Tensor]) -> list[Node]:
    """All nodes from which ``starts`` were made, without recursion."""
    found = list(dict.fromkeys([start.grad_fn for start in starts if start.grad_fn is not None]))
    seen = {id(node) for node in found}
    for node in found:  # which grows meanwhile
        for edge in node.edges:
            if edge is not None and id(edge[0]) not in seen:
                seen.add(id(edge[0]))
                if isinstance(edge[0], Node):
                    found.append(edge[0])
    return found
