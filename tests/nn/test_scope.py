"""Every recorded node remembers the qualified name of the module whose forward made it."""

from __future__ import annotations

import copy
import pickle

import pytest

import tinytorch as tt
from tinytorch import nn
from tinytorch.autograd.modes import state


class Probe(nn.Module):
    """Notes the scope in which it runs."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def forward(self, x):
        self.log.append(state.scope)
        return x


def test_names_count_from_the_outermost_module():
    log = []
    inner = nn.Sequential(Probe(log), nn.Sequential(Probe(log)))
    outer = nn.ModuleDict({"branch": inner})
    outer.forward = lambda x: outer["branch"](x)
    outer(tt.ones(1))
    inner(tt.ones(1))
    assert log == ["branch.0", "branch.1.0", "0", "1.0"]
    assert state.scope == "" and state.module_names is None


def test_names_follow_changes_of_the_tree():
    log = []
    net = nn.Sequential(Probe(log))
    net(tt.ones(1))
    net.insert(0, nn.ReLU())
    net(tt.ones(1))
    net.append(Probe(log))
    net(tt.ones(1))
    del net[0]
    net(tt.ones(1))
    assert log == ["0", "1", "1", "2", "0", "1"]


def test_a_module_that_is_nowhere_registered_has_its_class_name():
    log = []

    class Net(nn.Module):
        def forward(self, x):
            return Probe(log)(x)

    Net()(tt.ones(1))
    assert log == ["Probe"]


def test_restored_after_an_exception():
    class Net(nn.Module):
        def forward(self, x):
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        nn.Sequential(Net())(tt.ones(1))
    assert state.scope == "" and state.module_names is None


def test_copies_have_names_of_their_own():
    log = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    net(tt.ones(1))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), copy.copy(net)):
        node = other(tt.ones(1)).grad_fn
        assert node.scope in ("1.0", "1")
        log.append(node.scope)
    assert len(set(log)) == 1


def test_nodes_and_their_errors_name_the_module():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())
    hidden = net[0](tt.ones(1, 2))
    assert hidden.grad_fn.scope == ""
    out = net(tt.ones(1, 2))
    assert out.grad_fn.scope == "1"
    assert out.grad_fn.next_functions[0][0].scope == "0"
    with tt.no_grad():
        out.mul_(2)
    with pytest.raises(RuntimeError, match="in module '1'"):
        out.sum().backward()
