"""Training killed at random moments: is the checkpoint always whole, and does the resumed run end with the same bits?

    python -m tests.trust.kills --runs 200

Each run trains ``examples/train_cnn.py`` in a small setting, saving after every batch. It is killed (SIGKILL) at a random
moment, its files are read, it is resumed, killed again, up to three times, and then left to end. ``last.pt`` (model,
optimizer, schedule, order of the data, random numbers, the best accuracy so far), ``best.pt`` and ``history.json`` must
then hold the bytes that they hold after a run that nobody disturbed.

The runs are forks of a process that has imported everything, so that a kill finds them at work and not at their imports.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import tinytorch

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = ("--limit", "64", "--held-out", "40", "--batch-size", "16", "--epochs", "2", "--save-every", "1")
FILES = ("last.pt", "best.pt", "history.json")
MOST_KILLS = 3


def program() -> ModuleType:
    """The example as a module."""
    sys.path.insert(0, str(EXAMPLES))  # it imports its neighbour
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # no curves: they are not what is looked at, and slow
    spec = importlib.util.spec_from_file_location("train_cnn", EXAMPLES / "train_cnn.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Trial:
    """Runs of the example in folders of their own below ``folder``, and what became of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random, self.example = folder, random.Random(seed), program()
        self.arguments("unbroken")
        digits = self.example.load_digits(self.example.parse_arguments())
        self.example.load_digits = lambda args: digits  # read once for all
        self.saving = mmap.mmap(-1, 1)  # shared with the children: 1 while one of them writes a file
        self.kills = self.kills_while_saving = self.left_over = 0
        self.seconds = float("inf")  # that an undisturbed run takes
        for name in ("warm", "unbroken"):
            start = time.perf_counter()
            assert self.wait(self.start(folder / name)) == 0, "the undisturbed run failed"
            self.seconds = min(self.seconds, time.perf_counter() - start)
        self.expected = [(folder / "unbroken" / name).read_bytes() for name in FILES]

    def start(self, out: Path) -> int:
        """The process id of a child that trains, from the checkpoint if there is one."""
        self.saving[0] = 0
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            self.note_saving()
            self.arguments(out.name, *(["--resume"] if (out / "last.pt").exists() else []))
            self.example.main()
            code = 0
        finally:
            os._exit(code)

    def arguments(self, name: str, *more: str) -> None:
        sys.argv = ["train_cnn.py", *SMALL, "--out", str(self.folder / name), *more]

    def note_saving(self) -> None:
        save = tinytorch.save

        def noted(*args: object) -> None:
            self.saving[0] = 1
            save(*args)
            self.saving[0] = 0

        tinytorch.save = noted

    @staticmethod
    def wait(child: int) -> int:
        """0 if it ended well, else the exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def run(self, name: str) -> int:
        """One run with its kills, checked; returns how often it was killed. Raises AssertionError, saying what was wrong."""
        out, kills = self.folder / name, 0
        for _ in range(self.random.randint(1, MOST_KILLS)):
            child = self.start(out)
            time.sleep(self.random.uniform(0, self.seconds))
            os.kill(child, signal.SIGKILL)
            code = self.wait(child)
            assert code in (0, -signal.SIGKILL), f"{name}: the resumed run failed"
            kills += code != 0
            self.kills_while_saving += code != 0 and self.saving[0]
            self.check_readable(out)
        assert self.wait(self.start(out)) == 0, f"{name}: the resumed run failed"
        for file, expected in zip(FILES, self.expected, strict=True):
            assert (out / file).read_bytes() == expected, f"{name}: {file} differs after {kills} kills"
        self.kills += kills
        self.left_over += sum(path.suffix == ".tmp" for path in out.iterdir())
        return kills

    @staticmethod
    def check_readable(out: Path) -> None:
        """Files are whole or not there."""
        for name in FILES:
            if (out / name).exists():
                json.loads((out / name).read_text()) if name.endswith(".json") else tinytorch.load(out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill training at random moments, resume it, compare the bits.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), args.seed)
        for number in range(args.runs):
            trial.run(f"run{number}")
    print(
        f"{args.runs} runs killed {trial.kills} times, {trial.kills_while_saving} of them while a file was being written: every "
        f"checkpoint whole, every run ended with the bits of an unbroken one; {trial.left_over} temporary files left over; "
        f"{time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
