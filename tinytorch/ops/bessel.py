"""Bessel and Airy functions for ``tinytorch.special``. As in PyTorch they have no derivative.

Their results never require grad.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.kernels import airy, bessel, modified_bessel
from tinytorch.ops.broadcast import to_float
from tinytorch.ops.checks import refuse_half
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
]


def _without_derivative(name: str, kernel: Callable[[Any], Any], input: Tensor) -> Tensor:
    x = to_float(input)
    refuse_half(name, x)
    return Tensor._wrap(np.asarray(kernel(x._array)))


@accepts_out
def airy_ai(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Airy function Ai(x), which solves y'' = xy."""
    return _without_derivative("airy_ai", airy.airy_ai, x)


@accepts_out
def bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """J₀(x), the Bessel function of the first kind of order 0."""
    return _without_derivative("bessel_j0", bessel.j0, input)


@accepts_out
def bessel_j1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """J₁(x), the Bessel function of the first kind of order 1."""
    return _without_derivative("bessel_j1", bessel.j1, input)


@accepts_out
def bessel_y0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Y₀(x), the Bessel function of the second kind of order 0: -inf at 0, nan below."""
    return _without_derivative("bessel_y0", bessel.y0, input)


@accepts_out
def bessel_y1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Y₁(x), the Bessel function of the second kind of order 1: -inf at 0, nan below."""
    return _without_derivative("bessel_y1", bessel.y1, input)


@accepts_out
def modified_bessel_i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """I₀(x), as :func:`tinytorch.i0`, which has a derivative."""
    return _without_derivative("modified_bessel_i0", modified_bessel.i0, input)


@accepts_out
def modified_bessel_i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """I₁(x), as :func:`tinytorch.special.i1`, which has a derivative."""
    return _without_derivative("modified_bessel_i1", modified_bessel.i1, input)


@accepts_out
def modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """K₀(x), the modified Bessel function of the second kind of order 0: inf at 0, nan below."""
    return _without_derivative("modified_bessel_k0", modified_bessel.k0, input)


@accepts_out
def modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """K₁(x), the modified Bessel function of the second kind of order 1: inf at 0, nan below."""
    return _without_derivative("modified_bessel_k1", modified_bessel.k1, input)


@accepts_out
def scaled_modified_bessel_k0(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x) K₀(x)``."""
    return _without_derivative("scaled_modified_bessel_k0", modified_bessel.k0e, x)


@accepts_out
def scaled_modified_bessel_k1(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x) K₁(x)``."""
    return _without_derivative("scaled_modified_bessel_k1", modified_bessel.k1e, x)


@accepts_out
def spherical_bessel_j0(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(x) / x``, the spherical Bessel function of order 0."""
    return _without_derivative("spherical_bessel_j0", bessel.spherical_j0, x)
