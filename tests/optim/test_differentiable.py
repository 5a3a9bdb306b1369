"""``differentiable=True``: a step is a function of parameter, gradient, state and options, differentiated beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

STATES = {
    "SGD": {"momentum_buffer": "any"},
    "Adam": {"exp_avg": "any", "exp_avg_sq": "positive", "step": 10.0},
    "RMSprop": {"square_avg": "positive", "momentum_buffer": "any", "grad_avg": "small", "step": 0.0},
    "Adadelta": {"square_avg": "positive", "acc_delta": "positive", "step": 0.0},
    "Adagrad": {"sum": "positive", "step": 0.0},
    "Adamax": {"exp_avg": "any", "exp_inf": "positive", "step": 10.0},
    "ASGD": {"ax": "any", "eta": "number", "mu": "number", "step": 10.0},
    "Rprop": {"prev": "any", "step_size": "positive", "step": 0.0},
    "NAdam": {"exp_avg": "any", "exp_avg_sq": "positive", "mu_product": "number", "step": 10.0},
    "RAdam": {"exp_avg": "any", "exp_avg_sq": "positive", "step": 10.0},
}
STATES["AdamW"] = STATES["Adam"]
#: "learned": a tensor that requires grad.
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.9}), ("SGD", {"lr": "learned", "weight_decay": "learned", "momentum": 0.5, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"lr": 0.9, "weight_decay": "learned"}), ("Adam", {"lr": "learned", "betas": "learned"}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}), ("AdamW", {"lr": "learned", "weight_decay": 0.2}),
    ("RMSprop", {"momentum": 0.9, "maximize": True}), ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Adadelta", {"weight_decay": 0.1}), ("Adagrad", {"lr_decay": 0.1}), ("Adamax", {"weight_decay": 0.1}),
    ("ASGD", {"lr": 0.9}), ("Rprop", {"step_sizes": (1e-6, 0.1)}), ("RAdam", {"lr": "learned"}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
]  # fmt: skip


def stepped(t: Any, name: str, options: dict[str, Any]) -> list[np.ndarray]:
    """Parameter and state after a step, and first and second derivatives by all that goes in."""
    rng = np.random.default_rng(0)
    leaves: list[Any] = []

    def leaf(values: Any) -> Any:
        leaves.append(t.tensor(np.asarray(values)).requires_grad_())
        return leaves[-1].clone()

    def made(kind: Any) -> Any:
        if isinstance(kind, float):
            return t.tensor(kind, dtype=t.float64)
        values = rng.standard_normal(6)
        return leaf({"any": values, "positive": values**2 + 0.5, "small": values / 9, "number": 1.0}[kind])

    p, grad = leaf(rng.standard_normal(6)), leaf(rng.standard_normal(6))
    learned = {"lr": 0.7, "weight_decay": 0.2}
    options = {k: (leaf(learned[k]) if v == "learned" and k != "betas" else v) for k, v in options.items()}
    if options.get("betas") == "learned":
        options["betas"] = leaf(0.8), leaf(0.9)
    state = {key: made(kind) for key, kind in STATES[name].items()}
    if options.get("amsgrad"):
        state["max_exp_avg_sq"] = made("positive")
    optimizer = getattr(t.optim, name)([p], **options, differentiable=True)
    optimizer.state[p].update(state)
    p.grad = grad
    optimizer.step()
    results = [p, *(v for v in optimizer.state[p].values() if v.requires_grad)]
    loss = sum(((r * r) * (i + 1)).sum() for i, r in enumerate(results))
    first = t.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    squares = sum((g * g).sum() for g in first if g is not None)
    second = t.autograd.grad(squares, leaves, allow_unused=True)
    zero = np.zeros(())
    return [zero if r is None else r.detach().numpy() for r in (*results, *first, *second)]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_step_is_differentiated_as_in_pytorch(name, options):
    ours, theirs = stepped(tinytorch, name, options), stepped(torch, name, options)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("complex_numbers", [False, True])
def test_a_learning_rate_is_learned_through_steps(complex_numbers):
    """Three steps on |p|²: each shrinks p by 1 - 2 lr."""
    start = tinytorch.tensor([1.0 + 2.0j, 3.0j] if complex_numbers else [1.0, 2.0])
    lr = tinytorch.tensor(0.1, requires_grad=True)
    p = start.clone().requires_grad_().clone()
    optimizer = tinytorch.optim.SGD([p], lr=lr, differentiable=True)
    for _ in range(3):
        (p.grad,) = tinytorch.autograd.grad((p.clone().abs() ** 2).sum(), p, create_graph=True)
        optimizer.step()
    (p.abs() ** 2).sum().backward()
    squares = float((start.abs() ** 2).sum())
    np.testing.assert_allclose(lr.grad, squares * 6 * (1 - 0.2) ** 5 * -2, rtol=1e-5)


@pytest.mark.parametrize("t", [tinytorch, torch])
def test_what_is_refused(t):
    leaf = t.tensor([1.0], requires_grad=True)
    optimizer = t.optim.SGD([leaf], differentiable=True)
    leaf.grad = t.tensor([1.0])
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        optimizer.step()
    with pytest.raises(AssertionError, match="_foreach ops don't support autograd"):
        adam = t.optim.Adam([leaf], foreach=True, differentiable=True)
        adam.step()
    with pytest.raises(AssertionError, match="If capturable=True, params and state_steps must be on supported devices"):
        t.optim.Adam([{"params": [leaf], "capturable": True}]).step()
    counted = t.optim.Adam([leaf], differentiable=True)
    zeros = {name: t.zeros(1) for name in ("exp_avg", "exp_avg_sq")}
    counted.state[leaf] = {"step": t.tensor(1.0, requires_grad=True), **zeros}
    with pytest.raises(RuntimeError, match="`requires_grad` is not supported for `step` in differentiable mode"):
        counted.step()
