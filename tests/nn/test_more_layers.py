"""Layers that PyTorch's database of modules does not have: embedding bags, adaptive softmax and others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors

pytestmark = pytest.mark.filterwarnings("ignore")


def run(make, *inputs, **options):
    """The layer, made from one seed in both libraries, with its parameters' gradients."""

    def function(T, *tensors):
        T.manual_seed(0)
        layer = make(T.nn).double()
        T.manual_seed(1)
        results = layer(*tensors)
        results = results if isinstance(results, tuple) else (results,)
        grad = torch.autograd.grad if T is torch else tinytorch.autograd.grad
        parameters = list(layer.parameters())
        grads = ()
        if parameters:
            grads = grad([results[0]], parameters, [results[0].detach()], retain_graph=True, allow_unused=True)
        return [*(result.detach() for result in results if not differentiable), *(r for r in results if differentiable),
                *(g for g in grads if g is not None), *layer.buffers()]  # fmt: skip

    differentiable = any(value.dtype.kind == "f" for value in inputs)
    texts = {repr(make(T.nn)) for T in (torch, tinytorch)}
    assert len(texts) == 1, texts
    compare(function, *inputs, **options)


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode):
    indices, offsets = np.array([1, 3, 3, 0, 2]), np.array([0, 2, 2])
    for options in ({}, {"padding_idx": 3}, {"max_norm": 0.5}, {"include_last_offset": True}):
        run(lambda nn, o=options: nn.EmbeddingBag(5, 4, mode=mode, **o), indices, offsets)
    run(lambda nn: nn.EmbeddingBag(5, 4, mode=mode), indices.reshape(1, 5))


def test_weighted_bags():
    run(lambda nn: nn.EmbeddingBag(5, 4, mode="sum"), np.array([1, 3, 0]), np.array([0, 2]), normal(3), second=False)
    table = tinytorch.tensor([[1.0, 2.0], [3.0, 4.0]])
    bag = tinytorch.nn.EmbeddingBag.from_pretrained(table)
    assert not bag.weight.requires_grad and bag(tinytorch.tensor([[0, 1]])).tolist() == [[2.0, 3.0]]


def test_adaptive_softmax():
    def make(nn):
        return nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0, head_bias=True)

    targets = np.array([1, 6, 12, 3, 19])
    run(make, normal(5, 8), targets)
    run(make, normal(8), np.array(7))

    def others(T, x):
        T.manual_seed(0)
        layer = make(T.nn).double()
        return layer.log_prob(x), layer.predict(x)

    compare(others, normal(5, 8))
    compare_errors(lambda T: make(T.nn)(T.ones(2, 8), T.tensor([1, 20])))
    compare_errors(lambda T: make(T.nn)(T.ones(2, 8), T.tensor([1])))
    compare_errors(lambda T: T.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 25]))


@pytest.mark.parametrize("size", [3, 4, 5])
def test_cross_map_lrn(size):
    x = normal(2, 6, 3, 3).astype(np.float32)
    theirs = torch.nn.CrossMapLRN2d(size, 0.1)(torch.tensor(x)).numpy()
    ours = tinytorch.nn.CrossMapLRN2d(size, 0.1)(tinytorch.tensor(x)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert repr(tinytorch.nn.CrossMapLRN2d(3)) == repr(torch.nn.CrossMapLRN2d(3))


def test_unpooling():
    def there_and_back(T, x):
        nn = T.nn
        y, indices = nn.MaxPool2d(2, 2, return_indices=True)(x)
        z, places = nn.MaxPool1d(2, return_indices=True)(x[0])
        w, spots = nn.MaxPool3d(2, return_indices=True)(x.unsqueeze(0))
        return (
            nn.MaxUnpool2d(2, 2)(y, indices, output_size=x.size()[-2:]), nn.MaxUnpool1d(2)(z, places),
            nn.MaxUnpool3d(2)(w, spots),
        )  # fmt: skip

    compare(there_and_back, normal(2, 4, 6))
    for name in ("MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"):
        assert repr(getattr(tinytorch.nn, name)(2)) == repr(getattr(torch.nn, name)(2))


def test_feature_alpha_dropout():
    run(lambda nn: nn.FeatureAlphaDropout(0.4), normal(3, 4, 5))


def test_fractional_pooling_errors():
    compare_errors(lambda T: T.nn.FractionalMaxPool2d(3))
    compare_errors(lambda T: T.nn.FractionalMaxPool2d(3, 2, 0.5))
    compare_errors(lambda T: T.nn.FractionalMaxPool3d(3, output_ratio=2.0))
