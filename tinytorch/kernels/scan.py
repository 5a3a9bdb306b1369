"""Running sums: y_i = x_1 + ... + x_i, along any axis and from either end.

(After: `sums`.)

One addition has to wait for the last, so a running sum takes several times as long as a sum; and in single precision
the rounding errors of all steps add up. Both are mended by runs of `RUN` numbers. Within a run, a running sum is a
product with a triangle of ones,

    (y1 y2 y3) = (x1 x2 x3) · |1 1 1|
                              |0 1 1|
                              |0 0 1|

which BLAS does for all runs at once. What came before a run is the running sum of the totals of the runs, taken in
double precision and added to all of it. An infinity or NaN would spoil its whole run, for 0 · inf is NaN; it shows in
the total, and then NumPy's `np.add.accumulate` does the work, the reference in the tests.

What it gained, forward and backward of 1024 x 512 on one thread (`python -m tests.benchmarks --only cumsum`):
1.40 ms, where adding up one by one and turning round took 4.22 (PyTorch: 1.39).

>>> running_sums(np.array([1.0, 2.0, 3.0]), 0), running_sums(np.array([1.0, 2.0, 3.0]), 0, reverse=True)
(array([1., 3., 6.]), array([6., 5., 3.]))
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.layout import Array
from tinytorch.kernels.memory import empty

RUN = 32
"""Numbers in a run: the triangle is twice the work that is needed, and grows with it."""
LARGE = 1 << 13
"""Elements from which on this beats `np.add.accumulate`."""


def running_sums(x: Array, axis: int, reverse: bool = False) -> Array:
    """`np.add.accumulate` along `axis`, or from the other end; in x's dtype."""
    n = x.shape[axis]
    if x.size >= LARGE and n >= 2 * RUN and x.dtype.char in "fd":
        columns = np.ascontiguousarray(x).reshape(math.prod(x.shape[:axis]), n, -1)
        found = _in_runs(columns, reverse)
        if found is not None:
            return found.reshape(x.shape)
    out = np.empty(x.shape, x.dtype)
    there, here = (np.flip(a, axis) if reverse else a for a in (x, out))
    np.add.accumulate(there, axis=axis, dtype=x.dtype, out=here)
    return out


def _in_runs(x: Array, reverse: bool) -> Array | None:
    """Running sums along the middle axis of (a, n, b); None if they are not all finite."""
    a, n, b = x.shape
    count, whole = n // RUN, n // RUN * RUN
    y = empty(x.shape, x.dtype)
    runs, sums = (m[:, :whole].reshape(a, count, RUN, b) for m in (x, y))
    hold_blas()
    _multiply(runs, sums, reverse)
    if whole < n:
        _multiply(x[:, None, whole:], y[:, None, whole:], reverse)
    last = 0 if reverse else -1
    totals = np.zeros((a, count + 1, b))  # of each run and of the rest, then: of all that comes before it
    totals[:, :count] = sums[:, :, last]
    if whole < n:
        totals[:, count] = y[:, whole:][:, last]
    if reverse:
        totals = totals[:, ::-1]
    np.add.accumulate(totals, axis=1, out=totals)
    if not np.isfinite(totals[:, -1]).all():
        return None
    before = np.zeros(totals.shape, x.dtype)
    before[:, 1:] = totals[:, :-1]
    if reverse:
        before = before[:, ::-1]
    sums += before[:, :count, None]
    y[:, whole:] += before[:, count:]
    return y


def _multiply(runs: Array, out: Array, reverse: bool) -> None:
    """out = the running sums along axis 2 of (a, k, n, b), by a product with a triangle of ones."""
    lower = _triangle(runs.shape[2], runs.dtype)
    if runs.shape[3] > 1:
        np.matmul(lower.T if reverse else lower, runs, out=out)
    else:  # the numbers of a run are neighbours: runs are rows
        rows, out = runs[..., 0], out[..., 0]
        if rows.flags.c_contiguous and out.flags.c_contiguous:  # all are one matrix
            rows, out = rows.reshape(-1, rows.shape[-1]), out.reshape(-1, rows.shape[-1])
        np.matmul(rows, lower if reverse else lower.T, out=out)


@lru_cache(maxsize=64)
def _triangle(n: int, dtype: np.dtype) -> Array:
    return np.tril(np.ones((n, n), dtype))
