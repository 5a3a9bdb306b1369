"""Elementwise formulas of several passes, in pieces that stay in the cache; ReLU.

(After: `masks`, `threads`. Next: `gelu`.)

NumPy carries out a formula one operation after the other, each over the whole array: from main memory every pass
costs as much as the arithmetic of five. `in_pieces` applies the whole formula to one piece after the other, so that
all passes but the first find their data in the cache. In smaller pieces the calls take longer than what they save, and
threads meet more often at Python's global lock; `cache` says how large is best. (AMD, eight million numbers, the
gradient of hardswish: 7.1 ms in pieces of 2^19, 8.7 of 2^18, 13.8 at once.) Where they are shared, their number is
even: two cores are the least that share.

relu(x) = max(x, 0). Its gradient lets g through where the output y is not 0 (y is never negative, and a NaN is not 0).
That is a choice, made without a branch (`masks`). NumPy clips in less time than it finds the larger of two, and keeps
the sign of -0.0, as PyTorch does.

Memory order is kept: what comes in as C,H,W,N goes out as C,H,W,N.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinytorch.kernels.cache import piece_size
from tinytorch.kernels.layout import Array, Pair, lying_alike, scratch
from tinytorch.kernels.masks import keep, select, select_in_rows
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.pieces import ceil_div, even_parts, even_pieces
from tinytorch.kernels.short_rows import with_long_rows
from tinytorch.kernels.threads import get_num_threads, run_blocks

SHARED = 15 << 16
"""Elements from which on a single pass is worth a second thread."""
SHARED_PASSES = 5.5 * (1 << 19)
"""Elements times passes, from which on fewer elements are."""
ROW = 1 << 14
"""Up to so many numbers, one that is repeated by broadcasting is written out."""


def in_pieces(
    formula: Callable[..., object],
    *arrays: Array,
    passes: float = 1,
    piece: int | None = None,
    out: Array | None = None,
) -> Array:
    """Apply ``formula(*pieces, out)`` to matching pieces of arrays of one shape; returns the array of all ``out``.

    The result is `out`, which may be one of the arrays, or a new array with the dtype and memory order of the first.
    `passes` is how long the formula takes, in multiplications by a number (an exponential counts as three to five). It
    decides whether threads are worth it; never for a `piece` of one's own, which is for formulas with large work arrays
    (`threads` says why).
    """
    first = arrays[0]
    count = ceil_div(first.size, piece or piece_size())
    shared = not piece and (first.size > SHARED or first.size * passes > SHARED_PASSES)
    if count <= 1 and not shared and first.flags.c_contiguous:
        result = empty_like(first) if out is None else out
        formula(*arrays, result)
        return result
    if first.size <= ROW and 0 in first.strides:  # the gradient of a sum, one number for all: written out
        arrays = (first := np.ascontiguousarray(first), *arrays[1:])
    result = empty_like(first) if out is None else out
    # flat also when small: work arrays of the formula lie in C order, and mixed orders are several times as slow
    flat = lying_alike(*arrays, result)
    if flat is None:
        formula(*arrays, result)
        return result

    def run(block: Pair) -> None:
        formula(*[a[block[0] : block[1]] for a in flat])

    count += shared and count % 2
    run_blocks(run, even_parts(first.size, count), float("inf") if shared else 0)
    return result


def combined(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """``ufunc(a, b)`` of arrays or an array and a number; large arrays of one shape are shared by threads.

    A million sums take 0.11 ms on two threads, and 0.19 on one.
    """
    if a.__class__ is not b.__class__:
        return ufunc(a, b)
    if a.shape != b.shape:
        return ufunc(*with_long_rows(a, b))
    if a.dtype == b.dtype and _is_shared(a):
        return in_pieces(lambda a, b, out: ufunc(a, b, out=out), a, b)
    return ufunc(a, b)


def applied(ufunc: np.ufunc, x: Array) -> Array:
    """``ufunc(x)``; large arrays are shared by threads. A million exponentials take 0.28 ms on two, 0.46 on one."""
    if _is_shared(x):
        return in_pieces(lambda x, out: ufunc(x, out=out), x)
    result: Array = ufunc(x)
    return result


def _is_shared(x: Array) -> bool:
    """Whether a single pass over such an array is for several threads."""
    return x.size > SHARED and x.dtype.char in "fd" and get_num_threads() > 1


def relu(x: Array, out: Array | None = None) -> Array:
    """max(x, 0), elementwise; NaN stays NaN, -0.0 stays -0.0 (`torch.relu`). `out` may be x itself."""
    if x.dtype.kind != "f":
        return np.maximum(x, x.dtype.type(0), out=out)
    if x.size <= ROW and x.ndim and x.flags.c_contiguous:
        return np.maximum(_zeros(x.dtype)[: x.size].reshape(x.shape), x, out=out)
    return in_pieces(lambda x, out: np.clip(x, x.dtype.type(0), x.dtype.type(np.inf), out=out), x, out=out)


@cache
def _zeros(dtype: np.dtype) -> Array:
    """A row of zeros, kept: to be read only. NumPy is four times as fast against it as against one zero."""
    row = np.zeros(ROW, dtype)
    row.flags.writeable = False
    return row


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y = relu(x) is positive or NaN, else 0. Shapes are equal; the result lies in memory as `y`."""
    if y.dtype.kind != "f" or grad.dtype != y.dtype:
        return np.where(y <= 0, grad.dtype.type(0), grad)  # integers; dtypes that differ
    return in_pieces(_pass_where_positive, y, grad, passes=3)


def _pass_where_positive(y: Array, grad: Array, out: Array) -> None:
    with scratch(y.shape, np.dtype(bool)) as passes:
        keep(grad, np.not_equal(y, y.dtype.type(0), out=passes), out)


def where(condition: Array, a: Array, b: Array) -> Array:
    """`np.where`, up to six times as fast for a large condition without a pattern (`masks` says why).

    `a` or `b` may be 0-dimensional.
    """
    whole = [v for v in (a, b) if v.ndim]
    if not whole or whole[0].size < ROW or a.dtype != b.dtype or a.dtype.kind not in "fiu":
        return np.where(condition, a, b)
    if condition.size >= ROW:
        out = empty_like(whole[0])
        flat = lying_alike(condition, out, *whole)
        if flat is not None:
            for start, stop in even_pieces(out.size, piece_size()):
                chosen, piece, *pieces = [v[start:stop] for v in flat]
                left = pieces.pop(0) if a.ndim else a
                select(chosen, left, pieces.pop(0) if b.ndim else b, piece)
            return out
    elif len(whole) == 1 and whole[0].flags.c_contiguous and _repeats(condition, whole[0]):
        return select_in_rows(condition, whole[0], a if b.ndim else b, bool(b.ndim), empty_like(whole[0]))
    return np.where(condition, a, b)


def _repeats(condition: Array, x: Array) -> bool:
    """Whether the condition is for the last dimensions of `x`, and the same for all others: a causal mask."""
    sizes = condition.shape[next((i for i, size in enumerate(condition.shape) if size != 1), condition.ndim) :]
    return len(sizes) > 0 and condition.ndim <= x.ndim and x.shape[x.ndim - len(sizes) :] == sizes


def sign(x: Array) -> Array:
    """-1, 0 or 1 in x's dtype, 0 for nan: (x > 0) - (x < 0), at twice the speed of `np.sign`."""
    return in_pieces(_sign, x, passes=2)


def _sign(x: Array, out: Array) -> None:
    with scratch(x.shape, np.dtype(np.int8)) as above, scratch(x.shape, np.dtype(np.int8)) as below:
        np.greater(x, 0, out=above.view(np.bool_))
        np.less(x, 0, out=below.view(np.bool_))
        np.copyto(out, np.subtract(above, below, out=above))


def complex_logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)) of complex numbers, with the larger real part taken out so that nothing overflows."""
    a_is_larger = a.real >= b.real
    larger, smaller = np.where(a_is_larger, a, b), np.where(a_is_larger, b, a)
    with np.errstate(invalid="ignore"):
        result = np.log1p(np.exp(smaller - larger)) + larger
    return np.where(larger.real == -np.inf, larger, result)
