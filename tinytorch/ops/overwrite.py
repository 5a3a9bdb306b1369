"""Ops that can write their result straight over their first operand.

An in-place op is its out-of-place op and a copy of the result (see :mod:`tinytorch.autograd.inplace`). Where no graph
needs the old value, ``p.add_(grad, alpha=-lr)`` need not make the result first: NumPy writes it into p's memory, and
the temporary and the copy are saved. The functions here do that, on arrays; they give what the ops give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinytorch.kernels import activations, elementwise
from tinytorch.ops.arithmetic import Add, Sub, add, div, mul, neg, reciprocal, sub
from tinytorch.ops.clamp import clamp, clamp_max, clamp_min
from tinytorch.ops.copying import copy, fill
from tinytorch.ops.mixtures import addcdiv, addcmul, lerp
from tinytorch.ops.numbers import number_as
from tinytorch.ops.powers import pow, square
from tinytorch.ops.rounding import ceil, floor, trunc
from tinytorch.ops.unary import Relu, abs, cos, exp, log, relu, rsqrt, sigmoid, sin, sqrt, tanh
from tinytorch.tensor import Tensor

__all__ = ["NODES_WITHOUT_INPUTS", "OVERWRITING", "unconverted"]


#: Elements that are treated at a time where there are intermediate results, so that these stay in the cache.
BLOCK = 1 << 16
#: Elements up to which setting numbers is as fast as setting bytes.
SMALL = 1 << 12


def _in_blocks(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` of arrays, part by part if all lie alike in memory."""

    def blocked(x: np.ndarray, *operands: Any, **options: Any) -> None:
        if x.size <= BLOCK or not _lie_alike(x, *[value for value in operands if isinstance(value, np.ndarray)]):
            return function(x, *operands, **options)
        flat = [a.reshape(-1) if isinstance(a, np.ndarray) else a for a in (x, *operands)]
        for start in range(0, x.size, BLOCK):
            part = slice(start, start + BLOCK)
            function(*[a[part] if isinstance(a, np.ndarray) else a for a in flat], **options)

    return blocked


def _lie_alike(x: np.ndarray, *others: np.ndarray) -> bool:
    """Whether x may be written part by part: all are contiguous and of its shape, and none overlaps it at an offset."""
    for a in (x, *others):
        overlaps = np.may_share_memory(a, x) and _start(a) != _start(x)
        if a.shape != x.shape or not a.flags.c_contiguous or overlaps:
            return False
    return True


def _start(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _with_alpha(ufunc: np.ufunc) -> Callable[..., Any]:
    """Of add or sub: ``x ± alpha · other``, by ``ufunc`` alone where alpha is 1."""
    scaled = _in_blocks(lambda x, other, alpha: ufunc(x, other * alpha, out=x))
    return lambda x, other, alpha=1: ufunc(x, other, out=x) if alpha == 1 else scaled(x, other, alpha=alpha)


def _unary(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x: ufunc(x, out=x)


def _div(x: np.ndarray, other: Any, rounding_mode: None = None) -> None:
    np.true_divide(x, other, out=x)


def _pow(x: np.ndarray, exponent: Any) -> None:
    if type(exponent) in (int, float) and exponent == 2:
        np.multiply(x, x, out=x)
    else:
        np.power(x, exponent, out=x)


def _clamp(x: np.ndarray, min: Any = None, max: Any = None) -> None:
    if min is None and max is None:
        raise ValueError
    x.clip(min, max, out=x)


@_in_blocks
def _rsqrt(x: np.ndarray) -> None:
    np.sqrt(x, out=x)
    np.reciprocal(x, out=x)


@_in_blocks
def _sigmoid(x: np.ndarray) -> None:
    activations.sigmoid_piece(x, x)


@_in_blocks
def _addcmul(x: np.ndarray, first: np.ndarray, second: np.ndarray, value: Any = 1) -> None:
    _add_scaled(x, np.multiply(first, second), value)


@_in_blocks
def _addcdiv(x: np.ndarray, first: np.ndarray, second: np.ndarray, value: Any = 1) -> None:
    _add_scaled(x, np.true_divide(first, second), value)


def _add_scaled(x: np.ndarray, product: np.ndarray, value: Any) -> None:
    """x += value · product, which is overwritten."""
    if value != 1:
        product *= value
    np.add(x, product, out=x)


@_in_blocks
def _lerp(x: np.ndarray, end: np.ndarray, weight: float) -> None:
    difference = end - x
    if np.abs(weight) < 0.5:
        np.add(x, difference * weight, out=x)
    else:
        np.subtract(end, difference * (1 - weight), out=x)


def _fill(x: np.ndarray, value: Any) -> None:
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
            )
        x[...] = value
    elif x.size > SMALL and x.flags.c_contiguous and repr(value) in ("0", "0.0"):  # not -0.0
        x.reshape(-1).view(np.uint8).fill(0)  # bytes are set at twice the speed of numbers
    else:
        x.fill(number_as(value, x.dtype))


def _copy(x: np.ndarray, source: np.ndarray) -> None:
    if not isinstance(source, np.ndarray) or source.ndim > x.ndim:
        raise ValueError("a number, or leading dimensions of 1, which NumPy would leave out")
    np.copyto(x, source)


#: For each op, the function ``(x, *operands, **options)`` on arrays and numbers that writes over ``x``.
OVERWRITING: dict[Callable[..., Any], Callable[..., Any]] = {
    add: _with_alpha(np.add), sub: _with_alpha(np.subtract), mul: lambda x, other: np.multiply(x, other, out=x),
    div: _div, pow: _pow, square: lambda x: np.multiply(x, x, out=x), neg: _unary(np.negative),
    reciprocal: _unary(np.reciprocal), abs: _unary(np.absolute), exp: _unary(np.exp), log: _unary(np.log),
    sqrt: _unary(np.sqrt), rsqrt: _rsqrt, sin: _unary(np.sin), cos: _unary(np.cos), tanh: _unary(np.tanh),
    sigmoid: _sigmoid, relu: lambda x: elementwise.relu(x, out=x), floor: _unary(np.floor), ceil: _unary(np.ceil),
    trunc: _unary(np.trunc), clamp: _clamp, clamp_min: _clamp, clamp_max: lambda x, max: _clamp(x, None, max),
    addcmul: _addcmul, addcdiv: _addcdiv, lerp: _lerp, fill: _fill, copy: _copy,
}  # fmt: skip

#: Those that keep the dtype of integers beside integers, and those that keep any.
_KEEP_INTEGERS = frozenset((add, sub, mul))
_KEEP_ANY_DTYPE = frozenset((fill, copy))
#: Those that may be recorded, because the derivative does not ask for the old value: the node, and whether it saves the
#: result.
NODES_WITHOUT_INPUTS: dict[Callable[..., Any], tuple[Any, bool]] = {
    add: (Add, False), sub: (Sub, False), relu: (Relu, True),
}  # fmt: skip


def unconverted(op: Any, dtype: np.dtype[Any], operands: Iterable[Any], tensors: Any = Tensor) -> list[Any] | None:
    """``operands`` of ``op`` on a tensor of ``dtype``, as arrays and numbers; None if one would have to be converted,
    or would give the result another dtype.

    ``tensors``: what counts as a tensor; with ``()``, numbers alone pass.
    """
    numbers: tuple[type, ...] = (int, float, type(None))
    if dtype.char not in "fd" and op not in _KEEP_ANY_DTYPE:  # half precision is computed in single, elsewhere
        if dtype.kind != "i" or op not in _KEEP_INTEGERS:
            return None
        numbers = (int,)
    arrays: list[Any] = []
    for value in operands:
        if isinstance(value, tensors):
            value = value._array
            if value.dtype != dtype:
                return None
        elif type(value) not in numbers:
            return None
        arrays.append(value)
    return arrays
