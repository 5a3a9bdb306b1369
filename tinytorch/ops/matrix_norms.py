"""What singular values tell about a matrix: norms, condition number, rank, pseudo-inverse, least squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import to_numpy_dtype
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.broadcast import cast, is_number
from tinytorch.ops.checks import check_square
from tinytorch.ops.compare import where
from tinytorch.ops.dims import accepts_axis, ints_from, one_dim
from tinytorch.ops.eigen import linalg_eigvalsh
from tinytorch.ops.extremes import amax, amin
from tinytorch.ops.factorizations import linalg_svdvals
from tinytorch.ops.linalg import matmul
from tinytorch.ops.linalg_ex import linalg_inv_ex
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.reduce import sum as sum_
from tinytorch.ops.solve import LinAlgError, check_matrices, decomposed
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["linalg_cond", "linalg_lstsq", "linalg_matrix_rank", "linalg_norm", "linalg_pinv", "matrix_norm", "pinverse"]


class PseudoInverse(Primitive):
    """P = A⁺. ``dP = -P dA P + P Pᴴ dAᴴ (1 - A P) + (1 - P A) dAᴴ Pᴴ P`` (Golub and Pereyra 1973), transposed."""

    known_name = "LinalgPinvBackward0"

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, atol: np.ndarray, rtol: np.ndarray, hermitian: bool) -> np.ndarray:
        u, s, vh = (
            _svd_of_hermitian(a) if hermitian else decomposed("linalg.pinv", np.linalg.svd, a, full_matrices=False)
        )
        large = s > np.maximum(atol, rtol * s[..., :1])
        inverted = np.divide(1, s, where=large, out=np.zeros_like(s))
        p = vh.conj().swapaxes(-1, -2) @ (inverted[..., None] * u.conj().swapaxes(-1, -2))
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a, p = ctx.saved_tensors
        turned = grad.mH
        first = matmul(matmul(p.mH, grad), p.mH)
        across = matmul(turned, matmul(p, p.mH))
        along = matmul(matmul(p.mH, p), turned)
        return (across - matmul(a, matmul(p, across))) + (along - matmul(matmul(along, p), a)) - first


def _svd_of_hermitian(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By its eigenvectors, of which the lower triangle is enough."""
    values, vectors = decomposed("linalg.pinv", np.linalg.eigh, a)
    order = np.argsort(-np.abs(values), axis=-1)
    values = np.take_along_axis(values, order, -1)
    vectors = np.take_along_axis(vectors, order[..., None, :], -1)
    return vectors * np.sign(values)[..., None, :], np.abs(values), vectors.conj().swapaxes(-1, -2)


def _check_order(name: str, ord: Any) -> None:
    if not isinstance(ord, (str, int, float, np.number, Tensor)):
        raise wrong_argument(name, "ord", None, ord, "Number or str")


@accepts_axis
@accepts_exact_out
def matrix_norm(
    input: Tensor,
    ord: Any = "fro",
    dim: Sequence[int] = (-2, -1),
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
    _check_order("matrix_norm", ord)
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if input._array.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    dims = ints_from("linalg.matrix_norm", "dim", dim)
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    rows, columns = (one_dim(d, input._array.ndim) for d in dims)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({rows}, {columns})")
    if ord == "fro":
        return vector_norm(input, 2, (rows, columns), keepdim)
    matrices = input.movedim((rows, columns), (-2, -1))
    sizes = linalg_svdvals(matrices) if ord in ("nuc", 2, -2) else sum_(matrices.abs(), -2 if abs(ord) == 1 else -1)
    if ord == "nuc" or (ord > 0 and sizes._array.shape[-1] == 0):  # the largest of no sizes is 0
        result = sum_(sizes, -1)
    else:
        result = (amax if ord > 0 else amin)(sizes, -1)
    if not keepdim:
        return result
    return result.reshape([1 if d in (rows, columns) else size for d, size in enumerate(input._array.shape)])


@accepts_axis
@accepts_exact_out
def linalg_norm(
    input: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """A vector or matrix norm, as ``dim`` and ``ord`` say (``torch.linalg.norm``).

    Without ``ord`` the 2-norm of all elements (or of ``dim``); with ``ord`` a vector norm over one dimension and a
    matrix norm over two.
    """
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if isinstance(ord, Tensor):
        ord = ord.item()
    if dim is None:
        if input._array.ndim not in (1, 2) and is_number(ord):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{input._array.ndim}D."
            )
        dim = (-1,) if input._array.ndim == 1 and is_number(ord) else (-2, -1)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 1 and is_number(ord):
        return vector_norm(input, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(input, ord, dims, keepdim, dtype=dtype)


@accepts_out
def linalg_cond(input: Tensor, p: Any = None, *, out: Tensor | None = None) -> Tensor:
    """The condition number ‖A‖ · ‖A⁻¹‖; by default largest over smallest singular value. inf for a singular matrix."""
    if input._array.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p in (None, 2, -2) or input._array.size == 0:
        if input._array.size == 0:
            return Tensor._wrap(np.zeros(input._array.shape[:-2], abs(input._array[:0]).dtype))
        values = linalg_svdvals(input)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    check_square("linalg.cond", input)
    inverted, info = linalg_inv_ex(input)
    result = matrix_norm(input, p) * matrix_norm(inverted, p)
    return where(Tensor._wrap(info._array == 0), result, math.inf) if info._array.any() else result


def _tolerance(A: Tensor, atol: Any, rtol: Any) -> tuple[np.ndarray, np.ndarray]:
    """(atol, rtol) as arrays that broadcast against singular values; by default rtol is max(m, n) · eps, or 0 beside an
    atol above 0.
    """
    given = [
        None if t is None else np.asarray(t._array if isinstance(t, Tensor) else t)[..., None] for t in (atol, rtol)
    ]
    default = max(A._array.shape[-2:]) * np.finfo(A._array.dtype).eps
    absolute = np.zeros(1) if given[0] is None else given[0]
    relative = np.where(absolute > 0, 0.0, default) if given[1] is None else given[1]
    return absolute, relative


@accepts_out
def linalg_matrix_rank(
    input: Tensor,
    tol: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The number of singular values above ``max(atol, rtol · largest)``; rtol is max(m, n) · eps by default.

    ``hermitian`` takes the sizes of the eigenvalues instead, and reads the lower triangle only.
    """
    check_matrices("linalg.matrix_rank", input, square=False)
    if input._array.size == 0:
        return Tensor._wrap(np.zeros(input._array.shape[:-2], np.int64))
    check_matrices("linalg.matrix_rank", input, square=hermitian)
    absolute, relative = (np.asarray(tol._array if isinstance(tol, Tensor) else tol)[..., None], np.zeros(1))
    if tol is None:
        absolute, relative = _tolerance(input, atol, rtol)
    detached = input.detach()
    values = abs(linalg_eigvalsh(detached)._array) if hermitian else linalg_svdvals(detached)._array
    limit = np.maximum(absolute, relative * values.max(axis=-1, keepdims=True))
    return Tensor._wrap(np.asarray(np.count_nonzero(values > limit, axis=-1), np.int64))


@accepts_out
def linalg_pinv(
    input: Tensor,
    rcond: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The Moore-Penrose pseudo-inverse: (..., m, n) gives (..., n, m) (``torch.linalg.pinv``).

    Singular values up to ``max(atol, rtol · largest)`` count as 0; ``rcond`` is an older name of ``rtol``. With
    ``hermitian`` A is symmetric, and only its lower triangle is read.
    """
    check_matrices("linalg.pinv", input, square=False)
    if input._array.size == 0:
        return input.mH * 1
    check_matrices("linalg.pinv", input, square=hermitian)
    for name, limit in (("atol", atol), ("rtol", rtol)):
        if isinstance(limit, Tensor) and limit._array.dtype.kind == "c":
            raise RuntimeError(f"torch.linalg.pinv: {name} tensor of complex type is not supported.")
    absolute, relative = _tolerance(input, atol, rcond if rtol is None else rtol)
    batch = np.broadcast_shapes(input._array.shape[:-2], absolute.shape[:-1], relative.shape[:-1])
    if batch != input._array.shape[:-2]:  # one matrix, several tolerances
        input = input.expand(*batch, *input._array.shape[-2:])
    return PseudoInverse.apply(input, atol=absolute, rtol=relative, hermitian=hermitian)


@checks_arguments
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """PyTorch's older name for :func:`linalg_pinv`."""
    return linalg_pinv(input, rcond)


@accepts_out
def linalg_lstsq(
    input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None
) -> Any:
    """X that minimizes ‖A X - B‖, the smallest such X: A⁺ B (``torch.linalg.lstsq``).

    ``b`` may be a vector (m,), or (..., m) with exactly the leading dimensions of ``A``. ``driver`` (gelsy, gels,
    gelsd, gelss) names a LAPACK routine; here it decides which of the other results are there, as in PyTorch: residuals
    ``‖A X - B‖²`` per column but for gelsy, the rank but for gels, singular values for gelsd and gelss.
    """
    check_matrices("torch.linalg.lstsq", input, b, square=False)
    if not 0 <= input._array.ndim - b._array.ndim <= 1:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) "
            "<= 1"
        )
    if np.isnan(input._array).any() or np.isnan(b._array).any():
        raise RuntimeError("torch.linalg.lstsq: the matrices hold nan")
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), but provided with "
            f"{driver}"
        )
    driver = driver or "gelsy"
    batch = input._array.shape[:-1]
    is_vector = b._array.ndim == 1 or (b._array.ndim == input._array.ndim - 1 and b._array.shape == batch)
    if b._array.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    right = b.unsqueeze(-1) if is_vector else b
    rows, columns = input._array.shape[-2:]
    if right._array.shape[-2] != rows:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    detached = input.detach()
    rank = linalg_matrix_rank(detached, rtol=rcond)
    # LAPACK's gels answers 0 for a matrix of zeros, and nan for an infinite one (whose rank is 0 here).
    if driver == "gels" and ((rank._array > 0) & (rank._array < min(rows, columns))).any():
        raise LinAlgError(
            "torch.linalg.lstsq: The least squares solution could not be computed because the input matrix does not "
            "have full rank. Use driver='gelsy'."
        )
    pseudo_inverse = input.mH * math.nan if np.isinf(input._array).any() else linalg_pinv(input, rcond)
    solution = matmul(pseudo_inverse, right)
    residuals = solution.flatten()[:0].real
    if rows > columns and driver != "gelsy" and (rank._array == columns).all():
        residuals = sum_((matmul(input, solution) - right).abs().square(), -2)
    return return_types.linalg_lstsq(
        solution.squeeze(-1) if is_vector else solution,
        residuals,
        rank if driver != "gels" else ops.zeros(0, dtype=rank.dtype),
        linalg_svdvals(detached) if driver in ("gelsd", "gelss") else ops.zeros(0, dtype=input.dtype.to_real()),
    )


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
