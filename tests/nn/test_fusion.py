"""Batch norm folded into the layer before it: the same function, and PyTorch's own weights."""

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import equal_tensors


def program(kind: str, T: Any) -> list[Any]:
    T.manual_seed(0)
    layer, norm, shape = {
        "conv": lambda: (T.nn.Conv2d(2, 3, 3), T.nn.BatchNorm2d(3), (2, 2, 5, 5)),
        "no bias": lambda: (T.nn.Conv1d(2, 3, 3, bias=False), T.nn.BatchNorm1d(3, affine=False), (2, 2, 5)),
        "transposed": lambda: (T.nn.ConvTranspose2d(2, 3, 3), T.nn.BatchNorm2d(3), (2, 2, 5, 5)),
        "linear": lambda: (T.nn.Linear(2, 3), T.nn.BatchNorm1d(3), (4, 2)),
    }[kind]()
    x = T.randn(*shape)
    norm(layer(x))  # running statistics
    layer.eval(), norm.eval()
    U = T.nn.utils
    if kind == "linear":
        fused = U.fuse_linear_bn_eval(layer, norm)
    else:
        fused = U.fuse_conv_bn_eval(layer, norm, kind == "transposed")
    np.testing.assert_allclose(fused(x).detach().numpy(), norm(layer(x)).detach().numpy(), 1e-4, 1e-5)
    return [fused.weight, fused.bias]


@pytest.mark.parametrize("kind", ["conv", "no bias", "transposed", "linear"])
def test_same_as_pytorch(kind):
    for got, expected in zip(program(kind, tinytorch), program(kind, torch), strict=True):
        equal_tensors(kind, got, expected, {"float32": (1e-4, 1e-5)})


def test_errors():
    layer, norm = tinytorch.nn.Linear(2, 3), tinytorch.nn.BatchNorm1d(3)
    with pytest.raises(AssertionError, match="eval"):
        tinytorch.nn.utils.fuse_linear_bn_eval(layer, norm)
    with pytest.raises(AssertionError, match="num_features"):
        tinytorch.nn.utils.fuse_linear_bn_eval(layer, tinytorch.nn.BatchNorm1d(2))


def test_skip_init_draws_nothing():
    before = tinytorch.get_rng_state()
    layer = tinytorch.nn.utils.skip_init(tinytorch.nn.Linear, 2, 3)
    assert layer.weight.shape == (3, 2) and tinytorch.equal(before, tinytorch.get_rng_state())
    with pytest.raises(RuntimeError, match="device"):
        tinytorch.nn.utils.skip_init(tinytorch.nn.Flatten)


def test_dlpack():
    from tinytorch.utils.dlpack import from_dlpack, to_dlpack

    x = tinytorch.arange(3.0)
    assert from_dlpack(x).tolist() == [0.0, 1.0, 2.0] and type(to_dlpack(x)).__name__ == "PyCapsule"
