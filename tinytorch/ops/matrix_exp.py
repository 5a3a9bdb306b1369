"""The exponential of a matrix, by scaling and squaring: exp(A) = exp(A / 2ˢ)^(2ˢ), the inner one from its series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.compare import where
from tinytorch.ops.half import rounded_once
from tinytorch.ops.linalg import matmul
from tinytorch.ops.solve import check_matrices
from tinytorch.tensor import Tensor

__all__ = ["matrix_exp"]

#: Up to this column sum the series to the 19th power is exact to rounding.
_RADIUS = {"float64": 1.09, "complex128": 1.09}
_RADIUS_SINGLE = 3.01


@checks_arguments
@rounded_once
def matrix_exp(input: Tensor) -> Tensor:
    """exp(A) = Σ Aᵏ / k!, of square matrices (..., n, n); each matrix of a stack is scaled by its own size."""
    check_matrices("linalg.matrix_exp", input)
    sums = np.abs(input._array).sum(axis=-2, dtype=np.float64).max(axis=-1, initial=0.0)
    radius = _RADIUS.get(input._array.dtype.name, _RADIUS_SINGLE)
    finite = np.isfinite(sums)
    squarings = np.ceil(np.log2(np.maximum(np.where(finite, sums, 0.0) / radius, 1.0)))[..., None, None]
    factors = np.where(finite[..., None, None], 0.5**squarings, np.nan)  # e to the infinite is nan
    scaled = input * Tensor._wrap(factors.astype(input._array.dtype))
    result = _series(scaled)
    for done in range(int(squarings.max(initial=0.0))):
        squared = matmul(result, result)
        unfinished = squarings > done
        result = squared if unfinished.all() else where(Tensor._wrap(unfinished), squared, result)
    return result


def _series(x: Tensor) -> Tensor:
    """Σ xᵏ / k! for k < 20 in seven products: ``B₀ + x⁵ (B₁ + x⁵ (B₂ + x⁵ B₃))``, with polynomials B of degree 4
    (Paterson and Stockmeyer 1973).
    """
    powers: list[Any] = [ops.eye(x._array.shape[-1], dtype=x.dtype), x]
    for k in range(2, 6):
        powers.append(matmul(powers[k // 2], powers[k - k // 2]))
    result: Any = None
    for first in (15, 10, 5, 0):
        block = powers[0] * (1.0 / math.factorial(first))
        for k in range(1, 5):
            block = block + powers[k] * (1.0 / math.factorial(first + k))
        result = block if result is None else block + matmul(powers[5], result)
    return result


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
