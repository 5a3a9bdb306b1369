"""Division that rounds, and what it leaves over: ``//``, ``%``, fmod. A rounded quotient is flat nearly everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.kernels import remainder as kernels
from tinytorch.ops.broadcast import Elementwise, operands
from tinytorch.ops.checks import check_any_tensor, check_tensor, refuse_bool
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["RoundedDiv", "floor_divide", "fmod", "remainder"]


class Remainder(Elementwise):
    """y = a - floor(a / b) · b, with the sign of b, as Python's %; ∂y/∂a = 1, ∂y/∂b = -floor(a / b)."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        _refuse_integer_zero(a, b)
        ctx.save_for_backward(a, b)
        return kernels.remainder(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        return grad, -grad * ops.div(a, b, rounding_mode="floor") if ctx.needs_input_grad[1] else None


class Fmod(Elementwise):
    """y = a - trunc(a / b) · b, with the sign of a, as C's fmod."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        _refuse_integer_zero(a, b)
        ctx.save_for_backward(a, b)
        return kernels.fmod(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        return grad, -grad * ops.div(a, b, rounding_mode="trunc") if ctx.needs_input_grad[1] else None


class RoundedDiv(Elementwise):
    """y = a / b rounded down or towards zero; flat nearly everywhere, so its derivative is 0."""

    exact_numbers = (1,)

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, mode: str) -> np.ndarray:
        _refuse_integer_zero(a, b)
        if mode == "floor":
            return np.floor_divide(a, b)
        return _truncating_division(a, b) if _are_integers(a, b) else np.trunc(np.true_divide(a, b))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return ops.zeros_like(grad), ops.zeros_like(grad)


class FloorDivide(RoundedDiv):
    """``a // b``. PyTorch gives it no derivative, so that nobody mistakes 0 for one; ``div(...,
    rounding_mode="floor")`` has 0."""

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


def _are_integers(a: Any, b: Any) -> bool:
    return np.asarray(a).dtype.kind in "iu" and np.asarray(b).dtype.kind in "iu"


def _refuse_integer_zero(a: Any, b: Any) -> None:
    """RuntimeError for integers divided by zero; without elements nothing is divided."""
    if type(b) in (int, float) and b:
        return
    if _are_integers(a, b) and np.size(a) and not np.all(b):
        raise RuntimeError("ZeroDivisionError")


def _truncating_division(a: Any, b: Any) -> np.ndarray:
    """Integer division towards zero, exact for all integers (a detour over floats would not be)."""
    quotient = np.floor_divide(a, b)
    inexact_negative = (quotient < 0) & (quotient * b != a)
    return quotient + inexact_negative.astype(quotient.dtype)


@accepts_out
def floor_divide(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input // other``, rounded down (``torch.floor_divide``). RuntimeError for an integer division by zero."""
    a, b = operands(input, other)
    refuse_bool("div_floor_cpu", a, b)
    return FloorDivide.apply(a, b, mode="floor")


@accepts_out
def remainder(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Python's modulus: the result has the sign of ``other`` (``torch.remainder``)."""
    check_any_tensor("remainder", input, other)
    a, b = operands(input, other)
    refuse_bool("remainder_cpu", a, b)
    return Remainder.apply(a, b)


@accepts_out
def fmod(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """C's modulus: the result has the sign of ``input`` (``torch.fmod``)."""
    check_tensor("fmod", "input", 1, input)
    a, b = operands(input, other)
    refuse_bool("fmod_cpu", a, b)
    return Fmod.apply(a, b)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
