"""Running sums beside NumPy's in double precision."""

import numpy as np
import pytest

from tinytorch.kernels.scan import running_sums


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(256, 128), (100, 101), (3, 3001), (90, 64, 7), (5, 2049, 9), (3, 4), (0, 3)])
def test_every_axis_from_both_ends(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for view in (x, x.T, x[::2]):
        for axis in range(x.ndim):
            exact = view.astype(np.float64)
            want = np.cumsum(exact, axis), np.flip(np.cumsum(np.flip(exact, axis), axis), axis)
            for reverse in (False, True):
                got = running_sums(view, axis, reverse)
                assert got.dtype == dtype
                np.testing.assert_allclose(got, want[reverse], rtol=0, atol=4000 * np.finfo(dtype).eps)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinities_and_nan_stay_where_they_are():
    x = np.ones((100, 200), np.float32)
    x[3, 50], x[4, 60], x[5, 10], x[5, 20] = np.inf, np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(running_sums(x, 1), np.add.accumulate(x, axis=1))
    np.testing.assert_array_equal(running_sums(x, 0), np.add.accumulate(x, axis=0))


def test_the_error_does_not_grow():
    assert running_sums(np.full(1_000_000, 0.1, np.float32), 0)[-1] == pytest.approx(1e5, rel=1e-6)


def test_whole_numbers():
    np.testing.assert_array_equal(running_sums(np.arange(20000), 0, reverse=True)[:2], [199990000, 199990000])
