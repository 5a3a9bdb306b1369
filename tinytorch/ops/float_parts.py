"""Floating point numbers taken apart: mantissa and exponent, and the next number in a direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.dtypes import FLOATS
from tinytorch.ops.broadcast import Elementwise, operands
from tinytorch.ops.checks import check_floating, check_tensor
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = ["frexp", "nextafter"]


class Frexp(Elementwise):
    """x = m · 2^e with ½ <= |m| < 1; the exponent is flat almost everywhere, so m' = 2^-e."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mantissa, exponent = np.frexp(x)
        exponent = np.where(np.isfinite(x), exponent, 0).astype(np.int32)
        ctx.mark_non_differentiable(exponent)
        ctx.save_intermediates(np.ldexp(np.ones_like(x), -exponent))
        return mantissa, exponent

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Tensor:
        (scale,) = ctx.intermediates
        return grad * Tensor._wrap(scale)


class Nextafter(Elementwise):
    """The step is tiny and constant, so ∂y/∂a = 1 and ∂y/∂b = 0; where a = b PyTorch has 0 for both."""

    computes = False  # the next number in single precision is not the next in half

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.save_intermediates(np.not_equal(a, b).astype(a.dtype))
        return np.asarray(np.nextafter(a, b))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        (apart,) = ctx.intermediates
        return grad * Tensor._wrap(apart), grad * 0


@accepts_exact_out
def frexp(input: Tensor, *, out: Any = None) -> Any:
    """(mantissa, exponent) with ``input = mantissa · 2^exponent``; the exponent is int32. RuntimeError for integers.

    >>> import tinytorch
    >>> tinytorch.frexp(tinytorch.tensor([1.0, -12.0])).mantissa
    tensor([ 0.5000, -0.7500])
    """
    check_tensor("frexp", "input", 1, input)
    if input._array.dtype.kind not in FLOATS:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return return_types.frexp(*Frexp.apply(input))


@accepts_out
def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The floating point number after ``input`` in the direction of ``other``. NotImplementedError for integers."""
    check_tensor("nextafter", "input", 1, input)
    check_tensor("nextafter", "other", 2, other)
    a, b = operands(input, other)
    check_floating("nextafter_cpu", a, b)
    return Nextafter.apply(a, b)
