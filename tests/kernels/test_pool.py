"""Pooling kernels against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinytorch.kernels import avg_pool, pool, pool_axes, threads
from tinytorch.kernels.layout import is_chwn
from tinytorch.kernels.windows import pool_output_size

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


def images(draw, n, c, size, dtype):
    """Random images, some with ties, with NaN or with minus infinity."""
    x = torch.randn(n, c, *size, dtype=dtype)
    kind = draw(st.sampled_from(["plain", "ties", "nan", "-inf"]))
    if kind == "ties":
        x = x.round()
    if kind in ("nan", "-inf"):
        x[torch.rand_like(x) < 0.3] = float(kind)
    return x


def sizes(draw, dilated):
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    kernel = draw(st.one_of(pairs, st.just((2, 2)), st.just(size)))
    stride = draw(st.one_of(pairs, st.just(kernel)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    dilation = draw(pairs) if dilated and draw(st.booleans()) else (1, 1)
    ceil_mode = draw(st.booleans())
    assume(all(s + 2 * p >= d * (k - 1) + 1 for s, k, p, d in zip(size, kernel, padding, dilation, strict=True)))
    out = tuple(
        pool_output_size(*args, ceil_mode) for args in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return size, kernel, stride, padding, dilation, ceil_mode, out


def every_window_has_a_place(size, kernel, stride, padding, dilation, out):
    return all(
        any(0 <= o * st_ + i * d - p < s for i in range(k))
        for s, k, st_, p, d, count in zip(size, kernel, stride, padding, dilation, out, strict=True)
        for o in range(count)
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_max_pool(data):
    size, kernel, stride, padding, dilation, ceil_mode, out = sizes(data.draw, dilated=True)
    assume(every_window_has_a_place(size, kernel, stride, padding, dilation, out))
    n, c = data.draw(st.sampled_from([(1, 1), (2, 3), (64, 2)]))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    x = images(data.draw, n, c, size, dtype).requires_grad_()
    y, indices = F.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode, return_indices=True)
    gy = torch.randn_like(y)
    (gx,) = torch.autograd.grad(y, x, gy)

    how = (kernel, stride, padding, dilation)
    got, winner = pool.max_pool(x.detach().numpy(), *how, out)
    if pool.lies_within(x.shape, *how, out):
        values = pool.max_values(x.detach().numpy(), how[0], how[1], how[3], out)
        np.testing.assert_array_equal(values, got)
    assert is_chwn(got) and is_chwn(winner) and got.dtype == x.detach().numpy().dtype
    np.testing.assert_array_equal(got, y.detach().numpy())
    places = pool.winner_to_indices(winner, *how, size)
    assert places.dtype == np.int64
    np.testing.assert_array_equal(places, indices.numpy())
    scattered = pool.max_pool_scatter(gy.numpy(), winner, tuple(x.shape), *how)
    assert scattered.dtype == got.dtype
    np.testing.assert_allclose(scattered, gx.numpy(), rtol=1e-5, atol=1e-6)
    other = torch.randn(x.shape, dtype=dtype)
    gathered = pool.max_pool_gather(other.numpy(), winner, *how)
    want = other.flatten(2).gather(2, indices.flatten(2)).view(y.shape)
    np.testing.assert_array_equal(gathered, want.numpy())


def test_max_pool_infinite_gradient_does_not_leak():
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    _, winner = pool.max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), (1, 1))
    gx = pool.max_pool_scatter(np.full((1, 1, 1, 1), np.inf), winner, x.shape, (2, 2), (2, 2), (0, 0), (1, 1))
    np.testing.assert_array_equal(gx, [[[[0, 0], [0, np.inf]]]])


def test_max_pool_integers_and_large_windows():
    x = torch.randint(-5, 5, (3, 2, 20, 20))
    y, indices = F.max_pool2d(x, 17, 3, 2, return_indices=True)
    got, winner = pool.max_pool(x.numpy(), (17, 17), (3, 3), (2, 2), (1, 1), tuple(y.shape[2:]))
    assert winner.dtype == np.uint16 and got.dtype == np.int64
    np.testing.assert_array_equal(got, y.numpy())
    np.testing.assert_array_equal(
        pool.winner_to_indices(winner, (17, 17), (3, 3), (2, 2), (1, 1), (20, 20)), indices.numpy()
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_avg_pool(data):
    size, kernel, stride, padding, _, ceil_mode, out = sizes(data.draw, dilated=False)
    n, c = data.draw(st.sampled_from([(1, 1), (2, 3), (64, 2)]))
    include, override = data.draw(st.booleans()), data.draw(st.sampled_from([None, 3]))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    x = torch.randn(n, c, *size, dtype=dtype, requires_grad=True)
    y = F.avg_pool2d(x, kernel, stride, padding, ceil_mode, include, override)
    gy = torch.randn_like(y)
    (gx,) = torch.autograd.grad(y, x, gy)
    got = avg_pool.avg_pool(x.detach().numpy(), kernel, stride, padding, out, include, override)
    back = avg_pool.avg_pool_input(gy.numpy(), tuple(x.shape), kernel, stride, padding, include, override)
    assert is_chwn(got) and is_chwn(back) and got.dtype == back.dtype == gy.numpy().dtype
    np.testing.assert_allclose(got, y.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(back, gx.numpy(), rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(size=st.tuples(st.integers(1, 12), st.integers(1, 12)), out=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_adaptive_avg_pool(size, out):
    x = torch.randn(3, 4, *size, requires_grad=True)
    y = F.adaptive_avg_pool2d(x, out)
    gy = torch.randn_like(y)
    (gx,) = torch.autograd.grad(y, x, gy)
    got = avg_pool.adaptive_avg_pool(x.detach().numpy(), out)
    back = avg_pool.adaptive_avg_pool_input(gy.numpy(), tuple(x.shape))
    assert is_chwn(got) and is_chwn(back) and got.dtype == back.dtype == np.float32
    np.testing.assert_allclose(got, y.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(back, gx.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_output_size(ceil_mode):
    for size in range(1, 12):
        for kernel in range(1, 5):
            for stride in range(1, 5):
                for padding in range(kernel // 2 + 1):
                    if size + 2 * padding < kernel:
                        continue
                    want = F.max_pool1d(torch.zeros(1, 1, size), kernel, stride, padding, ceil_mode=ceil_mode).shape[2]
                    assert pool_output_size(size, kernel, stride, padding, 1, ceil_mode) == want


@pytest.mark.parametrize("size, kernel, stride, padding, dilation", [
    ((9, 8), (3, 3), (2, 2), (1, 1), (1, 1)),
    ((9, 8), (2, 3), (3, 1), (0, 1), (1, 2)),
    ((8, 8), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((7,), (5,), (2,), (2,), (1,)),
    ((5, 6, 7), (3, 2, 3), (1, 2, 3), (1, 0, 1), (1, 1, 1)),
    ((20, 20), (17, 18), (1, 1), (3, 3), (1, 1)),  # more taps than a byte counts
])  # fmt: skip
@pytest.mark.parametrize("n", [3, 64])
@pytest.mark.parametrize("ties", [False, True])
def test_one_axis_after_the_other_and_tap_by_tap_agree(size, kernel, stride, padding, dilation, n, ties):
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 3, (4, *size, n)).astype(np.float32) if ties else rng.standard_normal((4, *size, n))
    out = [pool_output_size(*args, False) for args in zip(size, kernel, stride, padding, dilation, strict=True)]
    winner_dtype = np.min_scalar_type(int(np.prod(kernel)) - 1)
    results = []
    for function in (pool._pool_any, pool_axes.pool_by_axes):
        y, winner = np.empty((4, *out, n), x.dtype), np.empty((4, *out, n), winner_dtype)
        function(x, y, winner, kernel, stride, padding, dilation)
        results.append((y, winner))
    (y, winner), (fast_y, fast_winner) = results
    np.testing.assert_array_equal(fast_y, y)
    np.testing.assert_array_equal(fast_winner, winner)


def test_one_axis_after_the_other_says_when_it_cannot_tell():
    how = ((3, 3), (2, 2), (1, 1), (1, 1))
    for bad in (np.nan, -np.inf):
        x = np.full((1, 6, 6, 2), bad)
        x[:, ::2] = 1.0 if np.isnan(bad) else bad
        assert not pool_axes.pool_by_axes(x, np.empty((1, 3, 3, 2)), np.empty((1, 3, 3, 2), np.uint8), *how)


def test_bits_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(0).standard_normal((16, 64, 57, 57)).astype(np.float32)
    how = ((3, 3), (2, 2), (1, 1), (1, 1))
    before = threads.get_num_threads()
    results = []
    try:
        for n in (1, 2, 3):
            threads.set_num_threads(n)
            y, winner = pool.max_pool(x, *how, (29, 29))
            results.append((y.tobytes(), winner.tobytes(), pool.max_pool_scatter(y, winner, x.shape, *how).tobytes()))
    finally:
        threads.set_num_threads(before)
    assert results[0] == results[1] == results[2]
