"""``python -m tinytorch.learn`` from an empty folder, as a learner types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinytorch.learn import source
from tinytorch.learn.__main__ import main
from tinytorch.learn.exercises import EXERCISES, named
from tinytorch.learn.folder import PACKAGE, Folder, original
from tinytorch.version import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture
def learn(tmp_path, capsys, monkeypatch):
    """Runs a command in an empty folder: (exit status, output)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    run.folder = tmp_path / "tinytorch-course"
    return run


def test_from_an_empty_folder_to_a_solved_exercise(learn):
    assert learn("list")[0] == 0
    assert learn("next")[1].startswith("scalar-mul")
    assert learn("start", "mul-backward")[0] == 0
    status, output = learn("check", "mul-backward")
    assert status == 1 and "this body is for you to write" in output and "arithmetic.py" in output

    copy = learn.folder / "src/tinytorch/ops/arithmetic.py"
    exercise = named("mul-backward")
    copy.write_text(exercise.mistaken(original(exercise), exercise.wrongs[0]), encoding="utf-8")
    status, output = learn("check")
    assert status == 1 and "swapped" in output and "src/tinytorch/ops/arithmetic.py" in output

    copy.write_text(original(exercise), encoding="utf-8")
    status, output = learn("check")
    assert status == 0 and "test_mul_backward: passed" in output
    assert "1 of" in learn("status")[1]
    assert (PACKAGE / "ops/arithmetic.py").read_text() == original(exercise)


def test_the_commands_work_as_a_process_of_their_own(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command, status in (("start scalar-mul", 0), ("check", 1)):
        run = subprocess.run(
            [sys.executable, "-m", "tinytorch.learn", *command.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == status, run.stdout + run.stderr


def test_hints_come_one_by_one(learn):
    exercise = named("scalar-mul")
    learn("start", exercise.name)
    for count in (1, 2, 3, 3):
        output = learn("hint", exercise.name)[1]
        assert [hint in output for hint in exercise.hints] == [number < count for number in range(3)]


def test_peek_shows_the_original(learn):
    assert "grad * b if need_a" in learn("peek", "mul-backward")[1]


def test_starting_again_changes_nothing(learn):
    learn("start", "mul-backward")
    copy = learn.folder / "src/tinytorch/ops/arithmetic.py"
    edited = copy.read_text().replace('raise NotImplementedError("exercise mul', 'return grad, grad  # ("exercise mul')
    copy.write_text(edited)
    assert "left as it is" in learn("start", "--all")[1]
    assert "return grad, grad" in copy.read_text()


def test_what_was_edited_before_the_start_is_not_overwritten(learn):
    learn("start", "scalar-mul")
    copy = learn.folder / "src/tinytorch/ops/arithmetic.py"
    copy.write_text(copy.read_text().replace("grad * b if need_a", "my * own if need_a"))
    status, output = learn("start", "--chapter", "3")
    assert status == 2 and "changed" in output and "exercise div" not in output
    assert "start: " not in output and "tanh-backward: tinytorch-course" in output and "my * own" in copy.read_text()
    assert "kept" in learn("reset", "mul-backward")[1]
    assert "my * own" in (learn.folder / "kept/mul-backward-1.py").read_text()
    assert "my * own" not in copy.read_text()


def test_reset_keeps_the_learners_version_and_other_exercises(learn):
    learn("start", "--chapter", "0")
    copy = learn.folder / "src/tinytorch/learn/scalar_autograd.py"
    solved = named("scalar-mul")
    text = copy.read_text()
    text = text.replace('raise NotImplementedError("exercise scalar-mul: this body is for you to write")', "return 7")
    copy.write_text(text)
    learn("reset", solved.name)
    assert "return 7" in (learn.folder / "kept/scalar-mul-1.py").read_text()
    assert "exercise scalar-mul" in copy.read_text()
    learn("reset", solved.name)  # nothing to keep this time
    assert len(list((learn.folder / "kept").iterdir())) == 1


def test_a_copy_that_does_not_import_is_explained(learn):
    learn("start", "mul-backward")
    copy = learn.folder / "src/tinytorch/ops/arithmetic.py"
    copy.write_text(copy.read_text() + "\nnonsense\n")
    status, output = learn("check")
    assert status == 1 and "does not import" in output and "nonsense" in output
    copy.write_text("def broken(:\n")
    status, output = learn("check")
    assert status == 2 or "SyntaxError" in output


def written(learn, exercise, function, body):
    """The learner writes a body."""
    copy = Folder(learn.folder).file(named(exercise))
    copy.write_text(source.with_body(copy.read_text(), function, body))


def test_a_check_that_another_exercise_spoils_says_which(learn):
    learn("start", "mul-backward")
    learn("start", "length")
    for function in ("Length.forward", "Length.backward"):
        written(learn, "length", function, source.body(original(named("length")), function))
    assert "it needs mul-backward, which is still blank" in learn("check", "length")[1]
    written(learn, "mul-backward", "Mul.backward", "return grad.mul(2), None")
    output = learn("check", "length")[1]
    assert "the trouble is in mul-backward" in output and "see backward_on_arrays" in output


def test_none_where_nothing_was_saved_is_explained(learn):
    learn("start", "mul-backward")
    written(learn, "mul-backward", "Mul.backward", "a, b = ctx.saved_tensors\nreturn grad * b, grad * a")
    output = learn("check")[1]
    assert "NoneType" in output and "see ctx.needs_input_grad" in output and "the trouble is" not in output


def test_reset_mends_a_file_that_python_cannot_read(learn):
    learn("start", "mul-backward")
    copy = learn.folder / "src/tinytorch/ops/arithmetic.py"
    before = copy.read_text()
    copy.write_text(
        before.replace('raise NotImplementedError("exercise mul-backward: this body', 'return ((grad  # ("')
    )
    assert learn("start", "div-backward")[0] == 2  # of the same file
    assert learn("reset", "mul-backward")[0] == 0
    assert "return ((grad" in (learn.folder / "kept/mul-backward-1.py").read_text()
    assert copy.read_text() == before


def test_another_version_of_the_package_is_noticed(learn):
    learn("start", "quiz-reuse")
    assert "installed is" not in learn("check")[1]
    record = learn.folder / "course.json"
    record.write_text(record.read_text().replace(__version__, "2.0.0+tinytorch.0.0.1"))
    for _ in range(2):  # a check does not forget it
        status, output = learn("check")
        assert status == 1 and "2.0.0+tinytorch.0.0.1, installed is " + __version__ in output


def test_checking_a_chapter_that_was_not_begun_checks_nothing(learn):
    learn("start", "scalar-mul")
    status, output = learn("check", "--chapter", "9")
    assert status == 2 and "nothing is under way in chapter 9" in output


def test_the_learners_copy_is_what_is_checked(learn):
    folder = Folder(learn.folder)
    learn("start", "mul-backward")
    folder = Folder(learn.folder)
    (learn.folder / "src/tinytorch").rename(learn.folder / "src/elsewhere")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, PACKAGE / "learn/runner.py", folder.path, folder.tests(EXERCISES[0]), "test_scalar_mul"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 2 and "nothing was checked" in run.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [("check", "nothing is under way"), ("start", "start what"), ("check mul-backward", "start it first"),
     ("start --chapter 99", "has no exercises"), ("peek nothing-like-it", "no exercise is called")],
)  # fmt: skip
def test_what_cannot_be_done_is_said(learn, command, words):
    status, output = learn(*command.split())
    assert status == 2 and words in output


@pytest.mark.slow
def test_exercises_of_several_kinds_from_start_to_solution(learn):
    for kind in ("bug", "predict", "faster"):
        exercise = next(e for e in reversed(EXERCISES) if e.kind == kind)
        assert learn("start", exercise.name)[0] == 0
        assert learn("check", exercise.name)[0] == 1
        copy = Folder(learn.folder).file(exercise)
        copy.write_text(original(exercise), encoding="utf-8")
        status, output = learn("check", exercise.name)
        assert status == 0, output
        copy.write_text(exercise.started(original(exercise)), encoding="utf-8")  # solved, but broken since
        assert learn("check", exercise.name)[0] == 1 and f"… {exercise.name}" in learn("status")[1]
        copy.write_text(original(exercise), encoding="utf-8")


def test_without_a_command_there_is_help(learn):
    status, output = learn()
    assert status == 0 and "check [EXERCISE]" in output


def test_the_readme_counts_the_exercises():
    assert f"\n{len(EXERCISES)} exercises" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_inside_the_folder_it_is_the_folder(learn, monkeypatch):
    learn("start", "scalar-mul")
    monkeypatch.chdir(learn.folder)
    assert "scalar-mul" in learn("status")[1]
    assert not (learn.folder / "tinytorch-course").exists()


def test_the_copy_does_not_run_the_course(learn):
    learn("start", "scalar-mul")
    environment = {**os.environ, "PYTHONPATH": ""}
    run = subprocess.run(
        [sys.executable, "-m", "tinytorch.learn", "status"],
        cwd=learn.folder / "src",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2 and "is a copy to work on" in run.stderr


@pytest.mark.parametrize(
    "text", ["", '{"version": "1", "exerc', "[]", '{"exercises": [1]}', '{"exercises": {"a": 1}}', "[" * 100_000]
)
def test_a_damaged_record_is_named(learn, text):
    learn("start", "mul-backward")
    (learn.folder / "course.json").write_text(text, encoding="utf-8")
    status, output = learn("list")
    assert status != 0 and "course.json cannot be read" in output and "Traceback" not in output
