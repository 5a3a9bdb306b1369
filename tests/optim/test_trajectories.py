"""Every optimizer with every option walks where PyTorch's walks."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import tinytorch
import tinytorch.optim

SHAPES = [(), (1,), (7,), (3, 4), (2, 3, 3, 2), (0, 3), (130, 140)]  # the last is longer than a block of float64

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.02}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True, "weight_decay": 0.01, "foreach": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "betas": (0.3, 0.5)}),
    ("Adam", {"lr": 0.1, "betas": (0.9, 0.6), "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "betas": (0.7, 0.6)}),
    ("AdamW", {"lr": 0.1, "maximize": True, "eps": 1e-2, "fused": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.05, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-4}),
    ("Adagrad", {"lr": 0.3, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.8, 0.7), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "eps": 1e-3}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.3), "maximize": True}),
    ("ASGD", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.05, "alpha": 0.6, "t0": 5, "weight_decay": 0.1, "maximize": True}),
]
NAMES = sorted({name for name, _ in CASES})


def ids(case):
    return f"{case[0]}-{'-'.join(map(str, case[1]))}" if isinstance(case, tuple) else str(case)


class Pair:
    """The same parameters and the same optimizer in both libraries."""

    def __init__(self, name, options, shapes=SHAPES, dtype=np.float64, seed=0, order="C"):
        self.rng, self.dtype, self.name, self.options = np.random.default_rng(seed), np.dtype(dtype), name, options
        self.start = [self.random(shape) for shape in shapes]
        self.tiny = [tinytorch.tensor(x, requires_grad=True) for x in self.start]
        self.torch = [torch.tensor(x, requires_grad=True) for x in self.start]
        if order == "F":
            for p in self.tiny:
                p.data = tinytorch.as_tensor(np.asarray(p.detach().numpy(), order="F"))
        self.tiny_optimizer = getattr(tinytorch.optim, name)(self.tiny, **options)
        self.torch_optimizer = getattr(torch.optim, name)(self.torch, **options)

    def random(self, shape):
        values = np.asarray(self.rng.standard_normal(shape))
        if self.dtype.kind == "c":
            values = values + 1j * self.rng.standard_normal(shape)
        return values.astype(self.dtype)

    def set_grads(self, missing=0.0, order="C"):
        for p, q in zip(self.tiny, self.torch, strict=True):
            if self.rng.random() < missing:
                p.grad = q.grad = None
                continue
            grad = self.random(p.shape)
            p.grad = tinytorch.as_tensor(np.asarray(grad, order=order))
            q.grad = torch.tensor(grad)

    def step(self, **keywords):
        self.set_grads(**keywords)
        before = [None if p.grad is None else p.grad.numpy().copy() for p in self.tiny]
        self.tiny_optimizer.step()
        self.torch_optimizer.step()
        for p, grad in zip(self.tiny, before, strict=True):  # gradients are read, never written
            assert (p.grad is None and grad is None) or np.array_equal(p.grad.numpy(), grad)

    def check(self, tolerance):
        for p, q in zip(self.tiny, self.torch, strict=True):
            close(p.detach().numpy(), q.detach().numpy(), tolerance)
        tiny, reference = self.tiny_optimizer.state_dict(), self.torch_optimizer.state_dict()
        assert tiny["param_groups"] == reference["param_groups"]
        assert set(tiny["state"]) == set(reference["state"])
        for key, state in reference["state"].items():
            assert list(tiny["state"][key]) == list(state)
            for name, value in state.items():
                close(tiny["state"][key][name].numpy(), value.numpy(), tolerance)


def close(found, expected, tolerance):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=1e-300)
    assert np.abs(found - expected).max(initial=0.0) <= tolerance * max(scale, 1.0)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_float64(case):
    pair = Pair(*case)
    for _ in range(30):
        pair.step()
        pair.check(1e-12)
    moved = [not np.array_equal(p.detach().numpy(), x) for p, x in zip(pair.tiny, pair.start, strict=True) if x.size]
    assert all(moved)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_float32(case):
    pair = Pair(*case, dtype=np.float32)
    for _ in range(30):
        pair.step()
    pair.check(1e-5)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_some_gradients_missing(case):
    pair = Pair(*case, seed=1)
    for _ in range(12):
        pair.step(missing=0.4)
        pair.check(1e-12)


@pytest.mark.parametrize("order", ["CF", "FC", "FF"])
@pytest.mark.parametrize("case", CASES[::2], ids=ids)
def test_any_memory_order(case, order):
    pair = Pair(*case, order=order[0])
    for _ in range(5):
        pair.step(order=order[1])
    pair.check(1e-12)
    for p in pair.tiny:
        for value in pair.tiny_optimizer.state[p].values():
            if value.ndim:
                assert value._array.strides == p._array.strides


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_parameters_with_gaps_in_memory(case):
    pair = Pair(*case, shapes=[(6, 8), (200, 300)])
    for p in pair.tiny:
        wide = np.zeros((p.shape[0], 2 * p.shape[1]))
        wide[:, ::2] = p.detach().numpy()
        p.data = tinytorch.as_tensor(wide)[:, ::2]
        assert not p._array.flags.c_contiguous
    for _ in range(4):
        pair.step()
    pair.check(1e-12)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_complex_parameters(name, gaps):
    pair = Pair(name, {}, shapes=[(3, 4), (90, 100)], dtype=np.complex128)
    for p in pair.tiny if gaps else []:
        p.data = tinytorch.as_tensor(np.repeat(p.detach().numpy(), 2, axis=1))[:, ::2]
    for _ in range(10):
        pair.step()
    pair.check(1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_groups_with_options_of_their_own(name):
    rng = np.random.default_rng(3)
    data = [rng.standard_normal((3, 2)) for _ in range(4)]
    found = []
    for library in (tinytorch, torch):
        params = [library.tensor(x, requires_grad=True) for x in data]
        second = {"params": params[2:3], "lr": 0.3} | ({} if name == "Rprop" else {"weight_decay": 0.2})
        optimizer = getattr(library.optim, name)([{"params": params[:2]}, second], lr=0.02)
        optimizer.add_param_group({"params": params[3], "lr": 0.5})
        grads = np.random.default_rng(4)
        for step in range(10):
            for p in params:
                p.grad = library.tensor(grads.standard_normal((3, 2)))
            if step == 5:
                optimizer.param_groups[0]["lr"] = 0.07
            optimizer.step()
        found.append([p.detach().numpy() for p in params])
    for tiny, reference in zip(*found, strict=True):
        close(tiny, reference, 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_learning_rate_as_a_tensor_or_numpy_number(dtype):
    pair = Pair("Adam", {}, dtype=dtype)
    pair.tiny_optimizer.param_groups[0].update(
        lr=tinytorch.tensor(0.01), eps=np.float64(1e-6), betas=(np.float64(0.9), 0.99)
    )
    pair.torch_optimizer.param_groups[0].update(lr=0.01, eps=1e-6, betas=(0.9, 0.99))
    for _ in range(10):
        pair.step()
    for p, q in zip(pair.tiny, pair.torch, strict=True):
        close(p.detach().numpy(), q.detach().numpy(), 1e-6)


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_signatures_are_pytorchs(name):
    def described(library):
        parameters = inspect.signature(getattr(library.optim, name).__init__).parameters.values()
        return [(p.name, p.default, p.kind) for p in parameters]

    assert described(tinytorch) == described(torch)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_step_is_seen_by_graphs_that_saved_the_parameter(case):
    name, options = case
    p = tinytorch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = getattr(tinytorch.optim, name)([p], **options)
    loss = (p * p).sum()
    p.grad = tinytorch.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_infinite_gradients_do_not_warn():
    pair = Pair("Adam", {}, shapes=[(3,)])
    grad = np.array([np.inf, np.nan, 1e200])
    pair.tiny[0].grad, pair.torch[0].grad = tinytorch.tensor(grad), torch.tensor(grad)
    with np.errstate(all="raise"):
        pair.tiny_optimizer.step()
    pair.torch_optimizer.step()
    np.testing.assert_allclose(pair.tiny[0].detach().numpy(), pair.torch[0].detach().numpy())
