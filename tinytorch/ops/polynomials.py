"""Orthogonal polynomials for ``tinytorch.special``: p_n(x) for each element of x and n, one of which may be a number.

PyTorch gives these no derivatives: results never require grad. The recurrences stand in
:mod:`tinytorch.kernels.polynomials`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.kernels import polynomials as kernels
from tinytorch.ops.broadcast import broadcast_tensors, float_operands
from tinytorch.ops.checks import refuse_half
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]


def _polynomial(name: str, kernel: Callable[[Any, Any], Any], x: Any, n: Any, shifted: bool = False) -> Tensor:
    """The recurrence in double precision, rounded once at the end."""
    x, n = float_operands(x, n)
    refuse_half(name, x)
    places, degrees = [t._array.astype(np.float64) for t in broadcast_tensors(x, n)]
    value = kernel(2 * places - 1 if shifted else places, degrees)
    return Tensor._wrap(value.astype(x._array.dtype))


@accepts_out
def chebyshev_polynomial_t(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Chebyshev polynomials of the first kind, T_n(cos θ) = cos nθ."""
    return _polynomial("chebyshev_polynomial_t", kernels.chebyshev_t, input, n)


@accepts_out
def chebyshev_polynomial_u(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Chebyshev polynomials of the second kind, U_n(cos θ) = sin((n + 1) θ) / sin θ."""
    return _polynomial("chebyshev_polynomial_u", kernels.chebyshev_u, input, n)


@accepts_out
def chebyshev_polynomial_v(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Chebyshev polynomials of the third kind, V_n(cos θ) = cos((n + ½) θ) / cos(θ/2)."""
    return _polynomial("chebyshev_polynomial_v", kernels.chebyshev_v, input, n)


@accepts_out
def chebyshev_polynomial_w(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Chebyshev polynomials of the fourth kind, W_n(cos θ) = sin((n + ½) θ) / sin(θ/2)."""
    return _polynomial("chebyshev_polynomial_w", kernels.chebyshev_w, input, n)


@accepts_out
def hermite_polynomial_h(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """The physicists' Hermite polynomials, H_{n+1} = 2x H_n - 2n H_{n-1}."""
    return _polynomial("hermite_polynomial_h", kernels.hermite_h, input, n)


@accepts_out
def hermite_polynomial_he(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """The probabilists' Hermite polynomials, He_{n+1} = x He_n - n He_{n-1}."""
    return _polynomial("hermite_polynomial_he", kernels.hermite_he, input, n)


@accepts_out
def laguerre_polynomial_l(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Laguerre polynomials, (n+1) L_{n+1} = (2n + 1 - x) L_n - n L_{n-1}."""
    return _polynomial("laguerre_polynomial_l", kernels.laguerre_l, input, n)


@accepts_out
def legendre_polynomial_p(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """Legendre polynomials, (n+1) P_{n+1} = (2n + 1) x P_n - n P_{n-1}."""
    return _polynomial("legendre_polynomial_p", kernels.legendre_p, input, n)


@accepts_out
def shifted_chebyshev_polynomial_t(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """T_n(2x - 1)."""
    return _polynomial("shifted_chebyshev_polynomial_t", kernels.chebyshev_t, input, n, shifted=True)


@accepts_out
def shifted_chebyshev_polynomial_u(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """U_n(2x - 1)."""
    return _polynomial("shifted_chebyshev_polynomial_u", kernels.chebyshev_u, input, n, shifted=True)


@accepts_out
def shifted_chebyshev_polynomial_v(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """V_n(2x - 1)."""
    return _polynomial("shifted_chebyshev_polynomial_v", kernels.chebyshev_v, input, n, shifted=True)


@accepts_out
def shifted_chebyshev_polynomial_w(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
    """W_n(2x - 1)."""
    return _polynomial("shifted_chebyshev_polynomial_w", kernels.chebyshev_w, input, n, shifted=True)
