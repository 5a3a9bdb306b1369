"""Diagonals and triangles of matrices.

Taking a diagonal and placing one in zeros are transposes of each other: :class:`Diagonal` and
:class:`DiagonalInZeros` are each other's derivative.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import from_numpy_dtype, to_numpy_dtype
from tinytorch.kernels.layout import row_major_copy
from tinytorch.kernels.masks import keep
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_options, not_implemented, refuse_bool
from tinytorch.ops.creation import finish, zeros
from tinytorch.ops.dims import one_dim
from tinytorch.ops.joining import cat
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = [
    "block_diag",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "trace",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
]


def _in_reach(offset: int) -> int:
    """The offset, or one that NumPy can read: a diagonal as far off is empty, too."""
    return min(max(offset, 1 - 2**31), 2**31 - 1)


def view_of_diagonal(x: np.ndarray, offset: int, dim1: int, dim2: int) -> np.ndarray:
    """NumPy's diagonal, but writeable where ``x`` is, as views are in PyTorch."""
    view = x.diagonal(_in_reach(offset), dim1, dim2)
    view.flags.writeable = x.flags.writeable
    return view


class Diagonal(Primitive):
    """A diagonal as the last dimension: a view."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, offset: int, dim1: int, dim2: int) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return view_of_diagonal(x, offset, dim1, dim2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return DiagonalInZeros.apply(grad, shape=shape, **ctx.attributes)


class DiagonalInZeros(Primitive):
    """Zeros of ``shape`` with x on a diagonal."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> np.ndarray:
        whole = np.zeros(shape, x.dtype)
        view_of_diagonal(whole, offset, dim1, dim2)[...] = x
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Diagonal.apply(grad, **{name: ctx.attributes[name] for name in ("offset", "dim1", "dim2")})


def two_dims(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = one_dim(dim1, ndim), one_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


@checks_arguments
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the matrices spanned by ``dim1`` and ``dim2``, as the last dimension: a view
    (``torch.diagonal``).
    """
    dim1, dim2 = two_dims(dim1, dim2, input._array.ndim)
    return Diagonal.apply(input, offset=offset, dim1=dim1, dim2=dim2)


@checks_arguments
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension of ``input`` on a diagonal, and zeros elsewhere."""
    if input._array.ndim == 0:
        raise IndexError("diag_embed(): input must have at least one dimension")
    shape = list(input._array.shape[:-1])
    dim1, dim2 = two_dims(dim1, dim2, len(shape) + 2)
    size = input._array.shape[-1] + abs(offset)
    for dim in sorted((dim1, dim2)):
        shape.insert(dim, size)
    return DiagonalInZeros.apply(input, shape=tuple(shape), offset=offset, dim1=dim1, dim2=dim2)


@accepts_exact_out
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Of a vector, the matrix with it on a diagonal; of a matrix, a copy of its diagonal."""
    ndim = input._array.ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim == 2:
        return Diagonal.apply(input, offset=diagonal, dim1=0, dim2=1).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")


@checks_arguments
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of ``input`` on a diagonal."""
    return diag_embed(input.reshape(-1), offset)


@checks_arguments
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    refuse_bool("trace", input)
    return known_as(diagonal(input).sum(), "TraceBackward0")


class Triangle(Primitive):
    """y = x on one side of a diagonal and on it, 0 on the other: the lower side keeps what is left of it, in every row.

    Large ones row by row: a mask of all elements would take longer to make than the copy. Those of small ones are kept.
    """

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, diagonal: int, lower: bool) -> np.ndarray:
        if x.ndim < 2:
            raise RuntimeError(f"{'tril' if lower else 'triu'}: input tensor must have at least 2 dimensions")
        rows, columns = x.shape[-2:]
        if rows * columns <= SMALL and x.itemsize <= 8:
            side = _side(rows, columns, diagonal, lower)
            return keep(np.ascontiguousarray(x), side, np.empty(x.shape, x.dtype))
        y = row_major_copy(x)
        # in row r, column r + diagonal is on the diagonal; these are the rows in which there is one, or a neighbour
        first, end = max(-diagonal - 1, 0), min(max(columns - diagonal, 0), rows)
        for row in range(first, end):
            y[..., row, slice(row + diagonal + 1, None) if lower else slice(max(row + diagonal, 0))] = 0
        y[..., slice(first) if lower else slice(end, None), :] = 0
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Triangle.apply(grad, **ctx.attributes)


SMALL = 1 << 18
"""Elements of a matrix up to which the mask of a triangle is made whole, and kept."""


@lru_cache(maxsize=16)
def _side(rows: int, columns: int, diagonal: int, lower: bool) -> np.ndarray:
    """True where the triangle is; to be read only."""
    side = np.tri(rows, columns, _in_reach(diagonal if lower else diagonal - 1), bool)
    return side if lower else ~side


@accepts_exact_out
def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The lower triangle of matrices, up to and including the given diagonal; zeros above."""
    return known_as(Triangle.apply(input, diagonal=diagonal, lower=True), "TrilBackward0")


@accepts_exact_out
def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The upper triangle of matrices, from the given diagonal on; zeros below."""
    return known_as(Triangle.apply(input, diagonal=diagonal, lower=False), "TriuBackward0")


def _triangle_indices(mask: Any, dtype: Any, device: Any) -> Tensor:
    result = Tensor._wrap(np.stack(np.nonzero(mask)))
    if dtype is not None:
        result = result.to(from_numpy_dtype(to_numpy_dtype(dtype)))
        if result._array.dtype not in (np.int64, np.int32):
            raise not_implemented("tril_indices", result)
    return finish(result._array, False, device)


@checks_arguments
def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **options: Any
) -> Tensor:
    """Row and column numbers, shape (2, n), of the lower triangle of a ``row`` × ``col`` matrix."""
    check_options("tril_indices", options)
    _check_sizes(row, col)
    return _triangle_indices(np.tri(row, col, _in_reach(offset), dtype=bool), dtype, device)


@checks_arguments
def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, **options: Any
) -> Tensor:
    """Row and column numbers, shape (2, n), of the upper triangle of a ``row`` × ``col`` matrix."""
    check_options("triu_indices", options)
    _check_sizes(row, col)
    return _triangle_indices(~np.tri(row, col, _in_reach(offset - 1), dtype=bool), dtype, device)


def _check_sizes(row: int, col: int) -> None:
    for name, value in (("row", row), ("col", col)):
        if value < 0:
            raise RuntimeError(f"{name} must be non-negative, got{value}")


@checks_arguments
def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices along its diagonal; vectors count as rows."""
    for position, tensor in enumerate(tensors):
        if tensor._array.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {position} has "
                f"{tensor._array.ndim} dimensions"
            )
    blocks = [tensor if tensor._array.ndim == 2 else tensor.reshape(1, -1) for tensor in tensors]
    width = sum(block._array.shape[1] for block in blocks)
    rows, before = [], 0
    for block in blocks:
        height, own = block._array.shape
        left, right = (zeros(height, n, dtype=block.dtype) for n in (before, width - before - own))
        rows.append(cat([left, block, right], 1))
        before += own
    return cat(rows, 0) if rows else zeros(1, 0)
