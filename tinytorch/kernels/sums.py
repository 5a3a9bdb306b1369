"""Sums over some dimensions of an array, by BLAS: fast, and accurate for any length.

(After: `layout`.)

A sum is a product with ones, and BLAS multiplies a matrix by a vector as fast as memory delivers it:

    rows      sum_j x[i, j] = (x @ 1)[i]          columns      sum_i x[i, j] = (1 @ x)[j]

NumPy's own reduction calls a loop for every row, which costs as much as adding a hundred numbers; and down the columns
it adds one number after the other, so that the rounding error grows with their count: a million times 0.1 in float32
makes 100958. Here the numbers are added in runs of `RUN`, then the sums of the runs, and so on, as PyTorch does.

What it gained, forward and backward of the sum of each row of 1024 x 512 on one thread (`python -m tests.benchmarks
--only "sum over dim 1"`): 0.08 ms instead of 0.15 (PyTorch: 0.06).

>>> total(np.full((1000, 1000, 3), 0.1, np.float32), (0, 1)).round()
array([100000., 100000., 100000.], dtype=float32)
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.layout import Array, small_row_major

_add: Any = np.add.reduce
RUN = 256
"""Numbers that are added in one go."""
LONGEST = 1024
"""Rows up to this length are one run: BLAS adds each in dozens of parallel sums, so that the error stays small."""
LARGE = 1 << 14
"""Elements from which on this beats `np.add.reduce`."""


def total(x: Array, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """`np.add.reduce(x, axes, keepdims=keepdims)` in x's dtype; fast for large arrays of float32 or float64.

    The result has the same bits whatever the number of threads.
    """
    rows_first = x.flags.c_contiguous
    # repeated by broadcasting, it might fill the memory if it were written out
    if x.size < LARGE or x.dtype.char not in "fd" or not axes or 0 in x.strides:
        result = _add(x, axis=axes, dtype=x.dtype, keepdims=keepdims)
        return result if rows_first else small_row_major(result)
    if rows_first and x.ndim <= 2:  # the most frequent ones, without more ado
        hold_blas()
        if len(axes) == x.ndim:
            result = _sum_last(x.reshape(-1))
        else:
            result = _sum_inside(x, 0) if axes[0] == 0 else _sum_last(x)
        return (
            result.reshape([1 if axis in axes else size for axis, size in enumerate(x.shape)]) if keepdims else result
        )
    order = range(x.ndim) if rows_first else sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    # neighbouring dimensions of one kind are one dimension: what is left is a matrix, or a few that alternate
    runs = [(summed, [x.shape[axis] for axis in group]) for summed, group in groupby(order, axes.__contains__)]
    lying = x if rows_first else np.ascontiguousarray(x.transpose(order))
    partial = lying.reshape([math.prod(sizes) for _, sizes in runs])
    hold_blas()
    for axis in reversed([i for i, (summed, _) in enumerate(runs) if summed]):
        partial = _sum_last(partial) if axis == partial.ndim - 1 else _sum_inside(partial, axis)
    kept = [axis for axis in order if axis not in axes]
    result = partial.reshape([x.shape[axis] for axis in kept])
    if not rows_first:
        result = small_row_major(result.transpose(np.argsort(kept)))
    return np.expand_dims(result, axes) if keepdims else result


def total_of_squares(x: Array, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """`total(x * x, axes, keepdims)` for real numbers; in one pass over each row, or over all of a contiguous array."""
    if x.dtype.char in "fd" and x.flags.c_contiguous and x.size:
        if axes == (x.ndim - 1,) and x.shape[-1] <= LONGEST:
            sums: Any = np.vecdot(x, x)
            return sums[..., None] if keepdims else sums
        if len(axes) == x.ndim:
            flat = x.reshape(-1)
            whole = x.size // LONGEST * LONGEST
            rest = flat[whole:] if whole else flat
            sums = rest.dot(rest)
            if whole:
                runs = flat[:whole].reshape(-1, LONGEST)
                sums = sums + _add(np.vecdot(runs, runs), dtype=x.dtype)
            return np.full([1] * x.ndim, sums) if keepdims else sums
    return total(x * x, axes, keepdims)


def row_sums(a: Array) -> Array:
    """The sum of each row of a matrix, (R, n) -> (R, 1); for use in blocks, where BLAS is held to one thread."""
    n = a.shape[1]
    sums = a @ ones(n, a.dtype) if n <= LONGEST else _sum_last(a)
    return sums[:, None]


def row_dots(a: Array, b: Array) -> Array:
    """The dot product of each row of `a` with the same row of `b`, (R, n) -> (R, 1); likewise.

    `np.vecdot` lets go of Python's global lock only where there are 500 rows or more, so long ones are cut into runs.
    """
    n = a.shape[1]
    if n <= 2 * RUN:
        return np.vecdot(a, b)[:, None]
    whole = n // RUN * RUN
    left, right = (m[:, :whole].reshape(len(m), -1, RUN) for m in (a, b))
    sums = _add(np.vecdot(left, right), axis=1)
    if whole < n:
        sums += np.vecdot(a[:, whole:], b[:, whole:])
    return sums[:, None]


def column_sums(a: Array) -> Array:
    """The sum of each column of a matrix, (R, n) -> (n,); for use in blocks, where BLAS is held to one thread."""
    return _sum_inside(a, 0)


def _sum_last(a: Array) -> Array:
    """(..., n) -> (...)."""
    *outer, n = a.shape
    if not n:
        return np.zeros(outer, a.dtype)
    if n <= LONGEST:
        return (a.reshape(-1, n) @ ones(n, a.dtype)).reshape(outer)
    whole = n // RUN * RUN
    sums = _sum_last(a[..., :whole].reshape(*outer, -1, RUN) @ ones(RUN, a.dtype))
    return sums if whole == n else sums + _sum_last(a[..., whole:])


def _sum_inside(a: Array, axis: int) -> Array:
    """(..., n, ...) -> (..., ...), for an axis that is not the last."""
    *outer, n = a.shape[: axis + 1]
    columns = a.reshape(*outer, n, -1)
    if n <= RUN:
        sums = ones(n, a.dtype) @ columns
    else:
        whole = n // RUN * RUN
        runs = columns[..., :whole, :].reshape(*outer, -1, RUN, columns.shape[-1])
        sums = _sum_inside(ones(RUN, a.dtype) @ runs, axis)
        if whole < n:
            sums = sums + ones(n - whole, a.dtype) @ columns[..., whole:, :]
    return sums.reshape(*outer, *a.shape[axis + 1 :])


@lru_cache(maxsize=64)
def ones(n: int, dtype: np.dtype) -> Array:
    """`np.ones(n, dtype)`, kept: to be read only."""
    array = np.ones(n, dtype)
    array.flags.writeable = False
    return array
