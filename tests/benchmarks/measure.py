"""Side-by-side timing: PyTorch and tinytorch in turn in one run, medians, and the spread of their ratio.

Single timings on a shared machine mean little. Here the two libraries take turns in short blocks, with a pause before each
(PyTorch's threads spin for a while after their work); what is quoted is the median ratio of neighbouring blocks, with its
quartiles. Before anything is timed, both must compute the same. And while it runs, the share of the machine that *other*
processes used is watched: figures from a contended machine are marked, because they say nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tinytorch

__all__ = ["Case", "Measured", "arguments", "busy_elsewhere", "heading", "measure", "row", "use_threads"]

PAUSE = 0.03  # seconds before each block
BLOCK = 0.1  # seconds that a block should last, at least: steps follow each other, as in training


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: what the table calls it.
        make: ``make(library)`` prepares everything and returns the function to time; that function returns what it computed (a
            number, a tensor, or a list of them), so that the two libraries can be compared.
        target: time over PyTorch's that is aimed at; None for those that have none.
        tolerance: relative, of the comparison.
    """

    name: str
    make: Callable[[Any], Callable[[], Any]]
    target: float | None = None
    tolerance: float = 2e-3


@dataclasses.dataclass(frozen=True)
class Measured:
    """Milliseconds of both (medians), and the quartiles of our (or another library's) time over PyTorch's."""

    theirs: float
    ours: float
    low: float
    ratio: float
    high: float
    elsewhere: float  # share of the machine that other processes used meanwhile

    @property
    def quiet(self) -> bool:
        return self.elsewhere < 0.05 and self.high - self.low <= 0.3 * self.ratio


def arguments(description: str | None, blocks: int) -> argparse.ArgumentParser:
    """What every table of this folder can be asked for: numbers of threads, cases, blocks."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    both = sorted({min(2, os.cpu_count() or 1), 1}, reverse=True)
    parser.add_argument("--threads", type=int, nargs="+", default=both)
    parser.add_argument("--only", nargs="*", default=[""], help="cases whose name contains one of these")
    parser.add_argument("--blocks", type=int, default=blocks, help="blocks timed of each library")
    return parser


def heading(threads: int, *columns: str) -> str:
    """The first lines of a table."""
    names = [f"{threads} thread{'s' * (threads > 1)}", *columns]
    return f"\n| {' | '.join(names)} |\n{'|---' * len(names)}|"


def use_threads(n: int) -> None:
    """Both libraries compute with ``n`` threads."""
    torch.set_num_threads(n)
    tinytorch.set_num_threads(n)


def measure(
    case: Case, blocks: int = 11, block: float = BLOCK, library: Any = tinytorch, warm: int = 2, pause: float = PAUSE
) -> Measured:
    """Compare the first ``warm`` results, then time ``blocks`` blocks of ``block`` seconds of each library in turn.

    ``library`` is whose time is divided by PyTorch's; the second time everything is warm, unless it compiles.
    """
    theirs, ours = case.make(torch), case.make(library)
    for _ in range(warm):
        same(case, theirs(), ours())
    calls = [_calls_per_block(run, block) for run in (theirs, ours)]
    before = _cpu_seconds()
    times: list[list[float]] = [[], []]
    for _ in range(blocks):
        for run, count, into in zip((theirs, ours), calls, times, strict=True):
            time.sleep(pause)
            start = time.perf_counter()
            for _ in range(count):
                run()
            into.append((time.perf_counter() - start) / count)
    ratios = [b / a for a, b in zip(*times, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    medians = [1000 * statistics.median(values) for values in times]
    return Measured(medians[0], medians[1], low, middle, high, busy_elsewhere(before, _cpu_seconds()))


def _calls_per_block(run: Callable[[], Any], block: float) -> int:
    start = time.perf_counter()
    run()
    return max(1, round(block / max(time.perf_counter() - start, 1e-7)))


def same(case: Case, theirs: Any, ours: Any) -> None:
    """Raises AssertionError unless both computed the same."""
    theirs, ours = (list(result) if isinstance(result, (list, tuple)) else [result] for result in (theirs, ours))
    assert len(theirs) == len(ours), case.name
    for a, b in zip(theirs, ours, strict=True):
        a, b = (value.detach().numpy() if hasattr(value, "detach") else np.asarray(value) for value in (a, b))
        scale = np.abs(a).max(initial=0) or 1
        np.testing.assert_allclose(b / scale, a / scale, atol=case.tolerance, err_msg=case.name)


def row(case: Case, found: Measured) -> str:
    """One line of the table."""
    ratio = f"{found.ratio:.2f} ({found.low:.2f}..{found.high:.2f})"
    verdict = "" if case.target is None else f"{case.target:.2f} " + ("met" if found.ratio <= case.target else "MISSED")
    others = f", {found.elsewhere:.0%} of the machine used by others"
    note = "" if found.quiet else f"  wide spread{others if found.elsewhere >= 0.005 else ''}: do not quote"
    return f"| {case.name} | {_ms(found.theirs)} | {_ms(found.ours)} | {ratio} | {verdict} |{note}"


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value >= 10 else f"{value:.3f} ms"


def _cpu_seconds() -> tuple[float, float, float]:
    """(wall clock, CPU seconds of this process, CPU seconds of the whole machine); the last is nan where unknown."""
    own = sum(os.times()[:4])  # and its children's that have ended
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, soft, steal, *_ = map(float, file.readline().split()[1:])
    except OSError:
        return time.perf_counter(), own, float("nan")
    return time.perf_counter(), own, (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def busy_elsewhere(before: tuple[float, float, float], after: tuple[float, float, float]) -> float:
    """The share of the machine that other processes used between two moments; 0 where that cannot be known."""
    wall, own, everything = (b - a for a, b in zip(before, after, strict=True))
    share = (everything - own) / max(wall, 1e-9) / (os.cpu_count() or 1)
    return max(0.0, share) if share == share else 0.0
