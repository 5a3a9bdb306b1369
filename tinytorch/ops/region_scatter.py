"""A tensor with one region replaced: a row, a slice, a diagonal, whole slices reduced into others.

The differentiable counterparts of assigning to a view.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import check_dims, refuse
from tinytorch.ops.diagonal import two_dims, view_of_diagonal
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.indexing import IndexPut
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.scatter_reduce import scatter_reduce
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["diagonal_scatter", "fill_diagonal", "index_reduce", "renorm", "select_scatter", "slice_scatter"]


def _replaced(input: Tensor, src: Tensor, index: tuple[Any, ...]) -> Tensor:
    region = input._array[index].shape
    if src._array.shape != region:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(region)}"
        )
    return IndexPut.apply(input, cast(src, input._array.dtype), index=index, accumulate=False)


@accepts_axis
@checks_arguments
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """``input`` with ``src`` at one position along ``dim``."""
    return _replaced(input, src, (slice(None),) * one_dim(dim, input._array.ndim) + (index, ...))


@accepts_exact_out
@accepts_axis
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """``input`` with ``src`` at ``start:end:step`` along ``dim``."""
    if step <= 0:
        raise RuntimeError(f"slice_scatter(): slice step must be positive, but got {step}")
    before: tuple[Any, ...] = (slice(None),) * one_dim(dim, input._array.ndim)
    return _replaced(input, src, (*before, slice(start, end, step)))


@checks_arguments
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """``input`` with ``src`` on a diagonal."""
    first, second = two_dims(dim1, dim2, input._array.ndim)
    places = view_of_diagonal(np.arange(input._array.size).reshape(input._array.shape), offset, first, second)
    return _replaced(input, src, tuple(np.unravel_index(places, input._array.shape)))


@checks_arguments
def fill_diagonal(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """``input`` with a number where all indices are equal; ``wrap`` starts again below in tall matrices."""
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    last = None if wrap or len(shape) > 2 else shape[1] * shape[1]
    step = sum(int(np.prod(shape[d + 1 :])) for d in range(len(shape)))
    places = np.arange(input._array.size)[:last:step]
    value = Tensor._wrap(np.asarray(fill_value).astype(input._array.dtype))
    return IndexPut.apply(input, value, index=tuple(np.unravel_index(places, shape)), accumulate=False)


@accepts_exact_out
@accepts_axis
def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Slices of ``source`` reduced into the positions ``index`` along ``dim``: 'prod', 'mean', 'amax' or 'amin'."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    refuse("bc", "index_func_", input)
    dim = one_dim(dim, input._array.ndim)
    if index._array.ndim > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, but got dim: {index._array.ndim}")
    if source._array.ndim != input._array.ndim:
        raise RuntimeError(
            f"index_reduce_(): source tensor of shape {list(source.shape)} must match self {list(input.shape)} but for "
            f"dim {dim}"
        )
    size = input._array.shape[dim] if input._array.ndim else 1
    count = source._array.shape[dim] if source._array.ndim else 1
    if input._array.ndim and index._array.size != count:
        raise RuntimeError(
            f"index_reduce_(): Number of indices ({index._array.size}) should be equal to source.size(dim): ({count}), "
            f"for dim: {dim}"
        )
    if any(a != b for d, (a, b) in enumerate(zip(source._array.shape, input._array.shape, strict=True)) if d != dim):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input.shape)} source.shape = {list(source.shape)}"
        )
    if index._array.size and not 0 <= index._array.min() <= index._array.max() < size:
        raise IndexError("index out of range in self")
    if input._array.ndim == 0:
        if index._array.size != 1:
            check_dims(source, dim)
        wide = index_reduce(input.reshape(1), 0, index, source.reshape(1), reduce, include_self=include_self)
        return wide.reshape(())
    column = index.reshape([-1 if d == dim else 1 for d in range(source._array.ndim)])
    return scatter_reduce(input, dim, column.expand(source._array.shape), source, reduce, include_self=include_self)


@accepts_exact_out
@accepts_axis
def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None) -> Tensor:
    """Each slice along ``dim`` scaled down to p-norm ``maxnorm`` if its norm is larger."""
    if input._array.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input._array.ndim} dimensions")
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = one_dim(dim, input._array.ndim)
    others = tuple(d for d in range(input._array.ndim) if d != dim)
    norms = vector_norm(input, p, others, keepdim=True)
    return input * ops.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
