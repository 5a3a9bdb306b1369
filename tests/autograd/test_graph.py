"""Hooks on saved tensors, batched gradients, PyTorch's names of saved values, gradients of convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.grad

import tinytorch
from tests.compare import compare, equal_tensors


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


def hooked(T: Any) -> list[Any]:
    x = T.tensor([0.5, 1.0, 2.0], requires_grad=True)
    w = T.tensor([1.0, -1.0, 3.0], requires_grad=True)
    found: list[Any] = []

    def pack(tensor: Any) -> Any:
        found.append(("pack", tuple(tensor.shape)))
        return tensor.detach().numpy().copy()

    def unpack(array: Any) -> Any:
        found.append(("unpack", array.shape))
        return T.from_numpy(array)

    with T.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x.exp() * w).sum()
    (first,) = T.autograd.grad(y, x, create_graph=True)
    (second,) = T.autograd.grad((first * first).sum(), w)
    return [sorted(map(str, found)), first, second]


def test_saved_tensors_hooks():
    (calls, *theirs), (our_calls, *ours) = hooked(torch), hooked(tinytorch)
    assert our_calls == calls
    for got, expected in zip(ours, theirs, strict=True):
        equal_tensors("gradient", got, expected)


def test_hooks_of_users_functions_and_nesting():
    class Cube(tinytorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3 * ctx.saved_tensors[0] ** 2

    x = tinytorch.tensor([1.0, 2.0], requires_grad=True)
    hooks = tinytorch.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t)
    with hooks, tinytorch.autograd.graph.save_on_cpu():
        plain = Cube.apply(x).sum()  # the innermost hooks count
    with hooks:
        doubled = Cube.apply(x).sum()
    untouched = Cube.apply(x).sum()
    for y, factor in ((plain, 1), (doubled, 4), (untouched, 1)):
        (gradient,) = tinytorch.autograd.grad(y, x)
        assert gradient.tolist() == [3.0 * factor, 12.0 * factor]
    with tinytorch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: None), pytest.raises(TypeError):
        x.exp().sum().backward()


def test_names_of_saved_values():
    for T in (torch, tinytorch):
        x, y = T.ones(2, requires_grad=True), T.full((2,), 3.0, requires_grad=True)
        assert (x**2).grad_fn._saved_self is x
        assert (x * y).grad_fn._saved_other is y
        assert T.equal(x.exp().grad_fn._saved_result, x.exp())
        assert x.exp().grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"
        assert T.autograd.graph.get_gradient_edge(x * y).output_nr == 0
        with pytest.raises(RuntimeError):
            T.autograd.graph.get_gradient_edge(T.ones(1))


def test_gradients_at_an_edge():
    for T in (torch, tinytorch):
        x = T.tensor([1.0, 2.0], requires_grad=True)
        edge, leaf = [T.autograd.graph.get_gradient_edge(t) for t in (x * x, x)]
        assert leaf.node.name() == "torch::autograd::AccumulateGrad"
        both = x * 3
        loss = (both.exp() * both).sum()
        at_both = T.autograd.graph.get_gradient_edge(both)
        found = T.autograd.grad(loss, (at_both, x), retain_graph=True)
        assert T.allclose(found[0] * 3, found[1])
        assert T.equal(T.autograd.grad(loss, leaf)[0], found[1])
        assert T.autograd.grad(edge, x, T.ones(2))[0].tolist() == [2.0, 4.0]


def test_a_saved_tensor_is_packed_afterwards():
    for T in (torch, tinytorch):
        x = T.tensor([1.0, 2.0], requires_grad=True)
        for y, name in ((x**2, "self"), (x.exp(), "result")):
            saved = getattr(y.grad_fn, f"_raw_saved_{name}")
            saved.register_hooks(lambda t: t * 2, lambda t: t + 0)
            with pytest.raises(RuntimeError, match="already been set"):
                saved.register_hooks(lambda t: t, lambda t: t)
            plain = T.autograd.grad((x**2 if name == "self" else x.exp()).sum(), x)[0]
            y.sum().backward()
            assert T.equal(x.grad, plain * 2)
            x.grad = None
            with pytest.raises(RuntimeError, match="freed"):
                saved.register_hooks(lambda t: t, lambda t: t)


def test_batched_gradients():
    for T in (torch, tinytorch):
        x = T.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (jacobian,) = T.autograd.grad(x**2, x, T.eye(3), is_grads_batched=True)
        assert jacobian.tolist() == [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]


@pytest.mark.parametrize("d", [1, 2])
def test_gradients_of_convolutions(d):
    x, w = normal(2, 4, *(7,) * d), normal(6, 2, *(3,) * d)
    options = {"stride": 2, "padding": 1, "groups": 2}

    def gradients(T: Any, x: Any, w: Any, g: Any) -> list[Any]:
        conv_input, conv_weight = getattr(T.nn.grad, f"conv{d}d_input"), getattr(T.nn.grad, f"conv{d}d_weight")
        return [conv_input(x.shape, w, g, **options), conv_weight(x, w.shape, g, **options)]

    compare(gradients, x, w, normal(2, 6, *(4,) * d))


def multi_grad(T: Any) -> list[Any]:
    log: list[Any] = []
    a, b, c = (T.full((2,), float(i), requires_grad=True) for i in (1, 2, 3))
    d, unrelated = a * b, a + c

    def note(grads: Any) -> None:
        log.append([None if g is None else g.tolist() for g in grads] if isinstance(grads, list) else grads.tolist())

    hook = T.autograd.graph.register_multi_grad_hook
    handles = [hook((a, b, d, unrelated), note), hook((unrelated, d), note, mode="any")]
    (d * c).sum().backward(retain_graph=True)
    d.sum().backward(inputs=(a,), retain_graph=True)
    T.autograd.backward((d * d).sum(), inputs=[a, b], create_graph=True)
    for handle in handles:
        handle.remove()
    d.sum().backward()
    with pytest.raises(ValueError, match="mode"):
        hook((a,), note, mode="some")
    return log


def test_multi_grad_hooks():
    assert multi_grad(tinytorch) == multi_grad(torch)


def hooks_off_the_way(T: Any) -> list[Any]:
    """What hooks see when gradients are wanted for x alone, and a node brings one for w all the same."""

    class Product(T.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad * b, grad * a

    log: list[Any] = []
    x, w = (T.ones(2, requires_grad=True) for _ in range(2))
    y, h = Product.apply(x, w), w * 2
    for name, tensor in (("x", x), ("w", w), ("h", h)):
        tensor.register_hook(lambda grad, name=name: log.append(name))
    for name, leaf in (("x", x), ("w", w)):
        leaf.register_post_accumulate_grad_hook(lambda leaf, name=name: log.append(f"{name} accumulated"))
    z = (y + h).sum()
    T.autograd.grad(z, x, retain_graph=True)
    T.autograd.grad([z, h.sum()], [x], retain_graph=True)
    h.retain_grad()
    z.backward(inputs=[x], retain_graph=True)
    log += [w.grad is None, h.grad is None]
    z.backward(inputs=[h])
    return [*log, w.grad is None, h.grad.tolist()]


def test_no_hook_sees_gradients_that_nobody_asked_for():
    assert hooks_off_the_way(tinytorch) == hooks_off_the_way(torch)


def test_changes_of_saved_tensors_are_allowed_where_asked_for():
    for T in (torch, tinytorch):
        graph = T.autograd.graph
        x = T.ones(2, requires_grad=True)
        with graph.allow_mutation_on_saved_tensors():
            y = x.clone()
            z, w = y**2, y.exp()
            y.sin_()
            w.zero_()
            (z.sum() + w.sum()).backward()
            with pytest.raises(RuntimeError, match="nested"), graph.allow_mutation_on_saved_tensors():
                pass
        assert x.grad.tolist() == [2, 2]
        hooks = graph.saved_tensors_hooks(lambda t: t, lambda t: t)
        with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"), hooks:
            pass
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x * x
        y.sum().backward()
        y = x.exp()
        graph.increment_version(y)
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            y.sum().backward()
