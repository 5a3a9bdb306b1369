"""Order: sort, modes, and where a number belongs in a sorted sequence.

Every value that comes out was picked from the input, so all of them are: find the indices (no gradient), then
:func:`gather`. nan counts as larger than every number, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import selection
from tinytorch.kernels.half import widened
from tinytorch.kernels.order import order
from tinytorch.ops.arguments import Number
from tinytorch.ops.checks import not_implemented, refuse_complex
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.gather import gather
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = ["argsort", "bucketize", "mode", "msort", "searchsorted", "sort"]


def _checked_order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    refuse_complex("sort", x)
    return order(x, dim, descending)


def picked(kind: type[Any], input: Tensor, dim: int, index: np.ndarray, keepdim: bool = True) -> Any:
    """The pair (values, indices) for indices along ``dim``; without ``keepdim`` that dimension is dropped."""
    indices = Tensor._wrap(np.ascontiguousarray(index).reshape(index.shape))
    values = gather(input, dim, indices)
    if not keepdim and input._array.ndim:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    name = kind.__name__.capitalize()
    known_as(values, "MedianBackward1" if name == "Median" else f"{name}Backward0")
    return kind(values, indices)


@accepts_exact_out
@accepts_axis
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = False, *, out: Any = None
) -> Any:
    """(values, indices) in ascending (or descending) order along ``dim``; equal elements keep their order
    (``torch.sort``).
    """
    dim = one_dim(dim, input._array.ndim)
    return picked(return_types.sort, input, dim, _checked_order(input._array, dim, descending))


@accepts_out
@accepts_axis
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The indices of :func:`sort`."""
    order = _checked_order(input._array, one_dim(dim, input._array.ndim), descending)
    return Tensor._wrap(np.ascontiguousarray(order).reshape(order.shape))


@accepts_exact_out
def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sorted along the first dimension."""
    return sort(input, 0).values


@accepts_exact_out
@accepts_axis
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(value, index) of the most frequent along ``dim``; of several the smallest, at its last place in sorted order."""
    dim = one_dim(dim, input._array.ndim)
    if input._array.ndim == 0:
        return picked(return_types.mode, input, dim, np.zeros((), np.int64))
    refuse_complex("mode", input._array)
    if input._array.shape[dim] == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    if input._array.size:
        index = np.apply_along_axis(_mode_index, dim, input._array)
    else:
        index = np.zeros(input._array.shape[:dim] + input._array.shape[dim + 1 :], np.int64)
    return picked(return_types.mode, input, dim, np.expand_dims(index, dim), keepdim)


def _mode_index(row: np.ndarray) -> int:
    row = widened(row)
    if len(row) > selection.LONGEST:
        values, counts = np.unique(row, return_counts=True, equal_nan=False)
        places = np.flatnonzero(row == values[np.argmax(counts)])
        return int(places[-1]) if places.size else 0  # nothing but nan
    order = selection.sorted_indices(row)
    ordered = row[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of runs of one value; no nan equals another
    return order[int(ends[np.argmax(np.diff(ends, prepend=-1))])]


@accepts_exact_out
def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
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
    rows = widened(sorted_sequence._array)
    wanted = widened(input._array) if isinstance(input, Tensor) else np.asarray(input)
    refuse_complex("searchsorted", rows, wanted)
    if rows.dtype.kind == wanted.dtype.kind == "b":
        raise not_implemented("searchsorted_out_cpu", sorted_sequence)
    if sorter is not None:
        rows = np.take_along_axis(rows, _checked_sorter(sorter, rows), -1)
    dtype = np.int32 if out_int32 else np.int64
    if rows.ndim == 1:
        return Tensor._wrap(np.asarray(_bisected(rows, wanted, where), dtype))
    if rows.shape[:-1] != wanted.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input "
            f"value tensor {list(wanted.shape)}"
        )
    result = np.empty(wanted.shape, dtype)
    for row in np.ndindex(rows.shape[:-1]):
        result[row] = _bisected(rows[row], wanted[row], where)
    return Tensor._wrap(result)


def _checked_sorter(sorter: Tensor, rows: np.ndarray) -> np.ndarray:
    places = sorter._array
    if places.shape != rows.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(rows.shape)} and got sorter tensor {list(places.shape)}"
        )
    if places.dtype != np.int64:
        raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.dtype}")
    if places.size and not 0 <= places.min() <= places.max() < rows.shape[-1]:
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return places


def _bisected(row: np.ndarray, wanted: np.ndarray, side: Any) -> np.ndarray:
    """``np.searchsorted``; but a nan in the row, which NumPy counts as the largest number, is passed as by PyTorch."""
    if row.dtype.kind not in FLOATS or not np.isnan(row).any():
        return np.asarray(np.searchsorted(row, wanted, side))
    start, end = np.zeros(wanted.shape, np.int64), np.full(wanted.shape, len(row), np.int64)
    while (start < end).any():
        middle = (start + end) // 2
        value = row[np.minimum(middle, len(row) - 1)]
        before = (start < end) & ~(value > wanted if side == "right" else value >= wanted)
        start, end = np.where(before, middle + 1, start), np.where(before, end, middle)
    return start


@accepts_exact_out
def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """The number of the bucket between sorted ``boundaries`` (1-d) that each element falls into."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
