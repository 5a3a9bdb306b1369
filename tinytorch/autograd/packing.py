"""Saved tensors in a form of the user's own: what ``saved_tensors_hooks`` of :mod:`.graph` puts into nodes."""

from __future__ import annotations

from typing import Any

from tinytorch.autograd.modes import no_grad, state

__all__ = ["PackedByHook"]


class PackedByHook:
    """A saved tensor in the form that the user's ``pack_hook`` gave it; ``unpack_hook`` makes it a tensor again."""

    __slots__ = ("edge", "packed", "unpack")

    def __init__(self, tensor: Any) -> None:
        pack, self.unpack = state.saved_tensors_hooks
        self.edge: Any = tensor._gradient_edge() if tensor._requires_grad else None
        with no_grad():
            self.packed = pack(tensor.detach())

    def as_tensor(self) -> Any:
        """The tensor, at its place in the graph."""
        with no_grad():
            unpacked = self.unpack(self.packed)
        if not hasattr(unpacked, "_array"):
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                            f"{type(unpacked)}")  # fmt: skip
        if self.edge is None or not state.grad_enabled:
            return unpacked
        target, index = self.edge
        if hasattr(target, "_array"):  # a leaf: gradients reach it through an identity
            if target._array is unpacked._array:
                return target
            target, index = target.view_as(target)._edge
        tensor = unpacked.detach()
        tensor._edge, tensor._requires_grad = (target, index), True
        return tensor
