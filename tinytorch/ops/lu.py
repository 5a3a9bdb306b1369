"""LU: A = P L U, Gaussian elimination written down. L keeps the factors by which rows were subtracted, U what is left,
the permutation P which rows were exchanged (each time the largest element of a column is brought to the diagonal).

``LU`` in one matrix: U on and above the diagonal, L below it (its diagonal of ones is not stored). ``pivots[j]``: the
row, counted from 1, with which row j was exchanged in step j.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.dtypes import FLOATS
from tinytorch.ops.checks import check_same_dtypes
from tinytorch.ops.diagonal import tril, triu
from tinytorch.ops.joining import cat
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.solve import check_matrices, check_rows, linalg_solve_triangular
from tinytorch.tensor import Tensor

__all__ = ["eliminate", "linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_lu_solve", "lu", "lu_solve",
           "lu_unpack"]  # fmt: skip

_PANEL = 32  # columns eliminated one by one before the rest of the matrix follows in one product


def eliminate(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(LU, pivots, info) of stacks of matrices, panel by panel: ``A22 ← A22 - L21 (L11⁻¹ A12)``."""
    rows, columns = a.shape[-2:]
    count = min(rows, columns)
    stack = a.reshape(math.prod(a.shape[:-2]), rows, columns).copy()
    pivots = np.zeros((len(stack), count), np.int32)
    for start in range(0, count, _PANEL):
        stop = min(start + _PANEL, count)
        for j in range(start, stop):
            _eliminate_column(stack, pivots, j, stop)
        lower = np.tril(stack[:, start:stop, start:stop], -1) + np.eye(stop - start, dtype=a.dtype)
        stack[:, start:stop, stop:] = np.linalg.solve(lower, stack[:, start:stop, stop:])
        stack[:, stop:, stop:] -= stack[:, stop:, start:stop] @ stack[:, start:stop, stop:]
    zero = stack.diagonal(axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if count else np.zeros(len(stack))
    leading = a.shape[:-2]
    return stack.reshape(a.shape), pivots.reshape(*leading, count), info.astype(np.int32).reshape(leading)


def _eliminate_column(stack: np.ndarray, pivots: np.ndarray, j: int, stop: int) -> None:
    """Bring the largest element of column j to the diagonal, and subtract its row from those below, up to ``stop``."""
    column = stack[:, j:, j]
    size = abs(column) if column.dtype.kind in FLOATS else abs(column.real) + abs(column.imag)
    largest = j + size.argmax(-1)
    pivots[:, j] = largest + 1
    matrix = np.arange(len(stack))
    moved = stack[matrix, largest]
    stack[matrix, largest] = stack[:, j]
    stack[:, j] = moved
    pivot = stack[:, j, j, None]
    stack[:, j + 1 :, j] /= np.where(pivot == 0, 1, pivot)  # below a zero pivot there are only zeros
    stack[:, j + 1 :, j + 1 : stop] -= stack[:, j + 1 :, j, None] * stack[:, j, None, j + 1 : stop]


def _check_range(name: str, pivots: np.ndarray, rows: int) -> None:
    if pivots.size and not 1 <= pivots.min() <= pivots.max() <= rows:
        raise RuntimeError(
            f"pivots passed to {name} must be between 1 and LU.size(-2) = {rows} inclusive. Did you properly pass the "
            "result of lu_factor?"
        )


def _permutation(pivots: np.ndarray, rows: int, dtype: Any) -> Tensor:
    """The matrices P that undo the exchanges: column i has its one where the i-th row of L U belongs in A."""
    exchanges = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    order = np.tile(np.arange(rows), (len(exchanges), 1))
    matrix = np.arange(len(exchanges))
    for j in range(pivots.shape[-1]):
        other = exchanges[:, j] - 1
        order[:, j], order[matrix, other] = order[matrix, other], order[:, j].copy()
    ones = np.zeros((len(exchanges), rows, rows), dtype)
    ones[matrix[:, None], order, np.arange(rows)] = 1
    return Tensor._wrap(ones.reshape(*pivots.shape[:-1], rows, rows))


class LUFactor(Primitive):
    """(LU, pivots, info). For square A the gradient is ``P L⁻ᵀ (tril(Lᵀ gL, -1) + triu(gU Uᵀ)) U⁻ᵀ``.

    What stands right of the square part (U2 = L⁻¹ A2) or below it (L2 = A2 U⁻¹) is a triangular system, whose gradient
    comes first.
    """

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        packed, pivots, info = eliminate(a)
        ctx.save_for_backward(packed)
        ctx.save_intermediates(pivots)
        ctx.mark_non_differentiable(pivots, info)
        return packed, pivots, info

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> Tensor:
        (packed,), (pivots,) = ctx.saved_tensors, ctx.intermediates
        rows, columns = packed._array.shape[-2:]
        k = min(rows, columns)
        square = packed[..., :k, :k]
        lower, upper = square.mT, triu(square).mT  # of L only what is below the diagonal will be read
        grad_l = grad_u = grad[..., :k, :k]
        below = right = None
        if rows > k:
            below = linalg_solve_triangular(upper, grad[..., k:, :], upper=False, left=False)
            grad_u = grad_u - matmul(packed[..., k:, :].mT, below)
        if columns > k:
            right = linalg_solve_triangular(lower, grad[..., k:], upper=True, unitriangular=True)
            grad_l = grad_l - matmul(right, packed[..., k:].mT)
        one = ops.eye(k, dtype=packed.dtype)
        core = tril(matmul(triu(lower, 1) + one, grad_l), -1) + triu(matmul(grad_u, upper))
        core = linalg_solve_triangular(lower, core, upper=True, unitriangular=True)
        whole = linalg_solve_triangular(upper, core, upper=False, left=False)
        whole = whole if below is None else cat([whole, below], -2)
        whole = whole if right is None else cat([whole, right], -1)
        return matmul(_permutation(pivots, rows, packed._array.dtype), whole)


def _check_pivot(name: str, pivot: bool) -> None:
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")


@accepts_exact_out
def linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """(LU, pivots, info): as :func:`linalg_lu_factor`, but a zero on U's diagonal is reported in ``info``."""
    check_matrices("torch.linalg.lu_factor_ex", A, square=False)
    _check_pivot("linalg.lu_factor", pivot)
    factors = return_types.linalg_lu_factor_ex(*LUFactor.apply(A))
    relying_on(factors.LU, factors.pivots)
    if check_errors:
        _check_info("torch.linalg.lu_factor_ex", factors.info)
    return factors


def _check_info(name: str, info: Tensor) -> None:
    bad = np.argwhere(info._array)
    if len(bad):
        step = info._array[tuple(bad[0])]
        which = f" (Batch element {int(np.flatnonzero(info._array)[0])}):" if info._array.ndim else ""
        raise RuntimeError(
            f"{name}:{which} U[{step},{step}] is zero and using it on lu_solve would result in a division by zero. "
            "If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )


@accepts_exact_out
def linalg_lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(LU, pivots) of matrices (..., m, n), see the module's text (``torch.linalg.lu_factor``).

    Raises RuntimeError where U has a zero on its diagonal.
    """
    packed, pivots, info = linalg_lu_factor_ex(A, pivot=pivot)
    _check_info("torch.linalg.lu_factor", info)
    return return_types.linalg_lu_factor(packed, pivots)


@accepts_exact_out
def linalg_lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(P, L, U) with A = P L U: a permutation, a lower and an upper triangular matrix (``torch.linalg.lu``)."""
    packed, pivots, _ = linalg_lu_factor_ex(A, pivot=pivot)
    return return_types.linalg_lu(*lu_unpack(packed, pivots))


@accepts_exact_out
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """(P, L, U) from the packed form of :func:`linalg_lu_factor`; what is not asked for is an empty tensor."""
    if unpack_pivots and LU_pivots._array.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. Note: this "
            "function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    if LU_data._array.ndim < 2:
        raise RuntimeError(
            f"torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: {list(LU_data.shape)} instead"
        )
    *leading, rows, columns = LU_data._array.shape
    k = min(rows, columns)
    nothing = Tensor._wrap(np.zeros(0, LU_data._array.dtype))
    p, lower, upper = nothing, nothing, nothing
    if unpack_data:
        lower = tril(LU_data[..., :k], -1) + ops.eye(rows, k, dtype=LU_data.dtype)
        upper = triu(LU_data[..., :k, :])
    if unpack_pivots:
        pivots = LU_pivots._array
        if LU_data._array.size:
            _check_range("lu_unpack", pivots, rows)
            if pivots.shape[-1:] != (k,) or pivots.ndim > len(leading) + 1:
                raise RuntimeError(
                    f"lu_unpack: {LU_data.shape} needs {k} pivots for each matrix, got {list(pivots.shape)}"
                )
            pivots = np.broadcast_to(pivots, (*leading, k))
        else:
            pivots = np.zeros((*leading, 0), np.int32)
        p = _permutation(pivots, rows, LU_data._array.dtype)
    return return_types.lu_unpack(p, lower, upper)


@accepts_exact_out
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False, out: Tensor | None = None
) -> Tensor:
    """X with A X = B (``left=False``: X A = B; ``adjoint``: Aᴴ for A), given A's LU (``torch.linalg.lu_solve``)."""
    if not left:
        return linalg_lu_solve(LU, pivots, B.mH, adjoint=not adjoint).mH.contiguous()
    check_matrices("torch.linalg.lu_solve", LU, B)
    if B._array.ndim < 2:
        raise RuntimeError("linalg.lu_solve: The input tensor B must have at least 2 dimensions.")
    check_rows("linalg.lu_solve", LU, B)
    check_same_dtypes("linalg.lu_solve", LU, B)
    if pivots._array.dtype != np.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    if pivots.size(-1) != LU._array.shape[-1] or pivots._array.shape != LU._array.shape[:-1]:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    _check_range("lu_solve", pivots._array, LU._array.shape[-1])
    p = _permutation(pivots._array, LU._array.shape[-1], B._array.dtype)
    if adjoint:
        half = linalg_solve_triangular(LU.mH, B, upper=False)
        return matmul(p, linalg_solve_triangular(LU.mH, half, upper=True, unitriangular=True))
    half = linalg_solve_triangular(LU, matmul(p.mT, B), upper=False, unitriangular=True)
    return linalg_solve_triangular(LU, half, upper=True)


@accepts_out
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, *, out: Any = None) -> Any:
    """PyTorch's older name: (LU, pivots), and info with ``get_infos``."""
    factors = linalg_lu_factor_ex(A, pivot=pivot)
    return tuple(factors) if get_infos else tuple(factors)[:2]


@accepts_exact_out
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None) -> Tensor:
    """X with A X = input, given A's LU: PyTorch's older order of arguments."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
