"""The questions in the chapters' headers: each has an answer, and every answer is computed."""

import doctest
import re
from pathlib import Path

import pytest

from tinytorch.learn.__main__ import main
from tinytorch.learn.chapters import CHAPTERS
from tinytorch.learn.folder import PACKAGE

ROOT = Path(__file__).parents[2]
ANSWERS = PACKAGE / "learn" / "answers"
ASKING = CHAPTERS[1:]  # chapter 0 computes its own answers


def sections(chapter):
    """The answers of a chapter, by the file that asks."""
    text = (ANSWERS / f"chapter_{chapter.number:02}.txt").read_text(encoding="utf-8")
    parts = re.split(r"^((?:tinytorch|examples)/\S+\.py)\n-+\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("chapter", ASKING, ids=lambda chapter: str(chapter.number))
def test_every_question_has_an_answer_that_is_computed(chapter, monkeypatch):
    answers = sections(chapter)
    assert tuple(answers) == chapter.modules
    assert all(">>> " in answer for answer in answers.values())
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    path = str(ANSWERS / f"chapter_{chapter.number:02}.txt")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testfile(path, module_relative=False, optionflags=flags, encoding="utf-8").failed == 0


@pytest.mark.parametrize("chapter", ASKING, ids=lambda chapter: str(chapter.number))
def test_the_header_says_where_the_answers_are(chapter):
    assert f"``python -m tinytorch.learn answers {chapter.number}``" in (ROOT / chapter.modules[0]).read_text("utf-8")


def test_the_command_shows_them(capsys):
    assert main(["answers", "3"]) == 0
    assert "tinytorch/ops/arithmetic.py" in capsys.readouterr().out
    assert main(["answers", "99"]) == 2
    assert "no file of chapter 99" in capsys.readouterr().err
