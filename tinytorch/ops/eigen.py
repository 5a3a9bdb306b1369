"""Eigenvalues and eigenvectors: A V = V diag(l), and their derivatives.

A small change dA changes the eigenvalues by the diagonal of V⁻¹ dA V, and each eigenvector by the others, the more the
nearer their eigenvalues. Backward, with E_ij = l_j - l_i::

    ∂L/∂A = V⁻ᴴ (diag(grad_l) + (Vᴴ grad_V - Vᴴ V diag(Re Vᴴ grad_V)) / conj E) Vᴴ

(the quotient without its diagonal). What is subtracted keeps eigenvectors at length 1. Hermitian matrices have real
eigenvalues and V⁻¹ = Vᴴ, so all of that becomes simpler. Equal eigenvalues have no derivative of their vectors.
(Boeddeker et al. 2017, "On the computation of complex-valued gradients".)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.half import is_half
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.diagonal import diag_embed, diagonal
from tinytorch.ops.factorizations import check_phase
from tinytorch.ops.linalg import matmul
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.solve import check_matrices, decomposed, linalg_solve
from tinytorch.tensor import Tensor

__all__ = ["linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh"]


class Eigh(Primitive):
    """A = V diag(l) Vᴴ for Hermitian A: ∂L/∂A = V (diag(grad_l) + Vᴴ grad_V / E) Vᴴ."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, uplo: Any) -> Any:
        values, vectors = decomposed("linalg.eigh", np.linalg.eigh, a, uplo)
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Any:
        values, vectors = ctx.saved_tensors
        inner = None
        if grad_vectors is not None:
            inner = matmul(vectors.mH, grad_vectors)
            check_phase("linalg_eigh_backward", "eigenvectors", diagonal(inner, 0, -2, -1))
        core = _core(values, grad_values, inner)
        return None if core is None else matmul(matmul(vectors, core.to(vectors.dtype)), vectors.mH)


class Eig(Primitive):
    """Complex eigenvalues and eigenvectors (of length 1) of any square matrix."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray) -> Any:
        complex_type = np.result_type(a.dtype, np.complex64)
        values, vectors = (part.astype(complex_type, copy=False) for part in decomposed("linalg.eig", np.linalg.eig, a))
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Any:
        values, vectors = ctx.saved_tensors
        inner = None
        if grad_vectors is not None:
            inner = matmul(vectors.mH, grad_vectors)
            lengths = diagonal(inner, 0, -2, -1)
            check_phase("linalg_eig_backward", "eigenvectors", lengths)
            inner = inner - matmul(vectors.mH, vectors * lengths.real.unsqueeze(-2))
        core = _core(values.conj(), grad_values, inner)
        return None if core is None else linalg_solve(vectors.mH, matmul(core, vectors.mH))


def _core(values: Tensor, grad_values: Tensor | None, inner: Tensor | None) -> Tensor | None:
    """diag(grad_values) + inner / E, the quotient without its diagonal; None when there is neither."""
    core = None if grad_values is None else diag_embed(grad_values)
    if inner is None:
        return core
    one = ops.eye(values._array.shape[-1], dtype=values.dtype)
    quotient = inner * (1 - one) / (values.unsqueeze(-2) - values.unsqueeze(-1) + one)
    return quotient if core is None else core + quotient


@accepts_exact_out
def linalg_eigh(input: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """(eigenvalues, eigenvectors) of Hermitian matrices, ascending; only the named triangle is read
    (``torch.linalg.eigh``).
    """
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    check_matrices("linalg.eigh", input)
    return return_types.linalg_eigh(*Eigh.apply(input, uplo=UPLO.upper()))


@accepts_exact_out
def linalg_eigvalsh(input: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending."""
    return linalg_eigh(input, UPLO)[0]


@accepts_out
def linalg_eig(input: Tensor, *, out: Any = None) -> Any:
    """(eigenvalues, eigenvectors) of square matrices, complex, in no order (``torch.linalg.eig``).

    RuntimeError in backward where the loss depends on the phase of the eigenvectors, which is arbitrary.
    """
    check_matrices("linalg.eig", input)
    return return_types.linalg_eig(*Eig.apply(input))


@accepts_out
def linalg_eigvals(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex eigenvalues of square matrices, in no order."""
    if input.requires_grad:
        return linalg_eig(input)[0]  # the derivative needs the vectors
    check_matrices("linalg.eigvals", input)
    if is_half(input._array.dtype):
        raise not_implemented("linalg_eig_out_cpu", input)
    finite = np.isfinite(input._array).all((-2, -1))  # the others have no eigenvalues: nan, as in PyTorch
    known = input._array if finite.all() else np.where(finite[..., None, None], input._array, 0)
    values = decomposed("linalg.eigvals", np.linalg.eigvals, known)
    values = values.astype(np.result_type(input._array.dtype, np.complex64), copy=False)
    values[~finite] = complex(math.nan, math.nan)
    return Tensor._wrap(values)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
