"""Gradients of weights that another thread computes while backward goes on."""

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.autograd import deferred
from tinytorch.kernels import threads


@pytest.fixture(autouse=True)
def everything_is_worth_it(monkeypatch):
    monkeypatch.setattr(deferred, "WORTH_MICROSECONDS", (0.0, 1e9))
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    yield
    threads.set_num_threads(before)


class Counting:
    """How many gradients were put off."""

    def __init__(self, monkeypatch):
        self.count = 0
        add = deferred.Deferred.add

        def counted(this, *args):
            self.count += 1
            add(this, *args)

        monkeypatch.setattr(deferred.Deferred, "add", counted)


@pytest.fixture
def put_off(monkeypatch):
    return Counting(monkeypatch)


def network(library):
    library.manual_seed(0)
    nn = library.nn
    shared = nn.Linear(6, 6)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 6, 3, groups=3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        shared, nn.Tanh(), shared, nn.Tanh(), shared, nn.Linear(6, 4),
    )  # fmt: skip


def gradients(library, start=lambda model, loss: loss.backward()):
    model = network(library)
    x = library.tensor(np.random.default_rng(0).standard_normal((5, 2, 9, 9)).astype(np.float32), requires_grad=True)
    start(model, model(x).square().sum())
    return [t.grad.numpy() for t in (x, *model.parameters())]


def test_as_pytorch(put_off):
    for ours, theirs in zip(gradients(tinytorch), gradients(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert put_off.count == 6


def test_no_bit_depends_on_the_number_of_threads():
    found = []
    for count in (1, 2, 4):
        threads.set_num_threads(count)
        found.append([g.tobytes() for g in gradients(tinytorch)])
    assert found[0] == found[1] == found[2]


def test_gradients_that_are_returned(put_off):
    model = network(tinytorch)
    loss = model(tinytorch.ones(5, 2, 9, 9)).square().sum()
    first, *others = model.parameters()
    found = tinytorch.autograd.grad(loss, [*others, first], retain_graph=True)
    assert put_off.count == 5  # not the first layer: nothing is left to do meanwhile
    loss.backward(inputs=[others[0]], retain_graph=True)
    np.testing.assert_array_equal(others[0].grad.numpy(), found[0].numpy())
    assert first.grad is None and others[1].grad is None
    tinytorch.no_grad()(others[0].grad.zero_)()
    loss.backward()
    for gradient, parameter in zip(found, [*others, first], strict=True):
        np.testing.assert_array_equal(gradient.numpy(), parameter.grad.numpy())


def test_a_second_backward_adds_up():
    def twice(model, loss):
        loss.backward(retain_graph=True)
        loss.backward()

    for once, both in zip(gradients(tinytorch), gradients(tinytorch, twice), strict=True):
        np.testing.assert_allclose(2 * once, both, rtol=1e-6)


def test_whoever_looks_at_gradients_gets_them_at_once(put_off):
    def differentiable(model, loss):
        loss.backward(create_graph=True)
        assert all(p.grad.requires_grad for p in model.parameters())

    def seen_by_hooks(model, loss):
        seen = []
        for node in linear_nodes(loss.grad_fn):
            node.register_hook(lambda grads, _: seen.append(grads[1] is not None))
        loss.backward()
        assert seen == [True] * 6

    for start in (differentiable, seen_by_hooks):
        model = network(tinytorch)
        start(model, model(tinytorch.ones(5, 2, 9, 9)).square().sum())
    assert put_off.count == 0


def linear_nodes(node):
    """The nodes of layers with weights, from this one on."""
    found, waiting = {}, [node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found[node] = node.name() in ("AddmmBackward0", "ConvolutionBackward0")
            waiting += [after for after, _ in node.next_functions]
    return [node for node, has_weight in found.items() if has_weight]


def test_hooks_of_leaves_see_whole_gradients():
    def program(library):
        seen = []
        model = network(library)
        for p in model.parameters():
            p.register_hook(lambda g: 2 * g)
            p.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.sum().item()))
        model(library.ones(5, 2, 9, 9)).square().sum().backward()
        return sorted(seen)

    np.testing.assert_allclose(program(tinytorch), program(torch), rtol=1e-4)


def test_an_error_leaves_nothing_under_way():
    model = network(tinytorch)
    out = model(tinytorch.ones(5, 2, 9, 9))

    def fail(grad):
        raise KeyboardInterrupt

    def fail_in_backward(module, inputs, output):
        output.register_hook(fail)

    handle = model[6].register_forward_hook(fail_in_backward)
    with pytest.raises(KeyboardInterrupt):
        model(tinytorch.ones(5, 2, 9, 9)).square().sum().backward()
    assert all(p.grad is None for p in model.parameters())
    handle.remove()
    out.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_errors_of_the_other_thread_arrive(monkeypatch):
    x, w = tinytorch.ones(3, 4, requires_grad=True), tinytorch.ones(5, 4, requires_grad=True)
    loss = tinytorch.nn.functional.linear(x * 1, w).sum()

    def fail(compute):
        raise FloatingPointError("there")

    monkeypatch.setattr(deferred, "_without_graph", fail)
    with pytest.raises(FloatingPointError, match="there"):
        loss.backward()
