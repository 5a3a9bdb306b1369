"""What reading and setting ``tensor.grad`` checks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["checked_gradient", "warn_of_no_gradient"]


def checked_gradient(tensor: Any, value: Any) -> Tensor:
    """``value``, if it can be the gradient of ``tensor``: another tensor of its shape and dtype.

    TypeError for what is no tensor, RuntimeError for what does not fit.
    """
    from tinytorch.tensor import Tensor  # late: it is made of this

    if not isinstance(value, Tensor):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value.shape != tensor.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size '{list(tensor.shape)}'."
            " Please ensure that the gradient and the tensor are the same size"
        )
    if value.dtype != tensor.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with dtype '{tensor.dtype}'. "
            "Please ensure that the gradient and the tensor have the same dtype"
        )
    return value


def warn_of_no_gradient() -> None:
    """The UserWarning for reading ``.grad`` of an op's result that keeps none."""
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
        "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
        "you access the leaf Tensor instead.",
        stacklevel=3,
    )
