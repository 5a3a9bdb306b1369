"""The error function, erf(x) = 2/sqrt(pi) ∫_0^x exp(-t²) dt, for arrays.

(After: `elementwise`. Next: `gelu`.)

NumPy has none; Python's `math.erf` takes one number.

*Double precision.* Two smooth functions are approximated by Chebyshev series, and erf is put together from them:

    |x| < 1     erf(x) = x · f(x²)
    |x| >= 1    erf(x) = sign(x) (1 - exp(-x²) g(t)),   t = (|x| - 3) / (|x| + 3)

because x² is small in the first, and erfc(x) · exp(x²) is a slowly falling function in the second. The coefficients
are computed from `math.erf` when the module is first used, by interpolation at Chebyshev points: the error falls by
a constant factor with each term, and 14 and 26 terms are enough for double precision (largest error 3e-15).

*Single precision* needs half the digits and gets them from one curve that looks almost like erf already:

    erf(x) = tanh(x · p(x²)),   p(x²) = artanh(erf(x)) / x

p is smooth and even, a polynomial of degree 6 in x² is enough, and where tanh is flat its errors hardly matter (largest
error 3e-7, relative as well). NumPy's tanh does the rest at the speed of its vector instructions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from tinytorch.kernels.elementwise import in_pieces

__all__ = ["ERF_AS_TANH", "erf", "erf_float64", "polynomial"]

_LARGEST = 6.0
"""From here on erf is 1 in double precision."""


def _scaled_erfc(x: float) -> float:
    """exp(x²) erfc(x)."""
    return math.exp(x * x) * math.erfc(x)


@functools.cache
def _coefficients() -> tuple[NDArray[Any], NDArray[Any]]:
    """Chebyshev coefficients of f over x² in [0, 1] and of g over |x| in [1, 6]."""
    small = _interpolate(lambda u: math.erf(math.sqrt(u)) / math.sqrt(u), 0.0, 1.0, 13)
    large = _interpolate(lambda t: _scaled_erfc(_from_place(t)), _place(1.0), _place(_LARGEST), 25)
    return small, large


def _interpolate(function: Callable[[float], float], low: float, high: float, degree: int) -> NDArray[Any]:
    """Coefficients of the Chebyshev series that meets ``function`` at the Chebyshev points of [low, high]."""
    points = chebyshev.chebpts1(degree + 1)
    values = [function(low + (u + 1) / 2 * (high - low)) for u in points]
    return np.linalg.solve(chebyshev.chebvander(points, degree), values)


def _place(x: Any) -> Any:
    return (x - 3.0) / (x + 3.0)


def _from_place(t: float) -> float:
    return 3.0 * (1.0 + t) / (1.0 - t)


#: The coefficients of p for |x| < 4.2, constant first: weighted least squares against artanh(erf(x)) / x, with weights
#: raised where the error was largest until it was even (Lawson's method). Beyond, x · p(x²) goes on growing: tanh is 1.
ERF_AS_TANH = (
    1.1283792741826761, 0.10276905682308556, -0.000191832958567096, -0.0006197829384616258, 8.763673211819906e-05,
    -5.668385819201867e-06, 1.4184744848667164e-07,
)  # fmt: skip


def erf(x: NDArray[Any]) -> NDArray[Any]:
    """The error function of a floating-point array, in its dtype and shape; nan stays nan.

    >>> erf(np.array([0.0, 0.5, -1.0, np.inf])).round(6)
    array([ 0.      ,  0.5205  , -0.842701,  1.      ])
    """
    if x.dtype == np.float64:
        return in_pieces(lambda x, out: np.copyto(out, erf_float64(x)), x, piece=1 << 13)
    if x.dtype != np.float32:
        return erf(x.astype(np.float32)).astype(x.dtype)
    return in_pieces(_erf_float32, x, piece=1 << 16)


def _erf_float32(x: NDArray[Any], out: NDArray[Any]) -> None:
    polynomial(ERF_AS_TANH, x * x, out)
    out *= x
    np.tanh(out, out=out)


def polynomial(coefficients: tuple[float, ...], z: NDArray[Any], out: NDArray[Any]) -> None:
    """out = c0 + c1 z + c2 z² ..., by Horner's rule."""
    *lower, last = coefficients
    np.multiply(z, z.dtype.type(last), out=out)
    for coefficient in lower[:0:-1]:
        out += z.dtype.type(coefficient)
        out *= z
    out += z.dtype.type(lower[0])


def erf_float64(x: NDArray[Any]) -> NDArray[Any]:
    """The error function in double precision."""
    small, large = _coefficients()
    size = np.minimum(np.abs(x), _LARGEST)
    low, high = _place(1.0), _place(_LARGEST)
    inner = np.minimum(size, 1.0)
    near = inner * chebyshev.chebval(2.0 * inner * inner - 1.0, small)
    outer = np.maximum(size, 1.0)
    far = 1.0 - np.exp(-outer * outer) * chebyshev.chebval((_place(outer) - low) * (2.0 / (high - low)) - 1.0, large)
    return np.copysign(np.where(size < 1.0, near, far), x)
