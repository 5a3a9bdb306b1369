"""How long a statement takes (``torch.utils.benchmark``): repeated until the numbers say something.

>>> timer = Timer("x.exp()", setup="x = torch.ones(3)", label="exp")
>>> measurement = timer.timeit(10)
>>> measurement.number_per_run, measurement.mean > 0
(10, True)

The statement sees ``torch``, which is this package. As PyTorch does, it is run with one thread unless asked otherwise.
"""

from __future__ import annotations

import dataclasses
import statistics
import timeit
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tinytorch.kernels.threads import get_num_threads, set_num_threads

__all__ = ["Compare", "Measurement", "Timer", "select_unit"]

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_NAMES = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which ``t`` seconds are best written, and its size: ``("ms", 0.001)``."""
    unit = next((name for name, size in reversed(_UNITS.items()) if t >= size), "ns")
    return unit, _UNITS[unit]


@dataclasses.dataclass
class Measurement:
    """Times of one statement.

    Attributes:
        number_per_run: how often it ran in each measurement.
        raw_times: seconds of each measurement.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str = ""
    setup: str = "pass"
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    num_threads: int = 1

    @property
    def times(self) -> list[float]:
        """Seconds of one run, by measurement."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def mean(self) -> float:
        """The mean of :attr:`times`."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """Their median: the number to quote, because a disturbance does not move it."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The distance between their quartiles: how much they vary."""
        if len(self.raw_times) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.times, n=4, method="inclusive")
        return third - first

    @property
    def title(self) -> str:
        """What was measured."""
        return (self.label or self.stmt) + (f": {self.sub_label}" if self.sub_label else "")

    @property
    def as_row_name(self) -> str:
        """The name of its row in a table of :class:`Compare`."""
        return self.sub_label or self.stmt

    def __repr__(self) -> str:
        unit, size = select_unit(self.median)
        count = len(self.raw_times)
        lines = [f"{type(self).__module__}.{type(self).__name__}", self.title]
        lines += [self.description] if self.description else []
        lines += [f"setup: {self.setup}"] if self.setup != "pass" else []
        lines.append(f"  {'Median: ' if count > 1 else ''}{self.median / size:.2f} {unit}")
        if count > 3:
            lines.append(f"  IQR:    {self.iqr / size:.2f} {unit}")
        runs = f"{self.number_per_run} runs" + (" per measurement" if count > 1 else "")
        threads = f"{self.num_threads} thread" + ("s" if self.num_threads > 1 else "")
        lines.append(f"  {count} measurement{'s' if count > 1 else ''}, {runs}, {threads}")
        return "\n".join(lines)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One Measurement for all that are of the same statement, with all of their times."""
        groups: dict[Any, list[Measurement]] = {}
        for one in measurements:
            key = one.stmt, one.setup, one.label, one.sub_label, one.description, one.num_threads
            groups.setdefault(key, []).append(one)
        return [
            dataclasses.replace(group[0], number_per_run=1, raw_times=[time for one in group for time in one.times])
            for group in groups.values()
        ]


class Timer:
    """Measures ``stmt``.

    Args:
        setup, global_setup: run once, before.
        timer: gives seconds.
        globals: names that the statement sees, besides ``torch``.
        label, sub_label, description: what to call it, its row and its column in a table.
        num_threads: of this library, meanwhile.

    Raises NotImplementedError for a language other than Python.
    """

    def __init__(
        self, stmt: str = "pass", setup: str = "pass", global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer, globals: dict[str, Any] | None = None,
        label: str | None = None, sub_label: str | None = None, description: str | None = None, env: str | None = None,
        num_threads: int = 1, language: Any = "python",
    ) -> None:  # fmt: skip
        if language not in ("python", "py"):
            raise NotImplementedError(f"only Python is measured, and not {language}")
        if global_setup:
            raise ValueError("global_setup is only for C++; use setup")
        import tinytorch

        self._timer = timeit.Timer(stmt, setup, timer, {"torch": tinytorch, **(globals or {})})
        self._task: dict[str, Any] = {
            "stmt": stmt, "setup": setup, "label": label, "sub_label": sub_label, "description": description,
            "num_threads": num_threads,
        }  # fmt: skip

    def timeit(self, number: int = 1000000) -> Measurement:
        """One measurement of ``number`` runs, after a short one that warms up."""
        with _threads(self._task["num_threads"]):
            self._timer.timeit(max(number // 100, 2))
            return Measurement(number, [self._timer.timeit(number)], **self._task)

    def blocked_autorange(
        self, callback: Callable[[int, float], None] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Measurements of blocks that last about a thousandth of ``min_run_time``, until they have taken so long.

        ``callback(number of runs, seconds)`` is called after each.
        """
        return self._autorange(min_run_time, callback, lambda found: sum(found.raw_times) >= min_run_time)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
        callback: Callable[[int, float], None] | None = None,
    ) -> Measurement:  # fmt: skip
        """The same until the quartiles lie within ``threshold`` of the median, or ``max_run_time`` is over."""

        def enough(found: Measurement) -> bool:
            steady = len(found.raw_times) >= 4 and found.iqr < threshold * found.median
            return sum(found.raw_times) >= (min_run_time if steady else max_run_time)

        return self._autorange(min_run_time, callback, enough)

    def _autorange(
        self, min_run_time: float, callback: Callable[[int, float], None] | None, enough: Callable[[Measurement], bool]
    ) -> Measurement:
        with _threads(self._task["num_threads"]):
            number = self._block_size(min_run_time)
            found = Measurement(number, [], **self._task)
            while not enough(found):
                found.raw_times.append(self._timer.timeit(number))
                if callback is not None:
                    callback(number, found.raw_times[-1])
            return found

    def _block_size(self, min_run_time: float) -> int:
        """How many runs last a thousandth of ``min_run_time``: the clock's own time must not count."""
        number = 1
        while self._timer.timeit(number) < min_run_time / 1000 and number < 10**9:
            number *= 10
        return number


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = get_num_threads()
    set_num_threads(count)
    try:
        yield
    finally:
        set_num_threads(before)


class Compare:
    """Measurements side by side: a row for every ``sub_label`` (and number of threads), a column for every
    ``description``.
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results = Measurement.merge(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self._results = Measurement.merge([*self._results, *results])

    def trim_significant_figures(self) -> None:
        """Nothing: two figures behind the point are printed."""

    def colorize(self, rowwise: bool = False) -> None:
        """Nothing: the table has no colours."""

    def __str__(self) -> str:
        labels = dict.fromkeys(one.label for one in self._results)
        return "\n".join(self._table([one for one in self._results if one.label == label]) for label in labels)

    def print(self) -> None:
        """Print the table."""
        print(self)

    def _table(self, results: list[Measurement]) -> str:
        unit, size = select_unit(min(one.median for one in results))
        columns = list(dict.fromkeys(one.description or "" for one in results))
        rows = dict.fromkeys((one.num_threads, one.as_row_name) for one in results)
        cells = {(one.num_threads, one.as_row_name, one.description or ""): one.median / size for one in results}
        left = max(len(name) for _, name in rows) + 6
        width = max(10, *(len(column) for column in columns)) + 2
        lines = ["[" + (results[0].label or results[0].stmt).center(left + (width + 3) * len(columns), "-") + "]"]
        lines.append(" " * left + "".join(f" | {column:>{width}}" for column in columns))
        threads = None
        for count, name in sorted(rows, key=lambda row: row[0]):
            if count != threads:
                threads = count
                lines.append(f"{count} threads: ".ljust(left + (width + 3) * len(columns), "-"))
            numbers = [cells.get((count, name, column)) for column in columns]
            texts = ("" if number is None else f"{number:.2f}" for number in numbers)
            lines.append(f"      {name}".ljust(left) + "".join(f" | {text:>{width}}" for text in texts))
        return "\n".join([*lines, "", f"Times are in {_NAMES[unit]} ({unit}).", ""])
