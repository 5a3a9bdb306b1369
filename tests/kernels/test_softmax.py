"""The fast softmax beside its formula and PyTorch."""

import numpy as np
import pytest
import torch

from tinytorch.kernels import cross_entropy
from tinytorch.kernels import softmax as kernels

RNG = np.random.default_rng(0)


def scores(kind, dtype):
    x = RNG.standard_normal((1800, 40)).astype(dtype)
    if kind == "masked":  # causal attention: rows with one score, and -inf elsewhere
        x[np.arange(40) > np.arange(1800)[:, None] % 40] = -np.inf
    scale = {"far up": (1, 500), "far down": (1, -500), "wide": (30, 0)}.get(kind, (1, 0))
    x = x * dtype(scale[0]) + dtype(scale[1])
    if kind == "mixed":
        x[::7] += 300
        x[1::7] -= 90
    if kind == "endless":
        x[3], x[4, 5], x[6, 0] = -np.inf, np.inf, np.nan
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["near", "masked", "far up", "far down", "wide", "mixed", "endless"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_forward_and_backward(kind, dtype):
    x, grad = scores(kind, dtype), RNG.standard_normal((1800, 40)).astype(dtype)
    close = {"rtol": 2e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-13}
    for name, fast, reference in (
        ("softmax", kernels.softmax, kernels.softmax_reference),
        ("log_softmax", lambda x, axis: kernels.log_softmax(x, axis)[0], kernels.log_softmax_reference),
    ):
        truth = torch.from_numpy(x).double().requires_grad_()
        want = getattr(torch, name)(truth, -1)
        gradient = torch.autograd.grad(want, truth, torch.from_numpy(grad).double())[0]
        y = fast(x, 1)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, want.detach(), **close)
        np.testing.assert_allclose(reference(x, 1), want.detach(), **close)
        if name == "softmax":
            found = [kernels.softmax_backward(grad, y, 1), kernels.softmax_backward(np.asfortranarray(grad), y, 1)]
        else:
            kept = kernels.log_softmax(x, 1, keep=True)[1]
            found = [kernels.log_softmax_backward(grad, y, 1, some) for some in (kept, None)]
        for gx in found:
            np.testing.assert_allclose(gx, gradient, rtol=close["rtol"], atol=10 * close["atol"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["near", "masked", "far up", "far down", "wide", "mixed", "endless"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_log_sums_and_cross_entropy(kind, dtype):
    x, grad, target = scores(kind, dtype), RNG.standard_normal((1800, 1)).astype(dtype), RNG.integers(0, 40, 1800)
    close = {"rtol": 2e-5, "atol": 2e-6} if dtype == np.float32 else {"rtol": 1e-10, "atol": 1e-12}
    truth = torch.from_numpy(x).double().requires_grad_()
    want = truth.logsumexp(1, True)
    gradient = torch.autograd.grad(want, truth, torch.from_numpy(grad).double())[0]
    losses = torch.nn.functional.cross_entropy(truth, torch.from_numpy(target), reduction="none")
    slopes = torch.autograd.grad(losses, truth, torch.from_numpy(grad[:, 0]).double())[0]
    for view in (x, np.asfortranarray(x)):  # the second by the formula
        y, kept = kernels.log_sum_exp(view, (1,), keep=True)
        np.testing.assert_allclose(y, want.detach(), **close)
        np.testing.assert_allclose(kernels.log_sum_exp_backward(grad, kept), gradient, **close)
        loss, kept = cross_entropy.cross_entropy(view, target, keep=True)
        np.testing.assert_allclose(loss, losses.detach(), **close)
        found = cross_entropy.cross_entropy_backward(grad[:, 0], target, None, kept)
        np.testing.assert_allclose(found, slopes, **close)


def test_other_axes_and_memory_orders():
    x = RNG.standard_normal((40, 30, 20)).astype(np.float32)
    for axis in range(3):
        for view in (x, x.T, x[:, ::2]):
            want = torch.from_numpy(view.copy())
            np.testing.assert_allclose(kernels.softmax(view, axis), want.softmax(axis), rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(kernels.log_softmax(view, axis)[0], want.log_softmax(axis), rtol=1e-5, atol=1e-6)


def test_a_confident_row_keeps_its_digits():
    x = np.zeros((4096, 10), np.float32)
    x[:, 0] = 30  # log p = -9 e^-30 for the first
    np.testing.assert_allclose(kernels.log_softmax(x, 1)[0][:, 0], 0, atol=1e-7)
    np.testing.assert_allclose(kernels.log_softmax(x, 1)[0][:, 1], -30, rtol=1e-6)
