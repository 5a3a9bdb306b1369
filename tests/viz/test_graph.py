"""The graph behind a result: nodes, edges, scopes, names, values; the same in every process."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

import tinytorch as tt
from tinytorch import nn, viz

ROOT = Path(__file__).resolve().parents[2]


class Net(nn.Module):
    """A layer that is called twice, and four equal blocks."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.blocks = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(4)])

    def forward(self, x):
        return self.blocks(self.fc(self.fc(x)))


def edges(graph):
    return [(edge.source, edge.target, edge.position) for edge in graph.edges]


def test_one_edge_for_every_argument():
    x = tt.tensor(3.0, requires_grad=True)
    g = viz.graph(x * x)
    assert edges(g) == [("n0", "n1", 0), ("n0", "n1", 1)]
    assert [node.name for node in g.nodes.values()] == ["x", "mul"]


def test_constants_are_written_into_the_op():
    x = tt.tensor(3.0, requires_grad=True)
    g = viz.graph(1 - x * 2)
    _, double, result = g.nodes.values()
    assert double.constants == {"b": "2"} and result.constants == {"a": "1"}


def test_a_tensor_without_history_is_one_node():
    x = tt.ones(2)
    g = viz.graph(x)
    assert len(g.nodes) == 1 and not g.edges and g.results == ["n0"] and g.nodes["n0"].name == "x"
    assert "x" in str(g) and "digraph" in g.digraph().source


def test_gradients_dash_for_none_and_number_once_there():
    x = tt.tensor(3.0, requires_grad=True)
    y = x * x
    assert viz.graph(y).nodes["n0"].gradient == "–"
    y.backward()
    assert viz.graph(y).nodes["n0"].gradient == "6.0"


def test_modules_calls_and_parameter_names():
    net = Net()
    g = viz.graph(net(tt.ones(3, 4)).sum())
    assert [s.title for s in g.scopes.values() if s.name == "fc"] == [
        "fc (call 1 of 2): Linear",
        "fc (call 2 of 2): Linear",
    ]
    names = [node.name for node in g.nodes.values() if node.kind == "parameter"]
    assert names == [name for name, _ in net.named_parameters()]
    shared = next(node for node in g.nodes.values() if node.name == "fc.weight")
    assert len([e for e in g.edges if e.source == shared.id]) == 2 and g.scopes[shared.scope].kind == "Net"


def test_two_outermost_modules_do_not_mix_their_names():
    encoder, decoder = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2))
    g = viz.graph(decoder(encoder(tt.ones(1, 2))))
    names = [node.name for node in g.nodes.values() if node.kind == "parameter"]
    assert names == ["encoder.0.weight", "encoder.0.bias", "decoder.0.weight", "decoder.0.bias"]


def test_parameters_never_reached_are_shown_with_the_model():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    g = viz.graph(net[0](tt.ones(1, 2)), net)
    assert [node.name for node in g.nodes.values() if node.notes == ["never reached"]] == ["1.weight", "1.bias"]


def test_the_module_may_be_gone():
    y = nn.Linear(2, 2)(tt.ones(1, 2))
    g = viz.graph(y)
    assert [node.name for node in g.nodes.values() if node.kind == "parameter"] == ["", ""]
    assert g.digraph().source and str(g)


def test_graph_of_a_gradient():
    x = tt.tensor(2.0, requires_grad=True)
    (gradient,) = tt.autograd.grad(x**3, x, create_graph=True)
    assert any(node.name == "pow" for node in viz.graph(gradient).nodes.values())


def test_saved_memory_is_counted_once():
    x = tt.ones(1000, requires_grad=True)
    g = viz.graph(((x * x) * x).sum())
    assert "8 kB saved for backward" in g.title  # x itself and x * x, 4,000 bytes each


def test_several_results_and_wrong_arguments():
    x = tt.ones(2, requires_grad=True)
    g = viz.graph([x * 2, x * 3])
    assert g.results == ["n1", "n2"]
    with pytest.raises(TypeError, match="graph\\(\\) needs a Tensor or several, but got int"):
        viz.graph([1])
    with pytest.raises(TypeError, match="at least one"):
        viz.graph([])


def test_tensor_graph_is_a_short_cut():
    x = tt.ones(2, requires_grad=True)
    assert (x * 2).graph().nodes["n0"].name == "x"


def test_a_chain_of_a_hundred_thousand_ops():
    x = tt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    g = viz.graph(y)
    assert len(g.nodes) == 100_001


def test_nothing_is_kept_alive():
    net = Net()
    x = tt.ones(3, 4)
    y = net(x).sum()
    g = viz.graph(y)
    g.text(), g.digraph(), g.collapse().roll().json()
    watched = [weakref.ref(thing) for thing in (x, y, net, y._array)]
    gc.disable()
    try:
        del net, x, y
        assert [ref() for ref in watched] == [None] * 4
    finally:
        gc.enable()
    assert g.text()


PROGRAM = """
import tinytorch as tt
from tinytorch import viz
from tests.viz.test_graph import Net
tt.manual_seed(0)
net = Net()
g = viz.graph(net(tt.ones(3, 4)).sum())
print(g, g.json(), g.digraph().source, g.roll().digraph().source, g.collapse().mermaid(), sep="\\n")
"""


def test_the_same_in_every_process():
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        outputs.add(done.stdout)
    assert len(outputs) == 1 and len(outputs.pop()) > 5000
