"""How a gamma or Dirichlet draw moves with its parameter: implicit reparametrization, for arrays.

A draw x of parameter α is where the distribution function reaches some level: F(x; α) = u. Keeping u and moving α
gives ``dx/dα = -(∂F/∂α) / (∂F/∂x)``, the derivative that makes ``rsample`` differentiable (Figurnov et al. 2018). The
incomplete gamma and beta functions are power series whose terms can be differentiated one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.gamma import digamma

__all__ = ["beta_draw_gradient", "gamma_draw_gradient"]

_PRECISION = 1e-17


def gamma_draw_gradient(alpha: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """dx/dα of a Gamma(α, 1) draw.

    With p = x^(α-1) e^-x / Γ(α) the distribution function is ``p x Σ_n x^n / (α (α+1) ... (α+n))``; dividing by p
    leaves the sum S and its derivative by α: ``-x ((ln x - ψ(α)) S + S')``.
    """
    a, z = alpha.astype(np.float64), x.astype(np.float64)
    term = 1.0 / a
    slope = -term
    total, derivative = term.copy(), term * slope
    n = 0
    while (term > _PRECISION * total).any():
        n += 1
        term = term * (z / (a + n))
        slope = slope - 1.0 / (a + n)
        total += term
        derivative += term * slope
    return (-z * ((np.log(z) - digamma(a)) * total + derivative)).astype(x.dtype)


def beta_draw_gradient(a: NDArray[Any], b: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """dx/da of a Beta(a, b) draw.

    The distribution function is ``x^a (1-x)^b / B(a, b) Σ_n x^n (a+b) ... (a+b+n-1) / (a ... (a+n))``. Above the mean
    the series in 1 - x, for the other tail, is the one that converges fast.
    """
    p, q, z = (np.asarray(value, np.float64) for value in (a, b, x))
    below = z <= p / (p + q)
    lower = _tail_gradient(p, q, np.where(below, z, 0.5), by_first=True)
    upper = _tail_gradient(q, p, np.where(below, 0.5, 1.0 - z), by_first=False)
    return np.where(below, -lower, upper).astype(np.asarray(x).dtype)


def _tail_gradient(p: NDArray[Any], q: NDArray[Any], z: NDArray[Any], by_first: bool) -> NDArray[Any]:
    """(∂I_z(p, q)/∂p or ∂q) over the density at z. Of the factor before the sum the density leaves z (1 - z)."""
    term = 1.0 / p
    slope = -term if by_first else np.zeros_like(term)
    total, derivative = term.copy(), term * slope
    n = 0
    while (term > _PRECISION * total).any():
        term = term * (z * (p + q + n) / (p + n + 1))
        slope = slope + 1.0 / (p + q + n) - (1.0 / (p + n + 1) if by_first else 0.0)
        total += term
        derivative += term * slope
        n += 1
    if by_first:
        factor = np.log(z) - digamma(p) + digamma(p + q)
    else:
        factor = np.log1p(-z) - digamma(q) + digamma(p + q)
    return z * (1.0 - z) * (factor * total + derivative)
