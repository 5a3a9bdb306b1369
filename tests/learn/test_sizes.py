"""One idea per file: none is long, a function fits on a screen, and no chapter explains more than it shows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tinytorch.learn.chapters import CHAPTERS

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT).as_posix() for folder in ("tinytorch", "examples") for path in (ROOT / folder).rglob("*.py")
)
COURSE = [path for chapter in CHAPTERS for path in chapter.modules]

LINES = 275
"""About 250 lines of code are the aim; a tenth more is no reason to cut an idea in two."""
SCREEN = 60
"""Lines of a function, its docstring not counted."""

LONG = {
    "tinytorch/__init__.py": "names and where they come from: the public surface, to be searched and not read",
    "tinytorch/ops/__init__.py": "the same for ops",
    "tinytorch/nn/modules/__init__.py": "the same for layers",
    "tinytorch/tensor.py": "a line per method, in PyTorch's number: go-to-definition leads from here to the op",
}
"""Files that are longer, and why."""

LONG_FUNCTIONS = {
    "tinytorch/ops/multi_head_attention.py: multi_head_attention_forward": "PyTorch's signature alone is half of it",
}


class Size(NamedTuple):
    """Lines that are not empty."""

    code: int
    prose: int


class File(NamedTuple):
    """What a file's lines are."""

    lines: list[str]
    prose: set[int]  # the numbers of those that are docstrings or comments
    functions: dict[str, tuple[int, int]]  # first and last lines

    def size(self, first: int = 1, last: int | None = None) -> Size:
        """How long it is, or a part of it."""
        numbers = [n for n in range(first, (last or len(self.lines)) + 1) if self.lines[n - 1].strip()]
        prose = sum(n in self.prose for n in numbers)
        return Size(len(numbers) - prose, prose)


@cache
def read(path: str) -> File:
    """A file of the repository."""
    text = (ROOT / path).read_text(encoding="utf-8")
    file = File(text.splitlines(), set(), {})
    file.prose.update(n for n, line in enumerate(file.lines, 1) if line.lstrip().startswith("#"))
    todo: list[ast.AST] = [ast.parse(text)]
    while todo:  # statements alone: a docstring stands in no expression
        node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            file.functions[f"{path}: {node.name}"] = node.lineno, node.end_lineno or 0
        for statement in (*getattr(node, "body", ()), *getattr(node, "orelse", ())):
            if isinstance(statement, ast.Expr):
                value = statement.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    file.prose.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
            elif hasattr(statement, "body"):
                todo.append(statement)
    return file


def test_no_file_is_long():
    long = {path: read(path).size().code for path in FILES if read(path).size().code > LINES}
    assert set(long) == set(LONG), {path: lines for path, lines in long.items() if path not in LONG} or (
        f"no longer an exception: {set(LONG) - set(long)}"
    )


def test_functions_fit_on_a_screen():
    long = {
        name
        for path in FILES
        for name, (first, last) in read(path).functions.items()
        if last - first >= SCREEN and read(path).size(first, last).code > SCREEN
    }
    assert long == set(LONG_FUNCTIONS)


@pytest.mark.parametrize("path", COURSE)
def test_a_chapter_has_no_more_prose_than_code(path):
    code, prose = read(path).size()
    assert prose <= code, f"{prose} lines of prose beside {code} lines of code"


@pytest.mark.parametrize("package", ["autograd", "kernels"])
def test_the_package_tells_where_to_find_each_file(package: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / "tinytorch" / package / "__init__.py").read_text())) or ""
    words = set(re.findall(r"\w+", text))
    files = {path.stem for path in (ROOT / "tinytorch" / package).glob("[a-z]*.py") if not path.stem.startswith("rng_")}
    assert files <= words, f"not in the text of tinytorch.{package}: {sorted(files - words)}"
