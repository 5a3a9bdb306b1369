"""Broadcasting over short rows gives what NumPy's own gives, in its shape."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.kernels.short_rows import reduce, views_with_long_rows, with_long_rows

RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def wide(x, *shape):
    return np.broadcast_to(x, shape)


PAIRS = {
    "pairs of points": (random(30, 1, 3), random(1, 70, 3)),
    "the other way round": (random(1, 70, 2), random(30, 1, 2)),
    "a bias": (random(50, 40, 4), random(4)),
    "expanded views": (wide(random(30, 1, 2), 30, 70, 2), wide(random(1, 70, 2), 30, 70, 2)),
    "expanded and broadcast": (wide(random(1, 1, 2), 30, 1, 2), random(1, 70, 2)),
    "rows of two dimensions": (random(20, 1, 2, 3), random(40, 2, 3)),
    "two dimensions between": (random(5, 1, 1, 4), random(1, 20, 30, 4)),
    "another order in memory": (random(3, 70, 30).T, random(1, 70, 3)),
    "not contiguous": (random(30, 1, 8)[..., ::2], random(70, 8)[:, ::2]),
    "long rows": (random(30, 1, 50), random(1, 70, 50)),
    "few elements": (random(3, 1, 2), random(1, 4, 2)),
    "numbers": (random(5000), np.asarray(2.0, np.float32)),
    "nothing": (random(0, 1, 2), random(1, 5000, 2)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_result_is_the_same(name):
    a, b = PAIRS[name]
    for pair in (with_long_rows(a, b), views_with_long_rows(a, b)):
        np.testing.assert_array_equal(np.subtract(*pair), a - b)
        assert np.subtract(*pair).strides == (a - b).strides or name == "another order in memory"


def test_short_rows_are_written_out_and_nothing_else():
    changed = {
        name
        for name, (a, b) in PAIRS.items()
        if any(x is not y for x, y in zip(with_long_rows(a, b), (a, b), strict=True))
    }
    assert changed == {
        "pairs of points", "the other way round", "a bias", "rows of two dimensions", "two dimensions between",
        "expanded and broadcast",
    }  # fmt: skip
    assert with_long_rows(random(5000), 2.0)[1] == 2.0
    a, b = np.zeros((5000, 2)), np.zeros((3, 2))
    assert with_long_rows(a, b)[1] is b, "these do not broadcast: the operation says so"


@pytest.mark.parametrize("shape", [(3000, 2), (40, 50, 3), (500, 12), (500, 13), (2, 3), (5000, 1), (0, 2)])
@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum, np.multiply])
def test_reduced_column_by_column(ufunc, shape):
    x = random(*shape)
    x[1:2] = np.nan
    for keepdims in (False, True):
        for axis in range(len(shape)):
            expected = ufunc.reduce(x, axis=axis, keepdims=keepdims) if shape[axis] or ufunc is np.multiply else None
            if expected is not None:
                result = reduce(ufunc, x, axis, keepdims)
                assert result.dtype == expected.dtype and result.shape == expected.shape
                np.testing.assert_allclose(result, expected, 1e-5)
