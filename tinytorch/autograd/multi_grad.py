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
        return _Handles([tensor.register_hook(first) for tensor in tensors if tensor.requires_grad])
    gather = _Gather(fn, len(tensors))
    return _Handles([tensor.register_hook(partial(gather, index)) for index, tensor in enumerate(tensors)])


class _Handles(RemovableHandle):
    """Takes back several hooks at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take them all back."""
        for handle in self.handles:
            handle.remove()


class _First:
    """Passes on the first gradient of each backward. Backwards, which may be nested, are told apart by ``at_end``."""

    def __init__(self, fn: Callable[[Tensor], None]) -> None:
        self.fn = fn
        self.heard: set[int] = set()

    def __call__(self, gradient: Tensor) -> None:
        backward = id(state.at_end)
        if backward not in self.heard:
            self.heard.add(backward)
            state.at_end.append(partial(self.heard.discard, backward))
            self.fn(gradient)


class _Gather:
    """Keeps the gradients of each backward until they are complete, or the backward ends."""

    def __init__(self, fn: Callable[[Sequence[Tensor | None]], None], count: int) -> None:
        self.fn, self.count = fn, count
        self.arrived: dict[int, dict[int, Tensor]] = {}

    def __call__(self, index: int, gradient: Tensor) -> None:
        backward = id(state.at_end)
        if backward not in self.arrived:
            self.arrived[backward] = {}
            state.at_end.append(partial(self.finish, backward))
        self.arrived[backward][index] = gradient
        if len(self.arrived[backward]) == self.count:
            self.finish(backward)

    def finish(self, backward: int) -> None:
        """Call ``fn``, unless that is done."""
        gradients = self.arrived.pop(backward, None)
        if gradients is not None:
            self.fn([gradients.get(index) for index in range(self.count)])
