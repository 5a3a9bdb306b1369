"""Comparisons, logic and choice. Comparisons give bool tensors, which carry no gradient; ``where`` routes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.saving import relying_on
from tinytorch.dtypes import SCALAR_NAMES
from tinytorch.kernels import elementwise
from tinytorch.kernels.short_rows import views_with_long_rows
from tinytorch.ops.arguments import Number, checks_arguments, wrong_argument
from tinytorch.ops.broadcast import Elementwise, as_tensor_like, cast, operands
from tinytorch.ops.checks import check_any_tensor, check_tensor, not_implemented, refuse_complex
from tinytorch.ops.numbers import check_convertible, number_as
from tinytorch.ops.out import accepts_exact_out, accepts_out, write_out
from tinytorch.tensor import Tensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "masked_fill",
    "maximum",
    "minimum",
    "ne",
    "where",
]  # fmt: skip


def _compare(function: Any, input: Any, other: Any, out: Tensor | None = None) -> Tensor:
    if not isinstance(input, Tensor):
        raise wrong_argument(function.__name__, "input", 1, input)
    a, b = operands(input, other)
    try:
        result = function(_value(a), _value(b))
    except ValueError as error:
        raise Elementwise.explain(error, _value(a), _value(b)) from None
    compared = Tensor._wrap(np.asarray(result))
    return compared if out is None else write_out(function.__name__, compared, out, input, other)


def _of_arrays(function: Any, input: Tensor, other: Tensor, *args: Any) -> Tensor:
    """``function`` of two tensors' arrays, each in its own dtype."""
    try:
        return Tensor._wrap(np.asarray(function(input._array, other._array, *args)))
    except ValueError as error:
        raise Elementwise.explain(error, input._array, other._array) from None


def _in_order(function: Any, input: Any, other: Any, out: Tensor | None) -> Tensor:
    """A comparison of size, which complex numbers do not have."""
    if isinstance(input, Tensor):
        refuse_complex(function.__name__, input._array, _value(other))
    return _compare(function, input, other, out)


def _value(operand: Any) -> Any:
    return operand._array if isinstance(operand, Tensor) else operand


def eq(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input == other``."""
    return _compare(np.equal, input, other, out)


def ne(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input != other``."""
    return _compare(np.not_equal, input, other, out)


def lt(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input < other``."""
    return _in_order(np.less, input, other, out)


def le(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input <= other``."""
    return _in_order(np.less_equal, input, other, out)


def gt(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input > other``."""
    return _in_order(np.greater, input, other, out)


def ge(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Where ``input >= other``."""
    return _in_order(np.greater_equal, input, other, out)


@checks_arguments
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements."""
    return input._array.shape == other._array.shape and bool(np.array_equal(input._array, other._array))


@checks_arguments
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Where ``|input - other| <= atol + rtol · |other|``."""
    check_tensor("isclose", "input", 1, input)
    check_tensor("isclose", "other", 2, other)
    _same_dtype("isclose", input, other)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    return _of_arrays(np.isclose, input, other, rtol, atol, equal_nan)


@checks_arguments
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close; see :func:`isclose`."""
    _same_dtype("allclose", input, other)
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def _same_dtype(name: str, a: Tensor, b: Tensor) -> None:
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(f"{name}: tensors must have the same dtype, got {a.dtype} and {b.dtype}")


@checks_arguments
def isnan(input: Tensor) -> Tensor:
    """Where ``input`` is nan."""
    return Tensor._wrap(np.asarray(np.isnan(input._array)))


@checks_arguments
def isinf(input: Tensor) -> Tensor:
    """Where ``input`` is inf or -inf."""
    return Tensor._wrap(np.asarray(np.isinf(input._array)))


@checks_arguments
def isfinite(input: Tensor) -> Tensor:
    """Where ``input`` is neither nan nor infinite."""
    return Tensor._wrap(np.asarray(np.isfinite(input._array)))


@accepts_out
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is zero or False."""
    return Tensor._wrap(np.asarray(np.logical_not(input._array)))


@accepts_out
def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where both are non-zero."""
    return _of_arrays(np.logical_and, input, other)


@accepts_out
def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where either is non-zero."""
    return _of_arrays(np.logical_or, input, other)


@accepts_out
def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where exactly one is non-zero."""
    return _of_arrays(np.logical_xor, input, other)


def _bitwise(name: str, function: Any, input: Any, other: Any) -> Tensor:
    check_any_tensor(f"bitwise_{name}", input, other)
    a, b = operands(input, other)
    for given, value in ((input, a), (other, b)):
        if isinstance(value, float) or (isinstance(given, Tensor) and value._array.dtype.kind not in "iub"):
            kind = SCALAR_NAMES[value.dtype] if isinstance(value, Tensor) else "Float"
            raise NotImplementedError(f"\"bitwise_{name}_cpu\" not implemented for '{kind}'")
    a, b = _value(a), _value(b)
    try:
        return Tensor._wrap(np.asarray(function(a, b)))
    except ValueError as error:
        raise Elementwise.explain(error, a, b) from None


@accepts_out
def bitwise_and(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Bitwise and of integers; logical and of bools."""
    return _bitwise("and", np.bitwise_and, input, other)


@accepts_out
def bitwise_or(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Bitwise or of integers; logical or of bools."""
    return _bitwise("or", np.bitwise_or, input, other)


@accepts_out
def bitwise_xor(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Bitwise exclusive or."""
    return _bitwise("xor", np.bitwise_xor, input, other)


@accepts_exact_out
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Bitwise complement of integers; logical not of bools."""
    if input._array.dtype.kind not in "iub":
        raise not_implemented("bitwise_not_cpu", input)
    return Tensor._wrap(np.asarray(np.invert(input._array)))


class Where(Elementwise):
    """y = a where the condition holds, else b; each receives the gradient where it was chosen, and 0 elsewhere."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, condition: np.ndarray) -> np.ndarray:
        ctx.save_intermediates(condition)
        return elementwise.where(condition, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        (condition,) = ctx.intermediates
        zero = np.zeros((), grad._array.dtype)
        need_a, need_b = ctx.needs_input_grad
        return (
            Where.apply(grad, Tensor._wrap(zero), condition=condition) if need_a else None,
            Where.apply(Tensor._wrap(zero), grad, condition=condition) if need_b else None,
        )


@accepts_exact_out
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; with the condition alone, the indices of non-zero
    elements."""
    if input is None and other is None:
        return ops.nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or with both an input and an other")
    if condition._array.dtype.kind != "b":
        if condition._array.dtype != np.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
            )
        condition = cast(condition, np.dtype(bool))
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        from tinytorch.dtypes import result_dtype

        common = result_dtype(input, other)
        input, other = as_tensor_like(input, common), as_tensor_like(other, common)
    a, b = operands(input, other)
    dtype = (a if isinstance(a, Tensor) else b)._array.dtype
    a, b = (value if isinstance(value, Tensor) else Tensor._wrap(number_as(value, dtype)) for value in (a, b))
    return relying_on(Where.apply(a, b, condition=condition._array), condition)


class MaskedFill(Where):
    """:class:`Where` under the name that PyTorch gives ``masked_fill``, whose result is always row-major there."""

    keeps_memory_order = False


class Extremum(Elementwise):
    """y = max(a, b) or min(a, b); the winner receives the gradient, and at a tie each receives half."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, function: Any) -> np.ndarray:
        refuse_complex(function.__name__, a)
        y = function(*views_with_long_rows(a, b))
        ctx.save_for_backward(a, b)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = (saved._array for saved in ctx.saved_tensors)
        beats = np.greater if ctx.attributes["function"] is np.maximum else np.less
        half = np.equal(a, b) * grad._array.dtype.type(0.5)
        lost = np.isnan(a) | np.isnan(b)  # a nan result passes its gradient to both, as PyTorch
        share_a = Tensor._wrap((beats(a, b) + half + lost).astype(grad._array.dtype))
        share_b = Tensor._wrap((beats(b, a) + half + lost).astype(grad._array.dtype))
        return grad * share_a, grad * share_b


@accepts_out
def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two tensors, elementwise; nan wins."""
    return known_as(Extremum.apply(*_two_tensors("maximum", input, other), function=np.maximum), "MaximumBackward0")


@accepts_out
def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two tensors, elementwise; nan wins."""
    return known_as(Extremum.apply(*_two_tensors("minimum", input, other), function=np.minimum), "MinimumBackward0")


def _two_tensors(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    for position, value in enumerate((a, b)):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument {position + 1} must be Tensor, not {type(value).__name__}")
    return operands(a, b)


@checks_arguments
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` where ``mask`` (bool) holds, else ``input``."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if isinstance(value, Tensor):
        check_convertible(value._array, input._array.dtype)
        value = cast(value, input._array.dtype)
    else:
        value = Tensor._wrap(number_as(value, input._array.dtype))
    return relying_on(MaskedFill.apply(value, input, condition=mask._array), mask)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
