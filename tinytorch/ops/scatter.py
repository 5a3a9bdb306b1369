"""Putting elements at given places: scatter, index_add and their kin.

All of them are *put* or *add* at an index, so nearly all are one call of :class:`IndexPut`, with its derivative: what
was overwritten receives 0, what was put there receives the gradient from there. Only products and extremes at an index
need primitives of their own (next door, in :mod:`tinytorch.ops.scatter_reduce`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.saving import relying_on
from tinytorch.kernels.picking import all_between
from tinytorch.ops.arguments import NOT_GIVEN, Number, checks_arguments
from tinytorch.ops.broadcast import as_tensor_like, broadcast_shapes, expand
from tinytorch.ops.checks import check_dims, type_name
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.gather import along, rows_of_expanded
from tinytorch.ops.indexing import Index, IndexPut, basic_index
from tinytorch.ops.numbers import number_as
from tinytorch.ops.out import accepts_exact_out, accepts_separate_out
from tinytorch.tensor import Tensor

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "masked_scatter",
    "masked_select",
    "put",
    "scatter",
    "scatter_add",
    "take",
]


def placed(name: str, input: Tensor, dim: int, index: Tensor, src: Any) -> tuple[tuple[Any, ...], Any]:
    """NumPy's index for ``index`` along ``dim``, and the part of ``src`` that it uses; checked as PyTorch does.

    Raises RuntimeError for another dtype or rank, an index larger than ``src``, or one that is out of range.
    """
    if index._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    shape = input._array.shape
    dim = one_dim(dim, len(shape))
    places: Any = index._array
    if isinstance(src, Tensor):
        if src._array.dtype != input._array.dtype:
            raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
        if not places.size:  # nothing is placed, whatever the shapes
            src = src.reshape(-1)[:0]
    if not places.size:
        return (np.zeros(0, np.int64),) * len(shape) if shape else (np.zeros((), bool),), src
    if max(places.ndim, 1) != max(len(shape), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if isinstance(src, Tensor) and max(src._array.ndim, 1) != max(places.ndim, 1):
        sizes = src._array.shape
        if 0 < len(sizes) < places.ndim and all(w <= h for w, h in zip(places.shape, sizes, strict=False)):
            check_dims(src, len(sizes))  # as far as src goes it fits, so that PyTorch reads on
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    if not shape:
        return (), src.reshape(()) if isinstance(src, Tensor) else src
    places = places.reshape(places.shape or (1,))
    for d, count in enumerate(places.shape):
        if d != dim and count > shape[d]:
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than self {list(shape)} apart from dimension "
                f"{dim}"
            )
    if isinstance(src, Tensor):
        src = _part_of(src, places.shape, shape, dim)
    if not all_between(places, shape[dim]):
        wrong = places[(places < 0) | (places >= shape[dim])]
        raise RuntimeError(f"index {wrong[0]} is out of bounds for dimension {dim} with size {shape[dim]}")
    return rows_of_expanded(places, dim, shape) or along(places, dim, shape), src


def _part_of(src: Tensor, wanted: tuple[int, ...], shape: tuple[int, ...], dim: int) -> Tensor:
    """``src`` cut to the size of the index."""
    have = src._array.shape or (1,)
    if any(w > h for w, h in zip(wanted, have, strict=True)) and 0 not in wanted:
        raise RuntimeError(
            f"Expected index {list(wanted)} to be no larger than self {list(shape)} apart from dimension {dim} and to "
            f"be no larger size than src {list(have)}"
        )
    src = src.reshape(have)
    return src if have == wanted else basic_index(src, tuple(slice(0, n) for n in wanted))


@accepts_exact_out
@accepts_axis
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number = NOT_GIVEN,
    *,
    value: Number = NOT_GIVEN,
    reduce: str = NOT_GIVEN,
    out: Tensor | None = None,
) -> Tensor:
    """``out[index[i][j]][j] = src[i][j]`` for dim 0; ``src`` may be a number (``torch.scatter``).

    ``reduce='add'`` or ``'multiply'`` combines with what is there. Where an index occurs twice, the last one stays.
    """
    src = value if src is NOT_GIVEN else src
    if src is NOT_GIVEN:
        raise TypeError("scatter() missing 1 required positional argument: 'src'")
    if reduce is not NOT_GIVEN:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        source = src if isinstance(src, Tensor) else ops.full_like(index, src, dtype=input.dtype)
        return ops.scatter_reduce(input, dim, index, source, "sum" if reduce == "add" else "prod")
    where, src = placed("scatter", input, dim, index, src)
    src = as_tensor_like(src, input._array.dtype)
    return known_as(relying_on(IndexPut.apply(input, src, index=where, accumulate=False), index), "ScatterBackward0")


@accepts_exact_out
@accepts_axis
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for dim 0; repeated indices add up."""
    where, src = placed("scatter", input, dim, index, src)
    return known_as(relying_on(IndexPut.apply(input, src, index=where, accumulate=True), index), "ScatterAddBackward0")


def _slices(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[int, tuple[Any, ...]]:
    """NumPy's index for whole slices along ``dim``."""
    dim = one_dim(dim, input._array.ndim)
    if index._array.ndim > 1:
        raise (RuntimeError if name == "index_fill_" else IndexError)(f"{name}(): Index has to be a vector/scalar")
    if index._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    places = index._array.reshape(-1)
    size = input._array.shape[dim] if input._array.ndim else 1
    low = -size if name == "index_fill_" else 0
    if places.size and not (low <= places.min() and places.max() < size):
        wrong = int(places.min() if places.min() < low else places.max())
        raise _index_error(name, wrong, dim, input._array.shape)
    return dim, (slice(None),) * dim + (places,)


def _index_error(name: str, place: int, dim: int, shape: tuple[int, ...]) -> Exception:
    """PyTorch's type: only of vectors it says IndexError for ``index_add``, and not of what is empty for others."""
    size = shape[dim] if shape else 1
    kind = RuntimeError if (len(shape) > 1 if name == "index_add" else size == 0) else IndexError
    return kind(f"{name}(): index out of range in self: {place} for dimension {dim} with size {size}")


def _put_slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): self ({type_name(input)}) and source ({type_name(source)}) must have the same scalar type"
        )
    if input._array.ndim == 0:
        one_dim(dim, 0)
        if source._array.ndim > (0 if accumulate else 1):
            raise RuntimeError(
                f"{name}(): source tensor of shape {list(source.shape)} must match a 0-dimensional input"
            )
        if accumulate and index._array.size != 1:
            raise IndexError(f"{name}(): {index._array.size} indices, but the source has no dimensions")
        return _put_slices(name, input.reshape(1), 0, index, source.reshape(-1), accumulate).reshape(())
    if accumulate and source._array.ndim != input._array.ndim:
        raise RuntimeError(
            f"{name}(): source of shape {list(source.shape)} must match self {list(input.shape)} but for dim {dim}"
        )
    if not accumulate and index._array.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {type_name(index)}")
    if not accumulate and source._array.ndim not in (0, input._array.ndim):
        raise IndexError(
            f"{name}(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source._array.ndim}), destination dimensionality ({input._array.ndim})"
        )
    dim, where = _slices(name, input, dim, index)
    count, wanted = index._array.size, list(input._array.shape)
    wanted[dim] = count
    shape = list(source._array.shape or (1,))
    if shape != wanted:
        if not accumulate and (not shape or dim >= len(shape) or shape[dim] != count):
            raise IndexError(f"{name}(): Number of indices ({count}) should be equal to source.size(dim)")
        raise RuntimeError(f"{name}(): source tensor of shape {shape} must match the sliced input, {wanted}")
    source = source if source._array.ndim else source.reshape(wanted)
    return relying_on(IndexPut.apply(input, source, index=where, accumulate=accumulate), index)


@accepts_exact_out
@accepts_axis
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``out[index[i]] += alpha · source[i]`` for dim 0; repeated indices add up."""
    if alpha != 1 and source._array.dtype == input._array.dtype:
        source = source * number_as(alpha, source._array.dtype).item()
    return known_as(_put_slices("index_add", input, dim, index, source, accumulate=True), "IndexAddBackward0")


@accepts_exact_out
@accepts_axis
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``out[index[i]] = source[i]`` for dim 0."""
    return _put_slices("index_copy_", input, dim, index, source, accumulate=False)


@accepts_axis
@checks_arguments
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` (a number or 0-d tensor) at the positions ``index`` along ``dim``."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} "
            "dimension(s)."
        )
    if index._array.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if input._array.ndim == 0:
        one_dim(dim, 0)
        return index_fill(input.reshape(1), 0, index, value).reshape(())
    # A position named twice is filled once, and once only counts in the gradient of the value.
    once = np.unique(index._array) if index._array.ndim == 1 else index._array
    _, where = _slices("index_fill_", input, dim, Tensor._wrap(once))
    if not isinstance(value, Tensor):
        value = Tensor._wrap(number_as(value, input._array.dtype))
    value = ops.cast(value, input._array.dtype)
    return relying_on(IndexPut.apply(input, value, index=where, accumulate=False), index)


@accepts_separate_out
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where ``mask`` (bool, broadcast) holds, as a vector."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes(input._array.shape, mask._array.shape)
    wide = input if input._array.shape == shape else expand(input, shape)
    picked = Index.apply(wide, index=(np.broadcast_to(mask._array, shape),))
    return known_as(relying_on(picked, mask), "MaskedSelectBackward0")


@checks_arguments
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of ``source``, one after the other, where ``mask`` holds; elsewhere ``input``."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_scatter_ only supports boolean masks, but got mask with dtype " + str(mask.dtype))
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {type_name(input)} and "
            f"{type_name(source)}"
        )
    shape = broadcast_shapes(input._array.shape, mask._array.shape)
    wide = input if input._array.shape == shape else expand(input, shape)
    places = np.broadcast_to(mask._array, shape)
    count = int(np.count_nonzero(places))
    if source._array.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    source = source.reshape(-1).narrow(0, 0, count)
    return relying_on(IndexPut.apply(wide, source, index=(places,), accumulate=False), mask)


def _flat_places(index: Tensor, size: int) -> np.ndarray:
    places = index._array
    if places.dtype != np.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {type_name(index)}")
    wrong = (places < -size) | (places >= size)
    if wrong.any():
        raise IndexError(f"out of range: tried to access index {places[wrong][0]} on a tensor of {size} elements.")
    return places


@accepts_separate_out
def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elements by their place in the flattened tensor; the result has the shape of ``index``."""
    taken = Index.apply(input.reshape(-1), index=(_flat_places(index, input._array.size),))
    return known_as(relying_on(taken, index), "TakeBackward0")


@checks_arguments
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``source`` at places of the flattened tensor; ``accumulate`` adds instead."""
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {type_name(input)} and "
            f"source.dtype = {type_name(source)}"
        )
    if index._array.size != source._array.size:
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got {source._array.size} and "
            f"{index._array.size}"
        )
    places = _flat_places(index, input._array.size).reshape(-1)
    flat = IndexPut.apply(input.reshape(-1), source.reshape(-1), index=(places,), accumulate=accumulate)
    return relying_on(flat, index).reshape(input._array.shape)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
