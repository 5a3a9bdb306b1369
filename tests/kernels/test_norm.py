"""Batch normalization and ReLU kernels against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tinytorch.kernels import channel_sums, elementwise, layer_norm, norm, norm_matrix, norm_row_major
from tinytorch.kernels.layout import to_chwn

SHAPES = [(5, 7), (64, 300), (3, 4, 9), (64, 20, 28, 28), (2, 3, 4, 5, 6), (4, 3, 17, 31), (1, 3, 50, 50)]


def as_numpy(t):
    return None if t is None else t.detach().numpy()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_train(shape, dtype, affine):
    x = (torch.randn(shape, dtype=dtype) * 3 + 10).requires_grad_()
    w = torch.randn(shape[1], dtype=dtype, requires_grad=True) if affine else None
    b = torch.randn(shape[1], dtype=dtype, requires_grad=True) if affine else None
    # without weight and bias there is one gradient only, hence strict=False below; compare with double precision: it is the truth that both libraries round to
    y = F.batch_norm(x.double(), None, None, w.double() if affine else None, b.double() if affine else None, True)
    gy = torch.randn(shape, dtype=dtype)
    want = torch.autograd.grad(y, (x, w, b) if affine else (x,), gy.double())
    got_y, mean, var, invstd = norm.batch_norm_train(as_numpy(x), as_numpy(w), as_numpy(b), 1e-5)
    grads = norm.batch_norm_backward(gy.numpy(), as_numpy(x), mean, invstd, as_numpy(w))
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    flat = as_numpy(x).astype(np.float64).swapaxes(0, 1).reshape(shape[1], -1)
    np.testing.assert_allclose(mean, flat.mean(1), rtol=tolerance)
    np.testing.assert_allclose(var, flat.var(1), rtol=tolerance)
    np.testing.assert_allclose(invstd, 1 / np.sqrt(flat.var(1) + 1e-5), rtol=tolerance)
    np.testing.assert_allclose(got_y, as_numpy(y), atol=tolerance * 10)
    for got, expected in zip(grads, want, strict=False):
        scale = max(1.0, float(expected.abs().max()))
        np.testing.assert_allclose(got, expected.numpy(), atol=tolerance * 10 * scale)
    assert all(a.dtype == as_numpy(x).dtype for a in (got_y, mean, var, invstd, *grads))


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_eval(shape):
    x = torch.randn(shape, requires_grad=True)
    mean, var = torch.randn(shape[1]), torch.rand(shape[1]) + 0.5
    w, b = torch.randn(shape[1], requires_grad=True), torch.randn(shape[1], requires_grad=True)
    y = F.batch_norm(x, mean, var, w, b, False)
    gy = torch.randn(shape)
    want = torch.autograd.grad(y, (x, w, b), gy)
    invstd = (1 / (var + 1e-5).sqrt()).numpy()
    got = norm.batch_norm_eval(as_numpy(x), mean.numpy(), invstd, as_numpy(w), as_numpy(b))
    np.testing.assert_allclose(got, as_numpy(y), atol=1e-4)
    grads = norm.batch_norm_eval_backward(gy.numpy(), as_numpy(x), mean.numpy(), invstd, as_numpy(w))
    for g, expected in zip(grads, want, strict=False):
        np.testing.assert_allclose(g, expected.numpy(), atol=1e-5 * max(1.0, float(expected.abs().max())))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_channels_have_variance_zero(dtype):
    values = np.array([0, 0.1, -3.3, 1e4, 1e-20], dtype)
    for shape in [(64, 5, 28, 28), (7, 5)]:
        x = np.broadcast_to(values.reshape(-1, *[1] * (len(shape) - 2)), shape)
        y, mean, var, _ = norm.batch_norm_train(x, None, None, 1e-5)
        assert (var == 0).all() and (y == 0).all()
        np.testing.assert_array_equal(mean, values)


def test_small_spread_on_a_large_mean():
    x = (1e4 + np.random.default_rng(0).standard_normal((64, 2, 28, 28))).astype(np.float32)
    y, _, var, _ = norm.batch_norm_train(x, None, None, 0.0)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(var, exact.var((0, 2, 3)), rtol=1e-5)
    want = (exact - exact.mean((0, 2, 3), keepdims=True)) / exact.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(y, want, atol=5e-4)


def test_needs_and_nan():
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 5))
    x[0, 1, 0, 0] = np.nan
    y, mean, _, invstd = norm.batch_norm_train(x, None, None, 1e-5)
    assert np.isnan(y[:, 1]).all() and not np.isnan(y[:, [0, 2]]).any()
    for needs in [(True, False, False), (False, True, False), (False, False, True)]:
        for backward in (norm.batch_norm_backward, norm.batch_norm_eval_backward):
            grads = backward(np.ones_like(x), x, mean, invstd, None, needs)
            assert tuple(g is not None for g in grads) == needs


def test_sum_per_channel():
    for shape in SHAPES:
        g = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        axes = tuple(a for a in range(len(shape)) if a != 1)
        want = g.astype(np.float64).sum(axes)
        for lying in (g, to_chwn(g)):
            got = channel_sums.sum_per_channel(lying)
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, want, atol=1e-6 * np.sqrt(g.size))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [np.asarray, to_chwn, lambda x: x[:, ::2], np.asfortranarray])
def test_relu(make, dtype):
    x = make(np.random.default_rng(0).standard_normal((32, 20, 14, 14)).astype(dtype))
    x[0, 0, 0, :3] = [np.nan, np.inf, 0]
    g = np.random.default_rng(1).standard_normal(x.shape).astype(dtype)
    g = g if x.flags.c_contiguous else np.copyto(keep := np.empty_like(x), g) or keep
    g[0, 1, 0, 0], x[0, 1, 0, 0] = np.inf, -1
    y = elementwise.relu(x)
    want = torch.relu(torch.from_numpy(np.ascontiguousarray(x)))
    np.testing.assert_array_equal(y, want.numpy())
    assert y.dtype == dtype and y.strides == np.empty_like(x).strides
    gx = elementwise.relu_backward(g, y)
    back = torch.ops.aten.threshold_backward(torch.from_numpy(np.ascontiguousarray(g)), want, 0)
    np.testing.assert_array_equal(gx, back.numpy())
    assert gx.dtype == dtype and gx.strides == y.strides


def test_relu_of_integers_and_scalars():
    np.testing.assert_array_equal(elementwise.relu(np.array([-1, 2])), [0, 2])
    assert isinstance(elementwise.relu(np.array(1.5)), np.ndarray)
    assert elementwise.relu(np.array(-1.5)) == 0
    assert elementwise.relu_backward(np.array(2.0), np.array(1.5)) == 2
    assert elementwise.relu(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("size", [1, 5, 100, 200_001])
def test_relu_of_negative_zero_passes_no_gradient(size):
    x = np.full(size, -0.0, np.float32)
    assert not elementwise.relu_backward(np.ones_like(x), elementwise.relu(x)).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("samples", [20, 600])
def test_layer_norm_fast_and_careful(samples, affine, dtype):
    rng = np.random.default_rng(0)
    shape, needs = (samples, 97), (True, True, True)
    w, b = rng.standard_normal((2, 97)).astype(dtype) if affine else (None, None)
    close = {"rtol": 1e-4, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-11}
    for offset in (0, 1, 50):  # in standard deviations; 50 goes the careful way
        x, g = rng.standard_normal((2, *shape)).astype(dtype)
        x += dtype(offset)
        exact = torch.from_numpy(x).double().requires_grad_()
        want = F.layer_norm(exact, shape[1:], *[None if v is None else torch.from_numpy(v).double() for v in (w, b)])
        want_gx = torch.autograd.grad(want, exact, torch.from_numpy(g).double())[0]
        y, mean, invstd = layer_norm.layer_norm(x, w, b, 1e-5)
        careful = [np.empty_like(x), x.mean(1, keepdims=True), np.empty_like(mean)]
        layer_norm.layer_norm_careful(x, w, b, 1e-5, careful)
        gx, gw, gb = layer_norm.layer_norm_backward(g, x, mean, invstd, w, needs)
        slow = [np.empty_like(x), np.empty_like(gw), np.empty_like(gb)]
        layer_norm.layer_norm_backward_careful(g, x, mean, invstd, np.ones(97, dtype) if w is None else w, needs, slow)
        for got in (y, careful[0]):
            np.testing.assert_allclose(got, want.detach(), **close)
        np.testing.assert_allclose(invstd, careful[2], rtol=close["rtol"])
        for got in (gx, slow[0]):
            np.testing.assert_allclose(got, want_gx, **close)
        np.testing.assert_allclose(gw, slow[1], rtol=close["rtol"], atol=20 * close["atol"])
        np.testing.assert_allclose(gb, slow[2], rtol=close["rtol"], atol=20 * close["atol"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(300, 9), (40, 30), (2, 3), (40, 5, 3, 2), (64, 20, 28, 28), (50, 3, 40)])
def test_batch_norm_row_major_and_channel_by_channel(shape, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, *shape)).astype(dtype)
    x += dtype(1)
    w, b = rng.standard_normal((2, shape[1])).astype(dtype)
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-12}
    found = []
    for row_major in (True, False):
        monkeypatch.setattr(norm_row_major, "is_row_major", lambda x, answer=row_major: answer)
        if not row_major:
            monkeypatch.setattr(norm_matrix, "is_short", lambda x: False)
        y, mean, var, invstd = norm.batch_norm_train(x, w, b, 1e-5)
        grads = norm.batch_norm_backward(g, x, mean, invstd, w)
        evaluated = norm.batch_norm_eval(x, mean, invstd, w, b)
        eval_grads = norm.batch_norm_eval_backward(g, x, mean, invstd, w)
        found.append([y, mean, var, invstd, *grads, evaluated, *eval_grads])
    assert found[0][0].flags.c_contiguous
    for fast, reference in zip(*found, strict=True):
        assert fast.dtype == reference.dtype == dtype
        scale = max(1.0, float(np.abs(reference).max()))
        np.testing.assert_allclose(fast / scale, reference / scale, **close)


def test_batch_norm_of_a_far_mean_goes_channel_by_channel():
    x = np.random.default_rng(0).standard_normal((64, 5)).astype(np.float32)
    x[:, 3] += 100
    assert norm_row_major.train(x, None, None, 1e-5) is None
    _, mean, _, invstd = norm.batch_norm_train(x, None, None, 1e-5)
    assert norm_row_major.backward(x, x, mean, invstd, None, (True, True, True)) is None
