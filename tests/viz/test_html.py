"""The interactive page, as text: what is in it, that nothing in it can break out, and that it needs no Graphviz."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET

import pytest

import tinytorch as tt
from tests.viz.test_drawing import NAMES, Small
from tinytorch import nn, viz
from tinytorch.autograd.primitive import Primitive
from tinytorch.viz import formulas, layers, steps, svg, views
from tinytorch.viz.describe import argument_names, op_name


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def pictures_of(page):
    found = re.findall(r'<template id="view-(\w+)">(.*?)</template>', page, re.DOTALL)
    return {name: ET.fromstring(picture) for name, picture in found}


def boxes_of(picture):
    return {group.get("data-id") for group in picture.iter("g") if "node" in group.get("class", "").split()}


class Deep(nn.Module):
    """Modules in modules in modules."""

    def __init__(self):
        super().__init__()
        inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
        self.outer = nn.Sequential(inner, nn.Tanh())
        self.head = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())

    def forward(self, x):
        return self.head(self.outer(x) + x)


def deep_graph():
    tt.manual_seed(0)
    model = Deep()
    with viz.watch() as watched:
        loss = model(tt.randn(4, 3)).square().mean()
        loss.backward()
    return watched.graph(model)


@pytest.fixture(scope="module")
def deep():
    return deep_graph()


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setattr(svg, "engine", lambda: None)


@pytest.fixture(params=["engine", "layers"])
def both_ways(request, monkeypatch):
    if request.param == "layers":
        monkeypatch.setattr(svg, "engine", lambda: None)
    elif svg.engine() is None:
        pytest.skip("no Graphviz here: apt install graphviz")


def test_every_module_has_a_picture(deep, both_ways):
    page = deep.html()
    pictures, data = pictures_of(page), data_of(page)
    opened = {deep.scopes[id].name for id in pictures if id in deep.scopes}
    assert opened == {"outer", "outer.0", "head"} and next(iter(pictures)) == views.FIRST and views.FLAT in pictures
    for name, view in data["views"].items():
        boxes = boxes_of(pictures[name])
        assert {end for edge in view["edges"] for end in edge} <= boxes
        assert view["parent"] in (*pictures, "") and set(view["outside"]) <= boxes
        assert all(id in data["nodes"] for id in boxes)
    for id, node in data["nodes"].items():
        assert set(node["chain"]) & boxes_of(pictures[node["home"]]), f"{id} is not seen where it is said to be"
        assert node["opens"] == (id in pictures)


def test_views_start_with_what_was_given(deep):
    def closed(graph):
        return [node.module for node in views.views_of(graph)[0].graph.nodes.values() if node.kind == "module"]

    assert closed(deep) == ["outer", "head"]
    assert closed(deep.collapse(0)) == ["model"]
    assert closed(deep.collapse(0).expand("outer")) == ["outer.0", "head"]
    for graph in (deep.collapse(0), deep.roll(), deep.hide("parameter"), deep.focus("outer")):
        assert boxes_of(pictures_of(graph.html())[views.FIRST])


def test_the_page_loads_nothing(deep):
    page = deep.html()
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!\$)|url\(|@import|https?://(?!www\.w3\.org)""", page)


def test_hostile_names(both_ways):
    names = [
        *NAMES.values(),
        "</script><script>alert(1)</script>",
        "</template>",
        "<!--",
        "</style>",
        "\u2028",
        "\ud800",
    ]
    y = x = tt.ones(2, requires_grad=True)
    model = nn.Module()
    for name in names:
        model._parameters[name] = nn.Parameter(tt.ones(2))
        kind = type("Odd", (nn.Module,), {"forward": lambda self, x: (x * 2).relu() + 1})
        kind.__name__ = name.replace("\0", "").replace("\ud800", "?")
        y = kind()(y * model._parameters[name])
    graph = viz.graph(y.sum(), model, names={"<i>&'\"": x}).styled(parameters="boxes")
    graph.title = "</title><script>"
    page = graph.html()
    page.encode()
    assert page.count("<script") == page.count("</script>") == 2 and page.count("</title>") == 1
    pictures, data = pictures_of(page), data_of(page)
    assert page.count("</template>") == len(pictures) and page.count("<!--") == 0
    assert any("<b>bold</b> <lambda>" in node["title"] for node in data["nodes"].values())
    drawn = "".join(pictures[views.FIRST].itertext())
    assert "<b>bold</b>" in drawn and "漢字" in drawn and "</script>" in drawn
    tags = {element.tag for picture in pictures.values() for element in picture.iter()}
    assert tags <= {"svg", "g", "path", "polygon", "polyline", "ellipse", "rect", "text", "tspan"}


@pytest.mark.parametrize("graph", [viz.Graph(), viz.graph(tt.ones(3))], ids=["empty", "one node"])
def test_pages_of_next_to_nothing(both_ways, graph):
    page = graph.html()
    assert len(pictures_of(page)) == 1 and data_of(page)["steps"] == []


def test_saved_as_a_file_and_shown_in_a_notebook(tmp_path, deep, no_engine):
    written = deep.save(tmp_path / "g.html").read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>") and [path.name for path in tmp_path.iterdir()] == ["g.html"]
    frame = deep._repr_html_()
    inside = html.unescape(re.fullmatch(r'<iframe sandbox="allow-scripts".*? srcdoc="([^"]*)"></iframe>', frame)[1])
    assert inside.strip() == written.strip()


def test_nan_and_infinity_reach_the_page():
    x = tt.tensor([0.0, 1.0], requires_grad=True)
    with viz.watch(values=True) as watched:
        (x.log() * 0).sum().backward()
    page = watched.graph().diagnose().html()
    gives = [give for step in data_of(page)["steps"] for give in step["gives"]]
    assert ["NaN", 0.0] in [give["values"] for give in gives]


def test_colours_are_classes_light_and_dark():
    palette = svg.Palette()
    drawing = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g class="graph"><title>graph</title>
        <polygon fill="white" stroke="transparent" points="0,0 9,0 9,9"/>
        <polygon fill="#b2182b" stroke="transparent" points="1,1 2,2 3,1"/>
        <g class="edge" id="e"><title>n0-&gt;n1</title><a href="http://x"><path fill="none" stroke="black" d="M0,0"/></a></g>
        <image href="http://x"/><text onclick="x()">a</text></g></svg>"""
    assert svg.cleaned(drawing, palette) == (
        '<svg viewBox="0 0 9 9"><g><polygon points="1,1 2,2 3,1" class="f0" /><g data-from="n0" data-to="n1" class="edge">'
        '<path d="M0,0" class="s1" /></g><text class="f1">a</text></g></svg>'
    )
    css = palette.css().splitlines()
    assert css[0] == ".f0{fill:#b2182b}.s0{stroke:#b2182b}" and css[3].startswith("[data-theme=dark] .f1{fill:#efefef}")


# ------------------------------------------------------------------------------------------ backward


def test_steps_of_an_expression():
    a = tt.tensor(2.0, requires_grad=True)
    b = tt.tensor(-3.0, requires_grad=True)
    with viz.watch() as watched:
        c = a * b
        d = c + a
        d.backward()
    first, second = steps.steps_of(watched.graph())
    assert (first["op"], first["gradient"], first["backward"]) == ("add", "1.0", "AddBackward0")
    assert [(give["formula"], give["values"], give["number"], give["count"]) for give in first["gives"]] == [
        ("g", [1.0], 1, 1), ("g", [1.0], 1, 2),
    ]  # fmt: skip
    assert [(give["formula"], give["values"], give["number"], give["count"]) for give in second["gives"]] == [
        ("g ⊙ b", [-3.0], 2, 2), ("g ⊙ a", [2.0], 1, 1),
    ]  # fmt: skip
    assert a.grad == -2 and b.grad == 2
    assert (first["call"], second["call"]) == ("y = add(c, a)", "y = mul(a, b)")
    (step,) = steps.steps_of(viz.graph(1 - a))
    assert (step["call"], step["gives"][0]["formula"]) == ("y = sub(a, a=1)", "−g")


def test_steps_follow_the_engine(deep):
    """Whether backward was watched or not, the steps are the ops that it runs, the last first."""
    run = steps.steps_of(deep)
    assert [step["node"] for step in run] == [n.id for n in deep.ops() if "time_backward" in n.metrics][::-1]
    assert run[0]["starts"] and not run[1]["starts"]
    x = tt.ones(3, requires_grad=True)
    y = (x * 2).detach() * x.exp() + 1
    unwatched = viz.graph(y.sum())
    assert [step["op"] for step in steps.steps_of(unwatched)] == ["sum", "add", "mul", "exp"]
    frozen = viz.trace(lambda x: (x * 2).argmax(), x)
    assert steps.steps_of(frozen) == []
    norms = [give["norm"] for step in run for give in step["gives"]]
    assert all(norms) and {give["count"] for step in run for give in step["gives"]} == {1}


def test_formulas_speak_of_the_arguments_that_ops_have():
    kinds = {op_name(kind): argument_names(kind) for kind in formulas._primitives(Primitive)}
    for op, arguments in formulas.FORMULAS.items():
        assert set(arguments) <= set(kinds[op]), op
        assert set(re.findall(r"\{(.*?)\}", " ".join(arguments.values()))) <= set(kinds[op]), op
    assert formulas.formula("cat", "", {}) == "its own piece of g"
    assert formulas.formula("odd", "q", {"q": "{weight}"}) == "(∂y/∂{weight})ᵀ g"
    assert formulas.formula("mse_loss", "input", {"input": "{x}"}) == "2g ({x} − target) / n"
    assert "return grad * b" in formulas.backward_sources({"mul"})["mul"]


# ------------------------------------------------------------------------------------------ layers


@pytest.mark.parametrize("blocks", [1, 4])
def test_layers_have_no_overlaps(blocks):
    x = y = tt.ones(2, requires_grad=True)
    for _ in range(blocks):
        y = sum([(y * k).relu() for k in range(4)]) + x
    picture = ET.fromstring(layers.draw_in_layers(viz.graph(y.sum()).folded()))
    rectangles = [
        [float(rect.get(side)) for side in ("x", "y", "width", "height")]
        for rect in picture.iter("{http://www.w3.org/2000/svg}rect")
    ]
    width, height = (float(part) for part in picture.get("viewBox").split()[2:])
    for n, (x0, y0, w0, h0) in enumerate(rectangles):
        assert x0 >= 0 and y0 >= 0 and x0 + w0 <= width and y0 + h0 <= height
        for x1, y1, w1, h1 in rectangles[:n]:
            assert x0 + w0 <= x1 or x1 + w1 <= x0 or y0 + h0 <= y1 or y1 + h1 <= y0


def test_layers_are_coloured_with_a_legend(deep):
    graph = deep.color_by("time").folded()
    picture = ET.fromstring(layers.draw_in_layers(graph))
    assert "time" in list(picture.itertext()) and len(list(picture.findall("{*}rect"))) == 3
    fills = {rect.get("fill") for rect in picture.iter("{http://www.w3.org/2000/svg}rect")}
    assert "#b2182b" in fills and "#dbe9f8" not in fills  # the slowest is red, no family has its own colour


def test_layers_order_edges_downwards(deep):
    graph = deep.folded()
    layer = layers._layers(graph)
    assert all(layer[edge.source] < layer[edge.target] for edge in graph.edges)


def test_the_model_of_the_golden_files(both_ways):
    model = Small()
    graph = viz.graph(model(tt.randn(2, 1, 4, 4)).mean(), model)
    assert data_of(graph.html()) == data_of(viz.Graph.from_json(graph.json()).html())
