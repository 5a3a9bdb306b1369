"""Order: sort, top k, medians, modes, and where a number belongs in a sorted sequence.

Every value that comes out was picked from the input, so all of them are: find the indices (no gradient), then
:func:`gather`. nan counts as larger than every number, as in PyTorch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.kernels import selection
from tinytorch.ops.checks import refuse, refuse_bool, refuse_complex
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.gather import gather
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["argsort", "bucketize", "kthvalue", "median", "mode", "msort", "nanmedian", "searchsorted", "sort", "topk"]


class Found(NamedTuple):
    """Values and where they were found."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        name = type(self).__name__.lower()
        return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"


class Sort(Found):
    """What ``sort`` returns."""


class Topk(Found):
    """What ``topk`` returns."""


class Kthvalue(Found):
    """What ``kthvalue`` returns."""


class Median(Found):
    """What ``median(dim)`` returns."""


class Nanmedian(Found):
    """What ``nanmedian(dim)`` returns."""


class Mode(Found):
    """What ``mode`` returns."""


def _order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The stable sorting permutation along ``dim``."""
    refuse_complex("sort", x)
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # Sorted backwards and read from the end: equal elements keep their order, and nan comes first.
    backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def _picked(kind: type[Any], input: Tensor, dim: int, index: np.ndarray, keepdim: bool = True) -> Any:
    """The pair (values, indices) for indices along ``dim``; without ``keepdim`` that dimension is dropped."""
    indices = Tensor._wrap(np.ascontiguousarray(index).reshape(index.shape))
    values = gather(input, dim, indices)
    if not keepdim and input._array.ndim:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    known_as(values, "MedianBackward1" if kind is Median else f"{kind.__name__}Backward0")
    return kind(values, indices)


def _leading(x: np.ndarray, count: int, dim: int, descending: bool) -> np.ndarray:
    """The first ``count`` of :func:`_order`; of equal elements perhaps others. A few of many are partitioned off."""
    size = x.shape[dim]
    if count * 8 > size:
        return np.take(_order(x, dim, descending), range(count), dim)
    if descending:
        part = np.take(np.argpartition(x, size - count, dim), range(size - count, size), dim)
    else:
        part = np.take(np.argpartition(x, count - 1, dim), range(count), dim)
    part = np.sort(part, dim)
    return np.take_along_axis(part, _order(np.take_along_axis(x, part, dim), dim, descending), dim)


def _equal_neighbours(x: np.ndarray, order: np.ndarray, start: int, stop: int, dim: int) -> np.ndarray:
    """For each row, whether two neighbours among ``order[start:stop]`` are equal, so that their order is arbitrary."""
    places = range(max(start, 0), min(stop, x.shape[dim]))
    values = np.moveaxis(np.take_along_axis(x, np.take(order, places, dim), dim), dim, -1)
    left, right = values[..., :-1], values[..., 1:]
    return ((left == right) | ((left != left) & (right != right))).any(-1)


def _settle_ties(x: np.ndarray, index: np.ndarray, tied: np.ndarray, dim: int, choose: Any) -> None:
    """Replace the indices of the tied rows by those that PyTorch's selection would find (see kernels/selection).

    Those run as Python loops, so a lot of ties keeps the sorted order: to equal elements, any is right.
    """
    if int(tied.sum()) * x.shape[dim] > selection.LONGEST:
        return
    rows, chosen = np.moveaxis(x, dim, -1), np.moveaxis(index, dim, -1)
    for place in map(tuple, np.argwhere(tied)):
        chosen[place] = choose(rows[place])


@accepts_out
@accepts_axis
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> Any:
    """(values, indices) in ascending (or descending) order along ``dim``; equal elements keep their order
    (``torch.sort``).
    """
    dim = one_dim(dim, input._array.ndim)
    return _picked(Sort, input, dim, _order(input._array, dim, descending))


@accepts_out
@accepts_axis
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The indices of :func:`sort`."""
    order = _order(input._array, one_dim(dim, input._array.ndim), descending)
    return Tensor._wrap(np.ascontiguousarray(order).reshape(order.shape))


@accepts_out
def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sorted along the first dimension."""
    return sort(input, 0).values


@accepts_out
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
        return _picked(Topk, input, dim, np.zeros((), np.int64))
    order = _leading(array, min(k + 1, size), dim, largest)
    index = np.take(order, range(k), dim)
    tied = _equal_neighbours(array, order, 0, k + 1, dim)
    _settle_ties(array, index, tied, dim, lambda row: selection.topk_indices(row, k, largest, sorted))
    return _picked(Topk, input, dim, index)


@accepts_out
@accepts_axis
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(value, index) of the ``k``-th smallest along ``dim``, counted from 1. RuntimeError for k out of range."""
    refuse_bool("kthvalue_cpu", input)
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim] if input._array.ndim else 1
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    array, order = input._array, _order(input._array, dim, False)
    if order.ndim == 0:
        return _picked(Kthvalue, input, dim, order, keepdim)
    index = np.take(order, [k - 1], dim)
    tied = _equal_neighbours(array, order, k - 2, k + 1, dim)
    _settle_ties(array, index, tied, dim, lambda row: [selection.kth_index(row, k - 1)])
    return _picked(Kthvalue, input, dim, index, keepdim)


@accepts_out
@accepts_axis
def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The middle element (of two, the smaller); nan if there is any nan. With ``dim`` a pair (values, indices)."""
    return _median(Median, input, dim, keepdim, ignore_nan=False)


@accepts_out
@accepts_axis
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """As :func:`median`, of the elements that are not nan."""
    return _median(Nanmedian, input, dim, keepdim, ignore_nan=True)


def _median(kind: type[Any], input: Tensor, dim: int | None, keepdim: bool, ignore_nan: bool) -> Any:
    refuse_bool("median_cpu", input)
    array = input._array
    refuse_complex("median", array)
    if dim is None:
        if array.size == 0:
            return Tensor._wrap(
                np.asarray(np.nan if array.dtype.kind == "f" else np.iinfo(array.dtype).min, array.dtype)
            )
        value = _median(kind, input.reshape(-1).detach(), 0, False, ignore_nan)[0]
        return _shared_by_equals(input, value)
    dim = one_dim(dim, array.ndim)
    if array.ndim == 0:
        return _picked(kind, input, dim, np.zeros((), np.int64))
    if array.shape[dim] == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    order = _order(array, dim, False)
    not_nan = (array == array).sum(axis=dim, keepdims=True)
    middle = np.maximum(not_nan - 1, 0) // 2
    if not ignore_nan:  # the first nan stands right behind the last number
        middle = np.where(not_nan < array.shape[dim], not_nan, middle)
    return _picked(kind, input, dim, np.take_along_axis(order, middle, dim), keepdim)


def _shared_by_equals(input: Tensor, value: Tensor) -> Tensor:
    """``value``, as the mean of the elements that equal it: so they share the gradient, as in PyTorch."""
    if not input._requires_grad:
        return value
    flat = input.reshape(-1)
    chosen = (flat._array == value._array) | (np.isnan(flat._array) & np.isnan(value._array))
    return known_as(flat[Tensor._wrap(chosen)].mean(), "MedianBackward0")


@accepts_out
@accepts_axis
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(value, index) of the most frequent along ``dim``; of several the smallest, at its last place in sorted order."""
    refuse_complex("mode", input._array)
    dim = one_dim(dim, input._array.ndim)
    if input._array.ndim == 0:
        return _picked(Mode, input, dim, np.zeros((), np.int64))
    if input._array.shape[dim] == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    index = np.apply_along_axis(_mode_index, dim, input._array)
    return _picked(Mode, input, dim, np.expand_dims(index, dim), keepdim)


def _mode_index(row: np.ndarray) -> int:
    values, counts = np.unique(row, return_counts=True)
    most = np.argmax(counts)
    if len(row) > selection.LONGEST:
        return int(np.flatnonzero(row == values[most])[-1])
    return selection.sorted_indices(row)[int(counts[: most + 1].sum()) - 1]


@accepts_out
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Where numbers would go in a sorted sequence, row by row: before equals, or after them with ``right``.

    Args:
        sorted_sequence: (n,), or (..., n) with the leading sizes of ``input``.
        input: a number or tensor.
        sorter: indices that sort ``sorted_sequence``, if it is not sorted itself.
    """
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    where: Any = "right" if right or side == "right" else "left"
    rows = sorted_sequence._array
    refuse_bool("searchsorted", sorted_sequence, input)
    refuse_complex("searchsorted", rows, input._array if isinstance(input, Tensor) else input)
    if sorter is not None:
        rows = np.take_along_axis(rows, sorter._array, -1)
    wanted = input._array if isinstance(input, Tensor) else np.asarray(input)
    dtype = np.int32 if out_int32 else np.int64
    if rows.ndim == 1:
        return Tensor._wrap(np.asarray(np.searchsorted(rows, wanted, where), dtype))
    if rows.shape[:-1] != wanted.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            "tensor and "
            f"input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input value tensor "
            f"{list(wanted.shape)}"
        )
    result = np.empty(wanted.shape, dtype)
    for row in np.ndindex(rows.shape[:-1]):
        result[row] = np.searchsorted(rows[row], wanted[row], where)
    return Tensor._wrap(result)


@accepts_out
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Tensor | None = None
) -> Tensor:
    """The number of the bucket between sorted ``boundaries`` (1-d) that each element falls into."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
