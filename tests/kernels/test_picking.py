"""Rows picked and added by number, beside NumPy's `take` and `add.at`."""

import numpy as np
import pytest

from tinytorch.kernels import picking

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("kind", ["once", "twice", "skewed", "now and then", "often"])
def test_sums_by_row(kind, dtype):
    rows = {
        "once": RNG.permutation(500)[:300],
        "twice": np.repeat(RNG.permutation(300), 2)[RNG.permutation(600)],
        "skewed": np.minimum(RNG.integers(0, 400, 700), 300),
        "now and then": RNG.integers(0, 50, 700),
        "often": RNG.integers(0, 5, 700),
    }[kind]
    values = (10 * RNG.standard_normal((len(rows), 24))).astype(dtype)
    out, want = np.zeros((2, 500, 24), dtype)
    used, sums = picking.sums_by_row(rows, values, 500)
    assert len(set(used.tolist())) == len(used)
    out[used] = sums
    np.add.at(want, rows, values)
    np.testing.assert_allclose(out, want, rtol=1e-4, atol=1e-4 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_take(axis):
    x = RNG.standard_normal((20, 30, 70)).astype(np.float32)
    index = RNG.integers(-20, 20, (7, 30))
    np.testing.assert_array_equal(picking.take(x, index, axis), np.take(x, index, axis))
    for wrong in (x.shape[axis], -x.shape[axis] - 1):
        index[3, 4] = wrong
        with pytest.raises(IndexError):
            picking.take(x, index, axis)


def test_places_along():
    x = RNG.standard_normal((6, 5, 4))
    for dim in range(3):
        shape = [3, 2, 4]
        shape[dim] = 7
        index = RNG.integers(0, x.shape[dim], shape)
        part = x[tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(shape))]
        want = np.take_along_axis(part, index, dim)
        np.testing.assert_array_equal(x.reshape(-1)[picking.places_along(index, dim, x.shape)], want)
