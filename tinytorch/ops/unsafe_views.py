"""``unsafe_split`` and ``unsafe_chunk``: parts of a tensor that may each be changed in place.

``split`` gives several views at once, of which autograd lets none be changed in place; each of these is a view of its
own (``narrow``), which it follows through changes. So there is nothing unsafe about them here.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.joining import chunk, split
from tinytorch.ops.shape import narrow
from tinytorch.ops.stacking import split_with_sizes
from tinytorch.tensor import Tensor

__all__ = ["unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes"]


def _one_by_one(input: Tensor, parts: Sequence[Tensor], dim: int) -> tuple[Tensor, ...]:
    dim = one_dim(dim, input._array.ndim)
    views, start = [], 0
    for part in parts:
        length = part._array.shape[dim]
        views.append(narrow(input, dim, start, length))
        start += length
    return tuple(views)


@accepts_axis
@checks_arguments
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts that :func:`chunk` gives."""
    return _one_by_one(input, chunk(input.detach(), chunks, dim), dim)


@accepts_axis
@checks_arguments
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts that :func:`split` gives."""
    return _one_by_one(input, split(input.detach(), split_size, dim), dim)


@accepts_axis
@checks_arguments
def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The parts that :func:`split_with_sizes` gives."""
    return _one_by_one(input, split_with_sizes(input.detach(), split_sizes, dim), dim)
