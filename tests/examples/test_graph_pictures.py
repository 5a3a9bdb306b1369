"""The examples that draw: every picture is made, and each asserts what it shows."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name):
    """An example as a module; it imports others that lie beside it."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def module():
    return load("graph_pictures")


def test_pictures(module, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["graph_pictures.py", "--out", str(tmp_path), "--kind", "gv"])
    module.main()
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(make.__name__ for make in module.PICTURES)
    assert all("digraph" in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["graph_page.py", "--out", str(tmp_path / "page.html")])
    load("graph_page").main()
    assert "open it in a browser" in capsys.readouterr().out and (tmp_path / "page.html").stat().st_size > 50_000


def test_the_committed_pictures_are_those_of_the_program(module):
    committed = {path.stem: path for path in (EXAMPLES / "pictures").glob("*.svg")}
    assert set(committed) == {make.__name__ for make in module.PICTURES}
    assert all(path.stat().st_size < 60_000 for path in committed.values())
    for part in ("×4", "GPT"):
        assert part in committed["gpt"].read_text(encoding="utf-8")
