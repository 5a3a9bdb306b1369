"""A gradient in the form that it must have where it goes: the shape and dtype of the tensor that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinytorch import ops
from tinytorch.kernels.half import is_half
from tinytorch.ops.broadcast import Elementwise
from tinytorch.tensor import Tensor

if TYPE_CHECKING:
    from tinytorch.autograd.node import Node

__all__ = ["fitted"]


def fitted(gradient: Tensor, shape: tuple[int, ...], dtype: Any, sender: Node | None) -> Tensor:
    """Un-broadcast: sum over the dimensions along which the forward pass repeated the input. Cast: to the input's
    dtype; a real input has no use for the imaginary part.

    RuntimeError for a gradient of ``sender`` whose shape cannot come from broadcasting.
    """
    if gradient._array.shape != shape:
        if not ops.is_expandable(shape, gradient._array.shape):
            name = sender.name() if sender is not None else "backward"
            raise RuntimeError(
                f"Function {name} returned an invalid gradient - got {list(gradient.shape)} but expected shape "
                f"compatible with {list(shape)}"
            )
        if is_half(dtype) and isinstance(sender, Elementwise):  # what PyTorch adds up has been rounded already
            gradient = ops.cast(gradient, dtype)
        gradient = ops.sum_to(gradient, shape)
    if gradient._array.dtype.kind == "c" and dtype.kind != "c":
        gradient = ops.real(gradient)
    return ops.cast(gradient, dtype)
