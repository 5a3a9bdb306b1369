"""Order in arrays: what stands first, or in the middle, in as little sorting as will do. nan counts as the largest.

Sorting everything, stably, is the yardstick (`order`). For a few of many, `leading` looks for the first, takes it out,
and looks for the next: NumPy's ``argmax`` along rows in memory is so fast that a dozen of them take less time than one
partition. For the one in the middle, `middle` partitions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import widened

__all__ = ["any_nan", "equal_neighbours", "largest_in_turn", "leading", "middle", "order"]

_FEW = 16  # elements to find one after the other, by as many searches for the largest


def order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The stable sorting permutation along ``dim``."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    x = widened(x)  # in bfloat16 NumPy would not know where to put nan
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # Sorted backwards and read from the end: equal elements keep their order, and nan comes first.
    backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def any_nan(x: np.ndarray) -> bool:
    """Whether any element is nan."""
    return x.dtype.kind in FLOATS and x.size > 0 and bool(np.isnan(x.max()))


def leading(x: np.ndarray, count: int, dim: int, descending: bool) -> np.ndarray:
    """The first ``count`` of `order`; of equal elements perhaps others. A few of many are partitioned off."""
    size, x = x.shape[dim], widened(x)
    if count * 8 > size:
        return np.take(order(x, dim, descending), range(count), dim)
    if count <= _FEW and x.dtype.kind in "fViu":
        found = largest_in_turn(x, count, dim, descending)
        if found is not None:
            return found
    if descending:
        part = np.take(np.argpartition(x, size - count, dim), range(size - count, size), dim)
    else:
        part = np.take(np.argpartition(x, count - 1, dim), range(count), dim)
    part = np.sort(part, dim)
    return np.take_along_axis(part, order(np.take_along_axis(x, part, dim), dim, descending), dim)


def largest_in_turn(x: np.ndarray, count: int, dim: int, descending: bool) -> np.ndarray | None:
    """`leading` for rows without nan and the lowest number there is; None where one turns up."""
    rows = np.array(np.moveaxis(x, dim, -1) if dim != x.ndim - 1 else x, order="C")
    shape, rows = rows.shape[:-1], rows.reshape(-1, rows.shape[-1])
    lowest: Any
    if x.dtype.kind in FLOATS:
        lowest = -np.inf if descending else np.inf
    else:
        limits = np.iinfo(x.dtype)
        lowest = limits.min if descending else limits.max
    places = np.empty((count, len(rows)), np.int64)
    if not len(rows):
        return None
    each = np.arange(len(rows))
    for found in places:
        (rows.argmax if descending else rows.argmin)(-1, out=found)
        values = rows[each, found]
        furthest = (np.minimum if descending else np.maximum).reduce(values)
        if not (furthest > lowest if descending else furthest < lowest):  # nan is neither
            return None
        rows[each, found] = lowest
    return np.moveaxis(places.T.reshape(*shape, count), -1, dim)


def middle(x: np.ndarray, k: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Where along ``dim`` the k-th (from 0) in `order` stands, and for each row whether it has equals there.

    Partitioned, not sorted, which is eight times as fast; only rows with equals are sorted. nan is not welcome.
    """
    rows = np.ascontiguousarray(np.moveaxis(widened(x), dim, -1))
    equal = rows == np.partition(rows, k, -1)[..., k : k + 1]
    index, tied = np.asarray(equal.argmax(-1)), np.asarray(np.count_nonzero(equal, -1) > 1)
    index[tied] = np.argsort(rows[tied], -1, kind="stable")[..., k]
    return np.expand_dims(index, dim), tied


def equal_neighbours(x: np.ndarray, order: np.ndarray, start: int, stop: int, dim: int) -> np.ndarray:
    """For each row, whether two neighbours among ``order[start:stop]`` are equal, so that their order is arbitrary."""
    places = order[(slice(None),) * dim + (slice(max(start, 0), min(stop, x.shape[dim])),)]
    values = np.take_along_axis(x, places, dim)
    if dim != x.ndim - 1:
        values = np.moveaxis(values, dim, -1)
    left, right = values[..., :-1], values[..., 1:]
    return ((left == right) | ((left != left) & (right != right))).any(-1)
