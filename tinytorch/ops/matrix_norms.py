"""What singular values tell about a matrix: norms, condition number, rank, pseudo-inverse, least squares."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import to_numpy_dtype
from tinytorch.ops.broadcast import cast, is_number
from tinytorch.ops.dims import one_dim
from tinytorch.ops.extremes import amax, amin
from tinytorch.ops.factorizations import linalg_svdvals
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_out
from tinytorch.ops.reduce import sum as sum_
from tinytorch.ops.solve import check_matrices, inverse
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["linalg_cond", "linalg_lstsq", "linalg_matrix_rank", "linalg_norm", "linalg_pinv", "matrix_norm", "pinverse"]


class Lstsq(NamedTuple):
    """What ``linalg.lstsq`` returns."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class PseudoInverse(Primitive):
    """P = A⁺. ``dP = -P dA P + P Pᵀ dAᵀ (1 - A P) + (1 - P A) dAᵀ Pᵀ P`` (Golub and Pereyra 1973), transposed."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, rtol: Any) -> np.ndarray:
        p = np.linalg.pinv(a, rtol)
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a, p = ctx.saved_tensors
        turned = grad.mT
        first = matmul(matmul(p.mT, grad), p.mT)
        across = matmul(turned, matmul(p, p.mT))
        along = matmul(matmul(p.mT, p), turned)
        return (across - matmul(a, matmul(p, across))) + (along - matmul(matmul(along, p), a)) - first


@accepts_out
def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """A norm of matrices (``torch.linalg.matrix_norm``).

    Args:
        ord: 'fro' (√Σ a²), 'nuc' (Σ singular values), 2 / -2 (largest / smallest singular value), 1 / -1 (largest /
        smallest
            column sum of |a|), inf / -inf (row sums).
        dim: the two dimensions that make up the matrices.
    """
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if A._array.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    dims = [dim] if isinstance(dim, int) else list(dim)
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    if dtype is not None:
        A = cast(A, to_numpy_dtype(dtype))
    rows, columns = (one_dim(d, A._array.ndim) for d in dims)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({rows}, {columns})")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    matrices = A.movedim((rows, columns), (-2, -1))
    if ord in ("nuc", 2, -2):
        values = linalg_svdvals(matrices)
        result = sum_(values, -1) if ord == "nuc" else (amax if ord == 2 else amin)(values, -1)
    else:
        sums = sum_(matrices.abs(), -2 if abs(ord) == 1 else -1)
        result = (amax if ord > 0 else amin)(sums, -1)
    if not keepdim:
        return result
    return result.reshape([1 if d in (rows, columns) else size for d, size in enumerate(A._array.shape)])


@accepts_out
def linalg_norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """A vector or matrix norm, as ``dim`` and ``ord`` say (``torch.linalg.norm``).

    Without ``ord`` the 2-norm of all elements (or of ``dim``); with ``ord`` a vector norm over one dimension and a
    matrix norm over two.
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if A._array.ndim not in (1, 2) and is_number(ord):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A._array.ndim}D."
            )
        dim = (-1,) if A._array.ndim == 1 and is_number(ord) else (-2, -1)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 1 and is_number(ord):
        return vector_norm(A, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(A, ord, dims, keepdim, dtype=dtype)


@accepts_out
def linalg_cond(A: Tensor, p: Any = None, *, out: Tensor | None = None) -> Tensor:
    """The condition number ‖A‖ · ‖A⁻¹‖; by default largest over smallest singular value."""
    if p in (None, 2, -2):
        values = linalg_svdvals(A)
        ratio = values[..., 0] / values[..., -1]
        return 1 / ratio if p == -2 else ratio
    return matrix_norm(A, p) * matrix_norm(inverse(A), p)


@accepts_out
def linalg_matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The number of singular values above ``max(atol, rtol · largest)``; rtol is max(m, n) · eps by default."""
    check_matrices("linalg.matrix_rank", A, square=False)
    atol = tol if atol is None else atol
    if rtol is None:
        rtol = 0.0 if atol is not None else max(A._array.shape[-2:]) * float(np.finfo(A._array.dtype).eps)
    values = linalg_svdvals(A.detach())._array
    largest = values.max(axis=-1, keepdims=True, initial=0)
    return Tensor._wrap(
        np.asarray(np.count_nonzero(values > np.maximum(atol or 0.0, rtol * largest), axis=-1), np.int64)
    )


@accepts_out
def linalg_pinv(
    A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False, out: Tensor | None = None
) -> Tensor:
    """The Moore-Penrose pseudo-inverse: (..., m, n) gives (..., n, m)."""
    check_matrices("linalg.pinv", A, square=False)
    if atol is not None:
        largest = float(linalg_svdvals(A.detach()).max()) if A._array.size else 1.0
        rtol = max(rtol or 0.0, float(atol) / largest)
    if rtol is None:
        rtol = max(A._array.shape[-2:]) * float(np.finfo(A._array.dtype).eps)
    return PseudoInverse.apply(A, rtol=rtol)


@accepts_out
def linalg_lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None
) -> Any:
    """X that minimizes ‖A X - B‖, the smallest such X: A⁺ B. Residuals and singular values are left empty.

    ``B`` may be a vector (m,), or (..., m) with exactly the leading dimensions of ``A``.
    """
    check_matrices("torch.linalg.lstsq", A, B, square=False)
    is_vector = B._array.ndim == A._array.ndim - 1
    right = B.unsqueeze(-1) if is_vector else B
    if right._array.shape[-2] != A._array.shape[-2]:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    solution = matmul(linalg_pinv(A, rtol=rcond), right)
    nothing = Tensor._wrap(np.zeros(0, A._array.dtype))
    return Lstsq(solution.squeeze(-1) if is_vector else solution, nothing, linalg_matrix_rank(A, rtol=rcond), nothing)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """PyTorch's older name for :func:`linalg_pinv`."""
    return linalg_pinv(input, rtol=rcond)
