"""Determinants. ``d = det A`` gives ``∂L/∂A = grad · d · A⁻ᵀ`` (Jacobi)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.compare import where
from tinytorch.ops.indexing import Index
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.solve import check_matrices, decomposed, inverse
from tinytorch.tensor import Tensor

__all__ = ["det", "linalg_det", "linalg_slogdet", "logdet", "slogdet"]


class Det(Primitive):
    """y = det A; A receives grad · y · A⁻ᵀ."""

    known_name = "LinalgDetBackward0"

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> np.ndarray:
        y = np.asarray(np.linalg.det(a))
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a, y = ctx.saved_tensors
        if state.grad_enabled and _nearly_singular(a._array):
            return grad.unsqueeze(-1).unsqueeze(-1) * _minors(a)
        if y._array.all():
            return (grad * y).unsqueeze(-1).unsqueeze(-1) * inverse(a).mT
        return grad.unsqueeze(-1).unsqueeze(-1) * Tensor._wrap(_cofactors(a._array))


def _cofactors(a: np.ndarray) -> np.ndarray:
    """The derivative of det where A may be singular: from A = U S Vᴴ, det(U) det(Vᴴ) times the conjugate of
    U · diag(Π of the other S) · Vᴴ.
    """
    u, s, vt = decomposed("linalg.det", np.linalg.svd, a)
    others = np.stack([np.delete(s, i, axis=-1).prod(axis=-1) for i in range(s.shape[-1])], axis=-1)
    sign = (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return (sign * ((u * others[..., None, :]) @ vt).conj()).astype(a.dtype)


def _nearly_singular(a: np.ndarray) -> bool:
    """Whether differentiating A⁻¹ would leave nothing but rounding: its derivative is as large as A⁻¹ squared."""
    if a.shape[-1] < 2 or not a.size:
        return a.size > 0 and not a.all()
    if not np.isfinite(a).all():
        return False
    s = np.linalg.svd(a, compute_uv=False)
    return bool((s[..., -1] <= s[..., 0] * np.finfo(a.dtype).eps ** (1 / 3)).any())


def _minors(a: Tensor) -> Tensor:
    """The derivative of det without a division, so that it can be differentiated again where A is singular: the element
    (i, j) is (-1)^(i+j) times the determinant of A without row i and column j. n² determinants, for the rare case.
    """
    n = a._array.shape[-1]
    others = np.array([[k for k in range(n) if k != i] for i in range(n)], np.int64).reshape(n, n - 1)
    submatrices = Index.apply(a, index=(..., others[:, None, :, None], others[None, :, None, :]))
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return Det.apply(submatrices) * Tensor._wrap(signs.astype(a._array.dtype))


class LogAbsDet(Primitive):
    """(sign, ln |det A|). The sign of a real determinant is constant nearly everywhere, that of a complex one turns
    with the imaginary part of ln det A.
    """

    known_name = "LinalgSlogdetBackward0"

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        sign, value = (np.asarray(part) for part in np.linalg.slogdet(a))
        ctx.save_for_backward(a, sign)
        return sign, value

    @staticmethod
    def backward(ctx: Any, grad_sign: Tensor, grad: Tensor) -> Tensor:
        a, sign = ctx.saved_tensors
        if a._array.dtype.kind == "c":
            grad = grad - 1j * (grad_sign.conj() * sign).imag
        return grad.unsqueeze(-1).unsqueeze(-1) * inverse(a).mH


@accepts_exact_out
def linalg_det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of square matrices."""
    check_matrices("linalg.det", A)
    return Det.apply(A)


@accepts_exact_out
def det(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """:func:`linalg_det` under its older name."""
    return linalg_det(input)


@accepts_exact_out
def linalg_slogdet(A: Tensor, *, out: Any = None) -> Any:
    """(sign, ln |det A|): det = sign · exp(logabsdet), without overflow."""
    check_matrices("linalg.slogdet", A)
    return return_types.linalg_slogdet(*LogAbsDet.apply(A))


@checks_arguments
def logdet(input: Tensor) -> Tensor:
    """ln det A; nan where the determinant is negative. Complex matrices have a complex logarithm."""
    sign, value = linalg_slogdet(input)
    if sign.is_complex():
        return sign.log() + value
    return where(sign == -1, math.nan, value)


@accepts_exact_out
def slogdet(input: Tensor, *, out: Any = None) -> Any:
    """:func:`linalg_slogdet` under its older name."""
    return return_types.slogdet(*linalg_slogdet(input))
