"""The milestones: each runs in its fast mode, in an empty folder, and asserts its own result."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
MILESTONES = sorted(EXAMPLES.glob("[01][0-9]_*.py"))[1:]  # 00 is the first chapter
PICTURES = {"03_moons": ["moons.png"], "06_inside_the_cnn": ["feature_maps.png", "filters.png"]}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run an example as ``python examples/NAME.py --fast`` would."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)

    def run(path):
        monkeypatch.setattr(sys, "argv", [str(path), "--fast"])
        runpy.run_path(str(path), run_name="__main__")

    return run


@pytest.mark.parametrize("path", MILESTONES, ids=lambda path: path.stem)
def test_it_reaches_its_result(path, run, tmp_path):
    if path.stem == "10_from_pytorch":
        pytest.importorskip("torch")
    if path.stem in PICTURES:
        pytest.importorskip("matplotlib")
    run(path)
    pictures = sorted(tmp_path.glob("runs/milestones/*.png"))
    assert [picture.name for picture in pictures] == PICTURES.get(path.stem, [])


@pytest.mark.parametrize("path", MILESTONES, ids=lambda path: path.stem)
def test_its_form(path):
    text = path.read_text(encoding="utf-8")
    number = int(path.name[:2])
    assert text.startswith(f'"""Milestone {number}') and f"python examples/{path.name} [--fast]" in text
    assert len(re.findall(r"^# %% \S", text, re.MULTILINE)) >= 3, "cells"
    assert re.search(r"^ *assert ", text, re.MULTILINE)
    assert len(text.splitlines()) <= 160


def test_without_pytorch_the_last_one_says_what_is_missing(run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit) as stop:
        run(EXAMPLES / "10_from_pytorch.py")
    assert stop.value.code == 0 and "pip install torch" in capsys.readouterr().out


def test_the_readme_lists_them_all():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\d+)\. .*\]\((examples/\w+\.py)\)", readme, re.MULTILINE)
    assert [int(number) for number, _ in listed] == list(range(1, len(listed) + 1))
    files = {file for _, file in listed}
    assert files == {f"examples/{path.name}" for path in MILESTONES} | {"examples/train_cnn.py"}


def test_the_texts_name_their_source():
    readme = (EXAMPLES / "data" / "README.md").read_text(encoding="utf-8")
    for text in (EXAMPLES / "data").glob("*.txt"):
        assert f"`{text.name}`" in readme
