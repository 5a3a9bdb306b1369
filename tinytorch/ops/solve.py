"""Linear systems, inverses and determinants, with derivatives by implicit differentiation.

::

    A X = B          ∂L/∂B = A⁻ᵀ grad,          ∂L/∂A = -(∂L/∂B) Xᵀ
    Y = A⁻¹          ∂L/∂A = -Yᵀ grad Yᵀ
    d = det A        ∂L/∂A = grad · d · A⁻ᵀ      (Jacobi)

All take stacks of matrices, whose leading dimensions broadcast.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.broadcast import broadcast_shapes
from tinytorch.ops.checks import check_square, type_name
from tinytorch.ops.compare import where
from tinytorch.ops.diagonal import diag_embed, diagonal, tril, triu
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["cholesky_inverse", "cholesky_solve", "det", "inverse", "linalg_inv_ex", "linalg_slogdet", "linalg_solve",
           "linalg_solve_triangular", "logdet", "matrix_exp", "slogdet"]  # fmt: skip


class LinAlgError(RuntimeError):
    """A decomposition that does not exist, or did not converge: a singular or not positive-definite matrix."""


class Slogdet(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Tensor
    logabsdet: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.linalg_slogdet(\nsign={self.sign!r},\nlogabsdet={self.logabsdet!r})"


class InvEx(NamedTuple):
    """What ``linalg.inv_ex`` returns."""

    inverse: Tensor
    info: Tensor


def check_matrices(name: str, *tensors: Tensor, square: bool = True) -> None:
    """RuntimeError unless the tensors are floating, and the first one square matrices (or any matrices)."""
    first = tensors[0]
    if square or first._array.ndim < 2:
        check_square(name, first)
    for tensor in tensors:
        if tensor._array.dtype.kind not in "fc":
            raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {type_name(tensor)}")


class Inverse(Primitive):
    """Y = A⁻¹; A receives -Yᵀ grad Yᵀ."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> np.ndarray:
        try:
            y = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.inv: The diagonal element is zero, the inversion could not be completed because the input "
                "matrix is "
                "singular."
            ) from None
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -matmul(y.mT, matmul(grad, y.mT))


class Solve(Primitive):
    """X with A X = B; B is a stack of matrices."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        try:
            x = np.linalg.solve(a, b)
        except np.linalg.LinAlgError:
            raise LinAlgError("torch.linalg.solve: The solver failed because the input matrix is singular.") from None
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Tensor]:
        a, x = ctx.saved_tensors
        grad_b = Solve.apply(a.mT, grad)
        return -matmul(grad_b, x.mT) if ctx.needs_input_grad[0] else None, grad_b


class Det(Primitive):
    """y = det A; A receives grad · y · A⁻ᵀ."""

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
        return grad.unsqueeze(-1).unsqueeze(-1) * Tensor._wrap(
            _cofactors(a._array)
        )  # constant: once differentiable only


def _cofactors(a: np.ndarray) -> np.ndarray:
    """The derivative of det where A may be singular: from A = U S Vᵀ, det(U Vᵀ) · U · diag(Π of the other S) · Vᵀ."""
    u, s, vt = np.linalg.svd(a)
    others = np.stack([np.delete(s, i, axis=-1).prod(axis=-1) for i in range(s.shape[-1])], axis=-1)
    sign = (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return (sign * (u * others[..., None, :]) @ vt).astype(a.dtype)


class LogAbsDet(Primitive):
    """(sign, ln |det A|); the sign is constant nearly everywhere."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        sign, value = (np.asarray(part) for part in np.linalg.slogdet(a))
        ctx.save_for_backward(a)
        return sign, value

    @staticmethod
    def backward(ctx: Any, _: Any, grad: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        return grad.unsqueeze(-1).unsqueeze(-1) * inverse(a).mT


@accepts_out
def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A⁻¹, of square matrices. Raises LinAlgError (a RuntimeError) for a singular one (``torch.linalg.inv``)."""
    check_matrices("linalg.inv", input)
    return Inverse.apply(input)


@accepts_out
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """(inverse, info): as :func:`inverse`; a singular matrix raises here too, so info is always 0."""
    result = inverse(A)
    return InvEx(result, Tensor._wrap(np.zeros(A._array.shape[:-2], np.int32)))


@accepts_out
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """X with A X = B (or X A = B with ``left=False``), of one system or a stack of them (``torch.linalg.solve``).

    ``B`` may be vectors: (n,), or (..., n) with exactly the leading dimensions of ``A``.
    """
    check_matrices("linalg.solve", A, B)
    a_shape, b_shape = A._array.shape, B._array.shape
    is_vector = len(b_shape) == 1 or (len(a_shape) - 1 == len(b_shape) and b_shape == a_shape[:-1])
    right = B.unsqueeze(-1) if is_vector else B
    if not left:
        return linalg_solve(A.mT, right.mT).mT
    _check_rows("linalg.solve", A, right)
    result = Solve.apply(A, right)
    return result.squeeze(-1) if is_vector else result


def _check_rows(name: str, A: Tensor, B: Tensor) -> None:
    a, b = A._array.shape, B._array.shape
    if a[-1] != b[-2]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation AX = B ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )
    broadcast_shapes(a[:-2], b[:-2])


@accepts_out
def linalg_solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Tensor | None = None
) -> Tensor:
    """X with A X = B for a triangular A, of which only that triangle is read (``torch.linalg.solve_triangular``)."""
    if not left:
        return linalg_solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    check_matrices("linalg.solve_triangular", A, B)
    _check_rows("linalg.solve_triangular", A, B)
    shift = (1 if upper else -1) if unitriangular else 0
    triangle = triu(A, shift) if upper else tril(A, shift)
    if unitriangular:
        triangle = triangle + ops.eye(A._array.shape[-1], dtype=A.dtype)
    return Solve.apply(triangle, B)


@accepts_out
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """X with (L Lᵀ) X = B, given the Cholesky factor ``L`` (or U with Uᵀ U = A)."""
    factor = L.mT if upper else L
    half = linalg_solve_triangular(factor, B, upper=False)
    return linalg_solve_triangular(factor.mT, half, upper=True)


@accepts_out
def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """(L Lᵀ)⁻¹, given the Cholesky factor."""
    return cholesky_solve(ops.eye(L._array.shape[-1], dtype=L.dtype), L, upper)


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
    """ln det A; nan where the determinant is negative."""
    sign, value = linalg_slogdet(input)
    return where(sign == -1, math.nan, value)


def matrix_exp(input: Tensor) -> Tensor:
    """exp(A) = Σ Aᵏ / k!, of square matrices: the series of A / 2ˢ, then squared s times."""
    check_matrices("linalg.matrix_exp", input)
    size = float(np.abs(input._array).sum(axis=-2).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(size / 0.5))) if size > 0.5 else 0
    scaled = input / 2.0**squarings
    one = diag_embed(ops.ones_like(diagonal(input, 0, -2, -1)))
    result = one + scaled / 16.0
    for k in range(15, 0, -1):  # Horner: 1 + A (1 + A/2 (1 + A/3 (...)))
        result = one + matmul(scaled, result) / float(k)
    for _ in range(squarings):
        result = matmul(result, result)
    return result


slogdet = linalg_slogdet

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
