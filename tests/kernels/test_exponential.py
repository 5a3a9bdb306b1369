"""e^x and ln x by powers of two: beside NumPy's own, and beside double precision."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.kernels import exponential
from tinytorch.kernels.loops import stretched

EPS = np.finfo(np.float32).eps


@pytest.fixture(params=[True, False], ids=["exp2", "exp"])
def fast(request, monkeypatch):
    monkeypatch.setattr(exponential, "exp2_is_fast", lambda: request.param)


@pytest.mark.parametrize("n", [100, 3 * exponential.SMALL])
def test_exp_is_close_to_that_of_double_precision(fast, n):
    x = np.linspace(-87, 88, n, dtype=np.float32)
    got = exponential.exp(x, np.empty_like(x), 1.0).astype(np.float64)
    want = np.exp(x.astype(np.float64))
    assert (np.abs(got / want - 1) <= (2 + np.abs(x)) * EPS).all()
    np.testing.assert_allclose(exponential.exp(x, np.empty_like(x), -0.5), np.exp(-0.5 * x), rtol=1e-5)


def test_exp_of_the_extremes(fast):
    x = np.resize(np.array([np.inf, -np.inf, np.nan, 0.0, 200.0, -200.0], np.float32), 2 * exponential.SMALL)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(exponential.exp(x, np.empty_like(x)), np.exp(x), rtol=2e-5)
        x = np.concatenate([np.full(2 * exponential.FEW, 0.5, np.float32), x])  # behind those that are looked at
        np.testing.assert_allclose(exponential.exp(x, np.empty_like(x)), np.exp(x), rtol=2e-5)
    assert exponential.exp(x[:0], x[:0]).size == 0


def test_exp_in_place_and_in_double_precision(fast):
    x = np.linspace(-3, 3, 2 * exponential.SMALL)
    np.testing.assert_array_equal(exponential.exp(x, np.empty_like(x), 2.0), np.exp(2 * x))
    single = x.astype(np.float32)
    assert exponential.exp(single, single) is single
    np.testing.assert_allclose(single, np.exp(x), rtol=1e-6)


def test_log(fast):
    x = np.geomspace(1e-30, 1e30, 2 * exponential.SMALL).astype(np.float32)
    got = exponential.log(x, np.empty_like(x))
    np.testing.assert_allclose(got, np.log(x.astype(np.float64)), rtol=3 * EPS)
    special = np.resize(np.array([0.0, np.inf, 1.0], np.float32), x.size)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(exponential.log(special, x), np.log(special))


@pytest.mark.parametrize("shape", [(3, 5), (80, 1000), (1000, 80)])
def test_stretched_is_the_function_itself(shape):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal(shape).astype(np.float32)
    for other in (rng.standard_normal((shape[0], 1)), rng.standard_normal(shape[1])):
        other = other.astype(np.float32)
        before = np.getbufsize()
        got = stretched(np.subtract, rows, other, np.empty_like(rows))
        np.testing.assert_array_equal(got, rows - other)
        assert np.getbufsize() == before
