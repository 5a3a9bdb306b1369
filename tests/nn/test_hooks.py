"""Hooks of modules: what they are given, in which order, and what their results do."""

from __future__ import annotations

import gc
import warnings
import weakref

import numpy as np
import pytest

import tinytorch
from tests.compare import compare
from tests.nn.layers import assert_same_error, both


def plain(value):
    """Tensors as nested lists, so that two libraries' can be compared."""
    if isinstance(value, (tuple, list)):
        return tuple(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return np.round(value.detach().numpy().astype(np.float64), 5).tolist() if hasattr(value, "detach") else value


def agree(run):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = both(run)
    assert plain(ours) == plain(theirs)
    return ours


def test_forward_hooks():
    def run(T):
        m, log = T.nn.Linear(2, 3), []
        m.register_forward_hook(lambda module, args, out: log.append(("first", args, out)))
        m.register_forward_hook(lambda module, args, out: out * 2)
        m.register_forward_hook(lambda module, args, out: log.append(("last", out)))
        m.register_forward_hook(lambda module, args, out: log.append("prepended"), prepend=True)
        m.register_forward_pre_hook(lambda module, args: args[0] + 1)
        m.register_forward_pre_hook(lambda module, args: (log.append(("args", args)), (args[0] * 3,))[1])
        handle = m.register_forward_pre_hook(lambda module, args: log.append("first of all"), prepend=True)
        out = m(T.ones(2, 2))
        handle.remove()
        m(T.ones(1, 2))
        return log, out

    agree(run)


def test_forward_hooks_with_kwargs():
    def run(T):
        class Net(T.nn.Module):
            def forward(self, x, factor=1.0):
                return x * factor

        m, log = Net(), []
        m.register_forward_pre_hook(lambda module, args, kwargs: log.append((args, dict(kwargs))), with_kwargs=True)
        m.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True
        )
        m.register_forward_hook(lambda module, args, kwargs, out: log.append((args, kwargs, out)), with_kwargs=True)
        return m(T.ones(2), factor=2.0), log

    agree(run)


def test_pre_hook_must_return_a_pair():
    def run(T):
        m = T.nn.ReLU()
        m.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
        m(T.ones(1))

    assert_same_error(run)


def test_always_called():
    def run(T):
        class Net(T.nn.Module):
            def forward(self, x):
                raise ArithmeticError("no")

        m, log = Net(), []
        m.register_forward_hook(lambda module, args, out: log.append(("always", out)), always_call=True)
        m.register_forward_hook(lambda module, args, out: log.append("never"))
        with pytest.raises(ArithmeticError):
            m(T.ones(1))
        return log

    agree(run)


def test_hooks_that_remove_themselves():
    def run(T):
        m, log = T.nn.ReLU(), []

        def once(module, args, out):
            log.append("called")
            handle.remove()

        handle = m.register_forward_hook(once)
        m(T.ones(1))
        m(T.ones(1))
        return log

    assert agree(run) == ["called"]


def test_full_backward_hooks():
    def run(T):
        m, log = T.nn.Linear(2, 3), []
        m.register_full_backward_pre_hook(lambda module, grad_out: log.append(("before", grad_out)))
        m.register_full_backward_hook(lambda module, grad_in, grad_out: log.append((grad_in, grad_out)))
        x = T.tensor([[1.0, -2.0]], requires_grad=True)
        (m(x) ** 2).sum().backward()
        return log, x.grad, m.weight.grad

    agree(run)


def test_backward_hooks_replace_gradients():
    def run(T):
        m = T.nn.Linear(2, 3)
        m.register_full_backward_pre_hook(lambda module, grad_out: (grad_out[0] * 2,))
        m.register_full_backward_hook(lambda module, grad_in, grad_out: (grad_in[0] * 10,))
        m.register_full_backward_hook(lambda module, grad_in, grad_out: (grad_in[0] + grad_out[0].sum(),))
        x = T.tensor([[1.0, -2.0]], requires_grad=True)
        (m(x) ** 2).sum().backward()
        return x.grad, m.weight.grad

    agree(run)


def test_backward_hooks_of_several_inputs_and_outputs():
    def run(T):
        class Net(T.nn.Module):
            def forward(self, x, text, y, z):
                return x * y, text, y + z, z.detach()

        m, log = Net(), []
        m.register_full_backward_hook(lambda module, grad_in, grad_out: log.append((grad_in, grad_out)))
        x, y = T.ones(2, requires_grad=True), T.tensor([2.0, 3.0], requires_grad=True)
        a, text, b, c = m(x, "text", y, T.ones(2))
        (a * 2 + b * 3).sum().backward()
        return log, text, x.grad, y.grad, c.requires_grad

    agree(run)


def test_backward_hook_without_input_gradients():
    def run(T):
        m, log = T.nn.Linear(2, 3), []
        m.register_full_backward_hook(lambda module, grad_in, grad_out: log.append((grad_in, grad_out)))
        m(T.ones(1, 2)).sum().backward()
        return log, m.weight.grad

    agree(run)
    m = tinytorch.nn.Linear(2, 3)
    m.register_full_backward_hook(lambda module, grad_in, grad_out: None)
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        m(tinytorch.ones(1, 2)).sum().backward()


@pytest.mark.parametrize("kind", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_backward_hook_returns_too_many(kind):
    def run(T):
        m = T.nn.Linear(2, 3)
        getattr(m, kind)(lambda module, *grads: (grads[0][0], None))
        m(T.ones(1, 2, requires_grad=True)).sum().backward()

    assert_same_error(run)


def test_backward_hooks_do_not_touch_no_grad():
    def run(T):
        m, log = T.nn.Linear(2, 3), []
        m.register_full_backward_hook(lambda module, *grads: log.append("called"))
        with T.no_grad():
            out = m(T.ones(1, 2))
        return out.requires_grad, log

    agree(run)


def test_changing_the_result_of_a_hooked_module_in_place():
    def run(T):
        m = T.nn.Identity()
        m.register_full_backward_hook(lambda module, *grads: None)
        m(T.ones(2, requires_grad=True) * 2).add_(1)

    assert_same_error(run, same_text=False)


def test_hooks_in_a_network():
    def run(T):
        log = []
        m = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.ReLU(), T.nn.Linear(3, 1))
        for name, child in m.named_children():
            child.register_full_backward_hook(lambda module, gi, go, name=name: log.append((name, gi, go)))
            child.register_forward_hook(lambda module, args, out, name=name: log.append((name, out)))
        m(T.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)).sum().backward()
        return log

    agree(run)


def test_old_backward_hooks_see_the_last_op():
    def run(T):
        m, log = T.nn.Sequential(T.nn.Conv2d(1, 2, 2), T.nn.ReLU(), T.nn.Flatten()), []
        for child in m:
            child.register_backward_hook(lambda module, gi, go: log.append((type(module).__name__, gi, go)))
        m[1].register_backward_hook(lambda module, gi, go: (gi[0] * 2,))
        x = T.arange(9.0).reshape(1, 1, 3, 3).sub(4).requires_grad_()
        m(x).square().sum().backward()
        return log, x.grad

    agree(run)
    assert_same_error(lambda T: both_forms_of_hooks(T.nn.ReLU()), RuntimeError)


def both_forms_of_hooks(module):
    module.register_full_backward_hook(print)
    module.register_backward_hook(print)


def test_hooks_of_all_modules():
    def run(T):
        module, log = T.nn.modules.module, []

        def note(what, result=None):
            return lambda m, *args: (log.append((what, type(m).__name__, args)), result)[1]

        handles = [
            module.register_module_forward_pre_hook(note("before")),
            module.register_module_forward_hook(lambda m, args, out: out * 2),
            module.register_module_forward_hook(note("keywords"), with_kwargs=True),
            module.register_module_forward_hook(note("whatever happens"), always_call=True),
            module.register_module_full_backward_pre_hook(note("backward begins")),
            module.register_module_full_backward_hook(note("backward")),
        ]
        m = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.Tanh())
        m[1].register_forward_hook(note("the module's own comes last"))
        m[1].register_full_backward_hook(note("own"))
        m(T.tensor([[1.0, -2.0]], requires_grad=True)).sum().backward()
        with pytest.raises(RuntimeError):
            m(T.ones(1, 5))
        with pytest.raises(RuntimeError, match="Please use only one"):
            module.register_module_backward_hook(print)
        for handle in handles:
            handle.remove()
        count = len(log)
        m[0](T.ones(1, 2))
        return log, len(log) - count

    agree(run)
    log = []  # PyTorch does not forget that there were hooks of the other form
    with tinytorch.nn.modules.module.register_module_backward_hook(lambda *args: log.append(args)):
        tinytorch.nn.Tanh()(tinytorch.zeros(1, requires_grad=True)).backward()
    assert str(log) == "[(Tanh(), (tensor([1.]),), (tensor([1.]),))]"


def test_hooks_of_registration():
    def run(T):
        module, log = T.nn.modules.module, []
        with (
            module.register_module_parameter_registration_hook(lambda m, name, p: log.append(name)),
            module.register_module_buffer_registration_hook(lambda m, name, b: log.append(name) or b + 1),
            module.register_module_module_registration_hook(lambda m, name, c: log.append(name) or T.nn.Identity()),
        ):
            norm = T.nn.BatchNorm1d(2)
            net = T.nn.Sequential(norm)
            net.other = norm
        T.nn.Linear(2, 3)
        return log, norm.running_mean, str(net)

    agree(run)


def test_hooked_modules_can_be_differentiated_twice():
    def function(T, x, y):
        m = T.nn.Bilinear(3, 3, 2, dtype=T.float64)
        with T.no_grad():
            for p in m.parameters():
                p.fill_(0.3)
        m.register_full_backward_hook(lambda *args: None)
        return m(x, y * x)

    rng = np.random.default_rng(0)
    compare(function, rng.standard_normal((2, 3)), rng.standard_normal((2, 3)))


def test_hooks_make_no_reference_cycles():
    gc.disable()
    try:
        m = tinytorch.nn.Linear(2, 3)
        m.register_full_backward_hook(lambda *args: None)
        m.register_full_backward_pre_hook(lambda *args: None)
        m(tinytorch.ones(1, 2, requires_grad=True)).sum().backward()
        gone = weakref.ref(m)
        del m
        assert gone() is None
    finally:
        gc.enable()
