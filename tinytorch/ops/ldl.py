"""LDL: a symmetric matrix, positive-definite or not, as A = P L D Lᵀ Pᵀ with blocks of one and two in D.

Cholesky's method without roots divides by the diagonal, and stops where that is 0 although other elements are not: in
[[0, 1], [1, 0]]. Then a block of two rows is eliminated at once. Bunch and Kaufman (1977) say when: their constant
α = (1 + √17) / 8 bounds the growth of either step alike. ``LD`` and ``pivots`` have LAPACK's form (sytrf, lower): D on
the diagonal and beside it, L below; ``pivots[k] = p`` exchanged row k with p - 1, and two equal negative ones mark a
block of two, whose second row was exchanged. PyTorch has no derivative for these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.checks import check_dims
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.solve import LinAlgError, check_matrices, check_rows
from tinytorch.tensor import Tensor

__all__ = ["linalg_ldl_factor", "linalg_ldl_factor_ex", "linalg_ldl_solve"]

_ALPHA = (1 + math.sqrt(17)) / 8


def _size(x: Any) -> Any:
    return abs(x.real) + abs(x.imag) if np.iscomplexobj(x) else abs(x)


def _factor(a: np.ndarray, hermitian: bool) -> tuple[np.ndarray, int]:
    """Factor one matrix in place (its lower triangle); returns the pivots and info."""
    n = len(a)
    pivots, info, k = np.zeros(n, np.int32), 0, 0
    while k < n:
        step, other = _choose(a, k)
        if step == 0:
            info, step, other = info or k + 1, 1, k
            pivots[k] = k + 1
            k += 1
            continue
        row = k + step - 1
        if other != row:
            _exchange(a, k, row, other, step, hermitian)
        if hermitian:
            for i in range(k, k + step):
                a[i, i] = a[i, i].real
        _eliminate(a, k, step, hermitian)
        pivots[k : k + step] = other + 1 if step == 1 else -(other + 1)
        k += step
    return pivots, info


def _choose(a: np.ndarray, k: int) -> tuple[int, int]:
    """(size of the next block, the row to exchange for its last); size 0 where the whole column is zero."""
    diagonal = _size(a[k, k])
    if k + 1 == len(a):
        return (1, k) if diagonal else (0, k)
    largest = k + 1 + int(_size(a[k + 1 :, k]).argmax())
    size = _size(a[largest, k])
    if max(diagonal, size) == 0:
        return 0, k
    if diagonal >= _ALPHA * size:
        return 1, k
    others = max(_size(a[largest, k:largest]).max(initial=0), _size(a[largest + 1 :, largest]).max(initial=0))
    if diagonal >= _ALPHA * size * (size / others):
        return 1, k
    if _size(a[largest, largest]) >= _ALPHA * others:
        return 1, largest
    return 2, largest


def _exchange(a: np.ndarray, k: int, row: int, other: int, step: int, hermitian: bool) -> None:
    """Exchange two rows and columns of what is left, of which only the lower triangle exists."""
    below = a[other + 1 :, [row, other]].copy()
    a[other + 1 :, row], a[other + 1 :, other] = below[:, 1], below[:, 0]
    between = a[row + 1 : other, row].copy()
    across = a[other, row + 1 : other].copy()
    a[row + 1 : other, row] = across.conj() if hermitian else across
    a[other, row + 1 : other] = between.conj() if hermitian else between
    if hermitian:
        a[other, row] = a[other, row].conj()
    a[row, row], a[other, other] = a[other, other], a[row, row]
    if step == 2:
        a[row, k], a[other, k] = a[other, k], a[row, k]


def _eliminate(a: np.ndarray, k: int, step: int, hermitian: bool) -> None:
    """Subtract the block's share from what is left: L = A21 D⁻¹, A22 ← A22 - L D Lᵀ."""
    block = np.tril(a[k : k + step, k : k + step])
    mirrored = np.tril(block, -1)
    block = block + (mirrored.conj().T if hermitian else mirrored.T)
    column = a[k + step :, k : k + step]
    factor = np.linalg.solve(block.T, column.T).T
    change = factor @ (column.conj().T if hermitian else column.T)
    rest = a[k + step :, k + step :]
    rest -= np.tril(change)
    a[k + step :, k : k + step] = factor


class LDLFactor(Primitive):
    """(LD, pivots, info) of stacks of matrices. Forward only."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, hermitian: bool) -> Any:
        packed = np.tril(a)
        pivots, info = np.zeros(packed.shape[:-1], np.int32), np.zeros(packed.shape[:-2], np.int32)
        for place in np.ndindex(info.shape):
            pivots[place], info[place] = _factor(packed[place], hermitian and packed.dtype.kind == "c")
        ctx.mark_non_differentiable(pivots, info)
        return packed, pivots, info

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError(
            "the derivative for 'linalg_ldl_factor_ex' is not implemented. Use linalg.lu_factor or linalg.solve, which "
            "have one, or detach() the input."
        )


@accepts_exact_out
def linalg_ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """(LD, pivots, info) of symmetric (``hermitian``: Hermitian) matrices, see the module's text."""
    check_matrices("torch.linalg.ldl_factor_ex", input)
    factors = return_types.linalg_ldl_factor_ex(*LDLFactor.apply(input, hermitian=hermitian))
    info = factors.info._array
    if check_errors and info.any():
        step = info[info != 0].flat[0]
        raise LinAlgError(
            f"torch.linalg.ldl_factor_ex: The matrix is singular: D[{step},{step}] is zero and using it with "
            "linalg.ldl_solve would divide by zero."
        )
    return factors


@accepts_exact_out
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """(LD, pivots) of symmetric matrices; LinAlgError for a singular one (``torch.linalg.ldl_factor``)."""
    if np.isnan(input._array).any():
        raise RuntimeError("torch.linalg.ldl_factor: the matrices hold nan")
    packed, pivots, _ = linalg_ldl_factor_ex(input, hermitian=hermitian, check_errors=True)
    return return_types.linalg_ldl_factor(packed, pivots)


@accepts_exact_out
def linalg_ldl_solve(
    LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Tensor | None = None
) -> Tensor:
    """X with A X = B, given A's LDL (``torch.linalg.ldl_solve``). Differentiable in B."""
    check_matrices("torch.linalg.ldl_solve", LD, B)
    check_dims(B, -2)
    check_rows("torch.linalg.ldl_solve", LD, B)
    if pivots._array.shape != LD._array.shape[:-1]:
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)}"
        )
    if pivots._array.dtype.kind not in "iu":
        raise RuntimeError(f"torch.linalg.ldl_solve: Expected pivots to be integers. Got {pivots.dtype}")
    if LD.requires_grad:
        raise NotImplementedError(
            "linalg.ldl_solve is not differentiable in LD; detach() it, or use linalg.solve, which is."
        )
    conjugate = hermitian and LD._array.dtype.kind == "c"
    inverses = np.zeros_like(LD._array)
    for place in np.ndindex(LD._array.shape[:-2]):
        inverses[place] = _inverse(LD._array[place], pivots._array[place], conjugate)
    return matmul(Tensor._wrap(inverses), B)


def _inverse(packed: np.ndarray, pivots: np.ndarray, conjugate: bool) -> np.ndarray:
    """A⁻¹ of one factored matrix. M = ... L₂⁻¹ P₂ L₁⁻¹ P₁ turns A into D, so A⁻¹ = Mᵀ D⁻¹ M."""
    n = len(packed)
    transform, middle, k = np.eye(n, dtype=packed.dtype), np.zeros_like(packed), 0
    while k < n:
        step = 1 if pivots[k] > 0 else 2
        row, other = k + step - 1, abs(int(pivots[k])) - 1
        transform[[row, other]] = transform[[other, row]]
        transform[k + step :] -= packed[k + step :, k : k + step] @ transform[k : k + step]
        block = np.tril(packed[k : k + step, k : k + step])
        mirrored = np.tril(block, -1)
        middle[k : k + step, k : k + step] = block + (mirrored.conj().T if conjugate else mirrored.T)
        k += step
    turned = transform.conj().T if conjugate else transform.T
    try:
        return turned @ np.linalg.solve(middle, transform)
    except np.linalg.LinAlgError:  # singular: PyTorch divides by 0
        return np.full_like(packed, np.nan)
