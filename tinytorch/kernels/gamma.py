"""The gamma family for arrays: ln |Γ|, its derivative ψ (digamma), and ψ's derivatives (polygamma).

All have fast asymptotic series for large z (Stirling's and its derivatives; Abramowitz and Stegun 1964, 6.1.40, 6.3.18,
6.4.12), with Bernoulli's numbers. Eight terms from z = 8 on are exact in float64. So every x > 0, large or small, is
carried to z = x + 8 by the recurrences, all eight steps at once and without a condition:

- ``ln Γ(x) = ln Γ(z) - ln P(x)`` with ``P(x) = x (x + 1) ... (x + 7)``;
- ``ψ(x) = ψ(z) - P'(x) / P(x)``, ``ψ'(x) = ψ'(z) - (P'(x) / P(x))'``.

The factors of P are taken in pairs from both ends, ``(x + a) (x + 7 - a) = q + a (7 - a)`` with ``q = x (x + 7)``,
which halves the work. Negative x come by reflection (6.1.17, 6.3.7, 6.4.7). Everything is computed in float64, piece by
piece in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.elementwise import in_pieces
from tinytorch.kernels.rng_normal import libm
from tinytorch.kernels.zeta import BERNOULLI, zeta

__all__ = ["digamma", "lgamma", "polygamma"]

_PIECE = 1 << 13
_PAIRS = (0.0, 6.0, 10.0, 12.0)  # a (7 - a) for a = 0, 1, 2, 3
_LARGEST = 2.55e305  # ln Γ of more is infinite
_HUGE = 1e30  # from here on P(x) matters no more, and would overflow
_TERMS = tuple(enumerate(BERNOULLI[:8], 1))

Wide = NDArray[np.float64]


def lgamma(x: NDArray[Any]) -> NDArray[Any]:
    """ln |Γ(x)|; inf at 0 and the negative integers. Of float64 numbers from the C library, to the last bit.

    >>> lgamma(np.array([1.0, 4.0, 0.0])).round(6)
    array([0.      , 1.791759,      inf])
    """
    if x.dtype == np.float64:
        infinite = (x <= 0) & (x == np.floor(x)) | (x > _LARGEST)
        return np.where(infinite, np.inf, libm(math.lgamma, np.where(infinite, 1.0, x)))
    return _in_pieces(_lgamma_positive, _lgamma_reflected, x)


def digamma(x: NDArray[Any]) -> NDArray[Any]:
    """ψ(x); ∓inf at ±0, nan at the negative integers.

    >>> digamma(np.array([1.0, 0.5, -1.0])).round(6)
    array([-0.577216, -1.96351 ,       nan])
    """
    return _in_pieces(_digamma_positive, _digamma_reflected, x)


def polygamma(n: int, x: NDArray[Any]) -> NDArray[Any]:
    """The n-th derivative of ψ, n >= 1: ``(-1)^(n+1) n! Σ_k 1 / (x + k)^(n+1)``.

    That sum is Hurwitz's zeta function.

    >>> polygamma(1, np.array([1.0])).round(6)
    array([1.644934])
    """
    if n == 1:
        return _in_pieces(_trigamma_positive, _trigamma_reflected, x)
    value = (-1.0) ** (n + 1) * math.factorial(n) * zeta(np.asarray(n + 1.0), x.astype(np.float64))
    return value.astype(x.dtype)


def _in_pieces(positive: Callable[[Wide], Wide], reflected: Callable[[Wide, Wide], Wide], x: NDArray[Any]) -> Any:
    """positive(x); for x < 0 reflected(x, positive(1 - x))."""

    def formula(x: NDArray[Any], out: NDArray[Any]) -> None:
        wide = x.astype(np.float64)
        negative = np.flatnonzero(wide < 0)
        places = wide[negative]
        wide[negative] = 1.0 - places
        value = positive(wide)
        if negative.size:
            value[negative] = reflected(places, value[negative])
        out[...] = value

    with np.errstate(all="ignore"):
        return in_pieces(formula, np.ascontiguousarray(x).reshape(-1), piece=_PIECE).reshape(x.shape)


# -------------------------------------------------------------------------------------------------- x > 0


def _lgamma_positive(x: Wide) -> Wide:
    z = x + 8.0
    value = np.log(z)
    value -= 1.0
    z -= 0.5
    value *= z
    z += 0.5
    np.reciprocal(z, out=z)
    value += z * _series(z * z, [b / (2 * k * (2 * k - 1)) for k, b in _TERMS])
    value += (math.log(2 * math.pi) - 1) / 2
    x = np.minimum(x, _HUGE)
    q = x * (x + 7.0)
    product = q.copy()
    for pair in _PAIRS[1:]:
        product *= q + pair
    value -= np.log(product, out=product)
    value *= np.abs(value) > 1e-13  # exactly 0 at 1 and 2; the float32 numbers beside them give 1e-8
    return value


def _digamma_positive(x: Wide) -> Wide:
    z = x + 8.0
    value = np.log(z)
    np.reciprocal(z, out=z)
    value -= 0.5 * z
    z *= z
    value -= z * _series(z, [b / (2 * k) for k, b in _TERMS])
    # P'(x) / P(x) = q'(x) (1/q + 1/(q + 6) + 1/(q + 10) + 1/(q + 12)), as one fraction
    x = np.minimum(x, _HUGE)
    q = x * (x + 7.0)
    first, second = q * (q + 6.0), (q + 10.0) * (q + 12.0)
    slope = (q + 3.0) * second
    slope += (q + 11.0) * first
    first *= second
    slope /= first
    x += 3.5
    slope *= x
    slope *= 4.0
    value -= slope
    return value


def _trigamma_positive(x: Wide) -> Wide:
    z = np.reciprocal(x + 8.0)
    square = z * z
    value = _series(square, [b for _, b in _TERMS])
    value *= z
    value += 0.5
    value *= square
    value += z
    # 1/(x + a)^2 + 1/(x + 7 - a)^2 = ((2 x + 7)^2 - 2 r) / r^2 with r = q + a (7 - a)
    x = np.minimum(x, _HUGE)
    q = x * (x + 7.0)
    x += 3.5
    x *= x
    x *= 4.0
    for pair in _PAIRS:
        inverse = np.reciprocal(q + pair)
        term = x * inverse
        term -= 2.0
        term *= inverse
        value += term
    return value


def _series(x: Wide, coefficients: list[float]) -> Wide:
    """coefficients[0] + coefficients[1] x + ..., by Horner's rule."""
    value = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= x
    value += coefficients[0]
    return value


# -------------------------------------------------------------------------------------------------- x < 0


def _lgamma_reflected(x: Wide, other: Wide) -> Wide:
    value = math.log(math.pi) - np.log(np.abs(_sine(x))) - other
    return np.where(np.isinf(x), np.inf, value)


def _digamma_reflected(x: Wide, other: Wide) -> Wide:
    return np.where(x == np.floor(x), np.nan, other - math.pi / np.tan(math.pi * (x - np.trunc(x))))


def _trigamma_reflected(x: Wide, other: Wide) -> Wide:
    return (math.pi / _sine(x)) ** 2 - other


def _sine(x: Wide) -> Wide:
    """sin(πx) up to its sign, exact for large x."""
    return np.sin(math.pi * (x - np.rint(x)))
