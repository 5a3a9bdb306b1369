"""Checkpointing: the same gradients, less memory kept, and errors for functions that change."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
import torch.utils.checkpoint

import tinytorch
from tests.compare import equal_tensors
from tinytorch.utils.checkpoint import CheckpointError, checkpoint


def network(T: Any) -> Any:
    T.manual_seed(0)
    nn = T.nn
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)
    )


@pytest.mark.parametrize("reentrant", [True, False])
def test_same_gradients_as_pytorch(reentrant):
    results = []
    for T in (torch, tinytorch):
        net = network(T)
        x = T.randn(5, 6, requires_grad=True)
        hidden = T.utils.checkpoint.checkpoint(net[:4], x * 2, use_reentrant=reentrant)
        out = T.utils.checkpoint.checkpoint_sequential(net[4:], 2, hidden, use_reentrant=reentrant)
        out.square().sum().backward()
        results.append([out, x.grad, *[p.grad for p in net.parameters()]])
    for expected, got in zip(*results, strict=True):
        equal_tensors("result", got, expected, {"float32": (1e-4, 1e-5)})


def test_autograd_grad_and_second_derivatives():
    x = tinytorch.randn(4, dtype=tinytorch.float64, requires_grad=True)

    def f(x: Any) -> Any:
        return (x.sin() * x.exp()).tanh().pow(3)

    def derivatives(y: Any) -> list[Any]:
        (first,) = tinytorch.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = tinytorch.autograd.grad(first.square().sum(), x)
        return [first, second]

    for plain, again in zip(derivatives(f(x)), derivatives(checkpoint(f, x, use_reentrant=False)), strict=True):
        assert tinytorch.allclose(plain, again)
    assert tinytorch.autograd.gradcheck(lambda x: checkpoint(f, x, use_reentrant=False), (x,))


def test_intermediates_are_freed():
    x = tinytorch.randn(4, requires_grad=True)
    kept = []

    def f(x: Any) -> Any:
        hidden = x.exp()
        kept.append(weakref.ref(hidden._array))
        return (hidden * hidden).sum()

    y = checkpoint(f, x, use_reentrant=False)
    assert kept[0]() is None
    y.backward()
    assert len(kept) == 2
    assert tinytorch.allclose(x.grad, 2 * (2 * x).exp())


def test_keyword_arguments_several_results_and_no_grad():
    def f(x: Any, *, scale: Any) -> Any:
        return {"a": x * scale, "b": (x + scale).relu()}

    x, scale = tinytorch.ones(2, requires_grad=True), tinytorch.full((2,), 3.0, requires_grad=True)
    out = checkpoint(f, x, scale=scale, use_reentrant=False)
    (out["a"] + out["b"]).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0] and scale.grad.tolist() == [2.0, 2.0]
    with tinytorch.no_grad():
        assert not checkpoint(f, x, scale=scale, use_reentrant=False)["a"].requires_grad


def test_errors():
    calls = []

    def fickle(x: Any) -> Any:
        calls.append(1)
        return x.exp().sin() if len(calls) == 1 else x.exp()

    x = tinytorch.ones(2, requires_grad=True)
    with pytest.raises(CheckpointError, match="other operations"):
        checkpoint(fickle, x, use_reentrant=False).sum().backward()
    with pytest.warns(UserWarning, match="None of the inputs"):
        assert not checkpoint(lambda y: y * x, tinytorch.ones(2), use_reentrant=True).requires_grad
    with pytest.raises(ValueError, match="context_fn"):
        checkpoint(lambda y: y, x, use_reentrant=True, context_fn=lambda: None)
