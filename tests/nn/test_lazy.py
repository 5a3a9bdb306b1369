"""Lazy layers and parameters without a shape, beside PyTorch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import tinytorch

pytestmark = pytest.mark.filterwarnings("ignore")
LAYERS = {
    "linear": (lambda nn: nn.LazyLinear(5), (2, 3)),
    "conv1d": (lambda nn: nn.LazyConv1d(4, 3, bias=False), (2, 3, 7)),
    "conv2d": (lambda nn: nn.LazyConv2d(4, 3, padding=1, groups=2), (2, 6, 7, 7)),
    "conv of one image": (lambda nn: nn.LazyConv2d(4, 3), (3, 7, 7)),
    "conv_transpose2d": (lambda nn: nn.LazyConvTranspose2d(4, 3, 2), (2, 3, 5, 5)),
    "batch_norm": (lambda nn: nn.LazyBatchNorm2d(), (2, 3, 4, 4)),
    "batch_norm without affine": (lambda nn: nn.LazyBatchNorm1d(affine=False, momentum=None), (5, 3)),
    "instance_norm": (lambda nn: nn.LazyInstanceNorm1d(), (2, 3, 6)),
    "in a network": (
        lambda nn: nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)),
        (2, 1, 6, 6),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_first_call(name):
    make, shape = LAYERS[name]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    results = []
    for library in (torch, tinytorch):
        library.manual_seed(0)
        layer = make(library.nn)
        before = repr(layer)
        y = layer(library.tensor(x))
        if list(layer.parameters()):
            (y * y).sum().backward()
        results.append((before, layer, y, list(layer.parameters())))
    (before, theirs, a, their_parameters), (our_before, ours, b, our_parameters) = results
    assert our_before == before and repr(ours) == repr(theirs) and type(ours).__name__ == type(theirs).__name__
    np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-5, atol=1e-5)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for p, q in zip(their_parameters, our_parameters, strict=True):
        np.testing.assert_array_equal(q.detach().numpy(), p.detach().numpy())
        np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=1e-3, atol=1e-4)


def test_what_has_no_shape_cannot_be_computed_with():
    weight = tinytorch.nn.LazyLinear(2).weight
    assert repr(weight) == "<UninitializedParameter>" and weight.requires_grad and weight.is_leaf
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        weight.shape  # noqa: B018
    for use in (lambda: weight + 1, lambda: weight.mul_(2), lambda: weight.numel(), lambda: tinytorch.exp(weight)):
        with pytest.raises(ValueError, match="uninitialized parameter"):
            use()


def test_dtypes_and_copies():
    layer = tinytorch.nn.LazyBatchNorm1d().double()
    assert layer.weight.dtype is tinytorch.float64
    twin, thawed = copy.deepcopy(layer), pickle.loads(pickle.dumps(tinytorch.nn.LazyLinear(3).weight))
    assert repr(thawed) == "<UninitializedParameter>"
    twin(tinytorch.ones(4, 3, dtype=tinytorch.float64))
    assert twin.running_mean.dtype is tinytorch.float64 and type(twin) is tinytorch.nn.BatchNorm1d
    assert layer.has_uninitialized_params()


def test_state_dicts():
    nn = tinytorch.nn
    lazy, full = nn.LazyLinear(2), nn.Linear(3, 2)
    lazy.load_state_dict(full.state_dict())
    assert lazy.weight.shape == (2, 3)
    lazy(tinytorch.ones(1, 3))
    assert type(lazy) is nn.Linear and (lazy.weight == full.weight).all()
    nn.LazyLinear(2).load_state_dict(nn.LazyLinear(2).state_dict())
    with pytest.raises(RuntimeError, match="uninitialized parameter into an initialized one"):
        full.load_state_dict(nn.LazyLinear(2).state_dict())


def test_optimizers_take_parameters_that_get_their_shape_later():
    layer = tinytorch.nn.LazyLinear(2)
    optimizer = tinytorch.optim.SGD(layer.parameters(), 0.1)
    layer(tinytorch.ones(1, 3)).sum().backward()
    before = layer.weight.detach().clone()
    optimizer.step()
    assert not (layer.weight == before).any()


def test_no_warning_but_pytorchs():
    with pytest.warns(UserWarning) as caught:
        tinytorch.nn.LazyConv2d(4, 3)
    assert [str(warning.message)[:12] for warning in caught] == ["Lazy modules"]


def test_errors():
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        tinytorch.nn.LazyConv2d(4, 3, groups=2)(tinytorch.ones(1, 3, 5, 5))
    with pytest.raises(RuntimeError, match="input to LazyConv2d"):
        tinytorch.nn.LazyConv2d(4, 3)(tinytorch.ones(5, 5))
