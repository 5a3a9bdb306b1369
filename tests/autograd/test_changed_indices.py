"""Indices and masks changed in place between forward and backward: PyTorch's error, never a gradient for other indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

#: x is a matrix (3, 3), i an index (2), m a mask (3), g an index (1, 3) for gather.
CALLS: dict[str, Callable[..., Any]] = {
    "index": lambda T, x, i, m, g: x[i],
    "index beside a slice": lambda T, x, i, m, g: x[1:, i],
    "mask": lambda T, x, i, m, g: x[m],
    "mask beside an integer": lambda T, x, i, m, g: x[0, m],
    "assigned": lambda T, x, i, m, g: (x * 1).index_put_((i,), T.ones(3, dtype=x.dtype)),
    "assigned by mask": lambda T, x, i, m, g: assigned(x * 1, m, x[0].sum()),
    "assigned in a view": lambda T, x, i, m, g: assigned(x * 1, (0, i), x[1, 1]),
    "index_put": lambda T, x, i, m, g: T.index_put(x, (i,), x.sum()),
    "index_put, accumulating": lambda T, x, i, m, g: T.index_put(x, (i,), x.sum(), accumulate=True),
    "gather": lambda T, x, i, m, g: x.gather(0, g),
    "take_along_dim": lambda T, x, i, m, g: x.take_along_dim(g, 0),
    "index_select": lambda T, x, i, m, g: x.index_select(0, i),
    "scatter": lambda T, x, i, m, g: (x * 1).scatter(0, g, x[:1]),
    "scatter_add": lambda T, x, i, m, g: x.scatter_add(0, g, x[:1]),
    "scatter_reduce, sum": lambda T, x, i, m, g: x.scatter_reduce(0, g, x[:1], "sum", include_self=False),
    "scatter_reduce, prod": lambda T, x, i, m, g: x.scatter_reduce(0, g, x[:1], "prod"),
    "scatter_reduce, amax": lambda T, x, i, m, g: x.scatter_reduce(0, g, x[:1], "amax"),
    "masked_fill": lambda T, x, i, m, g: x.masked_fill(m, 0.0),
    "masked_fill_": lambda T, x, i, m, g: (x * 1).masked_fill_(m, 0.0),
    "where": lambda T, x, i, m, g: T.where(m, x, 0.0),
    "masked_select": lambda T, x, i, m, g: x.masked_select(m),
    "masked_scatter": lambda T, x, i, m, g: x.masked_scatter(m, x * 2),
    "index_add": lambda T, x, i, m, g: x.index_add(0, i, x[:2]),
    "index_copy": lambda T, x, i, m, g: x.index_copy(0, i, x[:2]),
    "index_fill": lambda T, x, i, m, g: x.index_fill(0, i, 2.0),
    "index_reduce": lambda T, x, i, m, g: x.index_reduce(0, i, x[:2], "amax"),
    "embedding": lambda T, x, i, m, g: T.nn.functional.embedding(i, x),
    "embedding_bag": lambda T, x, i, m, g: T.nn.functional.embedding_bag(i[None], x, mode="sum"),
    "cross_entropy": lambda T, x, i, m, g: T.nn.functional.cross_entropy(x[:2], i, reduction="none"),
    "nll_loss": lambda T, x, i, m, g: T.nn.functional.nll_loss(x[:2], i, ignore_index=0),
    "multi_margin_loss": lambda T, x, i, m, g: T.nn.functional.multi_margin_loss(x[:2], i),
    "take": lambda T, x, i, m, g: T.take(x, i),
    "put": lambda T, x, i, m, g: x.put(i, x[0, :2]),
    "max_unpool1d": lambda T, x, i, m, g: T.nn.functional.max_unpool1d(x[:1, :1], i[None, :1], 2),
}

#: What an op gives as indices is kept for its backward as well.
RESULTS: dict[str, Callable[..., Any]] = {
    "max": lambda x: x.max(1),
    "max, keepdim": lambda x: x.max(1, keepdim=True),
    "min of a vector": lambda x: x[0].min(0),
    "sort": lambda x: x.sort(1),
    "topk": lambda x: x.topk(2, 1),
    "kthvalue": lambda x: x.kthvalue(2, 1),
    "median": lambda x: x.median(1),
    "mode": lambda x: x.mode(1),
    "cummax": lambda x: x.cummax(1),
}

CHANGES: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "itself": lambda t: lambda: t.copy_(t.flip(-1)),
    "an element": lambda t: lambda: t.view(-1).__setitem__(0, 1),
    "a view made before": lambda t: reversed_by(t.view(-1)),
    "a view made after": lambda t: lambda: reversed_by(t.view(-1))(),
    "detached": lambda t: lambda: reversed_by(t.detach())(),
}


def reversed_by(view: Any) -> Callable[[], Any]:
    return lambda: view.copy_(view.flip(-1))


def assigned(x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


def weighted(T: Any, y: Any) -> Any:
    return (y * T.arange(1, y.numel() + 1, dtype=y.dtype).reshape(y.shape)).sum()


def outcome(T: Any, call: Callable[..., Any], change: Callable[..., Any] | None, second: bool) -> Any:
    """The gradient, or the error; ``second``: the change comes after the first derivative, and counts for the second."""
    x = T.tensor([[1.0, 5.0, 2.0], [7.0, 0.5, 3.0], [4.0, 8.0, 6.0]], dtype=T.float64, requires_grad=True)
    given = T.tensor([0, 1]), T.tensor([True, False, False]), T.tensor([[0, 1, 2]])
    changes = [change(tensor) for tensor in given] if change is not None else []
    y = call(T, x, *given)
    try:
        if second:
            (y,) = T.autograd.grad(weighted(T, y**2), x, create_graph=True)
        for each in changes:
            each()
        return T.autograd.grad(weighted(T, y), x)[0].numpy()
    except RuntimeError as error:
        return str(error)[:96]


@pytest.mark.parametrize("second", [False, True], ids=["first derivative", "second derivative"])
@pytest.mark.parametrize("name", CALLS)
def test_pytorchs_error(name: str, second: bool) -> None:
    unchanged, theirs = outcome(tinytorch, CALLS[name], None, second), outcome(torch, CALLS[name], None, second)
    if isinstance(theirs, str):
        pytest.skip(f"PyTorch: {theirs}")
    np.testing.assert_allclose(unchanged, theirs)
    for way, change in CHANGES.items():
        ours, theirs = outcome(tinytorch, CALLS[name], change, second), outcome(torch, CALLS[name], change, second)
        if isinstance(ours, str):
            assert "modified by an inplace operation" in ours and ours == theirs, f"{way}: {ours}, PyTorch {theirs}"
        else:
            np.testing.assert_array_equal(ours, unchanged, way)


@pytest.mark.parametrize("name", RESULTS)
def test_indices_that_an_op_gave(name: str) -> None:
    for way, change in CHANGES.items():
        x = tinytorch.tensor([[1.0, 5.0, 2.0], [7.0, 0.5, 3.0]], requires_grad=True)
        values, indices = RESULTS[name](x)
        if indices.ndim:
            change(indices)()
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                values.sum().backward()
        else:
            indices.add_(1)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                values.backward()
        assert x.grad is None, way


def test_a_change_after_backward_spoils_nothing() -> None:
    x, index = tinytorch.arange(3.0).requires_grad_(), tinytorch.tensor([0, 1])
    for place in range(3):
        index.fill_(place)
        (x[index] * (place + 1)).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [2, 4, 6]


def test_those_who_share_the_memory_see_the_change() -> None:
    x = tinytorch.zeros(3, dtype=tinytorch.int64)
    array, view, detached = x.numpy(), x[:2], x.detach()
    x[0] = 5
    x.add_(1)
    assert array.tolist() == detached.tolist() == [6, 1, 1] and view.tolist() == [6, 1]
    given = np.zeros(2, np.int64)
    shared = tinytorch.from_numpy(given)
    shared += 1
    assert given.tolist() == [1, 1]
    numbers = tinytorch.zeros(1, dtype=tinytorch.int32)
    halves, other = numbers.view(tinytorch.int16), tinytorch.zeros(1, dtype=tinytorch.bool)
    same = other.as_subclass(tinytorch.Tensor)
    numbers[0] = 7
    other[0] = True
    assert halves.tolist() == [7, 0] and same.tolist() == [True]
