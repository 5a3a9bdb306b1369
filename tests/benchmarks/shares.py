"""What a step's time goes to, and what two threads do with it: python -m tests.benchmarks.shares [--only TEXT ...]

On one thread: PyTorch's step, ours, and how much of ours NumPy's matrix products take. On two: how long the calling thread
works and waits, how long the other one works, and how much more both together work than one alone. What keeps a step from
taking half as long on two threads is either what nobody shares (Python itself, and calls too short to share), or that work
gets slower: whoever comes back from a call of NumPy needs Python's global lock. If the other thread has it, he sleeps, and
waking up takes as long as the call did (`limits` measures it).
"""

from __future__ import annotations

import dataclasses
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
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
    products: float = 0.0

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


@contextmanager
def products_watched(shares: Shares) -> Iterator[None]:
    """Add up, in milliseconds, how long `np.matmul` takes."""
    matmul = np.matmul

    def timed(*args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = matmul(*args, **options)
        shares.products += 1000 * (time.perf_counter() - start)
        return result

    np.matmul = timed  # type: ignore[assignment]
    try:
        yield
    finally:
        np.matmul = matmul


def milliseconds(step: Callable[[], Any]) -> float:
    """Of one step, the median."""
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def shares_of(step: Callable[[], Any], watch: Callable[[Shares], AbstractContextManager[None]]) -> Shares:
    """Of one step, with as many threads as are set now."""
    total = Shares(0.0)
    with watch(total):
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        total.whole = 1000 * (time.perf_counter() - start)
    return Shares(*[value / STEPS for value in dataclasses.astuple(total)])


def row(case: Case) -> str:
    """One line of the table."""
    theirs, ours = case.make(torch), case.make(tinytorch)
    found: list[tuple[float, Shares]] = []
    for threads, watch in ((1, products_watched), (2, watched)):
        use_threads(threads)
        for step in (theirs, ours):
            step(), step()
        alone = milliseconds(theirs)
        time.sleep(0.1)  # PyTorch's threads spin for a while
        found.append((alone, shares_of(ours, watch)))
    (theirs_1, one), (theirs_2, two) = found
    numbers = [theirs_1, one.whole, one.products, theirs_2, two.whole, two.works, two.waits, two.helps]
    return f"| {case.name} | {' | '.join(f'{x:.1f}' for x in numbers)} | {(two.works + two.helps) / one.whole:.2f} |"


def table(only: list[str]) -> Iterator[str]:
    """Of the steps of `training`."""
    heads = ["ms", "1 thread: PyTorch", "tinytorch", "in products", "2 threads: PyTorch", "tinytorch", "this one works"]
    heads += ["waits", "the other works", "work, to 1 thread's"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
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
