"""erfinv against PyTorch and against its own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tinytorch.kernels.erfinv import erfinv


@pytest.mark.parametrize(("dtype", "units"), [("float16", 1), ("float32", 1), ("float64", 2)])
def test_against_torch(dtype: str, units: int) -> None:
    y = np.concatenate([np.linspace(-0.999, 0.999, 20001), np.logspace(-30, -1, 50)]).astype(dtype)
    ours, theirs = erfinv(y), torch.erfinv(torch.from_numpy(y)).numpy()
    assert ours.dtype == y.dtype
    np.testing.assert_array_max_ulp(ours, theirs, maxulp=units)


def test_tails() -> None:
    """The numbers next to 1, by the definition: erfc(x) = 1 - y, where 1 - y is exact."""
    y = 1.0 - 2.0 ** -np.arange(1.0, 54.0)
    x = erfinv(y)
    back = np.array([math.erfc(v) for v in x])
    np.testing.assert_allclose(back, 1.0 - y, rtol=3e-14)
    assert np.array_equal(erfinv(-y), -x)


def test_special_values() -> None:
    y = np.array([1.0, -1.0, 1.5, -2.0, np.nan, np.inf, 0.0, -0.0])
    np.testing.assert_array_equal(erfinv(y), torch.erfinv(torch.from_numpy(y)).numpy())
    assert np.signbit(erfinv(np.array(-0.0)))
    assert erfinv(np.empty((0, 3))).shape == (0, 3)
    with pytest.raises(NotImplementedError, match="floating point"):
        erfinv(np.array([0, 1]))
