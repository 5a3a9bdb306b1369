"""Copies, views of the whole, and values written over others: clone, as_subclass, and what fill_ and copy_ compute."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.layout import empty_like, row_major_copy, same_order_copy
from tinytorch.ops.arguments import Number, checks_arguments, wrong_argument
from tinytorch.ops.checks import check_tensor
from tinytorch.ops.creation import zeros_like
from tinytorch.ops.numbers import number_as
from tinytorch.tensor import Tensor

__all__ = ["clone", "copy", "fill"]


class Clone(Primitive):
    """y = x, in memory of its own: in the order of x, or with ``order="C"`` row-major."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, order: Any = "K") -> np.ndarray:
        return row_major_copy(x) if order == "C" else same_order_copy(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class Alias(Primitive):
    """The same again, as a tensor of its own: a view of the whole."""

    returns_view = True
    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return x[...]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class Fill(Primitive):
    """y = a number everywhere, in place of x: the gradient of x is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: Any) -> np.ndarray:
        y = empty_like(x)
        y.fill(number_as(value, x.dtype))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return zeros_like(grad)


class Copy(Primitive):
    """y = source broadcast to x's shape, in place of x: x receives 0, the source everything."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        if isinstance(source, (bool, int, float, complex)):
            source = np.asarray(source)
        if not isinstance(source, np.ndarray):
            raise wrong_argument("copy_", "other", 1, source)
        try:
            if source.ndim > x.ndim:  # of which NumPy would leave out leading ones
                raise ValueError
            broadcast = np.broadcast_to(source, x.shape)
        except ValueError:
            from tinytorch.ops.broadcast import broadcast_shapes

            meets = broadcast_shapes(source.shape, x.shape)
            raise RuntimeError(
                f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(meets)}"
            ) from None
        return broadcast.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return zeros_like(grad), grad


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy that gradients flow through, in the same memory order or that of ``memory_format``."""
    check_tensor("clone", "input", 1, input)
    result = Clone.apply(input)
    if memory_format is not None:
        result._array = ops.in_format(result.detach(), memory_format)._array  # detach() also pins the order down
    return result


@checks_arguments
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` everywhere, as a new value of ``input``."""
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return Copy.apply(input, value)
    return Fill.apply(input, value=value)


def copy(input: Tensor, source: Tensor) -> Tensor:
    """``source`` broadcast to ``input``'s shape, in its dtype, as a new value of ``input``."""
    return Copy.apply(input, source)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
