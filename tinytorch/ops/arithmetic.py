"""Chapter 3, part 2. Arithmetic: + - * / and powers. Forward and derivative side by side.

After: tinytorch/ops/broadcast.py
Next: tinytorch/ops/unary.py

Goal: read the derivative of + - * / and powers off the line below their forward.

The table that this file spells out (``grad`` is ∂L/∂y)::

    y = a + b      ∂L/∂a = grad                 ∂L/∂b = grad
    y = a - b      ∂L/∂a = grad                 ∂L/∂b = -grad
    y = a · b      ∂L/∂a = grad · b             ∂L/∂b = grad · a
    y = a / b      ∂L/∂a = grad / b             ∂L/∂b = -grad · y / b
    y = a ** b     ∂L/∂a = grad · b · a**(b-1)  ∂L/∂b = grad · y · ln a

Gradients come out in the broadcast shape; the engine sums them to each operand's.

What PyTorch does. The same table, and the same care: the derivative of ``0 ** b`` for b is 0, that of ``a ** 0`` for a
is 0, and not NaN.

Pitfalls. Swapped factors and a forgotten minus pass every test with equal inputs: test with unequal ones.

Exercises. Derive the line of a / b from those of a · c and c = b ** -1. What are both gradients of a / b at a = 6, b =
2, for grad = 1?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.ops.broadcast import Elementwise, cast, is_number, number_category, operands, to_float
from tinytorch.ops.checks import check_any_tensor, check_tensor, refuse_bool
from tinytorch.ops.out import accepts_out, write_out
from tinytorch.tensor import Tensor

__all__ = [
    "add",
    "div",
    "divide",
    "floor_divide",
    "fmod",
    "mul",
    "multiply",
    "neg",
    "negative",
    "pow",
    "reciprocal",
    "remainder",
    "rsub",
    "square",
    "sub",
    "subtract",
    "true_divide",
]  # fmt: skip


class Add(Elementwise):
    """y = a + b; both receive grad."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return a + b

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return grad, grad


class Sub(Elementwise):
    """y = a - b; b receives -grad."""

    complex_backward = True
    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return np.subtract(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return grad, -grad if ctx.needs_input_grad[1] else None


class Mul(Elementwise):
    """y = a · b; each receives grad times the other."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        needs = ctx.needs_input_grad
        ctx.save_for_backward(a if needs[1] else None, b if needs[0] else None)
        return a * b

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return grad * b if need_a else None, grad * a if need_b else None


class Div(Elementwise):
    """y = a / b; a receives grad / b, b receives -grad · (a / b) / b."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.save_for_backward(a if ctx.needs_input_grad[1] else None, b)
        return np.true_divide(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return grad / b if need_a else None, -grad * ((a / b) / b) if need_b else None


class Pow(Elementwise):
    """y = a ** b; see :func:`_pow_grad_base` and :func:`_pow_grad_exponent`."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        y = a * a if type(b) in (int, float) and b == 2 else _power(a, b)
        needs = ctx.needs_input_grad
        ctx.save_for_backward(a, b, y if needs[1] else None)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b, y = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return _pow_grad_base(grad, a, b) if need_a else None, _pow_grad_exponent(grad, a, b, y) if need_b else None


def _power(a: Any, b: Any) -> np.ndarray:
    """a**b; an integer to a negative power is its rounded-down reciprocal: 1 and -1 stay ±1, all others give 0."""
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


class Neg(Elementwise):
    """y = -x; x receives -grad."""

    complex_backward = True
    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        return np.negative(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return -grad


class Reciprocal(Elementwise):
    """y = 1/x; ∂L/∂x = -grad · y²."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.reciprocal(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -grad * (y * y)


class Remainder(Elementwise):
    """y = a - floor(a / b) · b, with the sign of b, as Python's %; ∂y/∂a = 1, ∂y/∂b = -floor(a / b)."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.save_for_backward(a, b)
        return np.remainder(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        return grad, -grad * div(a, b, rounding_mode="floor") if ctx.needs_input_grad[1] else None


class Fmod(Elementwise):
    """y = a - trunc(a / b) · b, with the sign of a, as C's fmod."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.save_for_backward(a, b)
        return np.fmod(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        return grad, -grad * div(a, b, rounding_mode="trunc") if ctx.needs_input_grad[1] else None


class RoundedDiv(Elementwise):
    """y = a / b rounded down or towards zero; flat nearly everywhere, so its derivative is 0."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, mode: str) -> np.ndarray:
        integers = all(np.asarray(value).dtype.kind in "iu" for value in (a, b))
        if integers and not np.all(b):
            raise RuntimeError("ZeroDivisionError")
        if mode == "floor":
            return np.floor_divide(a, b)
        return _truncating_division(a, b) if integers else np.trunc(np.true_divide(a, b))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return ops.zeros_like(grad), ops.zeros_like(grad)


class FloorDivide(RoundedDiv):
    """``a // b``. PyTorch gives it no derivative, so that nobody mistakes 0 for one; ``div(...,
    rounding_mode="floor")`` has 0."""

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


def _truncating_division(a: Any, b: Any) -> np.ndarray:
    """Integer division towards zero, exact for all integers (a detour over floats would not be)."""
    quotient = np.floor_divide(a, b)
    inexact_negative = (quotient < 0) & (quotient * b != a)
    return quotient + inexact_negative.astype(quotient.dtype)


def add(input: Any, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input + alpha * other`` with broadcasting and type promotion (``torch.add``)."""
    if alpha != 1:
        other = _scaled(other, alpha)
    result = Add.apply(*operands(input, other))
    return result if out is None else write_out("add", result, out, input, other)


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input - alpha * other`` (``torch.sub``). Raises RuntimeError for two bool operands."""
    if alpha != 1:
        other = _scaled(other, alpha)
    a, b = operands(input, other)
    if not (a is input and b is other and isinstance(a, Tensor) and a._array.dtype.kind == "f" and type(b) is not bool):
        _refuse_bools(input, other)
    result = Sub.apply(a, b)
    return result if out is None else write_out("sub", result, out, input, other)


def _refuse_bools(input: Any, other: Any) -> None:
    """Differences of truth values are refused, as by PyTorch."""
    bools = [v._array.dtype.kind == "b" if isinstance(v, Tensor) else isinstance(v, bool) for v in (input, other)]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator "
            "instead."
        )
    if any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )


def _scaled(other: Any, alpha: Any) -> Any:
    if isinstance(other, Tensor) and other._array.dtype.kind in "iub" and not isinstance(alpha, (int, Tensor)):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(other, Tensor):
        return mul(other, bool(alpha) if other._array.dtype.kind == "b" else alpha)
    return other * alpha


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input`` (``torch.rsub``)."""
    check_tensor("rsub", "input", 1, input)
    return known_as(sub(other, input, alpha=alpha), "RsubBackward1")


def mul(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input * other`` with broadcasting and type promotion (``torch.mul``)."""
    result = Mul.apply(*operands(input, other))
    return result if out is None else write_out("mul", result, out, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """``input / other`` (``torch.div``): always floating without ``rounding_mode``; 'floor' and 'trunc' round the
    quotient."""
    a, b = operands(input, other)
    if rounding_mode is None:
        dtype = (a if isinstance(a, Tensor) else b)._array.dtype
        if dtype.kind in "iub":
            a, b = (to_float(value) if isinstance(value, Tensor) else value for value in (a, b))
        result = Div.apply(a, b)
    elif rounding_mode in ("floor", "trunc"):
        refuse_bool(f"div_{rounding_mode}_cpu", a, b)
        result = RoundedDiv.apply(a, b, mode=rounding_mode)
    else:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return result if out is None else write_out("div", result, out, input, other)


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
    _refuse_integer_zero(a, b)
    return Remainder.apply(a, b)


@accepts_out
def fmod(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """C's modulus: the result has the sign of ``input`` (``torch.fmod``)."""
    check_tensor("fmod", "input", 1, input)
    a, b = operands(input, other)
    refuse_bool("fmod_cpu", a, b)
    _refuse_integer_zero(a, b)
    return Fmod.apply(a, b)


def _refuse_integer_zero(a: Any, b: Any) -> None:
    divisor = b._array if isinstance(b, Tensor) else np.asarray(b)
    dividend = a._array if isinstance(a, Tensor) else np.asarray(a)
    if divisor.dtype.kind in "iu" and dividend.dtype.kind in "iu" and not np.all(divisor):
        raise RuntimeError("ZeroDivisionError")


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
        refuse_bool("pow", a)
        a, b = (cast(value, np.dtype(np.int64)) if isinstance(value, Tensor) else int(value) for value in (a, b))
    result = Pow.apply(a, b)
    if isinstance(exponent, Tensor):
        known_as(result, "PowBackward1" if isinstance(input, Tensor) else "PowBackward2")
    return result if out is None else write_out("pow", result, out, input, exponent)


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-input`` (``torch.neg``). RuntimeError for bool."""
    if input._array.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or "
            "`logical_not()` operator instead."
        )
    result = Neg.apply(input)
    return result if out is None else write_out("neg", result, out, input)


@accepts_out
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / input`` (``torch.reciprocal``)."""
    return Reciprocal.apply(to_float(input))


@accepts_out
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input ** 2`` (``torch.square``)."""
    return pow(input, 2)


subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
