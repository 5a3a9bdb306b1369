"""What two threads do with their time: python -m tests.benchmarks.shares [--only TEXT ...]

A step on one thread, then on two: how long the calling thread works and waits, how long the other one works, and how
much longer both together work than one alone. What keeps the second number from being half of the first is either the part
of the step that nobody shares (Python itself, and calls too short to share), or that work gets slower, because whoever
comes back from a call of NumPy needs Python's global lock: if the other one has it, he sleeps, and waking up takes as long
as the call did (`limits` measures it).
"""

from __future__ import annotations

import dataclasses
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

import tinytorch
from tests.benchmarks import training
from tests.benchmarks.measure import Case, arguments, use_threads
from tinytorch.kernels.threads import _Region

STEPS = 20


@dataclasses.dataclass
class Shares:
    """Milliseconds of a step."""

    whole: float
    waits: float = 0.0
    helps: float = 0.0

    @property
    def works(self) -> float:
        return self.whole - self.waits


@contextmanager
def watched(shares: Shares) -> Iterator[None]:
    """Add up, in milliseconds, how long regions are waited for, and how long others help."""
    wait, help_ = _Region._wait, _Region.help

    def timed(method: Callable[[_Region], None], name: str) -> Callable[[_Region], None]:
        def run(region: _Region) -> None:
            start = time.perf_counter()
            try:
                method(region)
            finally:
                setattr(shares, name, getattr(shares, name) + 1000 * (time.perf_counter() - start))

        return run

    _Region._wait, _Region.help = timed(wait, "waits"), timed(help_, "helps")  # type: ignore[method-assign]
    try:
        yield
    finally:
        _Region._wait, _Region.help = wait, help_  # type: ignore[method-assign]


def milliseconds(step: Callable[[], Any]) -> float:
    """Of one step, the median."""
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def shares_of(step: Callable[[], Any]) -> Shares:
    """Of one step, with as many threads as are set now."""
    total = Shares(0.0)
    with watched(total):
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        total.whole = 1000 * (time.perf_counter() - start)
    return Shares(total.whole / STEPS, total.waits / STEPS, total.helps / STEPS)


def row(case: Case) -> str:
    """One line of the table."""
    theirs, ours = case.make(torch), case.make(tinytorch)
    alone: list[tuple[float, float]] = []
    for threads in (1, 2):
        use_threads(threads)
        for step in (theirs, ours):
            step(), step()
        alone.append((milliseconds(theirs), milliseconds(ours)))
    time.sleep(0.1)  # PyTorch's threads spin for a while
    ours()
    both = shares_of(ours)
    (theirs_1, ours_1), (theirs_2, _) = alone
    cells = [f"{theirs_1:.1f} -> {theirs_2:.1f}", f"{ours_1:.1f} -> {both.whole:.1f}", f"{both.works:.1f}"]
    cells += [f"{both.waits:.1f}", f"{both.helps:.1f}", f"{(both.works + both.helps) / ours_1:.2f}"]
    return f"| {case.name} | {' | '.join(cells)} |"


def table(only: list[str]) -> Iterator[str]:
    """Of the steps of `training`."""
    yield "\n| ms, 1 -> 2 threads | PyTorch | tinytorch | this one works | waits | the other works | work, to 1 thread's |"
    yield "|---" * 7 + "|"
    for case in training.cases(2):
        if any(text in case.name for text in only) and not case.name.startswith("Adam"):
            yield row(case)


def main() -> None:
    options = arguments(__doc__, blocks=1).parse_args()
    warnings.simplefilter("ignore")
    for line in table(options.only):
        print(line, flush=True)


if __name__ == "__main__":
    main()
