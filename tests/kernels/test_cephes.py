"""log, sin and cos of float32 numbers: the plain version, all of it in float64 and rounded after every step, agrees."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.kernels import cephes


def rounded(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32).astype(np.float64)


def fma(a: np.ndarray, b: object, c: object) -> np.ndarray:
    return rounded(a * b + c)


def horner(coefficients: tuple[np.float32, ...], x: np.ndarray) -> np.ndarray:
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y = fma(y, x, float(coefficient))
    return y


def plain_log(x: np.ndarray) -> np.ndarray:
    fraction, exponent = np.frexp(x.astype(np.float64))  # in [1/2, 1)
    small = fraction < float(np.float32(np.sqrt(0.5)))
    f, e = np.where(small, 2 * fraction, fraction) - 1, (exponent - small).astype(np.float64)
    y = rounded(horner(cephes.LOG, f) * f)
    y = fma(y, rounded(f * f), rounded(e * float(cephes.LN2_LOW)))
    y = fma(rounded(f * f), -0.5, y)
    return fma(e, float(cephes.LN2_HIGH), rounded(f + y)).astype(np.float32)


def plain_cossin(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    quarters = (rounded(x * float(np.float32(4 / np.pi))).astype(np.int64) + 1) // 2
    for part in cephes.PI_OVER_4:
        x = fma(2 * quarters, -float(part), x)
    z = rounded(x * x)
    cosine = rounded(fma(rounded(horner(cephes.COS, z) * z), z, -0.5 * z) + 1)
    sine = fma(rounded(horner(cephes.SIN, z) * z), x, x)
    turned = [(cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine)]
    return np.array([[turned[q % 4][i][at] for at, q in enumerate(quarters)] for i in range(2)], np.float32)


@pytest.mark.parametrize("size", [1, 7, 20_000])
def test_log(size: int) -> None:
    x = (np.random.default_rng(0).integers(1, 2**24 + 1, size) / 2**24).astype(np.float32)
    np.testing.assert_array_equal(cephes.log32(x), plain_log(x))
    wide = np.random.default_rng(1).uniform(-80, 80, size)
    np.testing.assert_array_equal(cephes.log32(np.exp(wide).astype(np.float32)), plain_log(np.exp(wide).astype("f4")))


@pytest.mark.parametrize("size", [1, 7, 20_000])
def test_sine_and_cosine(size: int) -> None:
    k = np.random.default_rng(0).integers(0, 2**24, size)
    boundaries = np.arange(9)[:, None] * 2**21 + np.arange(-3, 4)  # of quarter turns, and halfway between them
    k = np.concatenate((k, boundaries[(boundaries >= 0) & (boundaries < 2**24)]))
    x = (k / 2**24).astype(np.float32) * np.float32(2 * np.pi)
    np.testing.assert_array_equal(cephes.cossin32(x), plain_cossin(x))


def test_they_are_what_they_are_called() -> None:
    x = np.linspace(0.01, 6.28, 1000, dtype=np.float32)
    cosine, sine = cephes.cossin32(x)
    for found, expected in ((cephes.log32(x), np.log(x)), (sine, np.sin(x)), (cosine, np.cos(x))):
        np.testing.assert_allclose(found, expected, atol=2e-7, rtol=2e-7)
