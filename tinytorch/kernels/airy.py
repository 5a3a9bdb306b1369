"""The Airy function Ai(x) of real arrays, the solution of y'' = x y that falls for positive x.

- -10 <= x <= 2: Taylor series about the nearest whole number. The equation gives its coefficients from the value and
  the slope there, and the series those at the next whole number, starting from x = 0, where both are known. (On the
  positive side the other solution grows, and rounding errors with it: so only to 2.)
- larger x: ``Ai(x) = √(x/3) K_{1/3}(ζ) / π`` with ζ = 2/3 x^{3/2}, and K by the integral of a positive function
  (see :mod:`tinytorch.kernels.modified_bessel`);
- smaller x: the asymptotic expansion (Abramowitz and Stegun 1964, 10.4.60), exact to rounding from there.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["airy_ai"]

_LOW, _HIGH = -10, 2
_DEGREE = 30
_AT_0 = (3 ** (-2 / 3) / math.gamma(2 / 3), -(3 ** (-1 / 3)) / math.gamma(1 / 3))
"""Ai(0) and Ai'(0)."""

_STEP, _NODES = 0.35, 34
_FAR = 1e4
"""Ai is 0 in double precision from here on, and far before."""


def _series(centre: int, value: float, slope: float) -> list[float]:
    """Taylor coefficients about ``centre``: (k+2)(k+1) c[k+2] = centre · c[k] + c[k-1]."""
    c = [value, slope, centre * value / 2]
    for k in range(1, _DEGREE - 2):
        c.append((centre * c[k] + c[k - 1]) / ((k + 2) * (k + 1)))
    return c


@functools.cache
def _table() -> NDArray[np.float64]:
    """The coefficients about every whole number from _LOW to _HIGH."""
    found = {0: _series(0, *_AT_0)}
    for direction, last in ((-1, _LOW), (1, _HIGH)):
        for centre in range(direction, last + direction, direction):
            before = np.polynomial.Polynomial(found[centre - direction])
            found[centre] = _series(centre, float(before(direction)), float(before.deriv()(direction)))
    return np.array([found[centre] for centre in range(_LOW, _HIGH + 1)])


def airy_ai(x: NDArray[Any]) -> NDArray[Any]:
    """Ai(x): oscillates below 0, falls as exp(-2/3 x^1.5) above.

    >>> airy_ai(np.array([-20.0, 0.0, 1.0])).round(6)
    array([-0.176406,  0.355028,  0.135292])
    """
    wide = x.astype(np.float64)
    middle = _taylor(np.clip(np.where(np.isnan(wide), 0.0, wide), _LOW, _HIGH))
    value = np.where(wide > _HIGH, _decaying(np.maximum(wide, _HIGH)), middle)
    value = np.where(wide < _LOW, _oscillating(np.minimum(wide, _LOW)), value)
    return np.where(np.isnan(wide), np.nan, value).astype(x.dtype)


def _taylor(x: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = np.rint(x)
    coefficients = _table()[(centre - _LOW).astype(int)]
    step, total = x - centre, np.zeros_like(x)
    for k in range(_DEGREE - 1, -1, -1):
        total = total * step + coefficients[..., k]
    return total


def _decaying(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.minimum(x, _FAR)
    zeta = 2 / 3 * x * np.sqrt(x)
    root = np.sqrt(zeta)
    total = np.full_like(x, 0.5)
    for k in range(1, _NODES):
        t = k * _STEP / root
        half_sinh = np.sinh(t / 2)
        total += np.exp(-2 * zeta * half_sinh * half_sinh) * np.cosh(t / 3)
    return np.sqrt(x / 3) / math.pi * total * _STEP / root * np.exp(-zeta)


def _oscillating(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(cos(ζ - π/4) P + sin(ζ - π/4) Q) / (√π |x|^¼)``; P and Q take turns in the terms c_k (±1/ζ)^k."""
    size = -x
    zeta = 2 / 3 * size * np.sqrt(size)
    p, q, term = np.ones_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(1, 24):
        term = term * ((6 * k - 5) * (6 * k - 1) / (72 * k)) / zeta
        if k % 2:
            q += term if k % 4 == 1 else -term
        else:
            p += term if k % 4 == 0 else -term
    cosine, sine = np.cos(zeta), np.sin(zeta)
    value = ((cosine + sine) * p + (sine - cosine) * q) / np.sqrt(2 * math.pi * np.sqrt(size))
    return np.where(np.isinf(x), 0.0, value)
