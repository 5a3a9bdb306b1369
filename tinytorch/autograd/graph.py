"""The graph, for those who want to act on it (``torch.autograd.graph``): what nodes save, and where gradients go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinytorch.autograd.modes import state
from tinytorch.autograd.multi_grad import register_multi_grad_hook
from tinytorch.autograd.node import AccumulateGrad, GradientEdge, Node
from tinytorch.tensor import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class saved_tensors_hooks:
    """Inside, what a node saves for backward goes through ``pack_hook``, and backward gets ``unpack_hook`` of that.

    What pack returns is kept instead of the tensor: the name of a file, a compressed copy. Unpack has to return a
    tensor of the same shape and dtype.

    >>> import tinytorch as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     y = x.exp()
    >>> y.sum().backward()
    >>> x.grad
    tensor([2.7188, 2.7188])

    RuntimeError inside :func:`disable_saved_tensors_hooks`.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("saved_tensors_hooks takes two functions, pack_hook and unpack_hook")
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._before: list[Any] = []

    def __enter__(self) -> None:
        if state.no_saved_tensors_hooks is not None:
            raise RuntimeError(state.no_saved_tensors_hooks)
        self._before.append(state.saved_tensors_hooks)
        state.saved_tensors_hooks = self.pack_hook, self.unpack_hook

    def __exit__(self, *exception: Any) -> None:
        state.saved_tensors_hooks = self._before.pop()


class save_on_cpu(saved_tensors_hooks):
    """Saved tensors are kept as copies in the CPU's memory, where they are anyway."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda tensor: tensor)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, entering :class:`saved_tensors_hooks` raises a RuntimeError with this message."""
    before = state.no_saved_tensors_hooks
    state.no_saved_tensors_hooks = error_message
    try:
        yield
    finally:
        state.no_saved_tensors_hooks = before


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Inside, a tensor may be changed in place although a node saved it: nodes save copies.

    PyTorch copies a tensor only when it is about to be changed; here every saved tensor is copied at once, which costs
    memory and gives the same gradients. Indices and masks are not saved tensors here: backward raises where one was
    changed, here as well. RuntimeError when one is entered inside another.

    >>> import tinytorch as torch
    >>> with allow_mutation_on_saved_tensors():
    ...     x = torch.ones(2, requires_grad=True)
    ...     y = x.clone()
    ...     z = y**2
    ...     y = y.sin_()
    ...     z.sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self) -> None:
        super().__init__(_copy, lambda tensor: tensor)

    def __enter__(self) -> None:
        if state.saved_tensors_hooks is not None and state.saved_tensors_hooks[0] is _copy:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        super().__enter__()


def _copy(tensor: Tensor) -> Tensor:
    return tensor.clone()


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Count a change in place that autograd could not see, so that nodes which saved the old values notice it."""
    for changed in [tensor] if isinstance(tensor, Tensor) else tensor:
        if not changed._inference:
            changed._bump_version()


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge at which ``tensor`` hangs. RuntimeError if it does not require grad."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    end, index = tensor._gradient_edge()
    return GradientEdge(AccumulateGrad(end) if isinstance(end, Tensor) else end, index)
