"""Picking rows or elements by number, and its transpose: adding each row or element to where it was picked.

(After: `memory`.)

`np.add.at` visits one number after the other, and many times slower still for whole rows. So `add_rows` sorts the row
numbers: then the uses of each row lie side by side. Of the rows that are not used often, all first uses are put in
place at once, then all second uses are added at once, and so on; each is one indexed assignment. The uses of every
other row are summed by themselves, and where they are many, by BLAS. (2,048 words of 5,000, as frequent as in a text,
128 numbers each: 0.26 ms; `np.add.at` 2.2, and 0.45 with flat positions.)

What flat positions gained, forward and backward of a gather of 64 out of 512 in 1024 rows on one thread
(`python -m tests.benchmarks --only gather`): 0.36 ms instead of 0.59 (PyTorch: 0.19).
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.counting import stable_order
from tinytorch.kernels.layout import Array
from tinytorch.kernels.memory import SMALLEST, empty
from tinytorch.kernels.sums import column_sums

ROUNDS = 8
"""Up to so many uses of a row are added in turn."""
OFTEN = 32
"""Uses of a row, on average, from which on a sum by BLAS is worth calling."""


def all_between(whole: Array, limit: int) -> bool:
    """Whether all of these integers are in [0, limit), and there are any."""
    # read as unsigned, negative numbers are the largest of all: one pass looks at both ends
    unsigned = whole.view(f"u{whole.itemsize}")
    return bool(whole.size and int(np.maximum.reduce(unsigned, axis=None)) < limit)


def take(x: Array, index: Array, axis: int) -> Array:
    """`np.take(x, index, axis)`: rows picked by number, from the end if negative. IndexError if out of range."""
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    if math.prod(shape) * x.itemsize < SMALLEST or not index.size:
        return np.take(x, index, axis)
    if not all_between(index, x.shape[axis]) and (index.min() < -x.shape[axis] or index.max() >= x.shape[axis]):
        return np.take(x, index, axis)  # which raises the error
    return np.take(x, index, axis, out=empty(shape, x.dtype), mode="wrap")


def add_rows(out: Array, rows: Array, values: Array) -> None:
    """out[rows[i]] += values[i] for each i, where `out` is zero before.

    `out` (R, n), `rows` (k,) from 0 to R - 1, `values` (k, n), all contiguous.
    """
    if not len(rows):
        return
    order = stable_order(rows, len(out))
    ordered = rows.take(order)
    first = np.ones(len(rows) + 1, bool)  # whether a use is the first of its row; and one after the end
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:-1])
    bounds = first.nonzero()[0]
    starts, uses = bounds[:-1], bounds[1:] - bounds[:-1]
    most = np.maximum.reduce(uses)
    if most == 1:
        out[rows] = values
        return
    if most > ROUNDS:
        often = uses > ROUNDS
        _add_each(out, ordered[starts[often]], order[np.repeat(often, uses)], uses[often], values)
        starts, uses = starts[~often], uses[~often]
    out[ordered[starts]] = values[order[starts]]
    for number in range(1, min(most, ROUNDS)):
        starts = starts[uses > number] + 1
        uses = uses[uses > number]
        out[ordered[starts]] += values[order[starts]]


def reduce_rows(ufunc: np.ufunc, out: Array, rows: Array, values: Array) -> None:
    """out[rows[i]] = ufunc(out[rows[i]], values[i]) for each i: one `reduceat` of the rows in order.

    `out` (R, ...), `rows` (k,) from 0 to R - 1, `values` (k, ...); or more dimensions in place of k.
    """
    rows, values = rows.reshape(-1), values.reshape(rows.size, *out.shape[1:])
    order = stable_order(rows, len(out))
    ordered = rows.take(order)
    starts = np.diff(ordered, prepend=-1).nonzero()[0]
    used = ordered[starts]
    out[used] = ufunc(out[used], ufunc.reduceat(values.take(order, axis=0), starts, axis=0))


def _add_each(out: Array, rows: Array, order: Array, uses: Array, values: Array) -> None:
    """out[rows[i]] = the sum of as many rows of `values` as `uses` says, which are the next in `order`."""
    starts = np.cumsum(uses) - uses
    if len(order) < OFTEN * len(rows) or values.dtype.char not in "fd":
        out[rows] = np.add.reduceat(values.take(order, axis=0), starts, axis=0)
        return
    hold_blas()
    for row, start, count in zip(rows.tolist(), starts.tolist(), uses.tolist(), strict=True):
        out[row] = column_sums(values[order[start : start + count]])


def places_along(index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Where in flat memory of `shape` the elements lie that `index` (not negative) picks along `dim`, as gather."""
    strides = [math.prod(shape[d + 1 :]) for d in range(index.ndim)]
    places = index if strides[dim] == 1 else np.multiply(index, strides[dim], dtype=np.int64)
    offset = None
    for d, (size, stride) in enumerate(zip(index.shape, strides, strict=True)):
        if d != dim and size > 1:
            steps = np.arange(0, size * stride, stride).reshape([-1 if i == d else 1 for i in range(index.ndim)])
            offset = steps if offset is None else offset + steps
    return places if offset is None else places + offset
