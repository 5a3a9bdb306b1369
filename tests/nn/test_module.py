"""Module: attributes, walks, conversions, errors and copies, as PyTorch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import tinytorch
from tests.nn.layers import LIBRARIES, assert_same_error, assert_same_state, both


def make(T):
    """A small tree with a shared module, a buffer of each kind, a missing bias and a plain attribute."""

    class Net(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = T.nn.Linear(3, 4, bias=False)
            self.block = T.nn.Sequential(T.nn.BatchNorm1d(4), T.nn.ReLU())
            self.again = self.first
            self.scale = T.nn.Parameter(T.tensor([2.0]))
            self.alias = self.scale
            self.register_buffer("offset", T.tensor([1.0, 2.0]))
            self.register_buffer("hidden", T.tensor([3.0]), persistent=False)
            self.register_buffer("nothing", None)
            self.note = "plain"
            self.empty = None

        def forward(self, x):
            return self.block(self.first(x)) * self.scale

    return Net()


WALKS = {
    "named_parameters": lambda m: [name for name, _ in m.named_parameters()],
    "with duplicates": lambda m: [name for name, _ in m.named_parameters(remove_duplicate=False)],
    "with prefix": lambda m: [name for name, _ in m.named_parameters(prefix="net")],
    "own": lambda m: [name for name, _ in m.named_parameters(recurse=False)],
    "parameters": lambda m: [tuple(p.shape) for p in m.parameters()],
    "named_buffers": lambda m: [name for name, _ in m.named_buffers()],
    "buffers": lambda m: [tuple(b.shape) for b in m.buffers(recurse=False)],
    "named_modules": lambda m: [(name, type(sub).__name__) for name, sub in m.named_modules()],
    "modules twice": lambda m: [name for name, _ in m.named_modules(remove_duplicate=False, prefix="x")],
    "named_children": lambda m: [name for name, _ in m.named_children()],
    "children": lambda m: [type(child).__name__ for child in m.children()],
    "dir": lambda m: [name for name in ("first", "scale", "offset", "forward", "note", "0") if name in dir(m)],
    "dir of sequential": lambda m: [name for name in dir(m.block) if name[0].isdigit()],
    "repr": repr,
    "get_submodule": lambda m: repr(m.get_submodule("block.0")),
    "get_parameter": lambda m: tuple(m.get_parameter("block.0.weight").shape),
    "get_buffer": lambda m: m.get_buffer("block.0.running_var").tolist(),
    "training": lambda m: [sub.training for sub in m.eval().modules()],
}


@pytest.mark.parametrize("walk", WALKS)
def test_walks(walk):
    ours, theirs = both(make)
    assert WALKS[walk](ours) == WALKS[walk](theirs)


ERRORS = {
    "missing attribute": lambda m, T: m.bad,
    "parameter from list": lambda m, T: setattr(m, "scale", [1.0]),
    "parameter from tensor": lambda m, T: setattr(m, "scale", T.ones(1)),
    "module from number": lambda m, T: setattr(m, "first", 3),
    "module from module of another": lambda m, T: setattr(m.block, "0", T.ones(2)),
    "buffer from text": lambda m, T: setattr(m, "offset", "text"),
    "buffer name taken": lambda m, T: m.register_buffer("first", T.ones(1)),
    "buffer with a dot": lambda m, T: m.register_buffer("a.b", T.ones(1)),
    "buffer without name": lambda m, T: m.register_buffer("", T.ones(1)),
    "buffer name no text": lambda m, T: m.register_buffer(3, T.ones(1)),
    "buffer from number": lambda m, T: m.register_buffer("c", 3),
    "parameter name taken": lambda m, T: m.register_parameter("note", T.nn.Parameter(T.ones(1))),
    "parameter with a dot": lambda m, T: m.register_parameter("a.b", None),
    "parameter without name": lambda m, T: m.register_parameter("", None),
    "registered tensor": lambda m, T: m.register_parameter("c", T.ones(2)),
    "module with a dot": lambda m, T: m.add_module("a.b", T.nn.ReLU()),
    "module without name": lambda m, T: m.add_module("", T.nn.ReLU()),
    "module name taken": lambda m, T: m.add_module("scale", T.nn.ReLU()),
    "module from text": lambda m, T: m.add_module("c", "relu"),
    "no such submodule": lambda m, T: m.get_submodule("block.7"),
    "submodule of a parameter": lambda m, T: m.get_submodule("scale.a"),
    "no such parameter": lambda m, T: m.get_parameter("first.nope"),
    "parameter that is a buffer": lambda m, T: m.get_parameter("offset"),
    "buffer that is a parameter": lambda m, T: m.get_buffer("scale"),
    "set_submodule without name": lambda m, T: m.set_submodule("", T.nn.ReLU()),
    "train with a number": lambda m, T: m.train(1),
    "to integers": lambda m, T: m.to(T.int64),
    "delete what is not there": lambda m, T: delattr(m, "bad"),
    "too many arguments": lambda m, T: m(T.ones(1, 3), 2, 3, 4).bad,
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    same_text = name not in ("too many arguments",)  # Python's own text names the class with its path
    assert_same_error(lambda T: ERRORS[name](make(T), T), same_text)


def test_assignment_before_init():
    def before_init(value):
        def run(T):
            class Net(T.nn.Module):
                def __init__(self):
                    self.a = value(T)

            Net()

        return run

    assert_same_error(before_init(lambda T: T.nn.Parameter(T.ones(1))))
    assert_same_error(before_init(lambda T: T.nn.ReLU()))
    assert_same_error(lambda T: T.nn.Module.register_buffer(T.nn.Module.__new__(T.nn.Module), "a", T.ones(1)))


def test_parameter_kinds():
    for T in LIBRARIES.values():
        assert isinstance(T.nn.Parameter(T.ones(2)), T.Tensor)
        assert not isinstance(T.nn.Parameter(T.ones(2)) * 2, T.nn.Parameter)
        data = T.ones(2)
        parameter = T.nn.Parameter(data)
        with T.no_grad():
            parameter.mul_(3)
        assert data.tolist() == [3.0, 3.0]  # the same memory
        assert T.nn.Parameter(T.ones(2, requires_grad=True) * 2).is_leaf
        assert not T.nn.Parameter(T.ones(2, dtype=T.int64), requires_grad=False).requires_grad
        assert T.nn.Parameter().shape == (0,)
        parameter.grad = T.ones(2)
        copied = copy.deepcopy(parameter)
        assert type(copied) is T.nn.Parameter and copied.grad is None and copied.requires_grad
        again = pickle.loads(pickle.dumps(parameter))
        assert type(again) is T.nn.Parameter and again.tolist() == [3.0, 3.0] and again.requires_grad
    assert_same_error(lambda T: T.nn.Parameter(T.ones(2, dtype=T.int64)), same_text=False)


def test_non_leaf_parameter_is_refused():
    def run(T):
        parameter = T.nn.Parameter(T.ones(2))
        with T.no_grad():
            pass
        module = T.nn.Module()
        derived = parameter * 2
        derived.__class__ = T.nn.Parameter
        module.register_parameter("w", derived)

    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'w'"):
        run(tinytorch)


def test_changing_kinds():
    """A name can change from one kind to another, as PyTorch allows it."""

    def run(T):
        m = make(T)
        m.scale = None
        m.note = T.nn.ReLU()
        m.note = T.nn.Tanh()
        m.first = None
        m.offset = None
        m.hidden = T.nn.Buffer(T.ones(3), persistent=True)
        m.empty = T.nn.Parameter(T.zeros(2))
        m.fresh = T.nn.Buffer(T.ones(2), persistent=False)
        del m.again
        m.block = T.nn.Parameter(T.ones(1))
        return m

    ours, theirs = both(run)
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs)
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]
    assert ours.first is None and theirs.first is None


def test_set_submodule():
    def run(T):
        m = make(T)
        m.set_submodule("block.1", T.nn.Tanh())
        return repr(m)

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parametrize("convert", ["double()", "half()", "float()", "to(T.float64)", "to('cpu', T.float64)", "to(T.zeros(1).double())",
                                     "to(dtype=T.float16)", "type(T.float64)", "cpu()"])  # fmt: skip
def test_conversions(convert):
    def run(T):
        m = make(T)
        m(T.ones(2, 3)).sum().backward()
        parameters = list(m.parameters())
        m = eval(f"m.{convert}", {"m": m, "T": T})
        assert all(a is b for a, b in zip(parameters, m.parameters(), strict=True))
        return m

    ours, theirs = both(run)
    assert_same_state(ours, theirs)
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert our.is_leaf and our.requires_grad
        assert str(our.grad.dtype) == str(their.grad.dtype) == str(our.dtype)


def test_other_devices_are_refused():
    with pytest.raises(RuntimeError, match="CPU only"):
        make(tinytorch).cuda()
    with pytest.raises(RuntimeError, match="CPU only"):
        make(tinytorch).to("cuda")


def test_apply_zero_grad_and_freezing():
    def run(T):
        m = make(T)
        visited = []
        m.apply(lambda module: visited.append(type(module).__name__))
        m(T.ones(2, 3)).sum().backward()
        grad = m.scale.grad
        m.zero_grad(set_to_none=False)
        kept = m.scale.grad is grad and float(grad) == 0.0
        m.zero_grad()
        none = [p.grad is None for p in m.parameters()]
        m.requires_grad_(False)
        return visited, kept, none, [p.requires_grad for p in m.parameters()], m(T.ones(2, 3)).requires_grad

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parametrize("library", [tinytorch, torch])
def test_gradients_in_one_buffer_are_zeroed_in_place(library):
    layer, buffer = library.nn.Linear(2, 2), library.ones(6)
    layer.weight.grad, layer.bias.grad = buffer[:4].view(2, 2), buffer[4:]
    layer.zero_grad(set_to_none=False)
    assert buffer.tolist() == [0.0] * 6


def test_copy_and_pickle():
    network = tinytorch.nn.Sequential(tinytorch.nn.Linear(3, 4), tinytorch.nn.BatchNorm1d(4))
    x = tinytorch.randn(5, 3)
    network(x).sum().backward()
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert repr(other) == repr(network)
        for key, value in network.state_dict().items():
            np.testing.assert_array_equal(other.state_dict()[key].numpy(), value.numpy())
        assert not any(a is b for a, b in zip(network.parameters(), other.parameters(), strict=True))
        before = network[0].weight.detach().clone()
        other[0].weight.detach().zero_()
        np.testing.assert_array_equal(network[0].weight.detach().numpy(), before.numpy())
        other(x)
    shared = make(tinytorch)
    copied = copy.deepcopy(shared)
    assert copied.first is copied.again and copied.scale is copied.alias


def test_forward_is_required():
    assert_same_error(lambda T: T.nn.Module()(1))


def test_every_name_here_is_a_name_of_pytorch():
    for name in tinytorch.nn.__all__:
        assert hasattr(torch.nn, name), f"{name} is not PyTorch's"
