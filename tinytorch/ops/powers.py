"""Chapter 3, part 3. Powers, whose derivatives need care where one factor is 0 and the other infinite.

After: tinytorch/ops/arithmetic.py
Next: tinytorch/ops/unary.py

Goal: differentiate a ** b for both of its operands, also where the formula on paper says 0 · inf.

Two more lines of the table::

    y = a ** b     ∂L/∂a = grad · b · a**(b-1)        ∂L/∂b = grad · y · ln a

The derivation of the second: y = e^(b · ln a), so ∂y/∂b = e^(b · ln a) · ln a.

What PyTorch does. The same table, and the same care: the derivative of ``a ** 0`` for a is 0, and so is that of ``0 **
b`` for b, where the formulas give NaN.

Pitfalls. ``where(condition, 0, x)`` hides a NaN in x, but x was computed, and in the backward of the backward it is met
again: 0 (what ``where`` hands to x) · inf. The second derivative of ``a ** b`` at 0 ** 0 is NaN, here and in PyTorch.

Exercises. What is the slope of ``a ** 3`` at a = 2, and that of ``2 ** b`` at b = 3? What would the formula give for
``a ** 0`` at a = 0?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import INEXACT
from tinytorch.ops.broadcast import Elementwise, is_number, number_category, operands
from tinytorch.ops.checks import check_any_tensor, refuse_bool
from tinytorch.ops.out import accepts_out, write_out
from tinytorch.tensor import Tensor

__all__ = ["pow", "square"]


class Pow(Elementwise):
    """y = a ** b; see :func:`_pow_grad_base` and :func:`_pow_grad_exponent`."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        y = _power(a, b)
        needs = ctx.needs_input_grad
        ctx.save_for_backward(a, b, y if needs[1] else None)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b, y = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return _pow_grad_base(grad, a, b) if need_a else None, _pow_grad_exponent(grad, a, b, y) if need_b else None


def _power(a: Any, b: Any) -> np.ndarray:
    """a**b; an integer to a negative power is its rounded-down reciprocal: 1 and -1 stay ±1, all others give 0.

    For exponents that are products of few factors, multiplying is 50 times as fast as NumPy's power; PyTorch does so
    too.
    """
    if type(b) in (int, float) and (b == 2 or (b in (3, -2) and a.dtype.kind in INEXACT)):
        square = a * a
        return square if b == 2 else square * a if b == 3 else 1 / square
    if not (isinstance(b, np.ndarray) and b.dtype.kind == "i" and (b < 0).any()):
        return np.power(a, b)
    odd = np.where(b % 2, a, a * a)  # of 1 and -1
    return np.where(b >= 0, np.power(a, np.maximum(b, 0)), np.where((a == 1) | (a == -1), odd, 0))


def _pow_grad_base(grad: Tensor, a: Tensor, b: Any) -> Tensor:
    """grad · b · a**(b-1), and 0 where b = 0 whatever a is (a = 0 would give 0 · inf)."""
    if not isinstance(b, Tensor):
        if b == 0:
            return ops.zeros_like(grad)
        return grad * (a * b if b == 2 else pow(a, b - 1) * b)
    return ops.where(b == 0, 0.0, grad * (b * pow(a, b - 1)))


def _pow_grad_exponent(grad: Tensor, a: Any, b: Tensor, y: Tensor) -> Tensor:
    """grad · y · ln a, and 0 where a = 0 and b.real >= 0 (the limit; ln 0 would give nan)."""
    if not isinstance(a, Tensor):
        return ops.where(b.real >= 0, 0.0, grad * (y * -float("inf"))) if a == 0 else grad * (y * _log_number(a))
    return grad * ops.where((a == 0) & (b.real >= 0), 0.0, y * ops.log(a))


def _log_number(value: float) -> float:
    return float(np.log(value)) if value > 0 else float("nan")


def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent`` (``torch.pow``). RuntimeError for an integer tensor to a negative integer power."""
    if isinstance(input, Tensor) and is_number(exponent):
        integers = input._array.dtype.kind in "iu" and number_category(exponent) == 1
        if integers and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
    elif not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        check_any_tensor("pow", input, exponent)
    a, b = operands(input, exponent)
    if (a if isinstance(a, Tensor) else b)._array.dtype.kind == "b":
        if isinstance(exponent, bool):  # the one power of bools that PyTorch has
            return a.clone() if exponent else ops.ones_like(a)
        refuse_bool("pow", a, b)
    result = Pow.apply(a, b)
    if isinstance(exponent, Tensor):
        known_as(result, "PowBackward1" if isinstance(input, Tensor) else "PowBackward2")
    return result if out is None else write_out("pow", result, out, input, exponent)


@accepts_out
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input ** 2`` (``torch.square``)."""
    return pow(input, 2)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
