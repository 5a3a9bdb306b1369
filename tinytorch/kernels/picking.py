"""Picking rows or elements by number, and its transpose: adding each row or element to where it was picked.

(After: `memory`.)

`np.add.at` visits one number after the other, and is many times slower still for whole rows. So `sums_by_row` sorts the
row numbers: then the uses of each row lie side by side. The rows that are used most come first in its result, so those
with a second use are the first so many, those with a third the first so many of these: each further use of all of them
is one `take` and one sum. Where fewer rows than rounds are left, each has its own sum. (10,000 values, 64 numbers each,
of the edges of a graph with 2,700 nodes: 0.4 ms; `np.add.at` 2.7, and 1.2 with flat positions.)

What flat positions gained, forward and backward of a gather of 64 out of 512 in 1024 rows on one thread
(`python -m tests.benchmarks --only gather`): 0.33 ms instead of 0.59 (PyTorch: 0.20).
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.counting import stable_order
from tinytorch.kernels.layout import Array
from tinytorch.kernels.memory import SMALLEST, empty


def all_between(whole: Array, limit: int) -> bool:
    """Whether all of these integers are in [0, limit), and there are any."""
    # read as unsigned, negative numbers are the largest of all: one pass looks at both ends
    unsigned = whole.view(f"u{whole.itemsize}")
    return bool(whole.size and int(np.maximum.reduce(unsigned, axis=None)) < limit)


def take(x: Array, index: Array, axis: int) -> Array:
    """`np.take(x, index, axis)`: rows picked by number, from the end if negative. IndexError if out of range."""
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    if math.prod(shape) * x.itemsize < SMALLEST or not index.size:
        return x.take(index, axis)
    if not all_between(index, x.shape[axis]) and (index.min() < -x.shape[axis] or index.max() >= x.shape[axis]):
        return x.take(index, axis)  # which raises the error
    return x.take(index, axis, out=empty(shape, x.dtype), mode="wrap")


def sums_by_row(rows: Array, values: Array, limit: int) -> tuple[Array, Array]:
    """The row numbers that occur in `rows`, each once, and for each the sum of its `values`.

    `rows` (k,) with k > 0 numbers from 0 to limit - 1, `values` (k, n), contiguous.

    >>> sums_by_row(np.array([5, 2, 5]), np.array([[1.0], [10.0], [100.0]]), 6)
    (array([5, 2]), array([[101.],
           [ 10.]]))
    """
    order = stable_order(rows, limit)
    ordered = rows.take(order)
    first = np.ones(len(rows) + 1, bool)  # whether a use is the first of its row; and one after the end
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:-1])
    bounds = first.nonzero()[0]
    starts, uses = bounds[:-1], bounds[1:] - bounds[:-1]
    most = int(np.maximum.reduce(uses))
    if most == 1:
        return rows, values
    often_first = stable_order(most - uses, most)
    starts, uses = starts.take(often_first), uses.take(often_first)
    sums = values.take(order.take(starts), axis=0)
    counts = len(uses) - uses[::-1].searchsorted(np.arange(1, most), side="right")  # of the rows used more than 1, 2...
    for number, count in enumerate(counts.tolist(), 1):
        if count < most - number:  # fewer rows than rounds
            for row, start, end in zip(sums[:count], starts[:count], starts[:count] + uses[:count], strict=True):
                row += np.add.reduce(values.take(order[start + number : end], axis=0), axis=0, dtype=values.dtype)
            break
        sums[:count] += values.take(order.take(starts[:count] + number), axis=0)
    return ordered.take(starts), sums


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
