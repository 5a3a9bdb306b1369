"""Modified Bessel functions I₀, I₁, K₀, K₁ of real arrays, each times the exponential that keeps it in range.

All come from integrals of positive functions, so nothing cancels, by the trapezoidal rule with step h, which converges
faster than any power of h for such integrands (Trefethen and Weideman 2014; the integrals: Abramowitz and
Stegun 1964, 9.6.16 to 9.6.24):

    exp(-x) I_n(x) = 1/π ∫_0^π exp(-x (1 - cos θ)) cos(nθ) dθ
    exp(+x) K_n(x) =     ∫_0^∞ exp(-x (cosh t - 1)) cosh(nt) dt

Where x is large the integrands are bells of width 1/√x, and so the step is made proportional to that. K near 0 is a
logarithm that no such rule follows; there it is a power series (9.6.11, 9.6.13).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["i0", "i0e", "i1", "i1e", "k0", "k0e", "k1", "k1e"]

_WIDE = 30.0
"""From here on I's integrand is a bell that has vanished before θ = π."""

_QUARTER = 28
"""Intervals of the quarter period for smaller x: their error is I_112(30) exp(-30)."""

_STEP, _NODES = 0.35, 34
"""The bell exp(-θ²x/2) in steps of 0.35/√x, 1/4 for K at x = 2: error exp(-4π²), the tail left out less."""

_SMALL = 2.0
"""Up to here K is a power series."""


def _scaled_i(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """exp(-x) I_order(x) for x >= 0."""
    return np.where(x < _WIDE, _i_over_period(np.minimum(x, _WIDE), order), _i_as_bell(np.maximum(x, _WIDE), order))


def _i_over_period(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """The mean of cosh(x cos θ), or of sinh(x cos θ) cos θ, over a quarter period, times exp(-x)."""
    total = np.zeros_like(x)
    for k in range(_QUARTER + 1):
        cosine = math.cos(math.pi / 2 * k / _QUARTER)
        weight = (0.5 if k in (0, _QUARTER) else 1.0) / _QUARTER
        if order == 0:
            total += weight / 2 * (np.exp(x * (cosine - 1)) + np.exp(x * (-cosine - 1)))
        else:
            total += weight / 2 * cosine * np.exp(x * (cosine - 1)) * -np.expm1(-2 * x * cosine)
    return total


def _i_as_bell(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    root = np.sqrt(x)
    total = np.full_like(x, 0.5)
    for k in range(1, _NODES):
        theta = np.minimum(k * _STEP / root, math.pi)
        half_sine = np.sin(theta / 2)
        total += np.exp(-2 * x * half_sine * half_sine) * (np.cos(theta) if order else 1.0)
    return np.where(np.isinf(x), 0.0, total * (_STEP / math.pi) / root)


def _scaled_k(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """exp(x) K_order(x) for x > 0; inf at 0, nan below."""
    series, integral = np.clip(x, 5e-324, _SMALL), np.maximum(x, _SMALL)
    value = np.where(x <= _SMALL, _k_series(series, order) * np.exp(series), _k_integral(integral, order))
    value = np.where((x > 0) | np.isnan(x), value, np.nan)
    return np.where(x == 0, np.inf, np.where(np.isposinf(x), 0.0, value))


def _k_series(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """``-ln(x/2) I₀(x) + Σ ψ(k+1) (x²/4)^k / k!²`` and its counterpart for K₁."""
    quarter, logarithm = x * x / 4, np.log(x) - math.log(2)
    total = np.zeros_like(x)
    power, psi = np.ones_like(x), -np.euler_gamma  # (x²/4)^k / (k! (k + order)!) and ψ(k + 1)
    for k in range(16):
        if order == 0:
            total += power * (psi - logarithm)
        else:
            total += power * (logarithm - psi - 0.5 / (k + 1))
        power = power * quarter / ((k + 1) * (k + 1 + order))
        psi += 1 / (k + 1)
    return total if order == 0 else 1.0 / x + x / 2 * total


def _k_integral(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    root = np.sqrt(x)
    total = np.full_like(x, 0.5)
    for k in range(1, _NODES):
        t = k * _STEP / root
        half_sinh = np.sinh(t / 2)
        total += np.exp(-2 * x * half_sinh * half_sinh) * (np.cosh(t) if order else 1.0)
    return total * _STEP / root


def i0e(x: NDArray[Any]) -> NDArray[Any]:
    """exp(-|x|) I₀(x).

    >>> i0e(np.array([0.0, 1.0, -1000.0])).round(6)
    array([1.      , 0.46576 , 0.012617])
    """
    return _scaled_i(np.abs(x.astype(np.float64)), 0).astype(x.dtype)


def i1e(x: NDArray[Any]) -> NDArray[Any]:
    """exp(-|x|) I₁(x), an odd function."""
    wide = x.astype(np.float64)
    return np.copysign(_scaled_i(np.abs(wide), 1), wide).astype(x.dtype)


def i0(x: NDArray[Any]) -> NDArray[Any]:
    """I₀(x).

    >>> i0(np.array([0.0, 1.0, -2.0])).round(6)
    array([1.      , 1.266066, 2.279585])
    """
    size = np.abs(x.astype(np.float64))
    return _unscaled(_scaled_i(size, 0), size).astype(x.dtype)


def i1(x: NDArray[Any]) -> NDArray[Any]:
    """I₁(x), an odd function."""
    wide = x.astype(np.float64)
    size = np.abs(wide)
    return np.copysign(_unscaled(_scaled_i(size, 1), size), wide).astype(x.dtype)


def _unscaled(value: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``value · exp(x)``; in two factors, as exp(x) alone overflows before the product does."""
    half = np.exp(x / 2)
    return np.where(np.isposinf(x), np.inf, np.where(x > 700, (value * half) * half, value * np.exp(x)))


def k0e(x: NDArray[Any]) -> NDArray[Any]:
    """exp(x) K₀(x); inf at 0, nan below.

    >>> k0e(np.array([0.0, 1.0, 1000.0])).round(6)
    array([     inf, 1.144463, 0.039628])
    """
    return _scaled_k(x.astype(np.float64), 0).astype(x.dtype)


def k1e(x: NDArray[Any]) -> NDArray[Any]:
    """exp(x) K₁(x); inf at 0, nan below."""
    return _scaled_k(x.astype(np.float64), 1).astype(x.dtype)


def k0(x: NDArray[Any]) -> NDArray[Any]:
    """K₀(x); inf at 0, nan below."""
    wide = x.astype(np.float64)
    return (_scaled_k(wide, 0) * np.exp(-wide)).astype(x.dtype)


def k1(x: NDArray[Any]) -> NDArray[Any]:
    """K₁(x); inf at 0, nan below."""
    wide = x.astype(np.float64)
    return (_scaled_k(wide, 1) * np.exp(-wide)).astype(x.dtype)
