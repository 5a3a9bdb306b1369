"""GELU, x · Φ(x), with Φ the distribution function of the normal distribution, and its gradient.

(After: `elementwise`, `erf`. Next: `activations`.)

    Φ(x) = (1 + erf(x / √2)) / 2        φ(x) = exp(-x² / 2) / √(2π)        d/dx x·Φ(x) = Φ(x) + x·φ(x)

PyTorch's `approximate='tanh'` puts tanh(√(2/π) (x + 0.044715 x³)) in the place of the error function. In single
precision `erf` is a tanh as well, only of a longer polynomial, so both are

    Φ(x) = (1 + tanh(x · q(x²))) / 2

with their own q. The forward keeps Φ for the backward, which then has just one exponential to compute.

The speed: a dozen passes over a piece that lies in the cache (`elementwise.in_pieces`), where a composition of ops on
whole arrays travels through main memory as many times; and on two threads, for the passes over a piece are long enough
(1024 x 512 with two threads, forward 0.91 -> 0.54 ms, backward 0.56 -> 0.35).
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.erf import ERF_AS_TANH, erf_float64, polynomial
from tinytorch.kernels.exponential import exp
from tinytorch.kernels.layout import Array, scratch

_TANH = (math.sqrt(2 / math.pi), 0.044715 * math.sqrt(2 / math.pi))
_EXACT = tuple(c * 0.5 ** (k + 0.5) for k, c in enumerate(ERF_AS_TANH))  # of x / √2


def gelu(x: Array, kept: Array | None, out: Array, approximate: str) -> None:
    """x · Φ(x) of a piece of float32 or float64; keeps Φ(x). ``approximate`` is 'none' or 'tanh'."""
    if kept is None:
        with scratch(x.shape, x.dtype) as work:
            return gelu(x, work, out, approximate)
    if approximate == "none" and x.dtype == np.float64:
        np.copyto(kept, erf_float64(x * math.sqrt(0.5)))
    else:
        polynomial(_TANH if approximate == "tanh" else _EXACT, np.multiply(x, x, out=out), kept)
        kept *= x
        np.tanh(kept, out=kept)
    kept += 1
    kept *= 0.5
    np.multiply(x, kept, out=out)


def gelu_backward(grad: Array, x: Array, kept: Array, out: Array, approximate: str) -> None:
    """grad · (Φ + x · Φ'), where ``kept`` is the Φ(x) that `gelu` gave."""
    np.multiply(x, x, out=out)
    if approximate == "tanh":  # Φ' = 2 Φ (1 - Φ) · d/dx x q(x²)
        out *= 3 * _TANH[1]
        out += _TANH[0]
        with scratch(x.shape, x.dtype) as slope:
            np.subtract(1, kept, out=slope)
            slope *= kept
            slope *= 2
            out *= slope
    else:
        exp(out, out, -0.5)
        out *= 1 / math.sqrt(2 * math.pi)
    out *= x
    out += kept
    out *= grad
