"""The gamma family for arrays: ln |Γ|, its derivative ψ (digamma), and ψ's derivatives (polygamma).

ψ and its derivatives have fast asymptotic series for large x. A small x is first carried to x + 10 by the recurrence
``ψ(x) = ψ(x + 1) - 1/x`` and its derivatives (Abramowitz and Stegun 1964, 6.3.5, 6.3.18, 6.4.6, 6.4.11).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.rng_normal import libm
from tinytorch.kernels.zeta import BERNOULLI, zeta

__all__ = ["digamma", "lgamma", "polygamma"]

_STEPS = 15
"""How far the recurrence carries; from there on the series is exact in double precision."""


def lgamma(x: NDArray[Any]) -> NDArray[Any]:
    """ln |Γ(x)|, from the C library; inf at 0 and the negative integers.

    >>> lgamma(np.array([1.0, 4.0, 0.0])).round(6)
    array([0.      , 1.791759,      inf])
    """
    wide = x.astype(np.float64)
    poles = (wide <= 0) & (wide == np.floor(wide))
    return np.where(poles, np.inf, libm(math.lgamma, np.where(poles, 1.0, wide))).astype(x.dtype)


def digamma(x: NDArray[Any]) -> NDArray[Any]:
    """ψ(x); ∓inf at ±0, nan at the negative integers. Below 0 by reflection: ψ(x) = ψ(1 - x) - π / tan(πx).

    >>> digamma(np.array([1.0, 0.5, -1.0])).round(6)
    array([-0.577216, -1.96351 ,       nan])
    """
    wide = x.astype(np.float64)
    negative = wide < 0
    value = _digamma_positive(np.where(negative, 1.0 - wide, np.where(wide == 0, 1.0, wide)))
    fraction = wide - np.trunc(wide)  # keeps tan exact for large x
    reflected = value - math.pi / np.tan(math.pi * np.where(negative, fraction, 0.5))
    value = np.where(negative, reflected, value)
    value = np.where(negative & (wide == np.floor(wide)), np.nan, value)
    return np.where(wide == 0, np.copysign(np.inf, -wide), value).astype(x.dtype)


def _digamma_positive(x: NDArray[np.float64]) -> NDArray[np.float64]:
    shift = np.zeros_like(x)
    for _ in range(_STEPS):
        small = x < _STEPS
        shift = shift + np.where(small, 1.0 / x, 0.0)
        x = np.where(small, x + 1.0, x)
    series = sum(b / (2 * k * x ** (2 * k)) for k, b in enumerate(BERNOULLI, 1))
    return np.log(x) - 0.5 / x - series - shift


def polygamma(n: int, x: NDArray[Any]) -> NDArray[Any]:
    """The n-th derivative of ψ, n >= 1: ``(-1)^(n+1) n! Σ_k 1 / (x + k)^(n+1)``.

    That sum is Hurwitz's zeta function.

    >>> polygamma(1, np.array([1.0])).round(6)
    array([1.644934])
    """
    value = (-1.0) ** (n + 1) * math.factorial(n) * zeta(np.asarray(n + 1.0), x.astype(np.float64))
    return value.astype(x.dtype)
