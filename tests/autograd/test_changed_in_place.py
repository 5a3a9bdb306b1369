"""A change in place at every position around every kind of op: PyTorch's gradients, or an error, never a wrong number.

Every combination of an op, of what is changed (its input, a view of it, its output...), and how, is run in both libraries. Where
PyTorch raises (a saved tensor was changed) and tinytorch does not, because it saved something else, the gradient has to be what
PyTorch gives when it keeps copies of all that it saves (``allow_mutation_on_saved_tensors``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

START = [[0.5, 1.5, 2.0], [0.25, 0.75, 1.25]]

#: What saves its input, its output, both or nothing.
OPS: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda T, x: x.exp(),
    "sigmoid": lambda T, x: x.sigmoid(),
    "tanh": lambda T, x: x.tanh(),
    "sqrt": lambda T, x: x.sqrt(),
    "relu": lambda T, x: x.relu(),
    "log": lambda T, x: x.log(),
    "sin": lambda T, x: x.sin(),
    "square": lambda T, x: x * x,
    "times number": lambda T, x: x * 3,
    "plus": lambda T, x: x + 1,
    "power": lambda T, x: x**3,
    "divide": lambda T, x: 1 / x,
    "matmul": lambda T, x: x @ x.t(),
    "softmax": lambda T, x: x.softmax(1),
    "sum": lambda T, x: x.sum(0, keepdim=True).expand(2, 3) * 1,
    "max": lambda T, x: x.max(1, keepdim=True).values * T.ones(2, 3, dtype=T.float64),
    "prod": lambda T, x: x.prod(1, keepdim=True),
    "cumsum": lambda T, x: x.cumsum(1),
    "transpose": lambda T, x: x.t(),
    "reshape": lambda T, x: x.reshape(3, 2),
    "slice": lambda T, x: x[:, 1:],
    "gather": lambda T, x: x[:, [0, 2, 2]],
    "where": lambda T, x: T.where(x > 1, x, x * 2),
    "clamp": lambda T, x: x.clamp(0.6, 1.4),
    "norm": lambda T, x: x.norm(dim=1, keepdim=True),
    "layer_norm": lambda T, x: T.nn.functional.layer_norm(x, (3,)),
    "linear": lambda T, x: T.nn.functional.linear(x, x),
    "log_softmax": lambda T, x: x.log_softmax(1),
}


#: Ops that save their input where PyTorch saves the output, and raise when that was changed.
STRICTER = {"divide"}


def under_no_grad(T: Any, x: Any) -> None:
    with T.no_grad():
        x.mul_(2)


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "mul_": lambda T, x: x.mul_(2),
    "add_": lambda T, x: x.add_(1),
    "zero_": lambda T, x: x.zero_(),
    "exp_": lambda T, x: x.exp_(),
    "x[0] = 1": lambda T, x: x.__setitem__(0, 1.0),
    "x[:, 0] *= x[:, 1]": lambda T, x: x[:, 0].mul_(x[:, 1].detach().clone()),
    "copy_": lambda T, x: x.copy_(T.full_like(x, 0.5)),
    "view": lambda T, x: x.view(-1).add_(1) if x.is_contiguous() else x.add_(1),
    "transposed": lambda T, x: x.t().mul_(3),
    "detached": lambda T, x: x.detach().add_(1),
    "no_grad": under_no_grad,
}


def program(op: Any, change: Any, position: str) -> Callable[[Any, Any], Any]:
    """``leaf`` in, the tensors of the loss out."""

    def run(T: Any, leaf: Any) -> Any:
        x = leaf if position.startswith("the leaf") else leaf * 1.0
        view = x[:, :] if "view" in position else x
        if position.endswith("before"):
            change(T, view)
        y = op(T, x)
        if position == "output":
            z = op(T, y * 1.0) if y.shape == x.shape else y.exp()
            change(T, y)
            return y, z
        if position == "input after":
            change(T, x)
        elif position == "a view of the input after":
            change(T, view)
        elif position == "the leaf after":
            change(T, leaf)
        elif position == "the input's base after":
            return op(T, x[:, :]), change(T, x), x
        return y, x

    return run


POSITIONS = (
    "input before", "a view of the input before", "input after", "a view of the input after", "output", "the leaf before",
    "the leaf after", "the input's base after",
)  # fmt: skip


def outcome(T: Any, run: Any, copies: bool = False) -> Any:
    """The values and the gradient, or the type of the error."""
    leaf = T.tensor(START, dtype=T.float64, requires_grad=True)
    keeping = torch.autograd.graph.allow_mutation_on_saved_tensors() if copies else contextlib.nullcontext()
    try:
        with keeping:
            outputs = [y for y in run(T, leaf) if isinstance(y, (torch.Tensor, tinytorch.Tensor))]
            values = [np.asarray(y.detach().numpy()).copy() for y in outputs]
            losses = [(y * T.arange(1, y.numel() + 1, dtype=T.float64).view(y.shape)).sum() for y in outputs]
            sum(losses).backward()
    except Exception as error:
        return type(error)
    return [*values, np.asarray(leaf.grad.numpy())]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, type) or isinstance(b, type):
        return a is b
    return len(a) == len(b) and all(np.allclose(x, y, 1e-9, 1e-9, equal_nan=True) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("position", POSITIONS)
def test_pytorchs_gradient_or_an_error(position: str) -> None:
    wrong, cases, raised = [], 0, 0
    for op_name, op in OPS.items():
        for change_name, change in CHANGES.items():
            run = program(op, change, position)
            cases += 1
            ours, theirs = outcome(tinytorch, run), outcome(torch, run)
            raised += isinstance(ours, type)
            if same(ours, theirs) or (ours is RuntimeError and op_name in STRICTER):
                continue
            if theirs is not RuntimeError or not same(ours, outcome(torch, run, copies=True)):
                wrong.append(f"{op_name}, {change_name}: {ours}, PyTorch {theirs}")
    print(f"{position}: {cases} cases, {raised} of them errors")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_parameters_swapped_between_forward_and_backward(T: Any) -> None:
    """The gradient goes to the parameter that was used, which the new one knows nothing of."""
    layer = T.nn.Linear(2, 1, bias=False)
    y = layer(T.ones(1, 2)).sum()
    layer.weight = T.nn.Parameter(T.zeros(1, 2))
    y.backward()
    assert layer.weight.grad is None


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_a_module_used_twice_adds_up(T: Any) -> None:
    shared = T.nn.Linear(2, 2, bias=False)
    with T.no_grad():
        shared.weight.copy_(T.tensor([[1.0, 2.0], [3.0, 4.0]]))
    model = T.nn.Sequential(shared, T.nn.ReLU(), shared)
    assert len(list(model.parameters())) == 1
    model(T.tensor([[1.0, 1.0]])).sum().backward()
    assert shared.weight.grad.tolist() == [[7.0, 11.0], [9.0, 13.0]]


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_backward_inside_backward(T: Any) -> None:
    class Inner(T.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.detach() ** 3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            with T.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                (x**3).sum().backward()
            return grad * x.grad

    x = T.tensor([1.0, 2.0], requires_grad=True)
    Inner.apply(x * 2).sum().backward()
    assert x.grad.tolist() == [24.0, 96.0]


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_an_exception_in_the_middle_leaves_everything_usable(T: Any) -> None:
    class Fails(T.autograd.Function):  # type: ignore[misc, name-defined]
        fail = True

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            if Fails.fail:
                raise ZeroDivisionError("in the middle")
            return grad

    x = T.tensor([1.0, 2.0], requires_grad=True)
    y = (Fails.apply(x * 2) * 3).sum()
    with pytest.raises(ZeroDivisionError, match="in the middle"):
        y.backward(retain_graph=True)
    assert x.grad is None and T.is_grad_enabled()
    Fails.fail = False
    y.backward()
    assert x.grad.tolist() == [6.0, 6.0]


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_hooks_that_change_or_replace(T: Any) -> None:
    x = T.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (y * 1).sum().backward()
    assert x.grad.tolist() == [21.0, 21.0]
