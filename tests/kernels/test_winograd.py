"""Winograd's convolution against the matrix product: the same numbers, precision, and spread of nan and ∞."""

import itertools
import warnings

import numpy as np
import pytest

from tinytorch.kernels import conv, threads, winograd, winograd_tiles
from tinytorch.kernels.conv_reference import conv2d_im2col
from tinytorch.kernels.winograd import one_tile
from tinytorch.kernels.winograd_tiles import Block, blocks


def normal(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def three(x, w, b, g, padding):
    """Result and both gradients, by the functions that choose between the ways."""
    pads = (padding, padding)
    return (
        conv.conv2d(x, w, b, padding=pads),
        conv.conv2d_input(g, w, x.shape, padding=pads),
        conv.conv2d_weight(x, g, w.shape, padding=pads),
    )


@pytest.fixture
def both_ways(monkeypatch):
    """A function that computes `three` by Winograd and by the column matrix."""

    def run(*arguments):
        results = []
        for always in (True, False):
            monkeypatch.setattr(winograd, "pays", lambda *a, always=always, **k: always)
            results.append(three(*arguments))
        return results

    return run


def arguments(n, c, o, size, padding, dtype=np.float64):
    out = [s + 2 * padding - 2 for s in size]
    return normal(n, c, *size, dtype=dtype), normal(o, c, 3, 3, dtype=dtype), normal(o, dtype=dtype), normal(
        n, o, *out, dtype=dtype, seed=1
    ), padding  # fmt: skip


def test_one_tile_is_four_dot_products():
    d, w = normal(4, 4), normal(3, 3)
    np.testing.assert_allclose(one_tile(d, w), conv2d_im2col(d[None, None], w[None, None])[0, 0], atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 5, 64, 130])
@pytest.mark.parametrize(
    "c, o, size, padding", [(3, 4, (6, 6), 1), (4, 3, (5, 7), 0), (1, 2, (3, 9), 2), (2, 2, (1, 2), 3)]
)
def test_result_and_gradients(n, c, o, size, padding, both_ways):
    for fast, plain in zip(*both_ways(*arguments(n, c, o, size, padding)), strict=True):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-13 * max(1, np.abs(plain).max()))


def test_many_blocks_of_rows_columns_and_images(both_ways, monkeypatch):
    monkeypatch.setattr(winograd_tiles, "TILE_BYTES", 1 << 12)
    for n, size in ((3, (21, 18)), (70, (9, 8)), (1, (40, 7))):
        for fast, plain in zip(*both_ways(*arguments(n, 2, 3, size, 1)), strict=True):
            np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-13 * max(1, np.abs(plain).max()))


def test_blocks_cover_every_tile_once():
    for h, w, n, c in itertools.product((1, 2, 13, 56), (1, 7, 56), (1, 16, 300), (1, 64, 512)):
        seen = np.zeros(((h + 1) // 2, (w + 1) // 2, n), int)
        for t0, t1, w0, w1, n0, n1 in blocks(c, np.empty((0, h, w, n)), 4):
            seen[t0:t1, w0:w1, n0:n1] += 1
        assert (seen == 1).all()
    assert Block(0, 1, 0, 4, 0, 64).by_row and not Block(0, 4, 0, 4, 0, 1).by_row


def test_as_precise_as_the_column_matrix(both_ways):
    x, w, b, g, _ = (a for a in arguments(16, 40, 40, (14, 14), 1))
    single = [a.astype(np.float32) for a in (x, w, b, g)]
    exact = three(*[a.astype(np.float64) for a in single], 1)
    for fast, plain, right in zip(*both_ways(*single, 1), exact, strict=True):
        assert fast.dtype == np.float32
        error, usual = (np.sqrt(np.mean((a - right) ** 2)) for a in (fast, plain))
        assert error < max(3 * usual, 1e-6 * np.sqrt(np.mean(right**2)))


def test_whole_numbers_stay_exact(both_ways):
    whole = [np.round(3 * a).astype(np.float32) for a in arguments(4, 20, 20, (8, 8), 1)[:4]]
    for fast, plain in zip(*both_ways(*whole, 1), strict=True):
        np.testing.assert_array_equal(fast, plain)


def test_what_a_kernel_does_not_see_does_not_matter():
    """Zeros give exact zeros, and a value that is not finite stays within the tiles that see it."""
    x = normal(8, 16, 12, 12, dtype=np.float32)
    w = normal(16, 16, 3, 3, dtype=np.float32)
    rows = np.ascontiguousarray(x.transpose(1, 2, 3, 0))
    rows[:, 5:] = 0
    y = np.empty((16, 12, 12, 8), np.float32)
    assert winograd.correlate(rows, w, None, y, (-1, -1))
    assert (y[:, 6:] == 0).all() and (y[:, :6] != 0).all()
    rows[3, 4, 7, 2] = np.inf
    assert not winograd.correlate(rows, w, None, y, (-1, -1))
    assert not np.isfinite(y[:, 3:6, 6:9, 2]).any()
    y[:, 2:6, 6:10, 2] = 0
    assert np.isfinite(y).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("where", [0, 1, 2, 3])
def test_values_that_are_not_finite_go_the_direct_way(value, where, both_ways):
    values = arguments(4, 8, 8, (8, 8), 1, np.float32)
    values[where].flat[5] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways = both_ways(*values)
    for fast, plain in zip(*ways, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-4, atol=1e-4 * np.abs(plain[np.isfinite(plain)]).max(initial=1))


def test_bits_do_not_depend_on_the_number_of_threads():
    values = arguments(16, 64, 64, (28, 28), 1, np.float32)
    assert winograd.pays(64, 64, (28, 28), 16) and winograd.weight_pays(64, 64, (28, 28), 16)
    before = threads.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            results.append([a.tobytes() for a in three(*values)])
    finally:
        threads.set_num_threads(before)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("fast", [True, False])
def test_pays_where_there_are_channels_and_pixels(fast, monkeypatch):
    monkeypatch.setattr(winograd, "last_level_is_fast", lambda: fast)
    assert winograd.pays(64, 64, (14, 14), 64) and winograd.weight_pays(64, 64, (28, 28), 16)
    assert winograd.pays(64, 64, (28, 28), 1) == fast
    assert not winograd.pays(1, 20, (28, 28), 64) and not winograd.pays(40, 40, (14, 14), 64)
    assert not winograd.pays(512, 512, (4, 4), 1) and not winograd.pays(64, 64, (1, 1), 1)
