"""Embeddings with ``sparse=True``: gradients of the rows looked up, and the optimizers that take them, beside PyTorch's."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import tinytorch

BOTH = (torch, tinytorch)
OPTIMIZERS = {
    "SparseAdam": lambda T, params: T.optim.SparseAdam(params, lr=0.1),
    "SparseAdam maximize": lambda T, params: T.optim.SparseAdam(params, maximize=True, betas=(0.5, 0.9)),
    "SGD": lambda T, params: T.optim.SGD(params, lr=0.1),
    "SGD momentum": lambda T, params: T.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "Adagrad": lambda T, params: T.optim.Adagrad(params, lr=0.1, lr_decay=0.1),
}


def training(T: Any, make: Any) -> list[Any]:
    T.manual_seed(0)
    words = T.nn.Embedding(10, 3, sparse=True, padding_idx=2)
    bags = T.nn.EmbeddingBag(10, 3, mode="mean", sparse=True, padding_idx=-1)
    optimizer = make(T, [words.weight, bags.weight])
    found: list[Any] = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = words(T.randint(0, 10, (2, 4))).square().sum()
        loss = loss + bags(T.randint(0, 10, (6,)), T.tensor([0, 2])).sin().sum()
        loss.backward()
        optimizer.step()
        for layer in (words, bags):
            grad = layer.weight.grad
            found += [loss.item(), grad.is_sparse, grad._nnz(), *grad.coalesce().indices().flatten().tolist()]
            found += [*grad.to_dense().flatten().tolist(), *layer.weight.flatten().tolist()]
    return found


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training(name):
    assert training(tinytorch, OPTIMIZERS[name]) == pytest.approx(training(torch, OPTIMIZERS[name]), abs=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_is_loaded(name):
    found = []
    for T in (torch, tinytorch):
        T.manual_seed(0)
        layer = T.nn.Embedding(9, 3, sparse=True)
        optimizer = OPTIMIZERS[name](T, layer.parameters())
        for step in range(5):
            optimizer.zero_grad()
            layer(T.tensor([step, 2, 2, 8 - step])).sin().sum().backward()
            optimizer.step()
            if step == 2:
                state = optimizer.state_dict()
                optimizer = OPTIMIZERS[name](T, layer.parameters())
                optimizer.load_state_dict(state)
        found.append((layer.weight, optimizer.state_dict()["state"].get(0, {})))
    (theirs, their_state), (ours, our_state) = found
    assert ours.flatten().tolist() == pytest.approx(theirs.flatten().tolist(), abs=1e-5)
    assert list(our_state) == list(their_state)
    assert all(torch.is_tensor(value) or value == our_state[key] for key, value in their_state.items())


def test_gradient_is_assigned():
    for T in (torch, tinytorch):
        weight = T.ones(4, 2, requires_grad=True)
        (grad,) = T.autograd.grad(T.nn.functional.embedding(T.tensor([3]), weight, sparse=True).sum(), weight)
        weight.grad = grad
        assert weight.grad.is_sparse
        with pytest.raises(RuntimeError, match="size"):
            T.ones(5, 2, requires_grad=True).grad = grad
        with pytest.raises(RuntimeError, match="type"):
            T.ones(4, 2, dtype=T.float64, requires_grad=True).grad = grad


def test_lbfgs_makes_them_dense():
    found = []
    for T in (torch, tinytorch):
        T.manual_seed(0)
        layer = T.nn.Embedding(4, 2, sparse=True)
        optimizer = T.optim.LBFGS(layer.parameters(), max_iter=3)

        def closure(T=T, layer=layer, optimizer=optimizer):
            optimizer.zero_grad()
            loss = layer(T.tensor([1, 2])).pow(2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        found.append(layer.weight.flatten().tolist())
    assert found[1] == pytest.approx(found[0], abs=1e-5)


def accumulated(T: Any) -> list[Any]:
    table, index, found = T.ones(4, 2, requires_grad=True), T.tensor([[1, 3, 1]]), []
    embedding = T.nn.functional.embedding
    table.register_hook(lambda grad: found.append(grad.is_sparse))
    table.register_post_accumulate_grad_hook(lambda leaf: found.append(leaf.grad.to_dense().tolist()))
    embedding(index, table, sparse=True).sum().backward()
    embedding(index[:, :1], table, sparse=True).sum().backward()
    found.append(str(table.grad.coalesce()))
    optimizer = T.optim.SGD([table], lr=1)
    optimizer.zero_grad(set_to_none=False)
    found.append(table.grad._nnz())
    for loss in (table.sum(), table.square().sum() + embedding(index, table, sparse=True).sum()):
        loss.backward()
        found.append(str(table.grad))
    table.grad = None
    (table.sum() + embedding(index, table, sparse=True).sum()).backward()
    found.append(str(T.autograd.grad(embedding(index, table, sparse=True).sum(), table)[0].coalesce()))
    return [*found, embedding(index, table.detach(), sparse=True).requires_grad, table.grad.tolist()]


def test_gradients_add_up():
    assert accumulated(tinytorch) == accumulated(torch)


@pytest.mark.parametrize(
    "step",
    [
        lambda T, table: T.optim.Adam([table]).step(),
        lambda T, table: T.optim.SGD([table], lr=1, weight_decay=1).step(),
        lambda T, table: T.optim.Adagrad([table], weight_decay=1).step(),
        lambda T, table: T.nn.functional.embedding_bag(T.tensor([[0]]), table, mode="max", sparse=True),
        lambda T, table: (
            T.nn.functional.embedding(T.tensor([0]), table, sparse=True, scale_grad_by_freq=True).sum().backward()
        ),
    ],
)
def test_what_takes_no_sparse_gradients(step):
    for T in (torch, tinytorch):
        table = T.ones(4, 2, requires_grad=True)
        T.nn.functional.embedding(T.tensor([0]), table, sparse=True).sum().backward()
        with warnings.catch_warnings(), pytest.raises((RuntimeError, ValueError)):
            warnings.simplefilter("ignore")
            step(T, table)


def test_what_is_not_supported_says_so():
    table = tinytorch.ones(4, 2, requires_grad=True)
    looked_up = tinytorch.nn.functional.embedding(tinytorch.tensor([0]), table, sparse=True).sum()
    with pytest.raises(NotImplementedError, match="first order"):
        looked_up.backward(create_graph=True)
    looked_up = tinytorch.nn.functional.embedding(tinytorch.tensor([0]), table * 2, sparse=True).sum()
    with pytest.raises(NotImplementedError, match="leaf"):
        looked_up.backward()
