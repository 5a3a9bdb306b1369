"""The largest, the k-th smallest, the middle one: values picked from the input, and where they stood.

Which of several equal elements is reported depends on the algorithm. Rows with ties at the place in question are
settled by PyTorch's own, in :mod:`tinytorch.kernels.selection`; all others go the fastest way there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import selection
from tinytorch.kernels.order import any_nan, equal_neighbours, leading, middle, order
from tinytorch.ops.arguments import NOT_GIVEN
from tinytorch.ops.checks import refuse, refuse_bool, refuse_complex
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.out import accepts_exact_out, accepts_out, accepts_separate_out
from tinytorch.ops.reduce import refuse_keepdim
from tinytorch.ops.sorting import picked
from tinytorch.tensor import Tensor

__all__ = ["kthvalue", "median", "nanmedian", "topk"]


def _settle_ties(x: np.ndarray, index: np.ndarray, tied: np.ndarray, dim: int, choose: Any) -> None:
    """Replace the indices of the tied rows by those that PyTorch's selection would find (see kernels/selection).

    Those run as Python loops, so a lot of ties keeps the sorted order: to equal elements, any is right.
    """
    count = int(np.count_nonzero(tied))
    if count == 0 or count * x.shape[dim] > selection.LONGEST:
        return
    rows, chosen = np.moveaxis(x, dim, -1), np.moveaxis(index, dim, -1)
    for place in map(tuple, np.argwhere(tied)):
        chosen[place] = choose(rows[place])


@accepts_exact_out
@accepts_axis
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: Any = None) -> Any:
    """(values, indices) of the ``k`` largest (or smallest) along ``dim``, in order. RuntimeError for k out of range."""
    refuse("b", "topk", input, error=RuntimeError)
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim] if input._array.ndim else 1
    if not 0 <= k <= size:
        raise RuntimeError("selected index k out of range")
    array = input._array
    if array.ndim == 0:
        return picked(return_types.topk, input, dim, np.zeros((), np.int64))
    refuse_complex("topk", array)
    first = leading(array, min(k + 1, size), dim, largest)
    index = first[(slice(None),) * dim + (slice(k),)]
    tied = equal_neighbours(array, first, 0, k + 1, dim)
    _settle_ties(array, index, tied, dim, lambda row: selection.topk_indices(row, k, largest, sorted))
    return picked(return_types.topk, input, dim, index)


@accepts_separate_out
@accepts_axis
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(value, index) of the ``k``-th smallest along ``dim``, counted from 1. RuntimeError for k out of range."""
    refuse_bool("kthvalue_cpu", input)
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim] if input._array.ndim else 1
    if not size:
        raise IndexError(f"kthvalue(): Expected reduction dim {dim} to have non-zero size.")
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    array = input._array
    if array.ndim == 0:
        return picked(return_types.kthvalue, input, dim, np.zeros((), np.int64), keepdim)
    refuse_complex("kthvalue", array)
    if any_nan(array):
        places = order(array, dim, False)
        index, tied = np.take(places, [k - 1], dim), equal_neighbours(array, places, k - 2, k + 1, dim)
    else:
        index, tied = middle(array, k - 1, dim)
    _settle_ties(array, index, tied, dim, lambda row: [selection.kth_index(row, k - 1)])
    return picked(return_types.kthvalue, input, dim, index, keepdim)


@accepts_out
@accepts_axis
def median(input: Tensor, dim: int = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, out: Any = None) -> Any:
    """The middle element (of two, the smaller); nan if there is any nan. With ``dim`` a pair (values, indices)."""
    return _median(return_types.median, input, dim, keepdim, ignore_nan=False)


@accepts_out
@accepts_axis
def nanmedian(input: Tensor, dim: int = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, out: Any = None) -> Any:
    """As :func:`median`, of the elements that are not nan."""
    return _median(return_types.nanmedian, input, dim, keepdim, ignore_nan=True)


def _median(kind: type[Any], input: Tensor, dim: int, keepdim: bool, ignore_nan: bool) -> Any:
    refuse_bool("median_cpu", input)
    array = input._array
    refuse_complex("median", array)
    if dim is NOT_GIVEN:
        if keepdim is not NOT_GIVEN:
            refuse_keepdim(kind.__name__, keepdim)
        if array.size == 0:
            return Tensor._wrap(
                np.asarray(np.nan if array.dtype.kind in FLOATS else np.iinfo(array.dtype).min, array.dtype)
            )
        value = _median(kind, input.reshape(-1).detach(), 0, False, ignore_nan)[0]
        return _shared_by_equals(input, value)
    dim, keepdim = one_dim(dim, array.ndim), keepdim is not NOT_GIVEN and keepdim
    if array.ndim == 0:
        return picked(kind, input, dim, np.zeros((), np.int64))
    if array.shape[dim] == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    if not any_nan(array):
        return picked(kind, input, dim, middle(array, (array.shape[dim] - 1) // 2, dim)[0], keepdim)
    places = order(array, dim, False)
    not_nan = (array == array).sum(axis=dim, keepdims=True)
    half = np.maximum(not_nan - 1, 0) // 2
    if not ignore_nan:  # the first nan stands right behind the last number
        half = np.where(not_nan < array.shape[dim], not_nan, half)
    return picked(kind, input, dim, np.take_along_axis(places, half, dim), keepdim)


def _shared_by_equals(input: Tensor, value: Tensor) -> Tensor:
    """``value``, as the mean of the elements that equal it: so they share the gradient, as in PyTorch."""
    if not input._requires_grad:
        return value
    flat = input.reshape(-1)
    chosen = (flat._array == value._array) | (np.isnan(flat._array) & np.isnan(value._array))
    return known_as(flat[Tensor._wrap(chosen)].mean(), "MedianBackward0")
