"""Factorizations that report a failure in ``info`` instead of raising: for stacks of which some matrices may be bad.

Where ``info`` is not 0 the result is nan; the other matrices of the stack, and their gradients, are not touched by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.ops.compare import where
from tinytorch.ops.diagonal import tril, triu
from tinytorch.ops.factorizations import cholesky
from tinytorch.ops.lu import eliminate
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.solve import LinAlgError, inverse, linalg_solve
from tinytorch.tensor import Tensor

__all__ = ["linalg_cholesky_ex", "linalg_inv_ex", "linalg_solve_ex"]


def _reporting(
    function: Callable[[Tensor], Tensor], A: Tensor, find: Callable[[np.ndarray], np.ndarray], check_errors: bool
) -> tuple[Tensor, Tensor]:
    """(function(A), info). Bad matrices are exchanged for the identity before, and for nan afterwards."""
    try:
        return function(A), Tensor._wrap(np.zeros(A._array.shape[:-2], np.int32))
    except LinAlgError:
        if check_errors:
            raise
    info = np.asarray(find(A._array), np.int32)
    good = Tensor._wrap((info == 0)[..., None, None])
    result = function(where(good, A, ops.eye(A._array.shape[-1], dtype=A.dtype)))
    if result._array.ndim < good._array.ndim:
        good = good.squeeze(-1)
    return where(good, result, math.nan), Tensor._wrap(info)


@accepts_exact_out
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """(A⁻¹, info): a singular matrix raises only with ``check_errors`` (``torch.linalg.inv_ex``)."""
    return return_types.linalg_inv_ex(*_reporting(inverse, A, lambda a: eliminate(a)[2], check_errors))


@accepts_exact_out
def linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """(X, info) with A X = B: a singular matrix raises only with ``check_errors`` (``torch.linalg.solve_ex``)."""
    return return_types.linalg_solve_ex(
        *_reporting(lambda a: linalg_solve(a, B, left=left), A, lambda a: eliminate(a)[2], check_errors)
    )


@accepts_exact_out
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """(L, info) with L Lᴴ = A: a matrix that is not positive-definite raises only with ``check_errors``."""
    factor, info = _reporting(lambda a: cholesky(a, upper), input, _first_minor, check_errors)
    if info._array.any():  # nan fills one triangle
        factor = (triu if upper else tril)(factor)
    return return_types.linalg_cholesky_ex(factor, info)


def _first_minor(a: np.ndarray) -> np.ndarray:
    """The order of each matrix's first leading minor that is not positive-definite, or 0."""
    info = np.zeros(a.shape[:-2], np.int32)
    for place in np.ndindex(info.shape):
        for order in range(1, a.shape[-1] + 1):
            try:
                failed = not np.isfinite(np.linalg.cholesky(a[place][:order, :order])).all()
            except np.linalg.LinAlgError:
                failed = True
            if failed:
                info[place] = order
                break
    return info


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
