"""Orthogonal polynomials p_n(x) by their three-term recurrences, each element with its own degree.

All families here have p_0 = 1 and differ in p_1 and in the recurrence (Abramowitz and Stegun 1964, 22.7):

====================  ==========  =================================================
family                p_1         p_{k+1}
====================  ==========  =================================================
Chebyshev T           x           2x p_k - p_{k-1}
Chebyshev U           2x          the same
Chebyshev V           2x - 1      the same
Chebyshev W           2x + 1      the same
Hermite H             2x          2x p_k - 2k p_{k-1}
Hermite He            x           x p_k - k p_{k-1}
Laguerre L            1 - x       ((2k + 1 - x) p_k - k p_{k-1}) / (k + 1)
Legendre P            x           ((2k + 1) x p_k - k p_{k-1}) / (k + 1)
====================  ==========  =================================================

"Shifted" Chebyshev polynomials are those of 2x - 1. A degree is cut to a whole number; below 0 the polynomial is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "chebyshev_t",
    "chebyshev_u",
    "chebyshev_v",
    "chebyshev_w",
    "hermite_h",
    "hermite_he",
    "laguerre_l",
    "legendre_p",
]

Array = NDArray[Any]
Step = Callable[[int, Array, Array], Array]


def _evaluate(x: Array, n: Array, first: Array, following: Step) -> Array:
    """p_n(x) with p_0 = 1, p_1 = ``first`` and p_{k+1} = ``following(k, p_k, p_{k-1})``; x and n of one shape."""
    degree = np.trunc(n)
    result = np.where(degree < 0, 0.0, np.ones_like(x))
    before, now = np.ones_like(x), first
    for k in range(1, int(degree.max(initial=0)) + 1):
        result = np.where(degree == k, now, result)
        before, now = now, following(k, now, before)
    return result


def _chebyshev(x: Array, n: Array, first: Array) -> Array:
    return _evaluate(x, n, first, lambda k, p, before: 2 * x * p - before)


def chebyshev_t(x: Array, n: Array) -> Array:
    """First kind: T_n(cos θ) = cos nθ.

    >>> chebyshev_t(np.array([0.5, 2.0]), np.array([3.0, 3.0]))
    array([-1., 26.])
    """
    return _chebyshev(x, n, x)


def chebyshev_u(x: Array, n: Array) -> Array:
    """Second kind: U_n(cos θ) = sin((n + 1) θ) / sin θ."""
    return _chebyshev(x, n, 2 * x)


def chebyshev_v(x: Array, n: Array) -> Array:
    """Third kind: V_n(cos θ) = cos((n + ½) θ) / cos(θ/2)."""
    return _chebyshev(x, n, 2 * x - 1)


def chebyshev_w(x: Array, n: Array) -> Array:
    """Fourth kind: W_n(cos θ) = sin((n + ½) θ) / sin(θ/2)."""
    return _chebyshev(x, n, 2 * x + 1)


def hermite_h(x: Array, n: Array) -> Array:
    """The physicists' Hermite polynomials, orthogonal with the weight exp(-x²)."""
    return _evaluate(x, n, 2 * x, lambda k, p, before: 2 * x * p - 2 * k * before)


def hermite_he(x: Array, n: Array) -> Array:
    """The probabilists' Hermite polynomials, orthogonal with the weight exp(-x²/2)."""
    return _evaluate(x, n, x, lambda k, p, before: x * p - k * before)


def laguerre_l(x: Array, n: Array) -> Array:
    """Laguerre polynomials, orthogonal on [0, ∞) with the weight exp(-x)."""
    return _evaluate(x, n, 1 - x, lambda k, p, before: ((2 * k + 1 - x) * p - k * before) / (k + 1))


def legendre_p(x: Array, n: Array) -> Array:
    """Legendre polynomials, orthogonal on [-1, 1]."""
    return _evaluate(x, n, x, lambda k, p, before: ((2 * k + 1) * x * p - k * before) / (k + 1))
