"""Adafactor, Muon and SparseAdam beside PyTorch's; what orthogonalizing does to singular values."""

import numpy as np
import pytest
import torch

import tinytorch
from tests.optim.test_trajectories import Pair
from tinytorch.optim.muon import orthogonalized, to_bfloat16

ADAFACTOR = [{}, {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-5, 0.1), "d": 1.5, "weight_decay": 0.1, "maximize": True}]
OPTIONS = [
    {},
    {"lr": 0.1, "momentum": 0.5, "nesterov": False, "weight_decay": 0.0},
    {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
]


@pytest.mark.parametrize("options", ADAFACTOR, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_adafactor(options, dtype, tolerance):
    pair = Pair("Adafactor", options, shapes=[(), (7,), (3, 4), (2, 3, 3, 2), (130, 140)], dtype=dtype)
    for _ in range(10):
        pair.step(missing=0.2)
    pair.check(tolerance)
    complex_parameter = tinytorch.ones(2, dtype=tinytorch.complex64, requires_grad=True)
    complex_parameter.grad = complex_parameter.detach()
    with pytest.raises(RuntimeError, match="complex"):
        tinytorch.optim.Adafactor([complex_parameter]).step()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps(options, dtype):
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape).astype(dtype) for shape in [(5, 3), (3, 5), (4, 4), (40, 17)]]
    walked = []
    for library in (tinytorch, torch):
        rng = np.random.default_rng(1)
        params = [library.tensor(start, requires_grad=True) for start in starts]
        optimizer = library.optim.Muon(params, **options)
        for _ in range(5):
            for param in params:
                param.grad = library.tensor(rng.standard_normal(tuple(param.shape)).astype(dtype))
            optimizer.step()
        walked.append([param.detach().numpy() for param in params])
        assert repr(optimizer).startswith("Muon (")
    for mine, theirs in zip(*walked, strict=True):  # products are rounded to eight bits: one may fall the other way
        np.testing.assert_allclose(mine, theirs, atol=4e-3 * options.get("lr", 1e-3) * 5 + 1e-6)


def test_rounding_to_bfloat16():
    x = np.random.default_rng(0).standard_normal(1000, np.float32) * 10.0 ** np.arange(-10, 10).repeat(50)
    x = x.astype(np.float32)
    np.testing.assert_array_equal(to_bfloat16(x), torch.tensor(x).bfloat16().float().numpy())


def test_singular_values_come_near_one():
    g = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    x = orthogonalized(g, (3.4445, -4.775, 2.0315), 5, 1e-7)
    assert x.shape == g.shape
    values = np.linalg.svd(x, compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3


def test_sparse_adam_refuses_dense_gradients():
    for library in (tinytorch, torch):
        x = library.ones(2, requires_grad=True)
        optimizer = library.optim.SparseAdam([x])
        optimizer.step()
        x.sum().backward()
        with pytest.raises(RuntimeError, match="dense gradients, please consider Adam"):
            optimizer.step()
