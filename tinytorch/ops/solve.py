"""Linear systems and inverses, with derivatives by implicit differentiation.

::

    A X = B          ∂L/∂B = A⁻ᵀ grad,          ∂L/∂A = -(∂L/∂B) Xᵀ
    Y = A⁻¹          ∂L/∂A = -Yᵀ grad Yᵀ

All take stacks of matrices, whose leading dimensions broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import INEXACT
from tinytorch.kernels.half import is_half
from tinytorch.ops.broadcast import broadcast_shapes, cast
from tinytorch.ops.checks import check_same_dtypes, check_square, not_implemented, type_name
from tinytorch.ops.diagonal import tril, triu
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = ["cholesky_inverse", "cholesky_solve", "inverse", "linalg_solve", "linalg_solve_triangular",
           "triangular_solve"]  # fmt: skip


class LinAlgError(RuntimeError):
    """A decomposition that does not exist, or did not converge: a singular or not positive-definite matrix."""


def decomposed(name: str, function: Callable[..., Any], a: np.ndarray, *args: Any, **options: Any) -> Any:
    """``function(a, ...)``, one of NumPy's decompositions; LinAlgError where it does not converge.

    Singular values of infinities and nan are refused, too: LAPACK's iterations need not come to an end there.
    """
    if function is np.linalg.svd and not np.isfinite(a).all():
        raise LinAlgError(
            f"{name}: The algorithm failed to converge because the input matrix contained non-finite values."
        )
    try:
        return function(a, *args, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{name}: The algorithm failed to converge: {error}") from None


def check_matrices(name: str, *tensors: Tensor, square: bool = True) -> None:
    """RuntimeError unless the tensors are floating, and the first one square matrices (or any matrices)."""
    first = tensors[0]
    if square or first._array.ndim < 2:
        check_square(name, first)
    for tensor in tensors:
        check_floating_point(name, tensor)


def check_floating_point(name: str, tensor: Tensor) -> None:
    """RuntimeError for a tensor of integers or bools, NotImplementedError for half precision."""
    if is_half(tensor._array.dtype):
        raise not_implemented(name, tensor)
    if tensor._array.dtype.kind not in INEXACT:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {type_name(tensor)}")


class Inverse(Primitive):
    """Y = A⁻¹; A receives -Yᵀ grad Yᵀ."""

    known_name = "LinalgInvExBackward0"

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> np.ndarray:
        try:
            y = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            raise LinAlgError(
                "linalg.inv: The diagonal element is zero, the inversion could not be completed because the input "
                "matrix is singular."
            ) from None
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -matmul(y.mT, matmul(grad, y.mT))


class Solve(Primitive):
    """X with A X = B; B is a stack of matrices."""

    known_name = "LinalgSolveExBackward0"

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


@accepts_exact_out
def linalg_inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A⁻¹, of square matrices. Raises LinAlgError (a RuntimeError) for a singular one (``torch.linalg.inv``)."""
    check_matrices("linalg.inv", A)
    return Inverse.apply(A)


@accepts_exact_out
def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """:func:`linalg_inv` under its older name."""
    return linalg_inv(input)


@accepts_exact_out
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """X with A X = B (or X A = B with ``left=False``), of one system or a stack of them (``torch.linalg.solve``).

    ``B`` may be vectors: (n,), or (..., n) with exactly the leading dimensions of ``A``.
    """
    check_matrices("linalg.solve", A, B)
    check_same_dtypes("linalg.solve", A, B)
    a_shape, b_shape = A._array.shape, B._array.shape
    is_vector = len(b_shape) == 1 or (len(a_shape) - 1 == len(b_shape) and b_shape == a_shape[:-1])
    right = B.unsqueeze(-1) if is_vector else B
    if not left:
        return linalg_solve(A.mT, right.mT).mT
    check_rows("linalg.solve", A, right)
    result = Solve.apply(A, right)
    return result.squeeze(-1) if is_vector else result


def check_rows(name: str, A: Tensor, B: Tensor) -> None:
    """RuntimeError unless A X = B makes sense: as many rows, and leading dimensions that broadcast."""
    a, b = A._array.shape, B._array.shape
    if len(b) < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if a[-1] != b[-2]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation AX = B ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )
    broadcast_shapes(a[:-2], b[:-2])


class SolveTriangular(Solve):
    """As :class:`Solve`, but dividing by a zero on the diagonal gives inf and nan instead of an error."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, upper: bool = False) -> np.ndarray:
        x = _by_halves(a, b, upper)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Tensor]:
        a, x = ctx.saved_tensors
        grad_b = SolveTriangular.apply(a.mT, grad, upper=not ctx.attributes["upper"])
        return -matmul(grad_b, x.mT) if ctx.needs_input_grad[0] else None, grad_b


#: Up to so many unknowns, LAPACK's general solver is quicker than two halves and a product.
FEW_UNKNOWNS = 48


def _by_halves(a: np.ndarray, b: np.ndarray, upper: bool) -> np.ndarray:
    """One half of the unknowns first, then the other, from whose equations that is taken away: NumPy has no solver for
    triangles, and this leaves most of the work to products.
    """
    n = a.shape[-1]
    if n <= FEW_UNKNOWNS:
        try:
            return np.linalg.solve(a, b)
        except np.linalg.LinAlgError:
            return _substitute(a, b)
    first, last = slice(0, n // 2), slice(n // 2, n)
    if upper:
        first, last = last, first
    known = _by_halves(a[..., first, first], b[..., first, :], upper)
    rest = _by_halves(a[..., last, last], b[..., last, :] - a[..., last, first] @ known, upper)
    return np.concatenate([rest, known] if upper else [known, rest], -2)


def _substitute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row: from the last upwards where the last is the one with a single unknown, else from the first down."""
    n = a.shape[-1]
    upper = not np.tril(a, -1).any()
    x = np.zeros(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + b.shape[-2:], b.dtype)
    for i in reversed(range(n)) if upper else range(n):
        known = (a[..., i, None, :] @ x)[..., 0, :]
        x[..., i, :] = (b[..., i, :] - known) / a[..., i, i, None]
    return x


@accepts_exact_out
def linalg_solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Tensor | None = None
) -> Tensor:
    """X with A X = B for a triangular A, of which only that triangle is read (``torch.linalg.solve_triangular``)."""
    if not left:
        return linalg_solve_triangular(input.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    B = cast(B, input._array.dtype)
    check_matrices("linalg.solve_triangular", input, B)
    check_rows("linalg.solve_triangular", input, B)
    shift = (1 if upper else -1) if unitriangular else 0
    triangle = triu(input, shift) if upper else tril(input, shift)
    if unitriangular:
        triangle = triangle + ops.eye(input._array.shape[-1], dtype=input.dtype)
    return SolveTriangular.apply(triangle, B, upper=upper)


@accepts_exact_out
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Any = None,
) -> Any:
    """PyTorch's older form of :func:`linalg_solve_triangular`: (X, a copy of A), with A X = input,
    or Aᵀ X = input."""
    for name, value in (("b", input), ("A", A)):
        if value._array.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has "
                f"{value._array.ndim} dimensions instead"
            )
    check_same_dtypes("torch.triangular_solve", input, A)
    matrix = A.mT if transpose else A
    solution = linalg_solve_triangular(matrix, input, upper=upper != transpose, unitriangular=unitriangular)
    return return_types.triangular_solve(solution, A.expand(*solution.shape[:-2], *A.shape[-2:]).clone())


@accepts_out
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """X with (L Lᴴ) X = input, given the Cholesky factor ``input2`` = L (or U with Uᴴ U = A)."""
    for name, value in (("b", input), ("u", input2)):
        if value._array.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {value._array.ndim} dimensions instead"
            )
    check_same_dtypes("cholesky_solve", input, input2)
    factor = input2.mH if upper else input2
    half = linalg_solve_triangular(factor, input, upper=False)
    return linalg_solve_triangular(factor.mH, half, upper=True)


@accepts_out
def cholesky_inverse(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """(L Lᴴ)⁻¹, given the Cholesky factor L."""
    check_square("cholesky_inverse", input)
    return cholesky_solve(ops.eye(input._array.shape[-1], dtype=input.dtype), input, upper)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
