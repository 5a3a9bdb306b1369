"""Gamma, Dirichlet, Poisson and binomial numbers, bit for bit PyTorch's.

All are drawn one by one by rejection: how many words of the stream one number takes is decided by those words. The
uniform numbers are float64, of two words; the normal ones are Box-Muller's, of which the second of a pair waits for
the next call (see `rng_normal`).

Sources: Marsaglia and Tsang 2000 (gamma), Knuth (small counts), Hörmann 1993, "The transformed rejection method for
generating Poisson random variables" and "The generation of binomial random variates" (large counts).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.rng import Generator
from tinytorch.kernels.rng_distributions import require_float
from tinytorch.kernels.rng_normal import scalar_normal, uniform53

__all__ = ["binomial", "dirichlet", "gamma", "poisson"]

# PyTorch writes these constants in single precision, and they decide what is accepted.
_THIRD = float(np.float32(1.0) / np.float32(3.0))
_SQUEEZE = float(np.float32(0.0331))


def _uniform(generator: Generator) -> float:
    return float(uniform53(generator, 1)[0])


def gamma(generator: Generator, alpha: NDArray[Any]) -> NDArray[Any]:
    """Numbers with density x^(α-1) exp(-x) / Γ(α), one for each α, in its dtype; never 0.

    Raises:
        NotImplementedError: `alpha` is not floating point.
    """
    require_float(alpha.dtype, "gamma_cpu")
    smallest = np.finfo(alpha.dtype).tiny
    drawn = [_gamma(generator, value) for value in alpha.ravel().tolist()]
    return np.maximum(np.array(drawn, np.float64).astype(alpha.dtype), smallest).reshape(alpha.shape)


def _gamma(generator: Generator, alpha: float) -> float:
    """One gamma number: d v with v the cube of a shifted normal number, accepted with the right probability."""
    scale = 1.0
    if alpha < 1.0:  # G(α) = G(α + 1) U^(1/α)
        if alpha == 0.0:
            return 0.0
        scale = (1.0 - _uniform(generator)) ** (1.0 / alpha)
        alpha += 1.0
    d = alpha - _THIRD
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        y = 0.0
        while y <= 0.0:
            x = float(scalar_normal(generator, 1, 0.0, 1.0)[0])
            y = 1.0 + c * x
        v = y * y * y
        u = 1.0 - _uniform(generator)
        square = x * x
        if u < 1.0 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def dirichlet(generator: Generator, alpha: NDArray[Any]) -> NDArray[Any]:
    """Vectors along the last dimension that sum to 1: gamma numbers over their sum, strictly between 0 and 1."""
    require_float(alpha.dtype, "dirichlet")
    numbers = gamma(generator, alpha.astype(np.float64))
    ratio = (numbers / numbers.sum(-1, keepdims=True)).astype(alpha.dtype)
    one = alpha.dtype.type(1)
    return np.clip(ratio, np.finfo(alpha.dtype).tiny, np.nextafter(one, alpha.dtype.type(0)))


def poisson(generator: Generator, rate: NDArray[Any]) -> NDArray[Any]:
    """Counts with expectation `rate`, in its dtype.

    Raises:
        NotImplementedError: `rate` is not floating point.
        RuntimeError: a rate is negative.
    """
    require_float(rate.dtype, "poisson_cpu")
    if (rate < 0).any():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    drawn = [_poisson(generator, value) for value in rate.ravel().tolist()]
    return np.array(drawn, rate.dtype).reshape(rate.shape)


def _poisson(generator: Generator, rate: float) -> int:
    if rate == 0.0:
        return 0
    if rate < 10:  # how many uniform factors until the product falls below exp(-rate)
        product, end, count = 1.0, math.exp(-rate), 0
        while True:
            product *= _uniform(generator)
            if product <= end:
                return count
            count += 1
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    log_inverse_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
    inside = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = _uniform(generator) - 0.5, _uniform(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= inside:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = math.log(v) + log_inverse_alpha - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1.0):
            return k


def binomial(generator: Generator, count: NDArray[Any], prob: NDArray[Any]) -> NDArray[Any]:
    """Successes in `count` trials of probability `prob`, in their dtype; both arrays have one shape.

    Raises:
        NotImplementedError: the dtype is not floating point.
    """
    require_float(count.dtype, "binomial_cpu")
    pairs = zip(count.ravel().tolist(), prob.ravel().tolist(), strict=True)
    return np.array([_binomial(generator, n, p) for n, p in pairs], count.dtype).reshape(count.shape)


def _binomial(generator: Generator, n: float, p: float) -> float:
    if n <= 0.0 or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return n
    if p <= 0.5:
        return _large_binomial(generator, n, p) if n * p >= 10.0 else _small_binomial(generator, n, p)
    q = 1.0 - p
    if n * q >= 10.0:
        return n - _large_binomial(generator, n, q)
    return n if math.isnan(p) else n - _small_binomial(generator, n, q)


def _small_binomial(generator: Generator, n: float, p: float) -> float:
    """Jumps from success to success: the gaps are geometric."""
    total, successes, log_fail = 0.0, 0, math.log1p(-p)
    while True:
        u = _uniform(generator)
        total += math.ceil(math.log(u) / log_fail) if u else math.inf
        if total > n:
            return successes
        successes += 1


def _stirling_tail(k: float) -> float:
    """ln k! minus Stirling's formula for it."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


def _large_binomial(generator: Generator, n: float, p: float) -> float:
    deviation = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    inside = 0.92 - 4.2 / b
    odds, alpha, mode = p / (1 - p), (2.83 + 5.1 / b) * deviation, math.floor((n + 1) * p)
    while True:
        u, v = _uniform(generator) - 0.5, _uniform(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c)
        if us >= 0.07 and v <= inside:
            return k
        if k < 0 or k > n:
            continue
        v = math.log(v * alpha / (a / (us * us) + b))
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * math.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
            + _stirling_tail(mode) + _stirling_tail(n - mode) - _stirling_tail(k) - _stirling_tail(n - k)
        )  # fmt: skip
        if v <= bound:
            return k
