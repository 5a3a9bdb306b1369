"""Chapter 3, part 2. Arithmetic: + - * /. Forward and derivative side by side.

After: tinytorch/ops/broadcast.py
Next: tinytorch/ops/powers.py

Goal: read the derivative of + - * / off the lines below their forward.

The table that this file spells out (``grad`` is ∂L/∂y)::

    y = a + b      ∂L/∂a = grad                 ∂L/∂b = grad
    y = a - b      ∂L/∂a = grad                 ∂L/∂b = -grad
    y = a · b      ∂L/∂a = grad · b             ∂L/∂b = grad · a
    y = a / b      ∂L/∂a = grad / b             ∂L/∂b = -grad · y / b

Gradients come out in the broadcast shape; the engine sums them to each operand's.

What PyTorch does. The same table. (Its ``rounding_mode`` leads to :mod:`.rounded_division`, whose quotients are flat.)

Pitfalls. Swapped factors and a forgotten minus pass every test with equal inputs: test with unequal ones.

Exercises. Derive the line of a / b from those of a · c and c = b ** -1. What are both gradients of a / b at a = 6, b =
2, for grad = 1?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.autograd.node import known_as
from tinytorch.kernels.elementwise import combined
from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.broadcast import Elementwise, cast, operands, result_type, to_float
from tinytorch.ops.checks import check_tensor, refuse_bool
from tinytorch.ops.half import in_single, number_in
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.out import accepts_out, exact, write_out
from tinytorch.ops.rounded_division import RoundedDiv
from tinytorch.tensor import Tensor
from tinytorch.torch_function import called_again

__all__ = [
    "add",
    "div",
    "divide",
    "mul",
    "multiply",
    "neg",
    "negative",
    "reciprocal",
    "rsub",
    "sub",
    "subtract",
    "true_divide",
]  # fmt: skip


class Add(Elementwise):
    """y = a + b; both receive grad."""

    complex_backward = True
    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return combined(np.add, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return grad, grad


class Sub(Elementwise):
    """y = a - b; b receives -grad."""

    complex_backward = True
    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        return combined(np.subtract, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        return grad, -grad if ctx.needs_input_grad[1] else None


class Mul(Elementwise):
    """y = a · b; each receives grad times the other."""

    backward_on_arrays = True
    exact_numbers = (0, 1)

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        needs = ctx.needs_input_grad
        ctx.save_for_backward(a if needs[1] else None, b if needs[0] else None)
        return combined(np.multiply, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return grad * b if need_a else None, grad * a if need_b else None


class Div(Elementwise):
    """y = a / b; a receives grad / b, b receives -grad · (a / b) / b."""

    backward_on_arrays = True
    exact_numbers = (0, 1)

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> np.ndarray:
        ctx.save_for_backward(a if ctx.needs_input_grad[1] else None, b)
        return combined(np.true_divide, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return grad / b if need_a else None, -grad * ((a / b) / b) if need_b else None


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


def add(input: Any, other: Any, second: Any = None, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input + alpha * other`` with broadcasting and type promotion (``torch.add``)."""
    if second is not None:  # the old order: the factor in front
        other, alpha = second, other
    try:
        if type(alpha) is int and alpha == 1:
            result = Add.apply(*operands(input, other))
        else:
            result = _with_scaled("add", input, other, alpha)
    except TypeError:
        return called_again(add, input, other, alpha=alpha, out=out)
    return result if out is None else write_out("add", result, out, input, other)


def sub(input: Any, other: Any, second: Any = None, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input - alpha * other`` (``torch.sub``). Raises RuntimeError for two bool operands."""
    if second is not None:  # the old order: the factor in front
        other, alpha = second, other
    try:
        if type(alpha) is int and alpha == 1:
            a, b = operands(input, other)
            given = a is input and b is other and isinstance(a, Tensor)
            if not (given and a._array.dtype.kind == "f" and type(b) is not bool):
                _refuse_bools(input, other)
            result = Sub.apply(a, b)
        else:
            _refuse_bools(input, other)
            result = _with_scaled("sub", input, other, alpha)
    except TypeError:
        return called_again(sub, input, other, alpha=alpha, out=out)
    return result if out is None else write_out("sub", result, out, input, other)


def _refuse_bools(input: Any, other: Any) -> None:
    """Differences of truth values are refused, as by PyTorch."""
    bools = [v._array.dtype.kind == "b" if isinstance(v, Tensor) else isinstance(v, bool) for v in (input, other)]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


def _with_scaled(name: str, input: Any, other: Any, alpha: Any) -> Tensor:
    """``input ± alpha * other``; half precision is rounded once, at the end."""
    both = operands(input, other)
    half = next((x._array.dtype for x in both if isinstance(x, Tensor) and is_half(x._array.dtype)), None)
    if half is not None:
        input, other = (in_single(number_in(half, x)) for x in both)
    op, alpha = Add if name == "add" else Sub, alpha if half is None else number_in(half, alpha)
    result = op.apply(*operands(input, _scaled(name, input, other, alpha)))
    return result if half is None else cast(result, half)


def _scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha * other`` in the dtype in which input and other meet, of which alpha must not be above."""
    if isinstance(alpha, Tensor) and alpha._array.ndim == 0 and not alpha._requires_grad:
        alpha = alpha.item()
    if not isinstance(alpha, (bool, int, float, complex, np.number)):
        raise wrong_argument(name, "alpha", None, alpha, "Number")
    input, other = operands(input, other)
    met = result_type(input, other)
    if isinstance(alpha, bool) and met is not dtypes.bool:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, complex) and not met.is_complex:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    if isinstance(alpha, (float, np.floating)) and not (met.is_floating_point or met.is_complex):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    check_convertible(alpha, dtypes.to_numpy_dtype(met))
    if not isinstance(other, Tensor):
        return other * alpha
    return mul(cast(other, dtypes.to_numpy_dtype(met)), bool(alpha) if met is dtypes.bool else alpha)


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input`` (``torch.rsub``)."""
    check_tensor("rsub", "input", 1, input)
    return known_as(sub(other, input, alpha=alpha), "RsubBackward1")


def mul(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input * other`` with broadcasting and type promotion (``torch.mul``)."""
    try:
        result = Mul.apply(*operands(input, other))
    except TypeError:
        return called_again(mul, input, other, out=out)
    return result if out is None else write_out("mul", result, out, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """``input / other`` (``torch.div``): always floating without ``rounding_mode``; 'floor' and 'trunc' round the
    quotient."""
    try:
        a, b = operands(input, other)
    except TypeError:
        return called_again(div, input, other, rounding_mode=rounding_mode, out=out)
    if rounding_mode is None:
        dtype = (a if isinstance(a, Tensor) else b)._array.dtype
        if dtype.kind in "iub":
            a, b = (to_float(value) if isinstance(value, Tensor) else value for value in (a, b))
        result = Div.apply(a, b)
    elif isinstance(rounding_mode, str) and rounding_mode in ("floor", "trunc"):
        refuse_bool(f"div_{rounding_mode}_cpu", a, b)
        result = RoundedDiv.apply(a, b, mode=rounding_mode)
    else:
        if not isinstance(rounding_mode, str):
            raise wrong_argument("div", "rounding_mode", None, rounding_mode, "str")
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return result if out is None else write_out("div", result, out, input, other)


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-input`` (``torch.neg``). RuntimeError for bool."""
    try:
        kind = input._array.dtype.kind
    except AttributeError:
        raise wrong_argument("neg", "input", 1, input) from None
    if kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    result = Neg.apply(input)
    return result if out is None else write_out("neg", result, out, input, rule=exact)


@accepts_out
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / input`` (``torch.reciprocal``)."""
    return Reciprocal.apply(to_float(input))


subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
