"""The learner's folder: a copy of the package to work on, the tests, and what was done so far.

::

    FOLDER/src/tinytorch/          the copy; exercises are blanks in it
    FOLDER/tests/chapter_03.py     the checks, to read and to run
    FOLDER/kept/                   bodies that ``reset`` put aside
    FOLDER/course.json             which version was copied; which exercises were started, passed, after how many hints

Nothing that the learner wrote is ever overwritten: ``start`` changes a function only while it is as it was copied, and
``reset`` keeps what stood there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tinytorch.learn import source
from tinytorch.learn.exercise import Exercise
from tinytorch.learn.exercises import named
from tinytorch.serialization.atomic import replacing
from tinytorch.version import __version__

__all__ = ["PACKAGE", "CourseError", "Folder", "original"]

PACKAGE = Path(__file__).resolve().parents[1]  # the installed package: the original
_LIMIT = 60  # seconds that a check may take before it is taken for an endless loop


class CourseError(Exception):
    """Something that the learner should know; its text is all that is shown."""


def original(exercise: Exercise) -> str:
    """The text of the exercise's file in the installed package."""
    return (PACKAGE / exercise.file).read_text(encoding="utf-8")


class Folder:
    """A learner's folder, made when the first exercise is started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "course.json"
        self.version = __version__  # that of the package when it was copied
        self.done: dict[str, dict[str, Any]] = {}
        if self.record.exists():
            record = _record(self.record)
            self.version, self.done = record.get("version", "(unknown)"), record.get("exercises", record)

    def file(self, exercise: Exercise) -> Path:
        """The learner's copy of the exercise's file."""
        return self.path / "src" / "tinytorch" / exercise.file

    def copied(self, path: str) -> Path:
        """Where a file of the repository stands in the copy; examples are not copied."""
        return self.path / "src" / path if path.startswith("tinytorch/") else Path(path)

    def tests(self, exercise: Exercise) -> Path:
        """The learner's copy of the chapter's tests."""
        return self.path / "tests" / f"chapter_{exercise.chapter:02}.py"

    @property
    def warning(self) -> str:
        """What to say where the copy and the installed package are of different versions; else nothing."""
        if self.version == __version__:
            return ""
        return (
            f"your copy is of tinytorch {self.version}, installed is {__version__}: exercises, hints and originals may "
            "not fit together. Install the old version again, or begin a new folder with --dir."
        )

    # ------------------------------------------------------------------------------------ the commands

    def start(self, exercise: Exercise) -> str:
        """Make the exercise's blank in the copy; returns what to tell the learner."""
        self._create()
        if exercise.name in self.done:
            return f"{exercise.name}: started before, left as it is: {self.where(exercise)}"
        text = self._text(exercise)
        if exercise.bodies(text) != exercise.bodies(original(exercise)):
            raise CourseError(
                f"{exercise.name}: you have changed {exercise.functions} already, so it is left as it is. "
                f"`reset {exercise.name}` keeps your version aside and starts afresh."
            )
        self._write(exercise, exercise.started(text))
        self._note(exercise, passed=False, hints=0)
        return f"{exercise.name}: {self.where(exercise)}\n      {exercise.task}"

    def check(self, exercise: Exercise) -> tuple[bool, str]:
        """Run the exercise's tests on the copy: whether they pass, and their output."""
        if exercise.name not in self.done:
            raise CourseError(f"start it first: python -m tinytorch.learn start {exercise.name}")
        command = [sys.executable, str(PACKAGE / "learn" / "runner.py"), str(self.path), str(self.tests(exercise)),
                   exercise.tests]  # fmt: skip
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, encoding="utf-8",
                                 env=_environment())  # fmt: skip
        except subprocess.TimeoutExpired:
            self._note(exercise, passed=False)
            return False, f"  stopped after {_LIMIT} seconds: an endless loop?"
        passed = run.returncode == 0
        self._note(exercise, passed=passed)
        output = (run.stdout + run.stderr).rstrip()
        return passed, output if passed else output + self._from_elsewhere(exercise, output)

    def _from_elsewhere(self, exercise: Exercise, output: str) -> str:
        """A line for each other exercise under work in whose functions the check went wrong."""
        places = {(file, int(line)) for file, line in re.findall(r"tinytorch/([\w/]+\.py):(\d+)", output)}
        found = ""
        for other in map(named, self.done):
            if other.name == exercise.name or other.file not in {file for file, _ in places}:
                continue
            try:
                where = [source.find(self._text(other), name) for name in other.functions.split()]
            except CourseError:  # that file is under work
                continue
            if any(file == other.file and at.start < line <= at.end for file, line in places for at in where):
                found += f"\n  the trouble is in {other.name}, which you began: check that first"
        return found

    def hint(self, exercise: Exercise) -> str:
        """The next of the three hints; after the last one, all of them again."""
        given = self.done.get(exercise.name, {}).get("hints", 0)
        hints = [f"{number}. {hint}" for number, hint in enumerate(exercise.hints[: given + 1], 1)]
        if exercise.name not in self.done:
            return "\n".join([*hints, f"(the other two once it is begun: start {exercise.name})"])
        self._note(exercise, hints=min(given + 1, 3))
        return "\n".join(hints)

    def reset(self, exercise: Exercise) -> str:
        """Start afresh; what stands there is put aside first, and may even be something that Python cannot read."""
        self._create()
        blank = exercise.started(original(exercise))
        mine = self.file(exercise).read_text(encoding="utf-8")
        kept = []
        for name in exercise.functions.split():
            lines, place = mine.splitlines(), self._lines(exercise, mine, name)
            kept.append("\n".join(lines[place]))
            lines[place] = source.function(blank, name).splitlines()
            mine = "\n".join(lines) + "\n"
        not_theirs = [
            source.function(text, name) for text in (blank, original(exercise)) for name in exercise.functions.split()
        ]
        note = "" if all(function in not_theirs for function in kept) else self._keep(exercise, kept)
        self._write(exercise, mine)
        self._note(exercise, passed=False)
        return f"{exercise.name}: {self.where(exercise)}{note}"

    def where(self, exercise: Exercise) -> str:
        """File and line of the exercise's first function in the copy."""
        try:
            place = source.find(self._text(exercise), exercise.functions.split()[0])
        except CourseError:  # the file is under work
            return str(self.file(exercise))
        return f"{self.file(exercise)}:{place.start + 1}"

    # ------------------------------------------------------------------------------------ files

    def _create(self) -> None:
        """Copy the package and the tests, once."""
        package = self.path / "src" / "tinytorch"
        if not package.exists():
            shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        tests = self.path / "tests"
        if not tests.exists():
            shutil.copytree(PACKAGE / "learn" / "tests", tests, ignore=shutil.ignore_patterns("__*"))

    def _text(self, exercise: Exercise) -> str:
        path = self.file(exercise)
        if not path.exists():
            raise CourseError(f"start it first: python -m tinytorch.learn start {exercise.name}")
        text = path.read_text(encoding="utf-8")
        try:
            exercise.bodies(text)
        except SyntaxError as error:
            raise CourseError(f"{path}:{error.lineno}: {error.msg}. Mend that first.") from None
        except LookupError as error:
            raise CourseError(f"{path}: {error}. Put it back first; `peek {exercise.name}` shows it.") from None
        return text

    def _lines(self, exercise: Exercise, text: str, name: str) -> slice:
        """Which lines of the learner's file are a function of the exercise."""
        try:
            place = source.find(text, name)
            return slice(place.start, place.end)
        except SyntaxError:
            return source.lines_of(text, name)
        except LookupError as error:
            raise CourseError(
                f"{self.file(exercise)}: {error}. Put it back first; `peek {exercise.name}` shows it."
            ) from None

    def _write(self, exercise: Exercise, text: str) -> None:
        _replace(self.file(exercise), text)

    def _keep(self, exercise: Exercise, functions: list[str]) -> str:
        kept = self.path / "kept"
        kept.mkdir(exist_ok=True)
        number = 1 + len(list(kept.glob(f"{exercise.name}-*.py")))
        path = kept / f"{exercise.name}-{number}.py"
        path.write_text("\n\n".join(functions) + "\n", encoding="utf-8")
        return f"\n    your version is kept in {path}"

    def _note(self, exercise: Exercise, **facts: Any) -> None:
        self.done.setdefault(exercise.name, {"passed": False, "hints": 0}).update(facts)
        record = {"version": self.version, "exercises": self.done}
        _replace(self.record, json.dumps(record, indent=1))


def _record(path: Path) -> dict[str, Any]:
    """What ``course.json`` says."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not all(
            isinstance(facts, dict) for facts in record.get("exercises", record).values()
        ):
            raise ValueError("it is no list of exercises")
    except (ValueError, AttributeError, RecursionError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}). Delete it to go on: your code is in other files."
        ) from None
    return record


def _replace(path: Path, text: str) -> None:
    """Write a file of the learner's: whatever happens meanwhile, the old text is there, or the new one, whole."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
