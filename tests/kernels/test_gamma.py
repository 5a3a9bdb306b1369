"""The gamma family, over all magnitudes, against PyTorch's float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tinytorch.kernels import gamma

RNG = np.random.default_rng(0)
PLACES = {
    "ordinary": RNG.uniform(0.001, 20, 20_000),  # several pieces
    "near the zeros": np.concatenate([c + RNG.normal(size=300) * 1e-3 for c in (1, 2, 1.4616321)]),
    "large": 10 ** RNG.uniform(0, 36, 1000),
    "small": 10 ** RNG.uniform(-18, 0, 1000),
    "negative": -RNG.uniform(0, 30, 1000),
    "mixed": RNG.uniform(-3, 3, 1000),
    "integers": np.array([1.0, 2.0, 3.0, 10.0]),
    "none": np.array([]),
}
FUNCTIONS = {
    "lgamma": (gamma.lgamma, torch.lgamma),
    "digamma": (gamma.digamma, torch.digamma),
    "trigamma": (lambda x: gamma.polygamma(1, x), lambda x: torch.polygamma(1, x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everywhere(name: str, place: str, dtype: type) -> None:
    ours, theirs = FUNCTIONS[name]
    x = PLACES[place].astype(dtype)
    expected = theirs(torch.from_numpy(x.astype(np.float64))).numpy()
    found = ours(x)
    assert found.dtype == dtype
    fine = 2e-9 if name == "trigamma" else 1e-13  # PyTorch's own trigamma has nine digits
    np.testing.assert_allclose(found, expected, rtol=fine if dtype == np.float64 else 1e-7, atol=1e-13)


def test_the_c_library_and_the_series_agree() -> None:
    x = PLACES["mixed"].astype(np.float32)
    by_library = [math.lgamma(value) for value in x.tolist()]
    np.testing.assert_allclose(gamma.lgamma(x), by_library, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_poles_and_infinities(dtype: type) -> None:
    x = np.array([0.0, -0.0, -1.0, -2.0, np.inf, -np.inf, np.nan], dtype)
    inf, nan = np.inf, np.nan
    np.testing.assert_array_equal(gamma.lgamma(x), np.array([inf, inf, inf, inf, inf, inf, nan], dtype))
    np.testing.assert_array_equal(gamma.digamma(x), np.array([-inf, inf, nan, nan, inf, nan, nan], dtype))
    np.testing.assert_array_equal(gamma.polygamma(1, x[:4]), np.full(4, inf, dtype))


def test_any_layout() -> None:
    x = np.random.default_rng(1).uniform(-3, 3, (40, 50)).astype(np.float32)
    np.testing.assert_array_equal(gamma.lgamma(x.T), gamma.lgamma(x).T)
    assert gamma.digamma(np.float32(1.0).reshape(())).shape == ()
