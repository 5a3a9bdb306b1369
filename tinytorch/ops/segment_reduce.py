"""Reductions over segments: rows 0-2 belong to the first result, 3-4 to the second, and so on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import not_implemented, refuse
from tinytorch.ops.compare import where
from tinytorch.ops.dims import one_dim
from tinytorch.ops.scatter_reduce import scatter_reduce
from tinytorch.tensor import Tensor

__all__ = ["segment_reduce"]

#: What a segment starts with, where ``initial`` does not say it.
_START = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}
_SCATTER = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}


@checks_arguments
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Tensor:
    """``data`` reduced over consecutive segments along ``axis`` (``torch.segment_reduce``).

    Args:
        reduce: 'sum', 'mean', 'max', 'min' or 'prod'.
        lengths: how many elements each segment has: (..., segments), with data's dimensions before ``axis`` in front.
        offsets: where segments start and the last one ends, (..., segments + 1), in place of ``lengths``.
        unsafe: do not check that lengths add up to data's size.
        initial: the value that each segment starts with. Without it an empty segment gives nan for 'mean'.
    """
    if reduce not in _START:
        raise RuntimeError(f"segment_reduce(): expected reduce to be one of {sorted(_START)}, but got {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if (lengths is None) == (offsets is None):
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    refuse("biuc", "_segment_reduce_cpu", data)
    for given in (lengths, offsets):
        if given is not None and given._array.dtype not in (np.int64, np.int32):
            raise not_implemented("_segment_reduce_cpu", given)
    if not data._array.ndim:
        raise RuntimeError("segment_reduce(): data must have as many dimensions as lengths, but it is a number")
    axis = one_dim(axis, data._array.ndim)
    counts = lengths._array if lengths is not None else np.diff(offsets._array, axis=-1)  # type: ignore[union-attr]
    _check(data, counts, axis, unsafe or lengths is None)
    segments = counts.shape[-1]
    shape = (*counts.shape[:axis], segments, *data._array.shape[axis + 1 :])
    start = _START[reduce] if initial is None else float(initial)
    begin = Tensor._wrap(np.full(shape, start, data._array.dtype))
    index = _segment_of_each(counts, data._array.shape[axis], 0 if offsets is None else offsets._array[..., :1])
    used = index < segments
    if not used.all():  # offsets may leave elements out, at the beginning and at the end
        keep = np.flatnonzero(used.reshape(-1, used.shape[-1]).all(0))
        data, index = data.index_select(axis, Tensor._wrap(keep)), index[..., keep]
    where_to = index.reshape(index.shape + (1,) * (data._array.ndim - index.ndim))
    places = Tensor._wrap(np.ascontiguousarray(np.broadcast_to(where_to, data._array.shape)))
    result = scatter_reduce(begin, axis, places, data, _SCATTER[reduce], include_self=True)
    if reduce != "mean":
        return result
    sizes = counts.reshape(counts.shape + (1,) * (len(shape) - counts.ndim))
    average = result / Tensor._wrap(np.maximum(sizes, 1).astype(data._array.dtype))
    return average if initial is not None else where(Tensor._wrap(sizes == 0), math.nan, average)


def _segment_of_each(counts: np.ndarray, size: int, first: Any) -> np.ndarray:
    """For each position along the axis, the number of its segment; as many as there are segments where in none."""
    ends = np.cumsum(counts, axis=-1) + first
    position = np.arange(size)
    segment = (position[:, None] >= ends[..., None, :]).sum(-1)
    return np.where(position < first, counts.shape[-1], segment)


def _check(data: Tensor, counts: np.ndarray, axis: int, unsafe: bool) -> None:
    if counts.ndim != axis + 1 or counts.shape[:axis] != data._array.shape[:axis]:
        raise RuntimeError(
            f"segment_reduce(): Expected lengths or offsets to have {axis + 1} dimensions that agree with data's before"
            f" axis {axis}, but got {list(counts.shape)} for data of {list(data.shape)}"
        )
    if (counts < 0).any():
        raise RuntimeError("segment_reduce(): lengths contains negative value!")
    if not unsafe and (counts.sum(-1) != data._array.shape[axis]).any():
        raise RuntimeError("segment_reduce(): Expected all rows of lengths to sum to data.size(lengths.dim()-1)")
