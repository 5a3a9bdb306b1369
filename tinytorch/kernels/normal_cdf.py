"""The tails of the bell curve: erfcx (scaled erfc), the normal distribution function Φ, ln Φ, and its inverse.

All rest on one function that neither overflows nor cancels, ``erfcx(x) = exp(x²) erfc(x)``. For x >= 0

    erfcx(x) = x/π ∫ exp(-t²) / (t² + x²) dt        (over the whole line; Abramowitz and Stegun 1964, 7.4.11)

and the trapezoidal rule with step h would be exact in double precision, were it not for the pole at t = ix. Its residue
adds ``2 exp(x²) / (1 + exp(2πx/h))`` for nodes at (k + 1/2) h (Matta and Reichel 1971). All terms are positive.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.erfinv import erfinv

__all__ = ["erfcx", "log_ndtr", "ndtr", "ndtri"]

_STEP, _NODES = 0.5, 13
"""The rule's error is exp(-π²/h²), 7e-18, and the first node left out is at 6.75."""

_HALF_ROOT = math.sqrt(0.5)


def erfcx(x: NDArray[Any]) -> NDArray[Any]:
    """``exp(x²) erfc(x)``: 1 at 0, about 1/(x √π) for large x, and inf below -26.7.

    >>> erfcx(np.array([0.0, 1.0, 1e10])).round(6)
    array([1.      , 0.427584, 0.      ])
    """
    return _erfcx(x.astype(np.float64)).astype(x.dtype)


def _erfcx(x: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.abs(x)
    value = _erfcx_positive(size)
    return np.where(x < 0, 2.0 * _exp_square(size) - value, value)


def _erfcx_positive(x: NDArray[np.float64]) -> NDArray[np.float64]:
    square = x * x
    total = np.zeros_like(x)
    for k in range(_NODES):
        t = (k + 0.5) * _STEP
        total += math.exp(-t * t) / (square + t * t)
    near = np.minimum(x, 6.0)  # beyond the pole's part is far below rounding
    pole = 2.0 * np.exp(near * near) / (1.0 + np.exp(2 * math.pi / _STEP * near))
    return np.where(x > 1e8, 1.0 / (math.sqrt(math.pi) * x), 2 * _STEP / math.pi * x * total + pole)


def _exp_square(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(x²) for x >= 0. The rounding error of x² would be multiplied by x²: it is added back as a factor."""
    square, error = _square(np.minimum(x, 30.0))
    return np.exp(square) * (1.0 + error)


def _square(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x² as a sum of two numbers (Dekker 1971): x is split into halves, whose products are exact."""
    high = x * 134217729.0
    high = high - (high - x)
    low = x - high
    square = x * x
    return square, ((high * high - square) + 2.0 * high * low) + low * low


def _exp_minus_half_square(x: NDArray[np.float64]) -> NDArray[np.float64]:
    square, error = _square(np.minimum(np.abs(x), 50.0))
    return np.exp(-square / 2) * (1.0 - error / 2)


def ndtr(x: NDArray[Any]) -> NDArray[Any]:
    """Φ(x), the probability that a standard normal number is below x, relatively exact in the lower tail too.

    >>> ndtr(np.array([-40.0, 0.0, 1.0])).round(6)
    array([0.      , 0.5     , 0.841345])
    """
    wide = x.astype(np.float64)
    tail = _exp_minus_half_square(wide) * _erfcx_positive(np.abs(wide) * _HALF_ROOT) / 2
    return np.where(wide < 0, tail, 1.0 - tail).astype(x.dtype)


def log_ndtr(x: NDArray[Any]) -> NDArray[Any]:
    """ln Φ(x); about -x²/2 far below 0.

    >>> log_ndtr(np.array([-3.0, 0.0, 1.0])).round(6)
    array([-6.607726, -0.693147, -0.172754])
    """
    return _log_ndtr(x.astype(np.float64)).astype(x.dtype)


def _log_ndtr(x: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = _erfcx_positive(np.abs(x) * _HALF_ROOT) / 2
    below = np.log(scaled) - x * x / 2
    above = np.log1p(-_exp_minus_half_square(x) * scaled)
    return np.where(np.isneginf(x), -np.inf, np.where(x < 0, below, above))


def ndtri(p: NDArray[Any]) -> NDArray[Any]:
    """The x with Φ(x) = p: -inf at 0, inf at 1, nan outside.

    >>> ndtri(np.array([1e-300, 0.5, 0.975])).round(6)
    array([-37.047096,   0.      ,   1.959964])
    """
    wide = p.astype(np.float64)
    tail = np.minimum(wide, 1.0 - wide)
    middle = math.sqrt(2.0) * erfinv(np.where(tail >= 0.25, 2.0 * wide - 1.0, 0.0))  # 2p - 1 is exact there
    lower = _lower_quantile(np.where((tail > 0) & (tail < 0.25), tail, 0.25))
    outer = np.where(tail == 0, np.inf, np.where(tail > 0, -lower, np.nan)) * np.where(wide > 0.5, 1.0, -1.0)
    return np.where(tail >= 0.25, middle, outer).astype(p.dtype)


def _lower_quantile(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The x < 0 with Φ(x) = p <= 1/4: Winitzki's approximation (2008), then Halley's method for ln Φ(x) = ln p."""
    target, log = np.log(p), np.log(4.0 * p) + np.log1p(-p)
    half = 2.0 / (math.pi * 0.147) + log / 2.0
    product = -log / 0.147
    x = -math.sqrt(2.0) * np.sqrt(product / (np.sqrt(half * half + product) + half))
    for _ in range(3):
        # (ln Φ)' = φ/Φ, and (ln Φ)'' = -(ln Φ)' · (x + (ln Φ)')
        slope = math.sqrt(2 / math.pi) / _erfcx_positive(-x * _HALF_ROOT)
        step = (_log_ndtr(x) - target) / slope
        x = x - step / (1.0 + step * (x + slope) / 2)
    return x
