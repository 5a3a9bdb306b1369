"""The few largest singular values or eigenvalues of a matrix.

Random projection (Halko, Martinsson and Tropp 2011): ``A R`` with a few random columns R spans nearly what the largest
singular vectors of A span; multiplying by A Aᴴ a few times more pushes everything else down. What is left is the SVD
of a small matrix.
"""

from __future__ import annotations

from typing import Any

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.eigen import linalg_eigh
from tinytorch.ops.factorizations import cholesky, linalg_qr, linalg_svd
from tinytorch.ops.linalg import matmul
from tinytorch.ops.random import randn
from tinytorch.ops.reduce import mean
from tinytorch.ops.shape import flip
from tinytorch.ops.solve import check_matrices, linalg_solve_triangular
from tinytorch.tensor import Tensor

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]


def _approximate_basis(A: Tensor, q: int, niter: int) -> Tensor:
    """Q with q orthonormal columns and Q Qᴴ A ≈ A."""
    basis = linalg_qr(matmul(A, randn(A._array.shape[-1], q, dtype=A.dtype)))[0]
    for _ in range(niter):
        across = linalg_qr(matmul(A.mH, basis))[0]
        basis = linalg_qr(matmul(A, across))[0]
    return basis


@checks_arguments
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Any:
    """(U, S, V) with ``A - M ≈ U diag(S) Vᴴ`` and ``q`` singular values (``torch.svd_lowrank``). Draws random numbers.

    ``q`` should be a little larger than the rank that matters; ``M`` (by default 0) broadcasts to A's shape.
    """
    _check_two_dims("svd_lowrank", A)
    check_matrices("svd_lowrank", A, square=False)
    if M is not None:
        A = A - M
    is_wide = A._array.shape[-2] < A._array.shape[-1]
    tall = A.mH if is_wide else A
    basis = _approximate_basis(tall, 6 if q is None else q, 2 if niter is None else niter)
    u, s, vh = linalg_svd(matmul(basis.mH, tall), full_matrices=False)
    u, v = matmul(basis, u), vh.mH
    return (v, s, u) if is_wide else (u, s, v)


@checks_arguments
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """(U, S, V): principal components of the rows of A, largest first; V's columns are their directions.

    ``q`` is how many, by default min(6, m, n); ``center`` subtracts the mean row first (``torch.pca_lowrank``).
    """
    _check_two_dims("pca_lowrank", A)
    limit = min(A._array.shape[-2:])
    if q is None:
        q = min(6, limit)
    elif not 0 <= q <= limit:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={limit}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, True) if center else A, q, niter)


def _check_two_dims(name: str, A: Tensor) -> None:
    """ValueError unless A has rows and columns, as PyTorch's Python raises when it takes their numbers."""
    if A._array.ndim < 2:
        raise ValueError(f"{name}(): A must be a matrix or a stack of matrices, but its shape is {list(A.shape)}")


@checks_arguments
def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Any = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> Any:
    """(E, X): the ``k`` largest (or smallest) eigenvalues of A X = B X diag(E), A symmetric, B positive-definite.

    PyTorch iterates from a guess; dense matrices are solved at once here, with all their eigenvalues, so that ``X``
    (the guess; its width is the default of ``k``), ``iK``, ``niter``, ``tol``, ``method`` have nothing left to decide.
    """
    check_matrices("lobpcg", A)
    if tracker is not None:
        raise NotImplementedError("lobpcg: there are no iterations that a tracker could follow here; leave it out.")
    size = A._array.shape[-1]
    count = (1 if X is None else X._array.shape[-1]) if k is None else k
    if size < 3 * count:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={size}) is smaller than 3 x the number of "
            f"requested eigenpairs (={count})"
        )
    if B is None:
        values, vectors = linalg_eigh(A)
    else:  # with B = L Lᴴ and Y = Lᴴ X: L⁻¹ A L⁻ᴴ Y = Y diag(E)
        factor = cholesky(B)
        half = linalg_solve_triangular(factor, A, upper=False)
        values, turned = linalg_eigh(linalg_solve_triangular(factor, half.mH, upper=False))
        vectors = linalg_solve_triangular(factor.mH, turned, upper=True)
    if largest is False:
        return values[..., :count], vectors[..., :count]
    return flip(values[..., size - count :], -1), flip(vectors[..., size - count :], -1)
