"""Sums by BLAS beside NumPy's in double precision."""

import itertools

import numpy as np
import pytest

import tinytorch
from tinytorch.kernels import sums

SHAPES = [
    (300, 200, 3),
    (16, 20, 14, 15),
    (256, 128),
    (3, 20001),
    (30000, 5),
    (7, 2049, 9),
    (2, 3, 5, 7, 11, 13),
    (0, 5),
]


def layouts(x):
    yield from (x, x.T, x[::2], np.moveaxis(x, 0, -1), x[..., ::-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_total_over_every_choice_of_axes(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for view in layouts(x):
        for axes in itertools.chain.from_iterable(itertools.combinations(range(x.ndim), k) for k in range(x.ndim + 1)):
            for keepdims in (False, True):
                got = sums.total(view, axes, keepdims)
                want = np.add.reduce(view.astype(np.float64), axis=axes, keepdims=keepdims)
                assert got.shape == want.shape and got.dtype == dtype
                allowed = 32 * np.finfo(dtype).eps * np.sqrt(view.size / max(1, want.size))
                np.testing.assert_allclose(got, want, atol=allowed, rtol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(300, 70), (5, 7), (3, 2049), (2, 3, 20), (0, 5), (1024,)])
def test_sums_of_squares(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for view in layouts(x):
        for axes in [(axis,) for axis in range(x.ndim)] + [tuple(range(x.ndim))]:
            for keepdims in (False, True):
                got = sums.total_of_squares(view, axes, keepdims)
                want = np.add.reduce(view.astype(np.float64) ** 2, axis=axes, keepdims=keepdims)
                assert got.shape == want.shape and got.dtype == np.float32
                np.testing.assert_allclose(got, want, rtol=1e-5)


def test_the_error_does_not_grow_with_the_count():
    for shape, axes in [((1_000_000, 4), (0,)), ((4, 1_000_001), (1,)), ((1000, 4, 1000), (0, 2))]:
        np.testing.assert_allclose(sums.total(np.full(shape, 0.1, np.float32), axes), 1e5, rtol=1e-5)


def test_infinities_nan_and_repeated_elements():
    x = np.zeros((300, 300), np.float32)
    x[5, 7], x[6, 8], x[6, 9] = np.inf, np.inf, -np.inf
    rows, columns = sums.total(x, (1,)), sums.total(x, (0,))
    assert rows[5] == np.inf and np.isnan(rows[6]) and (np.delete(rows, [5, 6]) == 0).all()
    assert columns[7] == np.inf and columns[9] == -np.inf
    assert sums.total(np.broadcast_to(np.float32(2), (1000, 1000)), (0, 1)) == 2e6


def test_bits_do_not_depend_on_threads():
    x = np.random.default_rng(0).standard_normal((3000, 700)).astype(np.float32)
    before = tinytorch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            tinytorch.set_num_threads(threads)
            found.append([sums.total(x, axes).tobytes() for axes in [(0,), (1,), (0, 1)]])
    finally:
        tinytorch.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize("n", [0, 1, 512, 513, 768, 2049])
def test_row_dots(n):
    a, b = np.random.default_rng(0).standard_normal((2, 30, n)).astype(np.float32)
    want = (a.astype(np.float64) * b).sum(1, keepdims=True)
    np.testing.assert_allclose(sums.row_dots(a, b), want, rtol=1e-5, atol=1e-5)
