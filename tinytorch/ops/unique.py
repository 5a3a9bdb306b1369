"""Counting: distinct elements, occurrences, histograms. None of them has a gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import widened
from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.checks import not_implemented, refuse
from tinytorch.ops.dims import accepts_axis, many_dims, one_dim
from tinytorch.ops.numbers import check_count
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = ["bincount", "count_nonzero", "histc", "isin", "unique", "unique_consecutive"]


@accepts_axis
@checks_arguments
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or slices along ``dim``) in ascending order; nan is never equal to nan (``torch.unique``).

    With ``return_inverse`` also, for each element, where in the result it is; with ``return_counts`` how often each
    occurs.
    """
    refuse("c", "unique", input)
    axis = None if dim is None else one_dim(dim, input._array.ndim)
    if axis is None and input._array.dtype.kind in "iu" and input._array.size:
        counted = _counted(input._array, return_inverse)
        if counted is not None:
            return _results(*counted, return_inverse, return_counts)
    if axis is not None and input._array.shape[axis] == 0:
        none = np.zeros(0, np.int64)
        return _results(input._array.copy(), none, none, return_inverse, return_counts)
    values, inverse, counts = np.unique(
        widened(input._array), return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    values = values.astype(input._array.dtype, copy=False)
    inverse = inverse.reshape(input._array.shape if axis is None else -1)
    return _results(values, inverse, counts, return_inverse, return_counts)


def _counted(x: np.ndarray, want_inverse: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(values, inverse, counts) of integers by counting each number of their range, if that is short enough.

    Many times as fast as sorting, which is what ``np.unique`` does.
    """
    lowest = x.min()
    span = int(x.max()) - int(lowest) + 1
    if span > max(x.size, 1000):
        return None
    # In x's own dtype the difference may wrap around; read without a sign it is right.
    places = (x.reshape(-1) - lowest).view(f"u{x.itemsize}").astype(np.int64)
    counts = np.bincount(places)
    present = np.flatnonzero(counts)
    inverse = places[:0]
    if want_inverse:
        numbers = np.empty(span, np.int64)
        numbers[present] = np.arange(present.size)
        inverse = numbers[places].reshape(x.shape)
    return present.astype(x.dtype) + lowest, inverse, counts[present]


def _results(values: np.ndarray, inverse: np.ndarray, counts: np.ndarray, want_inverse: bool, want_counts: bool) -> Any:
    results = [Tensor._wrap(values)]
    if want_inverse:
        results.append(Tensor._wrap(np.ascontiguousarray(inverse, np.int64).reshape(inverse.shape)))
    if want_counts:
        results.append(Tensor._wrap(counts.astype(np.int64)))
    return results[0] if len(results) == 1 else tuple(results)


@accepts_axis
@checks_arguments
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """As :func:`unique`, but only equal *neighbours* are merged, and the order is kept."""
    refuse("c", "unique_consecutive", input)
    array = input._array
    rows = array.reshape(-1, 1) if dim is None else np.moveaxis(array, one_dim(dim, array.ndim), 0)
    flat = rows.reshape(rows.shape[0], math.prod(rows.shape[1:]))
    starts = np.ones(len(flat), bool)
    starts[1:] = (flat[1:] != flat[:-1]).any(axis=1)
    inverse = np.cumsum(starts) - 1
    counts = np.diff(np.append(np.flatnonzero(starts), len(flat)))
    if dim is None:
        return _results(flat[starts, 0], inverse.reshape(array.shape), counts, return_inverse, return_counts)
    values = np.ascontiguousarray(np.moveaxis(rows[starts], 0, one_dim(dim, array.ndim)))
    return _results(values, inverse, counts, return_inverse, return_counts)


@checks_arguments
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs in a vector of non-negative integers; or the sum of its ``weights``."""
    array = input._array
    if array.ndim != 1 or (array.size and array.dtype.kind == "i" and array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if array.dtype.kind not in "iu":
        raise not_implemented("bincount_cpu", input)
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is None:
        return Tensor._wrap(np.bincount(array, minlength=minlength))
    if weights._array.shape != array.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    summed = np.bincount(array, weights._array, minlength)
    return Tensor._wrap(summed.astype(np.float32) if weights._array.dtype == np.float32 else summed)


@accepts_exact_out
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements fall into each of ``bins`` equal parts of [min, max]; by default of the data's own range."""
    array = input._array
    if array.dtype.kind not in FLOATS:
        raise not_implemented("histogram_cpu", input)
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    check_count(bins)
    if max < min:
        raise RuntimeError("torch.histc: max must be larger than min")
    low, high = float(min), float(max)
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise RuntimeError(f"histogram_cpu: range of [{low}, {high}] is not finite")
    if low == high:
        low, high = low - 1, high + 1
    first, last = np.asarray([low, high]).astype(array.dtype)
    # Each step is rounded to the data's precision, which decides for numbers near the edge of a part.
    inside = array[(array >= first) & (array <= last)]
    places = ((inside - first) * np.asarray(bins).astype(array.dtype) / (last - first)).astype(np.int64)
    return Tensor._wrap(np.bincount(np.minimum(places, bins - 1), minlength=bins).astype(array.dtype))


@accepts_axis
@checks_arguments
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """The number of elements that are not zero, over all or some dimensions."""
    return Tensor._wrap(np.asarray(np.count_nonzero(input._array, axis=many_dims(dim, input._array.ndim)), np.int64))


@accepts_exact_out
def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Where elements occur among ``test_elements``; one of the two may be a number."""
    if isinstance(elements, bool) or isinstance(test_elements, bool):
        raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    refuse("bc", "isin", elements, test_elements, error=RuntimeError)
    a, b = (v._array if isinstance(v, Tensor) else np.asarray(v) for v in (elements, test_elements))
    return Tensor._wrap(np.asarray(np.isin(a, b, assume_unique=assume_unique, invert=invert)))
