"""Scripts as notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinytorch.learn.__main__ import main
from tinytorch.learn.folder import CourseError
from tinytorch.learn.notebook import cells, notebook

EXAMPLES = Path(__file__).parents[2] / "examples"


def script(tmp_path, text):
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_run_in_one_namespace_and_their_outputs_stand_below_them(tmp_path):
    path = script(tmp_path, '"""Title."""\n\n# %% One\nx = 3\nprint(x)\n\n# %% Two\n# and why\n\nprint(x + 1)\n')
    made = notebook(path)
    assert [cell["cell_type"] for cell in made["cells"]] == ["markdown", "markdown", "code", "markdown", "code"]
    assert "".join(made["cells"][3]["source"]) == "### Two\n\nand why"
    assert [cell["outputs"][0]["text"] for cell in made["cells"] if "outputs" in cell] == [["3\n"], ["4\n"]]
    assert [cell["execution_count"] for cell in made["cells"] if "outputs" in cell] == [1, 2]


def test_code_keeps_its_lines(tmp_path):
    text = "import sys\n\n\n# %% One\n\n\ndef f():\n    # %% not a cell\n    return 1\n\n\n# %%\nf()\n"
    assert [(cell.kind, cell.line) for cell in cells(text)] == [("code", 1), ("markdown", 4), ("code", 7), ("code", 13)]


def test_a_failing_cell_is_named(tmp_path):
    path = script(tmp_path, "# %% Bad\n\nassert 1 == 2, 'so it is'\n")
    with pytest.raises(CourseError, match=r"line 3 fails: AssertionError: so it is"):
        notebook(path)


def test_a_script_may_end_early_and_say_why(tmp_path):
    made = notebook(script(tmp_path, "# %% One\nraise SystemExit('enough')\n# %% Two\nprint(1)\n"))
    assert [cell["outputs"] for cell in made["cells"] if "outputs" in cell] == [
        [{"output_type": "stream", "name": "stdout", "text": ["enough"]}],
        [],
    ]


def test_the_command_with_a_picture(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(["notebook", str(EXAMPLES / "03_moons.py"), "--fast", "--out", "moons.ipynb"]) == 0
    assert capsys.readouterr().out.strip() == "moons.ipynb"
    made = json.loads(Path("moons.ipynb").read_text(encoding="utf-8"))
    assert made["nbformat"] == 4
    assert any("image/png" in output.get("data", {}) for cell in made["cells"] for output in cell.get("outputs", ()))


def test_no_such_script(tmp_path, capsys):
    assert main(["notebook", str(tmp_path / "nothing.py")]) == 2
    assert "cannot be read" in capsys.readouterr().err
