"""torch.func and torch.autograd.functional beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import equal_tensors, flatten

LIMITS = {"float32": (1e-4, 1e-5)}


def functional(T: Any) -> Any:
    return T.autograd.functional


def f(T: Any, x: Any) -> Any:
    return (x.sin() * x.exp()).sum()


def vector(T: Any, x: Any) -> Any:
    return T.stack([x.prod(), x.square().sum(), x.sin()[0]])


def points(T: Any, n: int = 3) -> Any:
    return T.linspace(0.5, 1.5, n)


def same(program: Callable[[Any], Any]) -> None:
    """Run in both libraries; trees of tensors must agree, also in what requires grad."""
    theirs, ours = flatten_dicts(program(torch)), flatten_dicts(program(tinytorch))
    assert len(ours) == len(theirs)
    for position, (got, expected) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(expected, torch.Tensor):
            equal_tensors(f"result {position}", got, expected, LIMITS)
            assert got.requires_grad == expected.requires_grad, position
        else:
            assert got == expected


def flatten_dicts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [x for key in value for x in (key, *flatten_dicts(value[key]))]
    if isinstance(value, (list, tuple)):
        return [x for part in value for x in flatten_dicts(part)]
    return flatten(value)


def loss_of(T: Any, params: Any, x: Any) -> Any:
    return ((x * params["w"] + params["b"]) ** 2).mean()


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda T: T.func.grad(lambda x: f(T, x))(points(T)),
    "grad of grad": lambda T: T.func.grad(T.func.grad(lambda x: (x**4).sin()))(T.tensor(0.7)),
    "third": lambda T: T.func.grad(T.func.grad(T.func.grad(T.exp)))(T.tensor(0.7)),
    "argnums": lambda T: T.func.grad(lambda x, y: (x * y**2).sum(), argnums=(0, 1))(points(T), points(T) + 1),
    "argnums one": lambda T: T.func.grad(lambda x, y: (x * y**2).sum(), argnums=1)(points(T), points(T) + 1),
    "aux": lambda T: T.func.grad(lambda x: (f(T, x), x * 2), has_aux=True)(points(T)),
    "grad_and_value": lambda T: T.func.grad_and_value(lambda x: f(T, x))(points(T)),
    "grad of a dictionary": lambda T: T.func.grad(lambda p, x: loss_of(T, p, x))({"w": T.tensor(2.0), "b": T.tensor(1.0)}, points(T)),
    "outer graph": lambda T: T.func.grad(lambda x: f(T, x))(points(T).requires_grad_()),
    "captured": lambda T: T.func.grad(lambda x, w=T.tensor(3.0, requires_grad=True): (x * w).sum() ** 2)(points(T)),
    "unused": lambda T: T.func.grad(lambda x, y: x.sum(), argnums=(0, 1))(points(T), points(T)),
    "no_grad outside": lambda T: T.no_grad()(lambda: T.func.grad(lambda x: f(T, x))(points(T)))(),
    "jacrev": lambda T: T.func.jacrev(lambda x: vector(T, x))(points(T)),
    "jacfwd": lambda T: T.func.jacfwd(lambda x: vector(T, x))(points(T)),
    "jacrev of a tuple": lambda T: T.func.jacrev(lambda x, y: (x * y, x.sum()), argnums=(0, 1))(points(T), points(T)),
    "jacfwd of two": lambda T: T.func.jacfwd(lambda x, y: x.outer(y), argnums=(0, 1))(points(T), points(T, 2)),
    "jacrev of a dictionary": lambda T: T.func.jacrev(lambda p: p["a"] * p["b"])({"a": points(T), "b": points(T)}),
    "hessian": lambda T: T.func.hessian(lambda x: f(T, x) * x[0])(points(T)),
    "vjp": lambda T: [(o, *g(T.ones(3))) for o, g in [T.func.vjp(lambda x: vector(T, x), points(T))]],
    "vjp of two": lambda T: T.func.vjp(lambda x, y: (x * y, x + y), points(T), points(T))[1]((T.ones(3), T.ones(3))),
    "jvp": lambda T: T.func.jvp(lambda x: vector(T, x), (points(T),), (T.ones(3),)),
    "jvp of jvp": lambda T: T.func.jvp(lambda x: T.func.jvp(T.sin, (x,), (T.ones(3),))[1], (points(T),), (T.ones(3),)),
    "linearize": lambda T: [(o, g(T.ones(3))) for o, g in [T.func.linearize(lambda x: vector(T, x), points(T))]],
    "vmap": lambda T: T.vmap(T.dot)(T.arange(6.0).reshape(2, 3), T.ones(2, 3)),
    "vmap in_dims": lambda T: T.func.vmap(T.dot, in_dims=(1, None))(T.arange(6.0).reshape(3, 2), T.ones(3)),
    "vmap out_dims": lambda T: T.func.vmap(lambda x: (x, x * 2), out_dims=(1, 0))(T.arange(6.0).reshape(3, 2)),
    "vmap of a tree": lambda T: T.func.vmap(lambda d, y: {"s": d["a"] + y}, in_dims=({"a": 0}, 0))({"a": T.eye(3)}, T.eye(3)),
    "vmap of vmap": lambda T: T.func.vmap(T.func.vmap(lambda x, y: x * y, (None, 0)), (0, None))(points(T), points(T)),
    "vmap of grad": lambda T: T.func.vmap(T.func.grad(lambda x: f(T, x)))(T.arange(6.0).reshape(2, 3)),
    "functional_call with another name": lambda T: T.func.functional_call(T.nn.Flatten(0), {"more": T.ones(1)}, T.eye(2)),
    "vmap of as_strided": lambda T: T.vmap(lambda x: (x.as_strided((2,), (1,), 1), x[1:].as_strided((2,), (1,)), (x + 1).as_strided((2,), (1,), 1)))(T.arange(12.0).reshape(4, 3)),
    "vmap of as_strided, columns": lambda T: T.vmap(lambda x: x.as_strided((2,), (3,), 1), in_dims=1)(T.arange(12.0).reshape(4, 3)),
    "vmap of vmap of as_strided": lambda T: T.vmap(T.vmap(lambda x: x.as_strided((2,), (1,), 0)))(T.arange(24.0).reshape(2, 4, 3)),
    "vmap of what is no tensor": lambda T: T.vmap(lambda x: (x + 1, x.dim()), out_dims=(0, None))(points(T)),
    "vmap same": lambda T: T.func.vmap(lambda x: x > 0, randomness="same")(points(T)),
    "vmap and grad": lambda T: T.autograd.grad(T.vmap(lambda x: x.sin().sum())(x := T.eye(3).requires_grad_()).sum(), x),
    "old jacobian": lambda T: functional(T).jacobian(lambda x: vector(T, x), points(T)),
    "old jacobian of two": lambda T: functional(T).jacobian(lambda x, y: (x * y, x.sum()), (points(T), points(T))),
    "old jacobian graph": lambda T: functional(T).jacobian(lambda x: vector(T, x), points(T).requires_grad_(), create_graph=True),
    "old hessian": lambda T: functional(T).hessian(lambda x: f(T, x), points(T)),
    "old hessian of two": lambda T: functional(T).hessian(lambda x, y: (x * y.exp()).sum(), (points(T), points(T))),
    "old vjp": lambda T: functional(T).vjp(lambda x: vector(T, x), points(T), T.ones(3)),
    "old jvp": lambda T: functional(T).jvp(lambda x: vector(T, x), points(T), T.ones(3)),
    "old vhp": lambda T: functional(T).vhp(lambda x: f(T, x), points(T), T.ones(3)),
    "norms at 0": lambda T: T.func.jvp(lambda x: tuple([T.linalg.vector_norm(x, p) for p in (1.5, 2, 3)]), (T.zeros(3),), (T.ones(3),)),
    "old hvp": lambda T: functional(T).hvp(lambda x, y: (x * y).sin().sum(), (points(T), points(T)), (T.ones(3), T.ones(3))),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_pytorch(name):
    same(PROGRAMS[name])


ERRORS: dict[str, Callable[[Any], Any]] = {
    "not a scalar": lambda T: T.func.grad(lambda x: x * 2)(points(T)),
    "not a tensor": lambda T: T.func.grad(lambda x: 2.0)(points(T)),
    "no such argument": lambda T: T.func.grad(lambda x: x.sum(), argnums=1)(points(T)),
    "random": lambda T: T.vmap(lambda x: x + T.rand(()))(points(T)),
    "sizes": lambda T: T.vmap(T.add)(T.ones(2), T.ones(3)),
    "no inputs": lambda T: T.vmap(lambda: 1)(),
    "nothing to map over": lambda T: T.vmap(T.sin, in_dims=None)(T.ones(2)),
    "bad dim": lambda T: T.vmap(T.sin, in_dims=3)(T.ones(2)),
    "primals": lambda T: T.func.jvp(T.sin, points(T), points(T)),
    "vjp shapes": lambda T: T.func.vjp(T.sin, points(T))[1](T.ones(2)),
    "hessian of a vector": lambda T: functional(T).hessian(lambda x: x * 2, points(T)),
    "strict": lambda T: functional(T).jacobian(lambda x: T.ones(2), points(T), strict=True),
    "v needed": lambda T: functional(T).vjp(lambda x: x * 2, points(T)),
    "no tensor": lambda T: functional(T).jacobian(lambda x: x, 1.0),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](tinytorch)


def test_per_sample_gradients_and_ensembles():
    def program(T: Any) -> list[Any]:
        T.manual_seed(0)

        def make():
            return T.nn.Sequential(T.nn.Linear(4, 5), T.nn.ReLU(), T.nn.Linear(5, 3))

        model = make()
        x, y = T.randn(6, 4), T.randint(0, 3, (6,))
        params = {k: v.detach() for k, v in model.named_parameters()}

        def loss(params: Any, x: Any, y: Any) -> Any:
            logits = T.func.functional_call(model, params, (x.unsqueeze(0),))
            return T.nn.functional.cross_entropy(logits, y.unsqueeze(0))

        per_sample = T.func.vmap(T.func.grad(loss), in_dims=(None, 0, 0))(params, x, y)
        stacked, buffers = T.func.stack_module_state([make() for _ in range(3)])

        def predict(p, b, x):
            return T.func.functional_call(model, (p, b), (x,))

        return [per_sample, T.vmap(predict, in_dims=(0, 0, None))(stacked, buffers, x), stacked]

    same(program)


def test_functional_call_leaves_the_module_as_it_was():
    layer = tinytorch.nn.BatchNorm1d(2)
    state = {**dict(layer.named_parameters()), **{k: v.clone() for k, v in layer.named_buffers()}}
    replaced = dict(state, weight=tinytorch.full((2,), 3.0))
    x = tinytorch.randn(8, 2)
    out = tinytorch.func.functional_call(layer, replaced, x)
    assert layer.weight is state["weight"] and float(layer.running_mean.abs().sum()) == 0
    assert float(replaced["running_mean"].abs().sum()) > 0  # batch norm updated what it was given
    np.testing.assert_allclose(out.detach().numpy(), 3 * layer(x).detach().numpy(), 1e-5, 1e-6)
    with pytest.raises(AttributeError):
        tinytorch.func.functional_call(layer, {"nothing.weight": x}, x)
    tinytorch.func.functional_call(layer, {"nothing": x}, x)
    assert not hasattr(layer, "nothing")
    with pytest.raises(RuntimeError, match="Missing"):
        tinytorch.func.functional_call(layer, {"weight": layer.weight}, x, strict=True)


def test_maml_step():
    """Gradients through a gradient step, with the loss of the step in the outer derivative."""

    def program(T: Any) -> list[Any]:
        w, x = T.tensor([0.5, -1.0]), T.eye(2) * 2

        def inner(w):
            return ((x @ w - 1) ** 2).mean()

        def outer(w):
            return ((x @ (w - 0.1 * T.func.grad(inner)(w)) - 3) ** 2).mean()

        return [T.func.grad(outer)(w), T.func.jacrev(T.func.grad(outer))(w)]

    same(program)


def test_tied_parameters_get_one_value():
    module = tinytorch.nn.Module()
    module.a = tinytorch.nn.Linear(2, 2)
    module.b = module.a
    with pytest.raises(ValueError, match="tied"):
        tinytorch.func.functional_call(module, {"a.bias": tinytorch.ones(2), "b.bias": tinytorch.zeros(2)}, ())
