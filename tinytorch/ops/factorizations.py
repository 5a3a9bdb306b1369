"""Matrix factorizations: Cholesky, QR, SVD, eigenvalues; and what follows from them.

The derivatives go back to Giles (2008), "Collected matrix derivative results"; QR to Walter and Lehmann (2012), SVD to
Townsend (2016). Factors are unique only up to signs (or rotations, where singular values or eigenvalues are equal):
a loss must not depend on that choice, or its gradient means nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.diagonal import diag_embed, tril
from tinytorch.ops.joining import cat
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_out
from tinytorch.ops.solve import LinAlgError, check_matrices, linalg_solve_triangular
from tinytorch.tensor import Tensor

__all__ = ["cholesky", "linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh", "linalg_qr",
           "linalg_svd", "linalg_svdvals", "qr", "svd"]  # fmt: skip


class QR(NamedTuple):
    """What ``qr`` returns."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """What ``linalg.svd`` returns: A = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class OldSVD(NamedTuple):
    """What ``torch.svd`` returns: A = U diag(S) Vᵀ."""

    U: Tensor
    S: Tensor
    V: Tensor


class Eigen(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class Cholesky(Primitive):
    """L with L Lᵀ = A; ∂L/∂A = symmetric part of L⁻ᵀ Φ(Lᵀ grad) L⁻¹, where Φ takes the lower triangle, diagonal
    halved.
    """

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> np.ndarray:
        try:
            y = np.linalg.cholesky(a)
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.cholesky: The factorization could not be completed because the input is not positive-definite."
            ) from None
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        product = matmul(y.mT, grad)
        phi = (tril(product) + tril(product, -1)) / 2.0
        left = linalg_solve_triangular(y.mT, phi, upper=True)
        whole = linalg_solve_triangular(y.mT, left.mT, upper=True).mT
        return (whole + whole.mT) / 2.0


class ReducedQR(Primitive):
    """A = Q R with at least as many rows as columns: ∂L/∂A = (grad_Q + Q · M) R⁻ᵀ, M the symmetric matrix with the
    lower
    triangle of R grad_Rᵀ - grad_Qᵀ Q."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, mode: Any) -> Any:
        q, r = np.linalg.qr(a, mode)
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, grad_q: Tensor, grad_r: Tensor) -> Tensor:
        q, r = ctx.saved_tensors
        if q._array.shape[-1] > r._array.shape[-1]:
            raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
        m = matmul(r, grad_r.mT) - matmul(grad_q.mT, q)
        symmetric = tril(m) + tril(m, -1).mT
        return linalg_solve_triangular(r, (grad_q + matmul(q, symmetric)).mT, upper=True).mT


class Svd(Primitive):
    """A = U diag(S) Vᴴ."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, full_matrices: bool) -> Any:
        try:
            u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
        except np.linalg.LinAlgError as error:
            raise LinAlgError(f"linalg.svd: The algorithm failed to converge: {error}") from None
        ctx.save_for_backward(u, s, vh)
        ctx.set_materialize_grads(False)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, grad_u: Any, grad_s: Any, grad_vh: Any) -> Tensor:
        """U [(skew(Uᵀ gU) / E) S + S (skew(Vᵀ gV) / E) + diag(gS)] Vᵀ, E_ij = s_j² - s_i², and the parts outside of the
        spaces that U and V span."""
        u, s, vh = ctx.saved_tensors
        k = s._array.shape[-1]
        u, vh = u.narrow(-1, 0, k), vh.narrow(-2, 0, k)
        core: Any = None if grad_s is None else diag_embed(grad_s)
        row, column = s.unsqueeze(-2), s.unsqueeze(-1)
        gaps = row * row - column * column + ops.eye(k, dtype=s.dtype)
        outside = None
        if grad_u is not None:
            grad_u = grad_u.narrow(-1, 0, k)
            inner = matmul(u.mT, grad_u)
            core = _plus(core, (inner - inner.mT) / gaps * row)
            if u._array.shape[-2] > k:
                outside = matmul((grad_u - matmul(u, inner)) / row, vh)
        if grad_vh is not None:
            grad_v = grad_vh.narrow(-2, 0, k).mT
            inner = matmul(vh, grad_v)
            core = _plus(core, column * ((inner - inner.mT) / gaps))
            if vh._array.shape[-1] > k:
                outside = _plus(outside, matmul(u / row, (grad_v - matmul(vh.mT, inner)).mT))
        return _plus(outside, matmul(matmul(u, core), vh))


def _plus(a: Tensor | None, b: Tensor) -> Tensor:
    return b if a is None else a + b


class Eigh(Primitive):
    """A = V diag(l) Vᵀ for symmetric A: ∂L/∂A = V (diag(gl) + (Vᵀ gV) / E) Vᵀ, E_ij = l_j - l_i, without its
    diagonal.
    """

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, uplo: Any) -> Any:
        values, vectors = np.linalg.eigh(a, uplo)
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Tensor:
        values, vectors = ctx.saved_tensors
        core = None if grad_values is None else diag_embed(grad_values)
        if grad_vectors is not None:
            one = ops.eye(values._array.shape[-1], dtype=values.dtype)
            gaps = values.unsqueeze(-2) - values.unsqueeze(-1) + one
            core = _plus(core, matmul(vectors.mT, grad_vectors) * (1 - one) / gaps)
        return matmul(matmul(vectors, core), vectors.mT)  # type: ignore[arg-type]


class Eig(Primitive):
    """Complex eigenvalues and eigenvectors of any square matrix. Forward only."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        values, vectors = np.linalg.eig(a)
        complex_type = np.result_type(a.dtype, np.complex64)
        return values.astype(complex_type), vectors.astype(complex_type)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError(
            "linalg.eig has no gradient here (its results are complex). For symmetric matrices use linalg.eigh; "
            "otherwise "
            "detach() the input."
        )


@accepts_out
def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The lower triangular L with L Lᵀ = A, or its transpose with ``upper``. LinAlgError where A is not
    positive-definite.
    """
    check_matrices("linalg.cholesky", input)
    factor = Cholesky.apply(input)
    return factor.mT if upper else factor


@accepts_out
def linalg_qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """(Q, R) with A = Q R, Q orthogonal columns, R upper triangular (``torch.linalg.qr``).

    ``mode``: 'reduced', 'complete' (square Q) or 'r' (only R; Q is empty).
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    check_matrices("linalg.qr", A, square=False)
    rows, columns = A._array.shape[-2:]
    if rows < columns:  # the first columns give Q, the others are only turned into its coordinates
        q, r = ReducedQR.apply(A.narrow(-1, 0, rows), mode="reduced")
        r = cat([r, matmul(q.mT, A.narrow(-1, rows, columns - rows))], -1)
    else:
        q, r = ReducedQR.apply(A, mode="complete" if mode == "complete" else "reduced")
    return QR(Tensor._wrap(np.zeros(0, A._array.dtype)), r) if mode == "r" else QR(q, r)


@accepts_out
def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """PyTorch's older name: reduced with ``some``, else complete."""
    return linalg_qr(input, "reduced" if some else "complete")


@accepts_out
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """(U, S, Vh) with A = U diag(S) Vh, singular values in descending order (``torch.linalg.svd``)."""
    check_matrices("linalg.svd", A, square=False)
    return SVD(*Svd.apply(A, full_matrices=full_matrices))


@accepts_out
def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """PyTorch's older form, which returns V, not its transpose."""
    u, s, vh = linalg_svd(input, not some)
    return OldSVD(u, s, vh.mT) if compute_uv else OldSVD(ops.zeros_like(u), s, ops.zeros_like(vh.mT))


@accepts_out
def linalg_svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values in descending order."""
    check_matrices("linalg.svdvals", A, square=False)
    return Svd.apply(A, full_matrices=False)[1]


@accepts_out
def linalg_eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """(eigenvalues, eigenvectors) of symmetric matrices, ascending; only the named triangle is read
    (``torch.linalg.eigh``).
    """
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    check_matrices("linalg.eigh", A)
    return Eigen(*Eigh.apply(A, uplo=UPLO.upper()))


@accepts_out
def linalg_eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
    return linalg_eigh(A, UPLO)[0]


@accepts_out
def linalg_eig(A: Tensor, *, out: Any = None) -> Any:
    """(eigenvalues, eigenvectors) of square matrices, complex. Backward raises NotImplementedError."""
    check_matrices("linalg.eig", A)
    return Eigen(*Eig.apply(A))


@accepts_out
def linalg_eigvals(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex eigenvalues of square matrices. Backward raises NotImplementedError."""
    return linalg_eig(A)[0]


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
