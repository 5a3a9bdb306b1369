"""Indices and masks changed in place between forward and backward.

PyTorch refuses the backward. Here the node keeps the numbers it was made with, so the gradient is that of a program that
changes copies; and whoever shares the index's memory still sees the change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinytorch as torch
import tinytorch.nn.functional as F

CALLS: dict[str, Callable[..., Any]] = {
    "index": lambda x, i, m, g: x[i],
    "mask": lambda x, i, m, g: x[m],
    "put": lambda x, i, m, g: torch.index_put(x, (i,), torch.zeros(3)),
    "gather": lambda x, i, m, g: x.gather(0, g),
    "index_select": lambda x, i, m, g: x.index_select(0, i),
    "scatter": lambda x, i, m, g: torch.zeros(3, 3).scatter(0, g, x),
    "masked_fill": lambda x, i, m, g: x.masked_fill(m, 0.0),
    "where": lambda x, i, m, g: torch.where(m, x, 0.0),
    "masked_select": lambda x, i, m, g: x.masked_select(m),
    "index_add": lambda x, i, m, g: torch.zeros(3, 3).index_add(0, i, x[:2]),
    "embedding": lambda x, i, m, g: F.embedding(i, x),
    "cross_entropy": lambda x, i, m, g: F.cross_entropy(x[:2], i, reduction="none"),
    "take": lambda x, i, m, g: torch.take(x, i),
}


def gradient(call: Callable[..., Any], change: bool) -> torch.Tensor:
    x = torch.arange(9.0).reshape(3, 3).requires_grad_()
    i, m, g = torch.tensor([0, 1]), torch.tensor([True, False, True]), torch.tensor([[0, 1, 2]])
    y = call(x, i, m, g)
    if change:
        i[0] = 2
        i.add_(0)
        i %= 2
        m[1], m[0] = True, False
        m.logical_not_()
        g[0, 0] = 2
        g += 1
    (found,) = torch.autograd.grad((y * torch.arange(1.0, y.numel() + 1).reshape(y.shape)).sum(), x)
    return found


@pytest.mark.parametrize("name", CALLS)
def test_the_node_keeps_the_old_numbers(name: str) -> None:
    assert torch.equal(gradient(CALLS[name], change=True), gradient(CALLS[name], change=False))


def test_a_mask_that_is_written_in_a_loop() -> None:
    def run(copy: bool) -> torch.Tensor:
        x, mask, total = torch.ones(4, 4, requires_grad=True), torch.zeros(4, 4, dtype=torch.bool), torch.zeros(())
        for k in range(3):
            mask = mask.clone() if copy else mask
            mask[k] = True
            total = total + (x * (k + 1)).masked_fill(mask, 0.0).sum()
        return torch.autograd.grad(total, x)[0]

    assert torch.equal(run(copy=True), run(copy=False))


def test_those_who_share_the_memory_see_the_change() -> None:
    x = torch.zeros(3, dtype=torch.int64)
    array, view, detached = x.numpy(), x[:2], x.detach()
    x[0] = 5
    x.add_(1)
    assert array.tolist() == detached.tolist() == [6, 1, 1] and view.tolist() == [6, 1]
    given = np.zeros(2, np.int64)
    shared = torch.from_numpy(given)
    shared += 1
    assert given.tolist() == [1, 1]
    numbers = torch.zeros(1, dtype=torch.int32)
    halves, other = numbers.view(torch.int16), torch.zeros(1, dtype=torch.bool)
    same = other.as_subclass(torch.Tensor)
    numbers[0] = 7
    other[0] = True
    assert halves.tolist() == [7, 0] and same.tolist() == [True]
