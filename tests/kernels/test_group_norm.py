"""Group normalization beside layer normalization's formulas, one after the other, and its gradient beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tinytorch.kernels import group_norm as kernels
from tinytorch.kernels.layer_norm import layer_norm_careful

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "kind", ["near", "few", "far", "far and few", "small", "far and small", "constant", "batch last", "many"]
)
def test_against_the_formulas(kind):
    n, c, groups, size = (
        (300, 8, 4, 40) if kind == "many" else (5, 12, 3, 2 if "small" in kind else 8 if "few" in kind else 30)
    )
    x, grad = RNG.standard_normal((2, n, c, size, size)).astype(np.float32)
    if "far" in kind:
        x += 300
    if kind == "constant":
        x[1], x[2, :4] = 1e4, 0.1
    if kind == "batch last":
        x, grad = (a.transpose(1, 2, 3, 0).copy().transpose(3, 0, 1, 2) for a in (x, grad))
    weight, bias = RNG.standard_normal((2, c)).astype(np.float32)
    y, mean, invstd = kernels.group_norm(x, weight, bias, groups, 1e-5)
    rows = np.ascontiguousarray(x).reshape(n * groups, -1)
    want = (
        np.empty_like(rows),
        rows.mean(1, dtype=np.float64)[:, None].astype(np.float32),
        np.empty((len(rows), 1), "f"),
    )
    layer_norm_careful(rows, None, None, 1e-5, want)
    per_channel = [a[:, None, None] for a in (weight, bias)]
    tolerance = {"rtol": 1e-4, "atol": 5e-4 if "far" in kind else 2e-5}
    np.testing.assert_allclose(y, want[0].reshape(x.shape) * per_channel[0] + per_channel[1], **tolerance)
    np.testing.assert_allclose(mean.reshape(-1, 1), want[1], rtol=1e-5, atol=1e-6)
    if kind == "constant":
        np.testing.assert_array_equal(y[1], np.broadcast_to(per_channel[1], x[1].shape))
        return  # where rounding alone decides
    inputs = [torch.from_numpy(np.ascontiguousarray(a)).double().requires_grad_() for a in (x, weight, bias)]
    result = torch.nn.functional.group_norm(inputs[0], groups, *inputs[1:])
    wanted = torch.autograd.grad(result, inputs, torch.from_numpy(np.ascontiguousarray(grad)).double())
    for found, gradient in zip(
        kernels.group_norm_backward(grad, x, mean, invstd, weight, (True,) * 3), wanted, strict=True
    ):
        np.testing.assert_allclose(found, gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient.numpy()).max())


def test_without_weights():
    x, grad = RNG.standard_normal((2, 4, 6, 70))
    y, mean, invstd = kernels.group_norm(x, None, None, 2, 1e-5)
    ones = kernels.group_norm(x, np.ones(6), np.zeros(6), 2, 1e-5)
    np.testing.assert_allclose(y, ones[0], rtol=1e-12)
    only_x = (True, False, False)
    found, same = (kernels.group_norm_backward(grad, x, mean, invstd, w, only_x) for w in (None, np.ones(6)))
    np.testing.assert_array_equal(found[0], same[0])
    assert found[1:] == same[1:] == (None, None)
