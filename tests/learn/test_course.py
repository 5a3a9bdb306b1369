"""The course hangs together: list, headers, reading order, imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinytorch.learn.chapters import CHAPTERS

ROOT = Path(__file__).parents[2]
ORDER = [(chapter, part, path) for chapter in CHAPTERS for part, path in enumerate(chapter.modules, 1)]
PATHS = [path for _, _, path in ORDER]
NUMBER = {path: chapter.number for chapter, _, path in ORDER}

SECTIONS = ("Goal: ", "The idea. ", "What PyTorch does. ", "Pitfalls. ", "Exercises. ", "Check: ")
"""What the header of a chapter's first file must have, in this order; other sections may stand between."""

CIRCLE = {
    ("tinytorch/autograd/primitive.py", "tinytorch/tensor.py"),
    ("tinytorch/autograd/engine.py", "tinytorch/tensor.py"),
    ("tinytorch/tensor_base.py", "tinytorch/autograd/inplace.py"),
    ("tinytorch/tensor.py", "tinytorch/autograd/inplace.py"),
}
"""The one circle: the engine and the ops work on Tensors, whose methods call them. ``tinytorch/tensor_base.py`` explains."""


def header(path: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize(("chapter", "part", "path"), ORDER, ids=PATHS)
def test_header_names_its_chapter_and_its_neighbours(chapter, part, path):
    title, neighbours, *_ = header(path).split("\n\n")
    if part == 1:
        assert title == f"Chapter {chapter.number}. {chapter.title}."
    else:
        assert title.startswith(f"Chapter {chapter.number}, part {part}. ")
    place = PATHS.index(path)
    before = PATHS[place - 1] if place else "nothing"
    after = PATHS[place + 1] if place + 1 < len(PATHS) else "whatever you like"
    assert neighbours == f"After: {before}\nNext: {after}"


@pytest.mark.parametrize("path", PATHS)
def test_every_file_says_its_goal_and_where_learners_stumble(path):
    text = header(path)
    for section in ("Goal: ", "What PyTorch does. ", "Pitfalls. ", "Exercises. "):
        assert text.count("\n" + section) == 1, section


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: str(chapter.number))
def test_chapters_have_all_their_sections(chapter):
    text = header(chapter.modules[0])
    places = [text.find("\n" + section) for section in SECTIONS]
    assert -1 not in places and places == sorted(places), dict(zip(SECTIONS, places, strict=True))
    assert text.endswith("Check: ``python -m pytest " + " ".join(chapter.tests) + "``.")
    assert f"python -m tinytorch.learn start --chapter {chapter.number}``" in text
    assert len(text.splitlines()) <= 60


def test_the_list_in_the_readme_is_this_one():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| (\[`.*) \|$", readme, re.MULTILINE)
    assert [(int(number), title, tuple(re.findall(r"\]\(([^)]+)\)", files))) for number, title, files in rows] == [
        (chapter.number, chapter.title, chapter.modules) for chapter in CHAPTERS
    ]


def imported(path: str) -> Iterator[str]:
    """The files of the course that a file imports when it is imported itself: not inside functions, nor for types only."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            modules = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, "imports are absolute"
            modules = [statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)]
        else:
            continue
        for module in modules:
            file = module.replace(".", "/") + ".py"
            for candidate in (file, f"examples/{file}"):
                if candidate in NUMBER:
                    yield candidate


@pytest.mark.parametrize("path", PATHS)
def test_a_chapter_imports_only_itself_and_earlier_ones(path):
    """By name: ``from tinytorch import ops``, the package of all ops, is the other half of the circle."""
    later = {(path, other) for other in imported(path) if NUMBER[other] > NUMBER[path]}
    assert later <= CIRCLE


def test_the_circle_is_no_larger_than_needed():
    assert all(second in set(imported(first)) for first, second in CIRCLE)


@pytest.mark.parametrize("path", PATHS)
def test_commands_in_headers_name_modules_that_exist(path):
    for module in re.findall(r"python -m (tinytorch[\w.]*)", header(path)):
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").is_file() or (file / "__main__.py").is_file(), module
