"""log, sin and cos of float32 numbers with the bits of PyTorch's vector loops, which normal numbers need.

PyTorch evaluates the polynomials of the Cephes library (Moshier; logf.c and sinf.c), eight numbers at a time, with
*fused* multiply-adds: a b + c, rounded once. NumPy has no such operation. But the product of two float32 numbers is
exact in float64, so `_fma` adds there and rounds the sum back. (The sum is itself rounded to float64 first, so a
difference in the last bit must be expected about once in 10**9 operations.)

A detour by float64 is four passes over the data where one float32 operation is one. So it is made only where a fused
multiply-add differs from a product and a sum; it does not where the product is exact anyway: half of a number, a small
whole number times a constant with few bits, which is why ln 2 is split. `tests/kernels/test_cephes.py` has the plain
version, which makes the detour everywhere. (A uniform number has 24 random bits, so there are 2**24 different arguments
only: both versions gave the same bits for each of them.)

Wide (float64) memory is lent by `layout.scratch`: asking the system for it anew costs more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.layout import scratch

__all__ = ["cossin32", "log32"]

_WIDE = np.dtype(np.float64)


def _single(*values: float) -> tuple[NDArray[np.float32], ...]:
    """float32 constants as arrays without dimensions, which NumPy takes in half the time of a number."""
    return tuple(np.array(value, np.float32) for value in values)


def _wide(*values: Any) -> tuple[NDArray[np.float64], ...]:
    """The same in float64."""
    return tuple(np.array(value, np.float64) for value in values)


LOG = _single(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
LN2_HIGH, LN2_LOW = _single(0.693359375, -2.12194440e-4)
COS = _single(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
SIN = _single(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
PI_OVER_4 = _single(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)
"""How the Cephes library writes the constant: the first two parts times 0, 2, 4, 6 or 8 are exact in float32."""

_LOG_WIDE, _COS_SIN_WIDE = _wide(*LOG), _wide(*[[[c], [s]] for c, s in zip(COS, SIN, strict=True)])
_HALF_PI, _MINUS_HALF_WIDE = _wide(2 * sum(map(float, PI_OVER_4)), -0.5)
_ONE, _HALF, _TWO_OVER_PI = _single(1.0, 0.5, 2 / math.pi)
_SQRT_HALF_BITS = _single(math.sqrt(0.5))[0].view(np.int32)
_SIGN = np.array(-(2**31), np.int32)


def log32(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """log x for normal numbers x > 0: x = 2**e (1 + f), log x = e ln 2 + f - f**2 / 2 + f**3 P(f).

    >>> log32(np.array([1.0, 2.0, 10.0], np.float32))
    array([0.       , 0.6931472, 2.3025851], dtype=float32)
    """
    # With 1 + f in [sqrt 1/2, sqrt 2). The bits of a float32 number are its exponent, then its fraction of 23
    # bits: subtract those of sqrt 1/2 and drop the fraction for e; subtract e from the exponent for 1 + f.
    bits = x.view(np.int32)
    exponent = bits - _SQRT_HALF_BITS
    exponent >>= 23
    f = (bits - (exponent << 23)).view(np.float32)
    f -= _ONE
    e = exponent.astype(np.float32)
    square = f * f
    with scratch((3, *x.shape), _WIDE) as (wide, addend, work):
        wide[...] = f
        y = _polynomial(_LOG_WIDE, wide, work)
        y *= f
        wide[...] = square
        addend[...] = e * LN2_LOW
        _fma(y, wide, addend, work)
    square *= _HALF
    y -= square
    y += f
    e *= LN2_HIGH
    y += e
    return y


def cossin32(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """cos x and sin x, shape (2, n), of n angles x = 2 pi k / 2**24, for k in 0, ..., 2**24 - 1.

    Quarter turns are taken off. From -pi/4 to pi/4, cos x = 1 - z / 2 + z**2 C(z) and sin x = x + x z S(z), z = x**2.

    >>> cossin32(np.array([0.0, 1.0], np.float32))
    array([[1.        , 0.5403023 ],
           [0.        , 0.84147096]], dtype=float32)
    """
    turns = x * _TWO_OVER_PI
    turns += _HALF
    quarters = turns.astype(np.int32)
    with scratch((3, 2, *x.shape), _WIDE) as (factors, addends, work):
        (z_wide, x_wide), (half, x_again) = factors, addends
        # PyTorch takes pi / 2 off in three parts; one subtraction in float64 gives the same bits for all these angles.
        half[...] = quarters
        half *= _HALF_PI
        x_wide[...] = x
        x_wide -= half
        x = x_wide.astype(np.float32)
        z = x * x
        x_wide[...] = x_again[...] = x
        z_wide[...] = z
        np.multiply(z_wide, _MINUS_HALF_WIDE, out=half)
        y = _polynomial(_COS_SIN_WIDE, z_wide, work)
        y *= z
        _fma(y, factors, addends, work)
    y[0] += _ONE
    cosine, sine = y.view(np.int32)
    _turn(cosine, sine, quarters)
    return y


def _turn(cosine: NDArray[np.int32], sine: NDArray[np.int32], quarters: NDArray[np.int32]) -> None:
    """Turn the bits of cosines and sines by 0 to 4 quarters: an odd number swaps them, and signs change.

    A choice number by number (np.where) would cost more than a polynomial.
    """
    odd = quarters << 31  # the bit that is the sign of a float32 number
    change = odd >> 31  # all bits
    change &= cosine ^ sine
    quarters <<= 30
    quarters &= _SIGN  # half a turn
    change ^= quarters
    sine ^= change
    change ^= odd
    cosine ^= change


def _polynomial(coefficients: Sequence[Any], x: NDArray[np.float64], work: NDArray[np.float64]) -> NDArray[np.float32]:
    """Horner's rule with fused multiply-adds; x holds float32 numbers. `work`, of the result's shape, is overwritten.

    A coefficient may be a column, one number for each of several polynomials.
    """
    first, second, *others = coefficients
    np.multiply(x, first, out=work)
    work += second
    y = work.astype(np.float32)
    for coefficient in others:
        _fma(y, x, coefficient, work)
    return y


def _fma(y: NDArray[np.float32], x: NDArray[np.float64], c: Any, work: NDArray[np.float64]) -> None:
    """y = y x + c with one rounding. (c should be float64 where it is large: NumPy is slow where it converts.)"""
    work[...] = y
    work *= x
    work += c
    y[...] = work
