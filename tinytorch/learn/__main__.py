"""``python -m tinytorch.learn``: the course from the command line.

::

    list                       all chapters and exercises
    next                       the first exercise that is not solved yet
    start EXERCISE             begin: the function's body in your copy becomes blank
    start --chapter N | --all  begin all exercises of a chapter, or all there are
    check [EXERCISE]           run its tests on your copy (without a name: all that are started and not solved)
    hint EXERCISE              one hint more, three in all
    peek EXERCISE              the original function
    answers CHAPTER            the answers to the questions in its files' headers, computed
    reset EXERCISE             begin again; your version is kept
    status                     what is solved
    notebook FILE [--fast]     an example as a notebook, with outputs computed on the spot

``--dir FOLDER`` says where your copy is: ``tinytorch-course`` if you do not, or the current folder if it is one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tinytorch.learn import source
from tinytorch.learn.chapters import CHAPTERS
from tinytorch.learn.exercise import Exercise
from tinytorch.learn.exercises import EXERCISES, named
from tinytorch.learn.folder import PACKAGE, CourseError, Folder, original
from tinytorch.learn.notebook import write_notebook

_COMMAND = "python -m tinytorch.learn"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help()
        return 0
    try:
        if (PACKAGE.parents[1] / "course.json").exists():
            raise CourseError(
                f"{PACKAGE} is a copy to work on. Unset PYTHONPATH, or leave its folder: the installed one must run."
            )
        return options.run(Folder(_directory(options.dir)), options)
    except (CourseError, LookupError) as error:
        print(error.args[0], file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog=_COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", type=Path, help="your folder")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, run in {"list": _list, "next": _next, "status": _status}.items():
        commands.add_parser(name, parents=[common]).set_defaults(run=run)
    for name, run in {"start": _start, "check": _check}.items():
        command = commands.add_parser(name, parents=[common])
        which = command.add_mutually_exclusive_group()
        which.add_argument("exercise", nargs="?", type=str)
        which.add_argument("--chapter", type=int)
        which.add_argument("--all", action="store_true")
        command.set_defaults(run=run)
    for name, run in {"hint": _hint, "peek": _peek, "reset": _reset}.items():
        command = commands.add_parser(name, parents=[common])
        command.add_argument("exercise")
        command.set_defaults(run=run)
    command = commands.add_parser("answers", parents=[common])
    command.add_argument("chapter", type=int)
    command.set_defaults(run=_answers)
    command = commands.add_parser("notebook", parents=[common])
    command.add_argument("file", type=Path)
    command.add_argument("--out", type=Path, help="where to write it (default: beside FILE)")
    command.add_argument("--fast", action="store_true", help="run FILE in its fast mode")
    command.set_defaults(run=_notebook)
    return parser


def _directory(given: Path | None) -> Path:
    if given is not None:
        return given
    return Path() if Path("course.json").exists() else Path("tinytorch-course")


def _chosen(options: argparse.Namespace) -> list[Exercise]:
    if options.exercise:
        return [named(options.exercise)]
    if options.chapter is not None:
        chosen = [exercise for exercise in EXERCISES if exercise.chapter == options.chapter]
        if not chosen:
            raise CourseError(f"chapter {options.chapter} has no exercises; `{_COMMAND} list` shows all")
        return chosen
    return list(EXERCISES) if options.all else []


# ------------------------------------------------------------------------------------------ commands


_KINDS = {
    "write": "write the body of a function",
    "bug": "find the mistake that stands in one",
    "predict": "answer with pencil and paper, before the machine does",
    "new": "write a new op from its docstring and its tests",
    "derive": "derive a fused backward",
    "faster": "give the same results faster",
}


def _list(folder: Folder, options: argparse.Namespace) -> int:
    for chapter in CHAPTERS:
        print(f"{chapter.number:2}  {chapter.title}  ({chapter.modules[0]})")
        for exercise in EXERCISES:
            if exercise.chapter == chapter.number:
                print(f"  {_mark(folder, exercise)} {exercise.name:24} {exercise.kind:8} {exercise.task}")
    print()
    for kind, what in _KINDS.items():
        print(f"    {kind:8} {what}")
    print("  ✓ solved   … under way")
    return 0


def _mark(folder: Folder, exercise: Exercise) -> str:
    facts = folder.done.get(exercise.name)
    return " " if facts is None else "✓" if facts["passed"] else "…"


def _status(folder: Folder, options: argparse.Namespace) -> int:
    solved = [e for e in EXERCISES if folder.done.get(e.name, {}).get("passed")]
    under_way = [e for e in EXERCISES if e.name in folder.done and e not in solved]
    print(f"{len(solved)} of {len(EXERCISES)} exercises solved, in {folder.path}")
    for exercise in under_way:
        print(f"  … {exercise.name:24} {folder.where(exercise)}")
    return 0


def _next(folder: Folder, options: argparse.Namespace) -> int:
    for exercise in EXERCISES:
        if not folder.done.get(exercise.name, {}).get("passed"):
            begun = exercise.name in folder.done
            print(f"{exercise.name} ({exercise.kind}, chapter {exercise.chapter}): {exercise.task}")
            print(f"    {_COMMAND} {'check' if begun else 'start'} {exercise.name}")
            return 0
    print("all exercises are solved")
    return 0


def _start(folder: Folder, options: argparse.Namespace) -> int:
    chosen = _chosen(options)
    if not chosen:
        raise CourseError("start what? Give an exercise, --chapter N or --all")
    status = 0
    for chapter in CHAPTERS:
        mine = [exercise for exercise in chosen if exercise.chapter == chapter.number]
        if mine:
            print(f"Chapter {chapter.number}, {chapter.title}: read {folder.copied(chapter.modules[0])}")
        for exercise in mine:
            try:
                print(f"  {folder.start(exercise)}")
            except CourseError as error:  # about this one; the others can still begin
                print(f"  {error}", file=sys.stderr)
                status = 2
    command = f"{_COMMAND} check {chosen[0].name if len(chosen) == 1 else ''}".rstrip()
    print(f"The tests: {folder.tests(chosen[0])}. Then: {command}")
    return status


def _check(folder: Folder, options: argparse.Namespace) -> int:
    if options.exercise:
        chosen = _chosen(options)
    elif options.all or options.chapter is not None:
        chosen = [e for e in _chosen(options) if e.name in folder.done]
    else:
        chosen = [e for e in EXERCISES if folder.done.get(e.name, {}).get("passed") is False]
    if not chosen:
        where = "" if options.chapter is None else f" in chapter {options.chapter}"
        raise CourseError(f"nothing is under way{where}; `{_COMMAND} next` says what comes next")
    if folder.warning:
        print(folder.warning, file=sys.stderr)
    all_passed = True
    for exercise in chosen:
        passed, output = folder.check(exercise)
        all_passed = all_passed and passed
        print(f"{'✓' if passed else '✗'} {exercise.name}\n{output}")
        if not passed:
            print(f"  {folder.where(exercise)}    ({_COMMAND} hint {exercise.name})")
    if all_passed:
        print(f"  ({_COMMAND} next)")
    return 0 if all_passed else 1


def _hint(folder: Folder, options: argparse.Namespace) -> int:
    print(folder.hint(named(options.exercise)))
    return 0


def _peek(folder: Folder, options: argparse.Namespace) -> int:
    exercise = named(options.exercise)
    for name in exercise.functions.split():
        print(source.function(original(exercise), name))
    return 0


def _answers(folder: Folder, options: argparse.Namespace) -> int:
    path = PACKAGE / "learn" / "answers" / f"chapter_{options.chapter:02}.txt"
    if not path.exists():
        raise CourseError(f"no file of chapter {options.chapter} asks a question; `{_COMMAND} list` shows all chapters")
    print(path.read_text(encoding="utf-8"), end="")
    return 0


def _reset(folder: Folder, options: argparse.Namespace) -> int:
    print(folder.reset(named(options.exercise)))
    return 0


def _notebook(folder: Folder, options: argparse.Namespace) -> int:
    print(write_notebook(options.file, options.out, ["--fast"] if options.fast else []))
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # for terminals that do not know ∂
    try:
        sys.exit(main())
    except BrokenPipeError:  # `list | head`
        sys.exit(0)
    except KeyboardInterrupt:  # of an endless loop, say
        sys.exit("stopped")
