"""Determinants. ``d = det A`` gives ``∂L/∂A = grad · d · A⁻ᵀ`` (Jacobi)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.compare import where
from tinytorch.ops.out import accepts_out
from tinytorch.ops.solve import check_matrices, inverse
from tinytorch.tensor import Tensor

__all__ = ["det", "linalg_slogdet", "logdet", "slogdet"]


class Slogdet(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Tensor
    logabsdet: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.linalg_slogdet(\nsign={self.sign!r},\nlogabsdet={self.logabsdet!r})"


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
        if y._array.all():
            return (grad * y).unsqueeze(-1).unsqueeze(-1) * inverse(a).mT
        # constant: once differentiable only
        return grad.unsqueeze(-1).unsqueeze(-1) * Tensor._wrap(_cofactors(a._array))


def _cofactors(a: np.ndarray) -> np.ndarray:
    """The derivative of det where A may be singular: from A = U S Vᵀ, det(U Vᵀ) · U · diag(Π of the other S) · Vᵀ."""
    u, s, vt = np.linalg.svd(a)
    others = np.stack([np.delete(s, i, axis=-1).prod(axis=-1) for i in range(s.shape[-1])], axis=-1)
    sign = (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return (sign * (u * others[..., None, :]) @ vt).astype(a.dtype)


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


@accepts_out
def det(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of square matrices."""
    check_matrices("linalg.det", input)
    return Det.apply(input)


@accepts_out
def linalg_slogdet(A: Tensor, *, out: Any = None) -> Any:
    """(sign, ln |det A|): det = sign · exp(logabsdet), without overflow."""
    check_matrices("linalg.slogdet", A)
    return Slogdet(*LogAbsDet.apply(A))


def logdet(input: Tensor) -> Tensor:
    """ln det A; nan where the determinant is negative. Complex matrices have a complex logarithm."""
    sign, value = linalg_slogdet(input)
    if sign.is_complex():
        return sign.log() + value
    return where(sign == -1, math.nan, value)


slogdet = linalg_slogdet
