"""Closing, opening, focusing, rolling and hiding parts of a graph."""

from __future__ import annotations

import itertools

import pytest

import tinytorch as tt
from tests.viz.test_graph import Net
from tinytorch import nn, viz


@pytest.fixture
def graph():
    net = Net()
    return viz.graph(net(tt.ones(3, 4)).sum())


def boxes(graph):
    return [node.module or node.name for node in graph.folded().ops()]


def test_collapse_by_depth(graph):
    assert boxes(graph.collapse(depth=0)) == ["net", "sum"]
    assert boxes(graph.collapse(depth=1)) == ["fc (call 1 of 2)", "fc (call 2 of 2)", "blocks", "sum"]
    assert graph.collapse(depth=9).nodes == graph.nodes
    with pytest.raises(ValueError, match="depth must be at least 0"):
        graph.collapse(depth=-1)


def test_collapse_by_predicate_and_sums(graph):
    closed = graph.collapse(where=lambda scope: scope.name == "blocks.1")
    box = next(node for node in closed.nodes.values() if node.kind == "module")
    assert (box.module, box.name, box.members, box.metrics["params"]) == ("blocks.1", "Sequential", 2, 20)
    assert box.outputs[0].shape == (3, 4)
    assert closed.total("params") == graph.total("params") == 100


def test_expand_opens_one_scope_and_its_children_are_closed(graph):
    opened = graph.collapse(depth=1).expand("blocks")
    assert boxes(opened)[2:] == ["blocks.0", "blocks.1", "blocks.2", "blocks.3", "sum"]
    with pytest.raises(KeyError, match="no scope 'nowhere'"):
        graph.expand("nowhere")


def test_the_old_graph_is_left_as_it_was(graph):
    before = graph.json()
    graph.collapse(1), graph.roll(), graph.focus("blocks"), graph.hide("relu"), graph.color_by("params"), graph.folded()
    graph.limit(3), graph.view("both"), graph.digraph()
    assert graph.json() == before


def test_roll(graph):
    rolled = graph.roll()
    counts = {scope.name: scope.count for scope in rolled.scopes.values()}
    assert counts["blocks.0"] == 4 and "blocks.1" not in counts
    assert len([n for n in rolled.nodes.values() if n.name == "relu"]) == 1
    assert rolled.total("params") == 100
    assert "×4" in rolled.text() and "×4" in rolled.digraph().source
    closed = graph.collapse(depth=2).roll()
    assert [node.count for node in closed.ops() if node.kind == "module"] == [4]


def test_roll_leaves_unequal_neighbours_alone():
    net = nn.Sequential(*[nn.Sequential(nn.Linear(4, n), nn.Linear(n, 4)) for n in (3, 3, 5, 3)])
    rolled = viz.graph(net(tt.ones(1, 4))).roll()
    assert [scope.count for scope in rolled.scopes.values() if scope.kind == "Sequential" and scope.parent] == [2, 1, 1]


def test_focus(graph):
    part = graph.focus("blocks.2")
    assert [(node.kind, node.name) for node in part.folded().nodes.values()] == [
        ("outside", "relu"), ("op", "linear"), ("op", "relu"), ("outside", "linear"),
    ]  # fmt: skip
    assert "only blocks.2" in part.remarks[-1]
    viz.Graph.from_json(part.json())


def test_hide_connects_what_is_left(graph):
    left = graph.hide("relu", "parameter")
    assert not any(node.name == "relu" or node.kind == "parameter" for node in left.nodes.values())
    linears = [node.id for node in left.nodes.values() if node.name == "linear"]
    pairs = {(edge.source, edge.target) for edge in left.edges}
    assert all(pair in pairs for pair in itertools.pairwise(linears))
    assert graph.hide(lambda node: node.name == "sum").results == graph.results  # results stay


def test_limit_says_what_it_closed(graph):
    small = graph.limit(6)
    assert len(small.folded().nodes) <= 6 and "boxes were too many" in small.remarks[0]
    assert "boxes were too many" in graph.digraph(max_nodes=6).source
    with pytest.raises(ValueError, match="max_nodes"):
        graph.limit(0)


def test_color_by(graph):
    source = graph.color_by("params").digraph().source
    assert "BGCOLOR" in source
    with pytest.raises(ValueError, match="must be one of"):
        graph.color_by("speed")
    with pytest.raises(ValueError, match="not measured"):
        graph.color_by("time")


def test_view(graph):
    forward, backward, both = (graph.view(view).digraph().source for view in ("forward", "backward", "both"))
    assert "SumBackward0" in backward and "dashed" in both and both.count("->") > forward.count("->")
    with pytest.raises(ValueError, match="view must be"):
        graph.view("sideways")


def test_json_there_and_back(graph):
    for each in (graph, graph.collapse(1), graph.roll(), graph.folded(), graph.color_by("params")):
        again = viz.Graph.from_json(each.json())
        assert again == each and again.text() == each.text() and again.digraph().source == each.digraph().source


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"nodes": 1, "edges": [], "scopes": []}', '{"nodes": [{}], "edges": [], "scopes": []}',
        '{"nodes": [], "edges": [{"source": "n0", "target": "n1"}], "scopes": []}',
        '{"nodes": [{"id": "n0", "kind": "op", "name": "x", "scope": "s0"}], "edges": [], "scopes": []}',
        '{"nodes": [{"id": 3, "kind": "op", "name": "x"}], "edges": [], "scopes": []}',
        '{"nodes": [], "edges": [], "scopes": [{"id": "s0", "name": "", "kind": "", "parent": "s0"}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_json_that_holds_no_graph(text):
    with pytest.raises(ValueError):
        viz.Graph.from_json(text)
