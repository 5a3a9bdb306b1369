"""Integer arithmetic: greatest common divisor, least common multiple, bit shifts. No gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.broadcast import Elementwise, operands
from tinytorch.ops.checks import check_any_tensor, check_integers, check_tensor, not_implemented, refuse_bool
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm"]


def _integer_op(name: str, function: Any, input: Any, other: Any) -> Tensor:
    a, b = operands(input, other)
    check_integers(name, a, b)
    for number, tensor in ((a, b), (b, a)):
        if isinstance(number, float):
            raise not_implemented(name, tensor.to(float))
    refuse_bool(name, a, b)
    x, y = (v._array if isinstance(v, Tensor) else np.asarray(v, dtype) for v, dtype in _with_dtypes(a, b))
    try:
        return Tensor._wrap(np.asarray(function(x, y)))
    except ValueError as error:
        raise Elementwise.explain(error, x, y) from None


def _with_dtypes(a: Any, b: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    dtype = (a if isinstance(a, Tensor) else b)._array.dtype
    return (a, dtype), (b, dtype)


@accepts_out
def gcd(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The greatest common divisor, elementwise."""
    check_tensor("gcd", "input", 1, input)
    check_tensor("gcd", "other", 2, other)
    return _integer_op("gcd_cpu", np.gcd, input, other)


@accepts_out
def lcm(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The least common multiple, elementwise."""
    check_tensor("lcm", "input", 1, input)
    check_tensor("lcm", "other", 2, other)
    return _integer_op("lcm_cpu", lambda a, b: np.abs(np.lcm(a, b)), input, other)  # NumPy's overflows below 0


@accepts_out
def bitwise_left_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input << other``: 0 where the shift is negative or as large as the type has bits."""
    check_any_tensor("bitwise_left_shift", input, other)
    return _integer_op("lshift_cpu", _left_shift, input, other)


@accepts_out
def bitwise_right_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input >> other``, which keeps the sign; only the sign is left where the shift is out of range, or 0."""
    check_any_tensor("bitwise_right_shift", input, other)
    return _integer_op("rshift_cpu", _right_shift, input, other)


def _left_shift(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where((b < 0) | (b >= a.itemsize * 8), 0, np.left_shift(a, b)).astype(a.dtype)


def _right_shift(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    last = a.itemsize * 8 - (a.dtype.kind == "i")
    return np.right_shift(a, np.where((b < 0) | (b > last), last, b).astype(a.dtype))
