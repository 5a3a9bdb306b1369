"""Writers and rendering: golden files, hostile names, and what happens without a layout engine."""

from __future__ import annotations

import json
import re
import shutil
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import tinytorch as tt
from tinytorch import nn, viz
from tinytorch.viz import render

GOLDEN = Path(__file__).parent / "golden"

NAMES = {
    "quotes": '"it\'s" \\"',
    "angles": "<b>bold</b> <lambda>",
    "html": "<<TABLE>>",
    "newlines": "one\ntwo\r\nthree\\n\\N\\l",
    "braces": "{a|b} [c] (d); e -> f",
    "colon": "a:b:n",
    "long": "x" * 300,
    "unicode": "ünï çødé 漢字 🙂 \u202e reversed",
    "control": "nul\x00 bell\x07 esc\x1b[31m",
    "entity": "&amp; &lt; %s {0} $HOME `id`",
}

needs_engine = pytest.mark.skipif(render.engine() is None, reason="no Graphviz here: apt install graphviz")


class Small(nn.Module):
    """A bit of everything: nesting, a constant, a difference, a shared parameter."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        h = self.body(x).flatten(1)
        return self.head(h) - self.head(h * 2)


def small_graphs():
    tt.manual_seed(0)
    x = tt.randn(2, 1, 4, 4)
    model = Small()
    out = model(x).square().mean()
    g = viz.graph(out, names={"model": model, "x": x, "out": out})
    a = tt.tensor(2.0, requires_grad=True)
    b = tt.tensor(3.0, requires_grad=True)
    c = 1 - a * b + a
    e = viz.graph(c, names={"a": a, "b": b, "c": c})
    for node in g.nodes.values():  # computed numbers may differ in the last place between machines
        node.value = ""
    return {"model": g, "collapsed": g.collapse(1), "both": g.view("both"), "expression": e}


@pytest.mark.parametrize("name", ["model", "collapsed", "both", "expression"])
@pytest.mark.parametrize("kind", ["gv", "txt", "mmd"])
def test_golden_files(name, kind, tmp_path, request):
    written = small_graphs()[name].save(tmp_path / f"{name}.{kind}").read_text(encoding="utf-8")
    golden = GOLDEN / f"{name}.{kind}"
    if not golden.exists():  # delete a golden file to have it written anew
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(written, encoding="utf-8")
        pytest.fail(f"{golden.name} was written; look at it")
    assert written == golden.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile():
    x = tt.ones(2, requires_grad=True)
    y = x
    model = nn.Module()
    for key, name in NAMES.items():
        model._parameters[name] = nn.Parameter(tt.ones(2))
        y = y * model._parameters[name]
        kind = type("Odd", (nn.Module,), {"forward": lambda self, x: (x * 2).relu() + 1})
        kind.__name__ = name.replace("\0", "")  # Python itself refuses NUL here
        y = kind()(y)
        assert key
    return viz.graph(y.sum(), model, names={'"<i>&{}|': x, "a\nb": y})


def test_hostile_names_in_every_writer(hostile):
    graph = hostile.styled(parameters="boxes")
    for each in (graph, graph.collapse(0), graph.color_by("memory"), graph.styled(cells=True), hostile):
        source = each.digraph().source
        labels = re.sub(r'"(?:[^"\\]|\\.)*"', "", source)  # without quoted text, which is taken literally
        assert "<b>" not in labels and "<lambda>" not in labels and "\x00" not in source and "\x1b" not in source
        text = each.mermaid()
        assert "<lambda>" not in text and "\x00" not in text
        assert "\x1b" not in each.text() and len(each.text().splitlines()) < 90
    again = json.loads(graph.json())
    assert any(node["name"].startswith("<b>bold") for node in again["nodes"])
    assert viz.Graph.from_json(graph.json()) == graph


@needs_engine
def test_hostile_names_are_drawn(hostile, tmp_path):
    svg = hostile.styled(parameters="boxes").save(tmp_path / "h.svg").read_bytes()
    drawn = "".join(ET.fromstring(svg).itertext())
    assert "it's" in drawn and "<b>bold</b>" in drawn and "漢字" in drawn and "{a|b} [c]" in drawn
    assert "$HOME `id`" in drawn


@needs_engine
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_pictures_of_everything(kind, tmp_path):
    for name, graph in small_graphs().items():
        written = graph.save(tmp_path / f"{name}.{kind}").read_bytes()
        assert written.startswith(b"\x89PNG") if kind == "png" else b"</svg>" in written
    assert viz.save_digraph(graph.digraph(), tmp_path / f"d.{kind}").stat().st_size > 500


@needs_engine
def test_a_notebook_shows_the_picture():
    bundle = small_graphs()["expression"]._repr_mimebundle_()
    assert "</svg>" in bundle["image/svg+xml"] and "mul(a, b)" in bundle["text/plain"]


def test_json_and_unknown_endings(tmp_path):
    graph = small_graphs()["model"]
    assert viz.Graph.from_json(graph.save(tmp_path / "g.json").read_text(encoding="utf-8")) == graph
    with pytest.raises(ValueError, match=r"cannot write 'g.bmp': the ending must be one of .svg"):
        graph.save(tmp_path / "g.bmp")
    with pytest.raises(ValueError, match="ending must be"):
        viz.save_digraph(graph.digraph(), tmp_path / "g.json")
    assert [path.name for path in tmp_path.iterdir()] == ["g.json"]


# ------------------------------------------------------------------------------------------ layout engines


@pytest.fixture
def no_engine(monkeypatch, tmp_path):
    """A machine on which nothing can draw."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(render.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)


def test_without_an_engine_one_error_names_the_cures(no_engine, tmp_path):
    graph = small_graphs()["model"]
    with pytest.raises(RuntimeError) as caught:
        graph.save(tmp_path / "g.png")
    for cure in ("apt install graphviz", "brew install graphviz", "pip install graphviz-pure"):
        assert cure in str(caught.value)
    assert not (tmp_path / "g.png").exists()
    for kind in ("gv", "txt", "json", "mmd"):
        assert graph.save(tmp_path / f"g.{kind}").stat().st_size > 100


def test_without_an_engine_a_notebook_shows_text(no_engine):
    bundle = small_graphs()["model"]._repr_mimebundle_()
    assert list(bundle) == ["text/plain"] and "conv2d" in bundle["text/plain"]
    assert "pip install graphviz-pure" in bundle["text/plain"]


def test_the_order_of_engines(monkeypatch, tmp_path):
    def program(name):
        path = tmp_path / name
        path.write_text("#!/bin/sh\necho broken >&2; exit 3\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        return str(path)

    monkeypatch.setattr(render.sysconfig, "get_path", lambda name: "/nowhere")
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render.engine() == "pygraphviz"
    pure = program("graphviz-pure")
    assert render.engine() == pure
    dot = program("dot")
    assert render.engine() == dot
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(RuntimeError, match=r"dot could not draw the graph: broken"):
        render.render("digraph {}", "svg")


@pytest.mark.skipif(shutil.which("graphviz-pure") is None, reason="graphviz-pure is not installed")
def test_graphviz_pure_draws_it(monkeypatch, tmp_path):
    monkeypatch.setattr(render, "engine", lambda: shutil.which("graphviz-pure"))
    for graph in small_graphs().values():
        assert b"</svg>" in graph.save(tmp_path / "g.svg").read_bytes()
    with pytest.raises(RuntimeError, match="graphviz-pure writes no PDF"):
        graph.save(tmp_path / "g.pdf")
