"""Matrix factorizations: Cholesky, QR, SVD, eigenvalues; and what follows from them.

The derivatives go back to Giles (2008), "Collected matrix derivative results"; QR to Walter and Lehmann (2012), SVD to
Townsend (2016). Factors are unique only up to signs (or rotations, where singular values or eigenvalues are equal):
a loss must not depend on that choice, or its gradient means nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.diagonal import diag_embed, diagonal, tril
from tinytorch.ops.joining import cat
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.solve import LinAlgError, check_matrices, decomposed, linalg_solve_triangular
from tinytorch.tensor import Tensor

__all__ = ["cholesky", "linalg_qr",
           "linalg_svd", "linalg_svdvals", "qr", "svd"]  # fmt: skip


class Cholesky(Primitive):
    """L with L Lᴴ = A; ∂L/∂A = Hermitian part of L⁻ᴴ Φ(Lᴴ grad) L⁻¹, where Φ takes the lower triangle, diagonal
    halved.
    """

    known_name = "LinalgCholeskyExBackward0"

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> np.ndarray:
        try:
            y = np.linalg.cholesky(a)
            if not np.isfinite(np.einsum("...ii", y)).all():  # LAPACK may let a nan pass for positive
                raise np.linalg.LinAlgError
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.cholesky: The factorization could not be completed because the input is not positive-definite."
            ) from None
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        product = matmul(y.mH, grad)
        phi = (tril(product) + tril(product, -1)) / 2.0
        left = linalg_solve_triangular(y.mH, phi, upper=True)
        whole = linalg_solve_triangular(y.mH, left.mH, upper=True).mH
        return (whole + whole.mH) / 2.0


class ReducedQR(Primitive):
    """A = Q R with at least as many rows as columns: ∂L/∂A = (grad_Q + Q M) R⁻ᴴ, M the Hermitian matrix with the lower
    triangle of R grad_Rᴴ - grad_Qᴴ Q, its diagonal made real.
    """

    known_name = "LinalgQrBackward0"

    complex_backward = True

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
        m = matmul(r, grad_r.mH) - matmul(grad_q.mH, q)
        below = tril(m, -1)
        hermitian = below + below.mH + diag_embed(diagonal(m, 0, -2, -1).real)
        return linalg_solve_triangular(r, (grad_q + matmul(q, hermitian)).mH, upper=True).mH


class Svd(Primitive):
    """A = U diag(S) Vᴴ."""

    known_name = "LinalgSvdBackward0"

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, full_matrices: bool) -> Any:
        u, s, vh = decomposed("linalg.svd", np.linalg.svd, a, full_matrices=full_matrices)
        ctx.save_for_backward(u, s, vh)
        ctx.set_materialize_grads(False)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, grad_u: Any, grad_s: Any, grad_vh: Any) -> Tensor:
        """U [(skew(Uᴴ gU) / E) S + S (skew(Vᴴ gV) / E) + diag(gS)] Vᴴ, E_ij = s_j² - s_i², and the parts outside of the
        spaces that U and V span. Complex numbers add what turns a column of U against its partner in V.
        """
        u, s, vh = ctx.saved_tensors
        k = s._array.shape[-1]
        u, vh = u.narrow(-1, 0, k), vh.narrow(-2, 0, k)
        skew_u = skew_v = outside = None
        row = s.unsqueeze(-2)
        if grad_u is not None:
            grad_u = grad_u.narrow(-1, 0, k)
            inner = matmul(u.mH, grad_u)
            skew_u = inner - inner.mH
            if u._array.shape[-2] > k:
                outside = matmul((grad_u - matmul(u, inner)) / row, vh)
        if grad_vh is not None:
            grad_v = grad_vh.narrow(-2, 0, k).mH
            inner = matmul(vh, grad_v)
            skew_v = inner - inner.mH
            if vh._array.shape[-1] > k:
                outside = _plus(outside, matmul(u / row, (grad_v - matmul(vh.mH, inner)).mH))
        core = _svd_core(s, skew_u, skew_v, grad_s)
        return _plus(outside, matmul(matmul(u, core.to(u.dtype)), vh))


def _svd_core(s: Tensor, skew_u: Tensor | None, skew_v: Tensor | None, grad_s: Tensor | None) -> Tensor:
    """The gradient in the coordinates of U and V."""
    row, column = s.unsqueeze(-2), s.unsqueeze(-1)
    core = None if grad_s is None else diag_embed(grad_s)
    if skew_u is None and skew_v is None:
        return ops.zeros_like(row * column) if core is None else core
    gaps = row * row - column * column + ops.eye(s._array.shape[-1], dtype=s.dtype)
    if skew_u is not None:
        core = _plus(core, skew_u / gaps * row)
    if skew_v is not None:
        core = _plus(core, column * (skew_v / gaps))
    assert core is not None
    if core.is_complex():
        turns = [diagonal(skew, 0, -2, -1) for skew in (skew_u, skew_v) if skew is not None]
        check_phase("svd_backward", "singular vectors", turns[0] + turns[1] if len(turns) == 2 else turns[0])
        core = core + diag_embed(turns[0] / (2.0 * s) if skew_u is not None else -turns[0] / (2.0 * s))
    return core


def check_phase(name: str, vectors: str, turning: Tensor) -> None:
    """RuntimeError if a loss depends on the phase of complex vectors, which is arbitrary: ``turning`` is the slope."""
    slope = turning._array.imag
    if not np.allclose(slope, 0, rtol=0, atol=1e-2):
        raise RuntimeError(
            f"{name}: The {vectors} in the complex case are specified up to multiplication by e^{{i phi}}. The "
            "specified loss function depends on this phase term, making it ill-defined."
        )


def _plus(a: Tensor | None, b: Tensor) -> Tensor:
    return b if a is None else a + b


@accepts_out
def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The lower triangular L with L Lᴴ = A, or Lᴴ with ``upper``. LinAlgError where A is not
    positive-definite.
    """
    check_matrices("linalg.cholesky", input)
    return Cholesky.apply(input.mH).mH if upper else Cholesky.apply(input)  # read is the triangle that is asked for


@accepts_exact_out
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
        r = cat([r, matmul(q.mH, A.narrow(-1, rows, columns - rows))], -1)
    else:
        q, r = ReducedQR.apply(A, mode="complete" if mode == "complete" else "reduced")
    return return_types.linalg_qr(Tensor._wrap(np.zeros(0, A._array.dtype)) if mode == "r" else q, r)


@accepts_exact_out
def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """PyTorch's older name: reduced with ``some``, else complete."""
    return return_types.qr(*linalg_qr(input, "reduced" if some else "complete"))


@accepts_exact_out
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """(U, S, Vh) with A = U diag(S) Vh, singular values in descending order (``torch.linalg.svd``)."""
    check_matrices("linalg.svd", A, square=False)
    return return_types.linalg_svd(*Svd.apply(A, full_matrices=full_matrices))


@accepts_exact_out
def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """PyTorch's older form, which returns V, not Vᴴ."""
    u, s, vh = linalg_svd(input, not some)
    return (
        return_types.svd(u, s, vh.mH) if compute_uv else return_types.svd(ops.zeros_like(u), s, ops.zeros_like(vh.mH))
    )


@accepts_exact_out
def linalg_svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values in descending order; nan if A holds infinities (PyTorch's answer to them), LinAlgError if
    it holds nan.
    """
    check_matrices("linalg.svdvals", A, square=False)
    if np.isinf(A._array).any() and not np.isnan(A._array).any():
        return (abs(A).sum((-2, -1)) * np.nan).unsqueeze(-1).repeat_interleave(min(A._array.shape[-2:]), -1)
    return Svd.apply(A, full_matrices=False)[1]


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
