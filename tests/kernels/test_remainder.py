"""fmod and the remainder in double precision, beside NumPy's and PyTorch's."""

import numpy as np
import pytest

from tinytorch.kernels import remainder

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SPECIAL = [0.0, -0.0, 6.0, -6.0, 5.0, -5.0, 1e-40, 3.4e38, np.inf, -np.inf, np.nan]


def pairs():
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(20_000) * 10.0 ** rng.uniform(-9, 9, 20_000) for _ in range(2))
    a[:5000] = rng.integers(-1000, 1000, 5000) * b[:5000]  # quotients that are nearly whole numbers
    special = np.array([(x, y) for x in SPECIAL for y in [*SPECIAL, 3.0, -3.0]])
    return np.concatenate((a, special[:, 0])).astype(np.float32), np.concatenate((b, special[:, 1])).astype(np.float32)


@pytest.mark.parametrize("name", ["fmod", "remainder"])
def test_bits_are_numpys(name):
    a, b = pairs()
    ours, theirs = getattr(remainder, name)(a, b), getattr(np, name)(a, b)
    np.testing.assert_array_equal(ours, theirs)
    if name == "fmod":  # which has the sign of a, even where it is 0
        number = ~np.isnan(ours)
        np.testing.assert_array_equal(np.signbit(ours[number]), np.signbit(theirs[number]))


@pytest.mark.parametrize("number", [3, -3, 0.1, -1e-30, np.inf, -np.inf, np.nan, 0])
@pytest.mark.parametrize("name", ["fmod", "remainder"])
def test_by_a_number(name, number):
    a, _ = pairs()
    np.testing.assert_array_equal(getattr(remainder, name)(a, number), getattr(np, name)(a, np.float32(number)))


def test_small_and_double_ones_are_numpys():
    a, b = pairs()
    for x, y in ((a[:5], b[:5]), (a.astype(np.float64), b.astype(np.float64)), (a[:1000], b[:1, None])):
        np.testing.assert_array_equal(remainder.fmod(x, y), np.fmod(x, y))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_integers_by_a_number(dtype):
    limits = np.iinfo(dtype)
    a = np.random.default_rng(0).integers(limits.min, limits.max, 3000, dtype=dtype, endpoint=True)
    a[:2] = limits.min, limits.max
    for number in (1, 2, 3, 64, 100, -1, -4, -7) if limits.min else (1, 2, 3, 64, 100):
        for numbers in (a, a[:10]):
            found = remainder.remainder(numbers, number)
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, np.remainder(numbers, dtype(number)))
