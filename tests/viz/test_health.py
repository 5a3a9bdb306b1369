"""Diagnosis: NaN, dead units, gradients, cuts."""

from __future__ import annotations

import pytest

import tinytorch as tt
import tinytorch.nn.functional as F
from tinytorch import nn, viz


def notes(graph):
    return {node.label or node.name: node.notes for node in graph.nodes.values() if node.notes}


def test_first_nan_and_what_it_poisons():
    def f(x):
        y = x.log()
        return (y * 2).sum()

    g = viz.trace(f, tt.tensor([1.0, -1.0, 0.0])).diagnose()
    assert notes(g) == {
        "log": ["makes 1 of 3 NaN, 1 of 3 inf"], "mul": ["poisoned: 1 of 3 NaN, 1 of 3 inf"], "sum": ["poisoned: 1 of 1 NaN"],
    }  # fmt: skip
    assert g.remarks == ["log (3) makes 1 of 3 NaN, 1 of 3 inf"]
    assert "makes 1 of 3 NaN" in g.text() and "makes 1 of 3 NaN" in g.digraph().source and "makes" in g.mermaid()


def test_an_input_that_holds_nan():
    g = viz.trace(lambda x: x + 1, tt.tensor([float("nan"), 1.0])).diagnose()
    assert (
        notes(g)["input"] == ["holds 1 of 2 NaN"]
        if "input" in notes(g)
        else any("holds" in n[0] for n in notes(g).values())
    )


def test_a_mask_of_minus_infinity_is_no_fault():
    def attention(x):
        mask = tt.triu(tt.ones(3, 3), 1).bool()
        return x.masked_fill(mask, float("-inf")).softmax(1)

    assert viz.trace(attention, tt.rand(3, 3)).diagnose().remarks == ["nothing wrong was found"]


def test_dead_relu():
    net = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 2))
    with tt.no_grad():
        net[0].bias[:5] = -100.0
    g = viz.trace(net, tt.rand(8, 4)).diagnose()
    dead = next(node for node in g.ops() if node.name == "relu")
    assert dead.stats["dead"] >= 5 and dead.notes[0].startswith("dead: ") and dead.notes[0].endswith("of 10 units")


def test_gradients():
    a, b, c = (nn.Parameter(tt.ones(3)) for _ in range(3))
    with viz.watch() as w:
        ((a * 1e-9).sum() + (b * 1e6).sum() + (c * 0).sum()).backward()
    g = w.graph(names={"a": a, "b": b, "c": c}).diagnose()
    assert notes(g) == {
        "a": ["vanishing gradient: 1e-09 per element"], "b": ["exploding gradient: 1e+06 per element"], "c": ["gradient is zero"],
    }  # fmt: skip
    assert w.graph().diagnose(vanishing=0, exploding=1e9).remarks == ["gradient is zero: c"]


def test_never_reached_and_cut():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    with viz.watch() as w:
        net[1](net[0](tt.ones(1, 2)).detach()).sum().backward()
    g = w.graph(net).diagnose()
    text = "\n".join(g.remarks)
    assert "never reached by a gradient: 0.weight, 0.bias, 2.weight, 2.bias" in text
    assert "gradient cut before linear (1×2): detach" in text


@pytest.mark.parametrize(
    ("cut", "word"),
    [(lambda h: h.argmax(1).float(), "not differentiable"), (lambda h: (h > 0).float(), "not differentiable")],
)
def test_cut_by_an_op_without_derivative(cut, word):
    layer = nn.Linear(2, 3)
    g = viz.trace(lambda x: cut(layer(x)), tt.ones(1, 2)).diagnose()
    assert any(word in remark for remark in g.remarks)


def test_a_branch_that_leads_nowhere_is_no_cut():
    layer = nn.Linear(2, 3)

    def f(x):
        h = layer(x)
        h.argmax(1)
        return F.relu(h) + 1

    assert not any("cut" in remark for remark in viz.trace(f, tt.ones(1, 2)).diagnose().remarks)
