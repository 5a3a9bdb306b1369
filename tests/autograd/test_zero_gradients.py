"""Backward is linear in the gradient it gets: where none comes in, none goes out, whatever the formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinytorch as T

F = T.nn.functional

OPS: dict[str, Callable[[Any], Any]] = {
    "mul": lambda x: x * (x + 1),
    "div": lambda x: x / (x + 1),
    "pow": lambda x: x**x,
    "exp": T.exp,
    "log": T.log,
    "sin": T.sin,
    "cos": T.cos,
    "tanh": T.tanh,
    "erf": T.erf,
    "gelu": F.gelu,
    "relu": F.relu,
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(1),
    "logsumexp": lambda x: x.logsumexp(1),
    "matmul": lambda x: x @ x.mT,
    "prod": lambda x: x.prod(1),
    "cumprod": lambda x: x.cumprod(1),
    "var": lambda x: x.var(1),
    "cumsum": lambda x: x.cumsum(1),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "max": lambda x: x.amax(1),
    "max and where": lambda x: x.max(1).values,
    "flip": lambda x: x.flip(1),
    "unbind": lambda x: x.unbind(1)[2],
    "norm 2": lambda x: T.linalg.vector_norm(x),
    "norm 3": lambda x: T.linalg.vector_norm(x, 3),
    "batch_norm": lambda x: F.batch_norm(x.flatten(0, 1), None, None, training=True),
    "layer_norm": lambda x: F.layer_norm(x, x.shape[1:]),
    "conv": lambda x: F.conv1d(x, x[:, :, :2]),
    "max_pool": lambda x: F.max_pool1d(x, 2),
    "inv": lambda x: T.linalg.inv(x + 3 * T.eye(4)),
    "svd": T.linalg.svdvals,
    "index": lambda x: x[[0, 1, 1]],
    "gather": lambda x: x.gather(1, T.zeros(3, 1, 4, dtype=T.int64)),
    "l1_loss": lambda x: F.l1_loss(x, x[0], reduction="none"),
    "mse_loss": lambda x: F.mse_loss(x, x.mT),
    "cross_entropy": lambda x: F.cross_entropy(x, T.zeros(3, 4, dtype=T.int64)),
}


@pytest.mark.parametrize("name", OPS)
def test_no_gradient_in_no_gradient_out(name: str) -> None:
    x = (T.rand(3, 4, 4, generator=T.Generator().manual_seed(0)) + 0.5).requires_grad_()
    y = OPS[name](x)
    (first,) = T.autograd.grad(y, x, T.zeros_like(y).requires_grad_(), create_graph=True)
    assert not first.any()
    (second,) = T.autograd.grad(first, x, T.ones_like(first), allow_unused=True)
    assert second is None or not second.any()
