"""Gradients that nobody waits for.

A layer's backward computes two large things: the gradient of its input, which the layer before it waits for, and the
gradient of its weight, which nobody needs before the walk has come to its end. So the second may be computed by
another thread while the walk goes on. (A network's small layers gain most: cut in two, each of their products would
be too short for two threads. The training step of the notebook's CNN with batches of 16 became 10 % faster with two:
``python -m tests.benchmarks --only "batch 16" --threads 2``.)

Such gradients are added to their leaves at the end of the walk, in the order in which they were put off, whoever
computed them: no bit depends on the number of threads.

What PyTorch does. Its engine uses one thread for each device, and its kernels use all cores for one node at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from tinytorch.autograd.modes import no_grad, state
from tinytorch.autograd.node import Edge, Node
from tinytorch.autograd.saving import OnArrays
from tinytorch.autograd.watching import watchers
from tinytorch.kernels.threads import Task, get_num_threads

__all__ = ["Deferred", "later"]

WORTH_MICROSECONDS = (120.0, 6000.0)
"""Less work is not worth waking up a thread for; more fills all cores by itself, and is done sooner than it is kept."""


def later(node: Node | OnArrays, index: int, microseconds: float, compute: Callable[[], Any]) -> Any:
    """``compute()``, the gradient of a node's input that takes so long; or None, and it will be delivered later.

    The walk waits for the gradient of input 0. In a network's first layer there is none, and nothing to do meanwhile.
    """
    walk = state.walk
    least, most = WORTH_MICROSECONDS
    if not least <= microseconds <= most or walk is None or node.hooks is not None or not node.needs_input_grad[0]:
        return compute()
    edge = node.edges[index]
    if edge is None or isinstance(edge[0], Node):
        return compute()
    walk.deferred.add(edge, compute)
    return None


class Deferred:
    """The gradients put off in one walk: as many under way as there are other threads, as their arguments take
    memory."""

    def __init__(self) -> None:
        self._results: list[tuple[Edge, list[Any]]] = []
        self._running: deque[Task] = deque()

    def add(self, edge: Edge, compute: Callable[[], Any]) -> None:
        """Begin to compute what will be delivered to ``edge``."""
        result: list[Any] = []
        self._results.append((edge, result))
        if watchers or get_num_threads() == 1:
            result.append(compute())
            return
        while len(self._running) >= get_num_threads() - 1:
            self._running.popleft().finish()
        self._running.append(Task(lambda: result.append(_without_graph(compute))))

    def results(self) -> Iterator[tuple[Edge, Any]]:
        """(edge, gradient) in the order in which they were put off."""
        while self._running:
            self._running.popleft().finish()
        for edge, result in self._results:
            yield edge, result.pop()

    def cancel(self) -> None:
        """Wait for what is under way, and forget it."""
        while self._running:
            self._running.popleft().cancel()


def _without_graph(compute: Callable[[], Any]) -> Any:
    """``compute()``; a thread of its own starts with recording switched on."""
    with no_grad():
        return compute()
