"""The ``*_copy`` functions: what a view shows, in memory of its own (``torch.permute_copy`` and its kin)."""

from __future__ import annotations

from typing import Any

from tinytorch.ops.arguments import NOT_GIVEN, wrong_argument
from tinytorch.ops.broadcast import expand
from tinytorch.ops.complex_numbers import view_as_complex, view_as_real
from tinytorch.ops.diagonal import diagonal
from tinytorch.ops.dims import as_int, ints_from
from tinytorch.ops.indexing import basic_index
from tinytorch.ops.joining import split, unbind
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.rearrange import as_strided, unfold
from tinytorch.ops.shape import narrow, permute, select, squeeze, t, transpose, unsqueeze, view
from tinytorch.ops.stacking import split_with_sizes
from tinytorch.tensor import Tensor

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "narrow_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsqueeze_copy",
    "view_as_complex_copy",
    "view_as_real_copy",
    "view_copy",
]


def _own(view: Tensor) -> Tensor:
    """A copy in row-major order."""
    return view.clone().contiguous()


@accepts_exact_out
def alias_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of the tensor itself."""
    return _own(input)


@accepts_exact_out
def as_strided_copy(
    input: Tensor, size: Any, stride: Any, storage_offset: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """A copy of :func:`as_strided`."""
    return _own(as_strided(input, size, stride, storage_offset))


@accepts_out
def detach_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy outside of the graph. (PyTorch's is inside, and has no derivative.)"""
    return _own(input.detach())


@accepts_exact_out
def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`diagonal`."""
    return _own(diagonal(input, offset, dim1, dim2))


@accepts_exact_out
def expand_copy(input: Tensor, size: Any, *, implicit: bool = False, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`expand`: every repetition has memory of its own."""
    return _own(expand(input, ints_from("expand_copy", "size", size)))


@accepts_exact_out
def narrow_copy(input: Tensor, dim: int, start: Any, length: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`narrow`; RuntimeError, where that raises an IndexError, for a ``dim`` too large."""
    if dim >= input._array.ndim:
        raise RuntimeError(f"Expected dim < {input._array.ndim}, the number of dimensions, but got {dim}")
    return _own(narrow(input, dim, as_int("narrow_copy", "start", start), length))


@accepts_exact_out
def permute_copy(input: Tensor, dims: Any, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`permute`."""
    return _own(permute(input, ints_from("permute_copy", "dims", dims)))


@accepts_out
def select_copy(input: Tensor, dim: int, index: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`select`."""
    return _own(select(input, dim, index))


@accepts_out
def slice_copy(
    input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1,
    *, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A copy of ``start:end:step`` along ``dim``."""
    dim = dim + input._array.ndim if dim < 0 else dim
    return _own(basic_index(input, (slice(None),) * dim + (slice(start, end, step),)))


@accepts_out
def split_copy(input: Tensor, split_size: int, dim: int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Copies of the parts that :func:`split` gives."""
    return tuple(_own(part) for part in split(input, split_size, dim))


@accepts_exact_out
def split_with_sizes_copy(input: Tensor, split_sizes: Any, dim: int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Copies of the parts that :func:`split_with_sizes` gives."""
    return tuple(_own(part) for part in split_with_sizes(input, split_sizes, dim))


@accepts_exact_out
def squeeze_copy(input: Tensor, dim: Any = NOT_GIVEN, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`squeeze`."""
    return _own(squeeze(input, dim))


@accepts_exact_out
def t_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of a matrix transposed."""
    return _own(t(input))


@accepts_exact_out
def transpose_copy(input: Tensor, dim0: int, dim1: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`transpose`."""
    return _own(transpose(input, dim0, dim1))


@accepts_exact_out
def unbind_copy(input: Tensor, dim: int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Copies of the slices along ``dim``."""
    return tuple(_own(part) for part in unbind(input, dim))


@accepts_exact_out
def unfold_copy(input: Tensor, dimension: int, size: int, step: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of all windows along a dimension (``Tensor.unfold``)."""
    return _own(unfold(input, dimension, size, step))


@accepts_exact_out
def unsqueeze_copy(input: Tensor, dim: int, *, out: Tensor | None = None) -> Tensor:
    """A copy of :func:`unsqueeze`."""
    return _own(unsqueeze(input, dim))


@accepts_out
def view_as_complex_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of pairs of numbers seen as complex ones."""
    return _own(view_as_complex(input))


@accepts_out
def view_as_real_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of complex numbers seen as pairs."""
    return _own(view_as_real(input))


@accepts_exact_out
def view_copy(input: Tensor, size: Any, *, out: Tensor | None = None) -> Tensor:
    """A copy under another shape (or, given a dtype, of the same bytes as another type)."""
    if isinstance(size, int):
        raise wrong_argument("view_copy", "size", 2, size, "tuple of ints")
    return _own(input.reshape(size) if isinstance(size, (tuple, list)) else view(input, size))
