"""Recording while a program runs: trace and watch."""

from __future__ import annotations

import dataclasses
import gc
import sys
import threading
import weakref

import pytest

import tinytorch as tt
from tests.viz.test_graph import Net
from tinytorch import nn, viz
from tinytorch.autograd.watching import watchers
from tinytorch.viz.flops import flops


def names(graph):
    return [node.name for node in graph.ops()]


def test_trace_sees_what_needs_no_gradient():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    x = tt.ones(2, 1, 4, 4)
    with tt.no_grad():
        g = viz.trace(net, x)
    assert names(g) == ["conv2d", "batch_norm", "relu", "flatten", "linear"]
    assert g.nodes["n0"].name == "x" and g.nodes[g.results[0]].outputs[0].shape == (2, 3)
    assert g.total("flops") > 0 and "FLOP" in g.title
    assert [node.name for node in g.nodes.values() if node.kind == "parameter"] == [
        n for n, _ in net.named_parameters()
    ]


def test_trace_sees_plain_functions_and_where_the_gradient_is_cut():
    def f(x):
        h = x * 2
        with tt.no_grad():
            scaled = h * 3
        return h.detach() + scaled, h.argmax(), (h > 0)

    g = viz.trace(f, tt.ones(4, requires_grad=True))
    notes = {g.nodes[edge.target].name: edge.note for edge in g.edges}
    assert notes == {"mul": "no_grad", "add": "", "argmax": "not differentiable", "gt": "not differentiable"} | {
        "add": notes["add"]
    }
    assert {edge.note for edge in g.inputs_of(next(n for n in g.ops() if n.name == "add"))} == {"detach", ""}
    assert len(g.results) == 3


def test_trace_follows_changes_in_place():
    def f(x):
        y = x * 2
        y.add_(1)
        y[0] = 5.0
        return y.relu()

    g = viz.trace(f, tt.ones(3, requires_grad=True))
    relu = next(node for node in g.ops() if node.name == "relu")
    before = g.nodes[g.inputs_of(relu)[0].source]
    assert before.name == "put_region"
    assert [g.nodes[edge.source].name for edge in g.inputs_of(before)] == ["add", "copy"]


def test_trace_keeps_what_ran_before_an_error_with_both_shapes():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 2))
    with pytest.warns(UserWarning, match="the traced call raised RuntimeError: mat1 and mat2"):
        g = viz.trace(net, tt.ones(3, 4))
    failed = next(node for node in g.ops() if node.notes)
    assert (failed.name, failed.notes) == ("linear", ["failed on 3×8 and 2×9 and 2"])
    assert g.scopes[failed.scope].name == "2"
    assert names(g) == ["linear", "relu", "linear"] and "stopped by RuntimeError" in g.remarks[0]
    with pytest.warns(UserWarning, match="matmul|mat1"):
        g = viz.trace(lambda a, b: (a * 2) @ b, tt.ones(2, 3), tt.ones(2, 3))
    assert next(node for node in g.ops() if node.notes).notes == ["failed on 2×3 and 2×3"]


def test_outputs_of_any_form():
    @dataclasses.dataclass
    class Output:
        logits: tt.Tensor
        hidden: tuple

    def f(x):
        return Output(x * 2, (x + 1, {"deep": [x - 1]}))

    g = viz.trace(f, tt.ones(2))
    assert [g.nodes[id].name for id in g.results] == ["mul", "add", "sub"]
    assert [g.nodes[id].name for id in viz.trace(lambda x: str(x * 2), tt.ones(2)).results] == ["mul"]


def test_nothing_is_left_installed():
    def broken(x):
        raise ZeroDivisionError

    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        assert [node.kind for node in viz.trace(broken, tt.ones(1)).nodes.values()] == ["input"]
    assert watchers == [] and sys.getprofile() is None
    with pytest.raises(ZeroDivisionError), viz.watch():
        raise ZeroDivisionError
    assert watchers == []


def test_watch_measures_forward_and_backward():
    net = Net()
    x = tt.randn(3, 4)
    with viz.watch() as w:
        loss = (net(x) ** 2).mean()
        loss.backward()
    g = w.graph(net)
    for node in g.ops():
        assert {"time", "time_backward", "flops", "memory", "grad_norm"} <= set(node.metrics), node.name
    last = g.nodes[g.results[0]]
    assert last.label == "loss" and last.gradient == "1.0"
    weight = next(node for node in g.nodes.values() if node.name == "blocks.3.0.weight")
    assert weight.metrics["grad_norm"] == pytest.approx(net.blocks[3][0].weight.grad.norm().item())
    into_relu = next(edge for edge in g.edges if g.nodes[edge.target].name == "relu")
    assert into_relu.grad_norm is not None
    for metric in ("time", "flops", "memory", "params", "grad_norm"):
        assert "BGCOLOR" in g.color_by(metric).digraph().source
    assert "forward" in g.title and "backward" in g.title


def test_watch_keeps_nothing_alive():
    net = Net()
    with viz.watch() as w:
        x = tt.ones(3, 4)
        hidden = net(x)
        loss = hidden.sum()
        loss.backward()
        watched = [weakref.ref(thing) for thing in (x, hidden, loss, loss.grad_fn, x._array, hidden._array)]
        gc.disable()
        try:
            del x, hidden, loss
            assert [ref() for ref in watched] == [None] * 6
        finally:
            gc.enable()
    assert len(w.graph().nodes) > 10


def test_watch_sees_its_own_thread_only():
    def work():
        for _ in range(20):
            tt.ones(3) * 2

    thread = threading.Thread(target=work)
    with viz.watch() as w:
        thread.start()
        y = tt.ones(2).exp()
        thread.join()
    assert names(w.graph()) == ["exp"] and y is not None


def test_watch_inside_watch_and_users_functions():
    class Double(tt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tt.ones(2, requires_grad=True)
    with viz.watch() as outer, viz.watch(values=True) as inner:
        Double.apply(x).sum().backward()
    assert names(outer.graph()) == names(inner.graph()) == ["double", "sum"]
    assert next(inner.graph().ops()).stats["mean"] == 2
    assert next(outer.graph().ops()).metrics["grad_norm"] == pytest.approx(2**0.5)


def test_create_graph_is_recorded_too():
    x = tt.tensor(2.0, requires_grad=True)
    with viz.watch() as w:
        (g,) = tt.autograd.grad(x**3, x, create_graph=True)
        g.backward()
    assert len(names(w.graph())) > 1


def test_flops():
    assert flops("linear", [(4, 3), (5, 3), (5,)], [(4, 5)], {}) == 2 * 4 * 3 * 5 + 20
    assert flops("conv2d", [(2, 3, 8, 8), (4, 3, 3, 3), None], [(2, 4, 6, 6)], {}) == 2 * 2 * 4 * 36 * 27
    assert flops("reshape", [(2, 3)], [(6,)], {}) == 0
    assert flops("relu", [(2, 3)], [(2, 3)], {}) == 6


MODULES = {
    "lstm": (lambda: nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True), (2, 5, 8)),
    "transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    "groups": (lambda: nn.Sequential(nn.GroupNorm(1, 5), nn.Dropout(0.5), nn.GELU(), nn.Softmax(-1)), (2, 5, 8)),
    "images": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(3, 4, 3, stride=2),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=2),
            nn.AdaptiveAvgPool2d(2),
        ),
        (1, 3, 5, 5),
    ),
    "weight_norm": (lambda: nn.utils.weight_norm(nn.Linear(8, 3)), (2, 8)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_of_all_kinds(name):
    make, shape = MODULES[name]
    model, x = make(), tt.randn(*shape)
    tt.manual_seed(1)
    plain = model(x)
    plain = plain[0] if isinstance(plain, tuple) else plain
    tt.manual_seed(1)
    g = viz.trace(model, x)
    assert g.remarks == [] and g.total("params") == sum(p.numel() for p in model.parameters())
    used = {edge.source for edge in g.edges} | set(g.results)
    assert all(node.id in used for node in g.nodes.values())
    assert viz.Graph.from_json(g.json()) == g
    assert g.collapse(0).roll().digraph().source and g.mermaid() and g.roll().text() and g.focus("s0").json()
    tt.manual_seed(1)
    with viz.watch(values=True) as w:
        seen = model(x)
        seen = seen[0] if isinstance(seen, tuple) else seen
        seen.sum().backward()
    assert tt.equal(plain, seen)
    assert w.graph().total("time_backward") > 0
    assert " ± " in w.graph().text()


def test_targets_and_indices_are_connected():
    x, labels = tt.randn(4, 3), tt.tensor([0, 1, 2, 0])
    g = viz.trace(nn.CrossEntropyLoss(), x, labels)
    source = next(node.id for node in g.nodes.values() if node.name == "labels")
    assert [(g.nodes[e.target].name, e.label) for e in g.edges if e.source == source] == [("cross_entropy", "target")]
    g = viz.trace(nn.Embedding(5, 2), labels)
    assert {edge.source for edge in g.edges} >= {node.id for node in g.nodes.values() if node.id not in g.results}
    assert names(g) == names(viz.graph(nn.Embedding(5, 2)(labels))) == ["embedding"]


def test_given_tensors_stand_outside_and_text_tells_results_of_one_op_apart():
    g = viz.trace(nn.LSTM(2, 3), tt.ones(4, 1, 2))  # zeros are made first
    assert [node.scope for node in g.nodes.values() if node.kind == "input"] == [""]
    first, second = tt.ones(4, requires_grad=True).chunk(2)
    assert "mul(n1[1], n1[0])" in str(viz.graph(second * first))
