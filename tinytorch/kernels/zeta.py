"""Hurwitz's zeta function ζ(s, q) = Σ_k (q + k)^(-s) over k >= 0, for arrays.

The first terms are added one by one, the rest by Euler and Maclaurin's formula (Abramowitz and Stegun 1964, 3.6.28 and
23.2.7): an integral, half a term, and corrections with Bernoulli numbers, which fall fast once q + k is well above 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BERNOULLI", "zeta"]

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
"""B_2, B_4, ... B_20."""

_FIRST = 12
"""Terms added one by one, for positive q."""


def zeta(s: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    """ζ(s, q), broadcasting: inf for s = 1 and at the poles q = 0, -1...; nan for s < 1, and q < 0 unless s is whole.

    >>> zeta(np.array([2.0, 4.0]), np.array([1.0, 1.0])).round(6)
    array([1.644934, 1.082323])
    """
    kind = np.result_type(s, q)
    wide_s, wide_q = np.broadcast_arrays(s.astype(np.float64), q.astype(np.float64))
    pole = (wide_q <= 0) & (wide_q == np.floor(wide_q))
    undefined = (wide_s < 1) | ((wide_q < 0) & ~pole & (wide_s != np.floor(wide_s))) | np.isnan(wide_s + wide_q)
    usable = (wide_s > 1) & ~pole & ~undefined
    value = _sum(np.where(usable, wide_s, 2.0), np.where(usable, wide_q, 1.0))
    value = np.where(usable, value, np.inf)
    return np.where(undefined, np.nan, value).astype(kind)


def _sum(s: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    lowest = np.min(q[np.isfinite(q)], initial=0.0)
    total, place = np.zeros_like(q), q
    for _ in range(_FIRST + int(max(0.0, -lowest))):
        total = total + place**-s
        place = place + 1.0
    last = place**-s
    rest = last * place / (s - 1.0) + last / 2
    term = last * s / place
    for k, b in enumerate(BERNOULLI, 1):
        rest = rest + b / math.factorial(2 * k) * term
        term = term * (s + 2 * k - 1) * (s + 2 * k) / (place * place)
    return total + np.where(np.isinf(place) | (last == 0), 0.0, rest)
