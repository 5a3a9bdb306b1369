"""log, sin and cos of float32 numbers with the bits of PyTorch's vector loops, which normal numbers need.

PyTorch evaluates the polynomials of the Cephes library (Moshier; logf.c and sinf.c), eight numbers at a time, with
*fused* multiply-adds: a b + c, rounded once. NumPy has no such operation. But the product of two float32 numbers is
exact in float64, so `_fma` adds there and rounds the sum back. (The sum is itself rounded to float64 first, so a
difference in the last bit must be expected about once in 10**9 operations.)

A detour by float64 is four passes over the data where one float32 operation is one. So it is made only where a fused
multiply-add differs from a product and a sum; it does not where the product is exact anyway: half of a number, a small
whole number times a constant with few bits, which is why ln 2 and pi / 4 are split. `tests/kernels/test_cephes.py` has
the plain version, which makes the detour everywhere.

Wide (float64) memory is lent by `layout.scratch`: asking the system for it anew costs more than the arithmetic.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.layout import scratch

__all__ = ["log32", "sincos32"]

_float32 = np.float32
_WIDE = np.dtype(np.float64)
_SQRT_HALF_BITS = np.float32(math.sqrt(0.5)).view(np.int32)
_FOUR_OVER_PI = np.float32(4 / math.pi)

LOG = tuple(map(np.float32, (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)))  # fmt: skip
LN2_HIGH, LN2_LOW = map(np.float32, (0.693359375, -2.12194440e-4))
COS = tuple(map(np.float32, (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)))
SIN = tuple(map(np.float32, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))
PI_OVER_4 = tuple(map(np.float32, (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)))
"""The first two parts times 0, 2, 4, 6 or 8 are exact in float32; the third is not."""


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
    f -= _float32(1.0)
    e = exponent.astype(np.float32)
    with scratch(x.shape, _WIDE) as wide, scratch(x.shape, _WIDE) as work:
        wide[...] = f
        y = _polynomial(LOG, wide, work)
        y *= f
        square = f * f
        wide[...] = square
        _fma(y, wide, e * LN2_LOW, work)
    square *= _float32(0.5)
    y -= square
    y += f
    e *= LN2_HIGH
    y += e
    return y


def sincos32(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(sin x, cos x) for x in [0, 2 pi]: take off quarter turns, then two polynomials for -pi/4 to pi/4.

    >>> sincos32(np.array([0.0, 1.0], np.float32))
    (array([0.        , 0.84147096], dtype=float32), array([1.       , 0.5403023], dtype=float32))
    """
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    octant += 1
    octant &= ~1  # two octants are a quarter turn
    with scratch(x.shape, _WIDE) as wide, scratch(x.shape, _WIDE) as work:
        x = _without_turns(x, octant.astype(np.float32), work)
        z = x * x
        wide[...] = z
        cosine = _polynomial(COS, wide, work)
        cosine *= z
        _fma(cosine, wide, z * _float32(-0.5), work)
        cosine += _float32(1.0)
        sine = _polynomial(SIN, wide, work)
        sine *= z
        wide[...] = x
        _fma(sine, wide, x, work)
    # An odd number of quarter turns swaps sine and cosine, and signs change. Done on the bits, as a choice
    # number by number (np.where) costs more than a polynomial.
    sine_bits, cosine_bits = sine.view(np.int32), cosine.view(np.int32)
    swap = sine_bits ^ cosine_bits
    swap &= -((octant >> 1) & 1)
    sine_bits ^= swap
    sine_bits ^= (octant & 4) << 29
    octant += 2
    cosine_bits ^= swap
    cosine_bits ^= (octant & 4) << 29
    return sine, cosine


def _without_turns(
    x: NDArray[np.float32], octants: NDArray[np.float32], work: NDArray[np.float64]
) -> NDArray[np.float32]:
    """x - octants * pi / 4; `work` is overwritten, as in the functions below."""
    first, second, third = PI_OVER_4
    x = x - octants * first
    x -= octants * second
    work[...] = octants
    work *= third
    np.subtract(x, work, out=work)
    return work.astype(np.float32)


def _polynomial(
    coefficients: tuple[np.float32, ...], x: NDArray[np.float64], work: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Horner's rule with fused multiply-adds; x holds float32 numbers."""
    first, second, *others = coefficients
    np.multiply(x, first, out=work)
    work += second
    y = work.astype(np.float32)
    for coefficient in others:
        _fma(y, x, coefficient, work)
    return y


def _fma(
    y: NDArray[np.float32], x: NDArray[np.float64], c: NDArray[np.float32] | np.float32, work: NDArray[np.float64]
) -> None:
    """y = y x + c with one rounding."""
    work[...] = y
    work *= x
    work += c
    y[...] = work
