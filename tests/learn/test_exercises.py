"""Every exercise: the original passes, the blank fails, each listed mistake fails and is named, later chapters are not needed.

The functions of the running package get other code for a moment, so that hundreds of variants cost no import each.
"""

import importlib
import inspect
import re
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from tinytorch.learn import source
from tinytorch.learn.chapters import CHAPTERS
from tinytorch.learn.exercises import EXERCISES, named
from tinytorch.learn.folder import PACKAGE, original

WRONGS = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.wrongs]


def live_function(exercise, name):
    """The function object of the running package, below its decorators."""
    owner = importlib.import_module("tinytorch." + exercise.file.removesuffix(".py").replace("/", "."))
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    found = vars(owner)[last]
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    return inspect.unwrap(found)


def code_in(text, name):
    """The code object that a text would give to a function."""
    code = compile(text, "exercise", "exec")
    for part in name.split("."):
        inner = [const for const in code.co_consts if inspect.iscode(const) and const.co_name == part]
        code = inner[-1]
    return code


@contextmanager
def running(*variants):
    """``(exercise, text)``: the exercise's functions run as they stand in the text."""
    before = []
    try:
        for exercise, text in variants:
            for name in exercise.functions.split():
                function = live_function(exercise, name)
                before.append((function, function.__code__))
                function.__code__ = code_in(text, name)
        yield
    finally:
        for function, code in reversed(before):
            function.__code__ = code


def outcome(exercise):
    """What the exercise's tests say; an empty text if they pass."""
    tests = importlib.import_module(f"tinytorch.learn.tests.chapter_{exercise.chapter:02}")
    mine = [
        test for name, test in vars(tests).items() if name == exercise.tests or name.startswith(exercise.tests + "__")
    ]
    assert mine, f"{exercise.name} has no tests"
    for test in mine:
        try:
            with np.errstate(all="ignore"):
                test()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_the_original_passes_and_the_start_fails(exercise):
    assert outcome(exercise) == ""
    for text in (exercise.started(original(exercise)), exercise.blank(original(exercise))):
        with running((exercise, text)):
            assert outcome(exercise) != ""
    assert outcome(exercise) == ""


@pytest.mark.parametrize(("exercise", "wrong"), WRONGS, ids=[f"{e.name}-{i}" for i, (e, _) in enumerate(WRONGS)])
def test_a_mistake_is_found_and_named(exercise, wrong):
    with running((exercise, exercise.mistaken(original(exercise), wrong))):
        assert wrong.says in outcome(exercise)


def test_no_check_needs_a_later_exercise():
    """From the last exercise to the first, ever more blanks: the check of each passes while all after it are blank."""
    with ExitStack() as blanked:
        for exercise in reversed(EXERCISES):
            assert outcome(exercise) == "", f"{exercise.name} needs what comes after it"
            blanked.enter_context(running((exercise, exercise.blank(original(exercise)))))


def test_the_table_is_in_order_and_complete():
    chapters = [exercise.chapter for exercise in EXERCISES]
    assert chapters == sorted(chapters)
    assert set(chapters) <= {chapter.number for chapter in CHAPTERS}
    assert len({exercise.name for exercise in EXERCISES}) == len(EXERCISES)
    for exercise in EXERCISES:
        assert exercise.kind in ("write", "bug", "predict", "new", "derive", "faster")
        assert len(exercise.hints) == 3 and exercise.wrongs
        assert (exercise.kind == "faster") == bool(exercise.given)


def test_every_test_belongs_to_an_exercise():
    prefixes = tuple(exercise.tests for exercise in EXERCISES)
    for path in sorted((PACKAGE / "learn" / "tests").glob("chapter_*.py")):
        tests = importlib.import_module(f"tinytorch.learn.tests.{path.stem}")
        for name in vars(tests):
            assert not name.startswith("test_") or name.startswith(prefixes), f"{path.name}: {name}"


def test_blanks_keep_signature_and_docstring():
    for exercise in EXERCISES:
        text, blank = original(exercise), exercise.blank(original(exercise))
        for name in exercise.functions.split():
            place, after = source.find(text, name), source.find(blank, name)
            before = text.splitlines()[place.start : place.body]
            assert blank.splitlines()[after.start : after.body] == before
            assert f"exercise {exercise.name}" in source.body(blank, name)


def test_an_unknown_name_is_answered_with_similar_ones():
    with pytest.raises(LookupError, match="did you mean mul-backward"):
        named("mul-bakward")


def test_the_learners_tests_need_neither_torch_nor_pytest():
    for path in (PACKAGE / "learn").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (torch|pytest)\b", path.read_text(encoding="utf-8"), re.MULTILINE), (
            path
        )
