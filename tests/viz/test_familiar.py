"""make_dot, draw_dot and draw_graph."""

from __future__ import annotations

import pytest

import tinytorch as tt
from tests.viz.test_graph import Net
from tinytorch import nn, viz
from tinytorch.viz.familiar import values_graph


def neuron():
    x = tt.tensor(2.0, requires_grad=True)
    w = tt.tensor(-3.0, requires_grad=True)
    product = x * w
    return x, w, product, (product + 6.8813735).tanh()


def shown(root, **variables):
    return {
        node.label or node.name: (node.value, node.gradient) for node in values_graph(root, variables).nodes.values()
    }


def test_values_before_and_after_backward():
    x, w, product, out = neuron()
    assert shown(out, x=x, w=w, p=product) == {
        "x": ("2.0", "–"), "w": ("-3.0", "–"), "p": ("-6.0", "–"), "add": ("0.8814", "–"), "tanh": ("0.7071", "–"),
    }  # fmt: skip
    out.backward()
    assert shown(out, x=x, w=w, p=product) == {
        "x": ("2.0", "-1.5000"), "w": ("-3.0", "1.0000"), "p": ("-6.0", "0.5000"), "add": ("0.8814", "0.5000"), "tanh": ("0.7071", "1.0"),
    }  # fmt: skip


def test_names_come_from_the_callers_variables():
    x, w, product, out = neuron()
    assert x.is_leaf and w.is_leaf and product is not out
    source = viz.draw_dot(out).source
    for text in ("<B>x</B>", "<I>product</I>", "<I>out</I>", "rankdir=LR", "grad –"):
        assert text in source, text


def test_a_leaf_that_was_changed_makes_values_unknown():
    x, _, _, out = neuron()
    with tt.no_grad():
        x += 1
    graph = values_graph(out, {})
    assert "values inside are unknown" in graph.remarks[0]
    assert [node.value for node in graph.nodes.values() if node.name == "add"] == [""]


def test_small_tensors_and_wrong_arguments():
    x = tt.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).sum()
    y.backward()
    assert "data [2.0, 4.0]" in viz.draw_dot(y).source
    with pytest.raises(ValueError, match="rankdir"):
        viz.draw_dot(y, rankdir="left")
    with pytest.raises(TypeError, match="needs a Tensor, but got float"):
        viz.draw_dot(1.0)


def test_replay_does_not_touch_the_graph():
    x, w, _, out = neuron()
    viz.draw_dot(out)
    assert x.grad is None
    out.backward()
    viz.draw_dot(out)
    assert x.grad.item() == pytest.approx(-1.5, abs=1e-3) and w.grad.item() == pytest.approx(1, abs=1e-3)


def test_make_dot():
    net = Net()
    y = net(tt.ones(1, 4)).mean()
    source = viz.make_dot(y, params=dict(net.named_parameters())).source
    assert "MeanBackward0" in source and "blocks.0.0.weight" in source and ">saves" not in source
    full = viz.make_dot(y, net.named_parameters(), show_attrs=True, show_saved=True).source
    assert ">saves" in full
    with pytest.raises(ValueError, match="max_attr_chars"):
        viz.make_dot(y, max_attr_chars=1)


def test_draw_graph():
    net = Net()
    g = viz.draw_graph(net, input_size=(3, 4), depth=1)
    assert [node.module for node in g.folded().ops()] == ["fc (call 1 of 2)", "fc (call 2 of 2)", "blocks"]
    assert "cluster" not in g.visual_graph.source
    nested = viz.draw_graph(net, tt.ones(3, 4), expand_nested=True, roll=True, graph_dir="LR")
    assert "cluster" in nested.visual_graph.source and "×4" in nested.visual_graph.source
    assert net.training and all(module.training for module in net.modules())


def test_draw_graph_modes_inputs_and_errors(tmp_path):
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2))
    assert [n.name for n in viz.draw_graph(net, tt.ones(1, 2)).ops()] == ["linear"]
    assert len(list(viz.draw_graph(net, [tt.ones(1, 2)], mode="train").ops())) > 1
    assert list(viz.draw_graph(net, {"input": tt.ones(1, 2)}).ops())
    viz.draw_graph(nn.Embedding(5, 2), input_size=[(3,)], dtypes=[tt.long])
    for wrong, message in (
        ({}, "either input_data or input_size"), ({"input_size": (1, 2), "mode": "test"}, "mode must be"),
        ({"input_size": (1, 2), "graph_dir": "up"}, "graph_dir"), ({"input_size": [(1, 2)], "dtypes": []}, "dtypes"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            viz.draw_graph(net, **wrong)
