"""Orthogonal matrices as products of reflections: Q = H₁ H₂ ... H_k with H_i = 1 - τ_i v_i v_iᴴ.

Each H_i mirrors space in the plane orthogonal to v_i. A QR factorization finds reflections that clear one column after
the other below the diagonal, and needs no more room than the matrix: v_i starts with a one at place i, which is not
stored, and continues below the diagonal of column i.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.checks import check_dims
from tinytorch.ops.diagonal import tril
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.solve import check_matrices
from tinytorch.tensor import Tensor

__all__ = ["geqrf", "householder_product", "orgqr", "ormqr"]


class QRReflections(Primitive):
    """A QR factorization as LAPACK leaves it; PyTorch has no derivative for it either."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        h, tau = np.linalg.qr(a, "raw")
        return np.ascontiguousarray(np.swapaxes(h, -1, -2)), tau

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("the derivative for 'geqrf' is not implemented; linalg.qr has one.")


class NoReflections(Primitive):
    """The first columns of 1, in the shape of x: connected to x and τ, but without a gradient, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, tau: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.eye(*x.shape[-2:], dtype=x.dtype), x.shape).copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None]:
        return None, None


@accepts_out
def geqrf(input: Tensor, *, out: Any = None) -> Any:
    """(a, tau): R and the reflections whose product is Q, for :func:`householder_product` (``torch.geqrf``)."""
    check_matrices("torch.geqrf", input, square=False)
    return return_types.geqrf(*QRReflections.apply(input))


def _vectors(input: Tensor, tau: Tensor) -> list[tuple[Tensor, Tensor]]:
    """(τ_i, v_i) as (..., 1, 1) and columns (..., m, 1)."""
    rows, count = input._array.shape[-2], tau._array.shape[-1]
    columns = tril(input[..., :count], -1) + ops.eye(rows, count, dtype=input.dtype)
    return [(tau[..., i : i + 1].unsqueeze(-1), columns[..., i : i + 1]) for i in range(count)]


def _check(name: str, input: Tensor, tau: Tensor) -> None:
    if input._array.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    rows, columns = input._array.shape[-2:]
    if rows < columns:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if columns < tau.size(-1):
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau._array.ndim != input._array.ndim - 1 or tau._array.shape[:-1] != input._array.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input and batch dimensions to be equal to "
            f"{list(input._array.shape[:-2])}, but got {list(tau.shape)}"
        )
    if tau._array.dtype != input._array.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype} does not match input dtype {input.dtype}")


@accepts_out
def householder_product(input: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The first n columns of H₁ ... H_k, for (..., m, n) and (..., k) (``torch.linalg.householder_product``)."""
    _check("torch.linalg.householder_product", input, tau)
    check_matrices("torch.linalg.householder_product", input, tau, square=False)
    if not tau._array.shape[-1]:
        return NoReflections.apply(input, tau)
    rows, columns = input._array.shape[-2:]
    q = ops.eye(rows, columns, dtype=input.dtype).expand(*input._array.shape)
    for factor, v in reversed(_vectors(input, tau)):
        q = q - factor * matmul(v, matmul(v.mH, q))
    return q


@accepts_exact_out
def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Q C, or C Q with ``left=False``, or Qᴴ for Q with ``transpose``: the square Q, without ever making it."""
    if input._array.ndim < 2 or other._array.ndim < 2:
        which = "input" if input._array.ndim < 2 else "other"
        raise RuntimeError(f"torch.ormqr: {which} must have at least 2 dimensions.")
    check_dims(tau, -1)
    if not input._array.ndim == tau._array.ndim + 1 == other._array.ndim:
        raise RuntimeError(
            "torch.ormqr: Expected tau to have one dimension less than input, and other as many, but got "
            f"{tau._array.ndim}, {input._array.ndim} and {other._array.ndim} dimensions"
        )
    side = "-2" if left else "-1"
    size = other._array.shape[int(side)]
    if tau._array.shape[-1] != min(size, input._array.shape[-1]):
        raise RuntimeError(
            f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1]), but it is "
            f"{tau._array.shape[-1]}"
        )
    if size < tau._array.shape[-1]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if size != input._array.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    _check("torch.ormqr", input, tau) if input._array.shape[-2] >= input._array.shape[-1] else None
    check_matrices("torch.ormqr", input, tau, other, square=False)
    if not left:  # C Q = (Qᴴ Cᴴ)ᴴ
        return ormqr(input, tau, other.mH, True, not transpose).mH
    vectors = _vectors(input, tau)
    result = other
    for factor, v in vectors if transpose else reversed(vectors):
        factor = factor.mH if transpose else factor
        result = result - factor * matmul(v, matmul(v.mH, result))
    return result.clone() if result is other else result


orgqr = householder_product

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
