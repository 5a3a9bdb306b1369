"""Scripts written for PyTorch, run under both libraries with only the import lines changed: they print the same.

No weights are copied; equal seeds are all that the two runs share. Text must agree to the letter, numbers to 1e-4 relative.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
NUMBER = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")


def with_imports_changed(source):
    """The script with ``torch`` replaced by ``tinytorch`` in its import lines, and nowhere else."""
    lines = []
    for line in source.splitlines():
        if line == "import torch":
            line = "import tinytorch as torch"
        elif line.startswith(("import torch.", "from torch")):
            line = line.replace("torch", "tinytorch", 1)
        lines.append(line)
    return "\n".join(lines)


def printed(source, name):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    return out.getvalue()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_prints_the_same(path):
    source = path.read_text(encoding="utf-8")
    changed = with_imports_changed(source)
    assert changed != source
    expected, got = printed(source, path.name), printed(changed, path.name)
    assert NUMBER.sub("#", got) == NUMBER.sub("#", expected)
    numbers = [float(number) for number in NUMBER.findall(expected)]
    assert len(numbers) > 5
    # training multiplies rounding errors: PyTorch's own numbers differ as much between one thread and two
    assert [float(number) for number in NUMBER.findall(got)] == pytest.approx(numbers, rel=3e-4, abs=2e-5)
