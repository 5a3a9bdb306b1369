"""One hook for the gradients of several tensors (``torch.autograd.graph.register_multi_grad_hook``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tinytorch.autograd.hooks import RemovableHandle
from tinytorch.autograd.modes import state
from tinytorch.tensor import Tensor

__all__ = ["register_multi_grad_hook"]


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once in every backward that reaches some of the tensors, with their gradients.

    ``mode="all"``: ``fn(gradients)``, when all have arrived; if this backward does not reach all of the tensors, at its
    end, with None for those. ``mode="any"``: ``fn(gradient)``, with the first that arrives.

    >>> import tinytorch as torch
    >>> a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> handle = register_multi_grad_hook((a, b), print)
    >>> (a * 2 + b * 3).sum().backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        first = _First(fn)
        return _Handles([tensor.register_hook(first.arrive) for tensor in tensors if tensor.requires_grad])
    all_ = _All(fn, len(tensors))
    return _Handles([tensor.register_hook(partial(all_.arrive, index)) for index, tensor in enumerate(tensors)])


class _Handles(RemovableHandle):
    """Takes back several hooks at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take them all back."""
        for handle in self.handles:
            handle.remove()


# What is known of one backward stands in its own list ``state.at_end``: so it is told apart from others, nested ones
# too, and forgotten with it, even if it ends with an error.


class _First:
    """Passes on the first gradient of each backward."""

    def __init__(self, fn: Callable[[Tensor], None]) -> None:
        self.fn = fn

    def arrive(self, gradient: Tensor) -> None:
        """The hook of every tensor."""
        if self not in state.at_end:
            state.at_end.append(self)
            self.fn(gradient)

    def __call__(self) -> None:
        """The backward has ended: nothing is left to do."""


class _All:
    """Keeps the gradients of each backward until they are complete, or the backward ends."""

    def __init__(self, fn: Callable[[Sequence[Tensor | None]], None], count: int) -> None:
        self.fn, self.count = fn, count

    def arrive(self, index: int, gradient: Tensor) -> None:
        """The hook of tensor ``index``."""
        arrived = next((each for each in state.at_end if isinstance(each, _Arrived) and each.hook is self), None)
        if arrived is None:
            arrived = _Arrived(self)
            state.at_end.append(arrived)
        arrived.gradients[index] = gradient
        if len(arrived.gradients) == self.count:
            arrived()


class _Arrived:
    """The gradients that one backward has brought so far, by the tensors' positions."""

    def __init__(self, hook: _All) -> None:
        self.hook = hook
        self.gradients: dict[int, Tensor] = {}
        self.done = False

    def __call__(self) -> None:
        """Pass them on, unless that is done."""
        if not self.done:
            self.done = True
            self.hook.fn([self.gradients.get(index) for index in range(self.hook.count)])
