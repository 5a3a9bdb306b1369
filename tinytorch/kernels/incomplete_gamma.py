"""The regularized incomplete gamma functions P(a, x) = 1/Γ(a) ∫_0^x t^(a-1) e^-t dt and Q = 1 - P, for arrays.

Three methods, each where it converges fast (Gautschi 1979; Temme 1979; DLMF 8.7.1, 8.9.2, 8.12.3):

- x below a: the power series of P, whose terms all have one sign;
- x above a: Legendre's continued fraction for Q, by Lentz's algorithm;
- large a and x near a, where both take many steps: Temme's uniform expansion about the normal distribution, whose
  coefficients are computed here from their recurrences, in exact fractions.

Each gives P or Q directly; the other is one minus that, and the small one of the two is never found by subtraction.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.gamma import lgamma
from tinytorch.kernels.rng_normal import libm

__all__ = ["gammainc", "gammaincc"]

Float64s = NDArray[np.float64]

_LARGE = 30.0
"""From this ``a`` on Temme's expansion serves for x within 40 % of a."""

_ORDERS, _DEGREE = 11, 34
"""Terms in 1/a, and in the distance η."""

_MOST_STEPS = 2000


def gammainc(a: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """P(a, x), from 0 at x = 0 to 1; nan for negative arguments.

    >>> gammainc(np.array([1.0, 4.0]), np.array([1.0, 5.0])).round(6)
    array([0.632121, 0.734974])
    """
    return _both(a, x)[0]


def gammaincc(a: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Q(a, x) = 1 - P(a, x), exact where that would cancel.

    >>> gammaincc(np.array([1.0, 4.0]), np.array([1.0, 500.0]))
    array([3.67879441e-001, 1.49322817e-210])
    """
    return _both(a, x)[1]


def _both(a: NDArray[Any], x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    kind = np.result_type(a, x)
    wide_a, wide_x = np.broadcast_arrays(a.astype(np.float64), x.astype(np.float64))
    lower, upper = np.full(wide_a.shape, np.nan), np.full(wide_a.shape, np.nan)
    regular = (wide_a > 0) & (wide_x > 0) & np.isfinite(wide_a) & np.isfinite(wide_x)
    near = regular & (wide_a >= _LARGE) & (np.abs(wide_x - wide_a) < 0.4 * wide_a)
    below = regular & ~near & (wide_x < np.maximum(wide_a, 1.0))
    for where, method in ((near, _uniform), (below, _series), (regular & ~near & ~below, _fraction)):
        if where.any():
            lower[where], upper[where] = method(wide_a[where], wide_x[where])
    ones = (wide_a >= 0) & (wide_x >= 0) & ~regular & ~np.isnan(wide_a + wide_x)
    lower_is_one = (wide_x > 0) & ((wide_a == 0) | np.isinf(wide_x)) & ~np.isinf(wide_a)
    defined = ones & ~((wide_a == 0) & (wide_x == 0)) & ~(np.isinf(wide_a) & np.isinf(wide_x))
    lower[defined], upper[defined] = lower_is_one[defined], ~lower_is_one[defined]
    return lower.astype(kind), upper.astype(kind)


def _front(a: Float64s, x: Float64s) -> Float64s:
    """``x^a e^-x / Γ(a + 1)``. For large a by Stirling's formula, lest numbers of size a ln a cancel."""
    small = np.where(a < 20, a, 1.0)
    direct = np.exp(small * np.log(x) - x - lgamma(small + 1))
    large = np.maximum(a, 20.0)
    relative = (x - large) / large
    exponent = large * np.where(np.abs(relative) < 0.5, np.log1p(np.maximum(relative, -0.9)) - relative,
                                np.log(x / large) - relative)  # fmt: skip
    inverse = 1 / (large * large)
    stirling = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / large
    return np.where(a < 20, direct, np.exp(exponent - stirling) / np.sqrt(2 * math.pi * large))


def _series(a: Float64s, x: Float64s) -> tuple[Float64s, Float64s]:
    """P = x^a e^-x / Γ(a+1) · (1 + x/(a+1) + x²/((a+1)(a+2)) + ...)."""
    total = term = np.ones_like(x)
    for k in range(1, _MOST_STEPS):
        term = term * x / (a + k)
        total = total + term
        if (term <= 1e-17 * total).all():
            break
    lower = _front(a, x) * total
    return lower, _complement_of_series(a, x, lower)


def _complement_of_series(a: Float64s, x: Float64s, lower: Float64s) -> Float64s:
    """1 - P, which for x < 1 and small a is small itself: then 1 - x^a/Γ(a+1) + x^a/Γ(a+1) · (what the series adds)."""
    upper = 1.0 - lower
    small = (x < 1.0) & (lower > 0.5)
    if small.any():
        a, x = a[small], x[small]
        log_first = a * np.log(x) - libm(math.lgamma, a + 1)
        term, total = np.ones_like(x), np.zeros_like(x)
        for k in range(1, 25):  # Σ (-x)^k a / (k! (a + k)), alternating and short for x < 1
            term = term * -x / k
            total = total + term / (a + k)
        upper[small] = -np.expm1(log_first) - np.exp(log_first) * a * total
    return upper


def _fraction(a: Float64s, x: Float64s) -> tuple[Float64s, Float64s]:
    """Q = x^a e^-x / Γ(a) / (x + 1 - a - 1(1-a) / (x + 3 - a - 2(2-a) / (x + 5 - a - ...)))."""
    b = x + 1.0 - a
    c = np.full_like(x, 1e300)
    d = 1.0 / np.where(b == 0, 1e-300, b)
    value = d
    for k in range(1, _MOST_STEPS):
        numerator = -k * (k - a)
        b = b + 2.0
        d = numerator * d + b
        d = 1.0 / np.where(d == 0, 1e-300, d)
        c = b + numerator / c
        c = np.where(c == 0, 1e-300, c)
        value = value * (d * c)
        if (np.abs(d * c - 1.0) < 1e-16).all():
            break
    upper = _front(a, x) * a * value
    return 1.0 - upper, upper


# ----------------------------------------------------------------------------------------- Temme's expansion


@functools.cache
def _temme() -> NDArray[np.float64]:
    """d[k, n], the coefficients of a^-k η^n (DLMF 8.12.8 to 8.12.12).

    λ = x/a as a series in η, where η²/2 = λ - 1 - ln λ, has λ'(λ - 1) = ηλ: that determines its coefficients α one
    after the other, and they determine the rest.
    """
    count = _DEGREE + 2 * _ORDERS + 3
    alpha = [Fraction(0), Fraction(1)]
    for n in range(2, count):
        crossed = sum((j * alpha[j] * alpha[n + 1 - j] for j in range(2, n)), Fraction(0))
        alpha.append((alpha[n - 1] - crossed) / (n + 1))
    first = [Fraction(-1, 3)] + [(n + 2) * alpha[n + 2] for n in range(1, count - 2)]
    rows, factor = [first], Fraction(1)
    for k in range(1, _ORDERS):
        factor *= -(2 * k + 1)
        stirling = factor * alpha[2 * k + 1]  # (-1)^k times the k-th coefficient of Stirling's series for Γ
        before = rows[-1]
        rows.append([stirling * first[n] + (n + 2) * before[n + 2] for n in range(len(before) - 2)])
    return np.array([[float(value) for value in row[:_DEGREE]] for row in rows])


def _uniform(a: Float64s, x: Float64s) -> tuple[Float64s, Float64s]:
    """Q = erfc(z) / 2 + R and P = erfc(-z) / 2 - R with z = η √(a/2), R = exp(-z²) / √(2πa) · Σ d[k, n] η^n / a^k."""
    mu = (x - a) / a
    half_square = _mu_minus_log1p(mu)
    eta = np.copysign(np.sqrt(2 * half_square), mu)
    total = np.zeros_like(a)
    for row in _temme()[::-1]:
        total = total / a + np.polynomial.polynomial.polyval(eta, row)
    rest = np.exp(-a * half_square) / np.sqrt(2 * math.pi * a) * total
    z = eta * np.sqrt(a / 2)
    return libm(math.erfc, -z) / 2 - rest, libm(math.erfc, z) / 2 + rest


def _mu_minus_log1p(mu: Float64s) -> Float64s:
    """``μ - ln(1 + μ)`` without cancellation: it is sμ - 2(s³/3 + s⁵/5 + ...), s = μ/(2 + μ)."""
    s = mu / (2 + mu)
    square = s * s
    series = np.zeros_like(s)
    for k in range(17, 0, -1):
        series = (series + 1 / (2 * k + 1)) * square
    return s * mu - 2 * s * series
