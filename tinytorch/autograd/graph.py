"""The graph, for those who want to act on it (``torch.autograd.graph``): what nodes save, and where gradients go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tinytorch.autograd.modes import state
from tinytorch.autograd.node import Node
from tinytorch.tensor import Tensor

__all__ = ["GradientEdge", "Node", "get_gradient_edge", "save_on_cpu", "saved_tensors_hooks"]


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
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._before: list[Any] = []

    def __enter__(self) -> None:
        self._before.append(state.saved_tensors_hooks)
        state.saved_tensors_hooks = self.pack_hook, self.unpack_hook

    def __exit__(self, *exception: Any) -> None:
        state.saved_tensors_hooks = self._before.pop()


class save_on_cpu(saved_tensors_hooks):
    """Saved tensors are kept as copies in the CPU's memory, where they are anyway."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda tensor: tensor)


class GradientEdge(NamedTuple):
    """Where a tensor's gradient goes: a node, and which of its outputs the tensor is."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge at which ``tensor`` hangs. RuntimeError if it does not require grad."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*tensor._gradient_edge())
