"""Events added up by name, and the table of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

__all__ = ["EventAverage", "EventList", "averages"]

#: What ``sort_by`` and the columns of the table may be; the names are PyTorch's, times are in microseconds.
MEASURES = ("self_cpu_time_total", "cpu_time_total", "cpu_time", "cpu_memory_usage", "flops", "count")


@dataclasses.dataclass
class EventAverage:
    """All events of one name.

    Attributes:
        key: the name; input_shapes: of all of them, if they were grouped by shape.
        count: how many; cpu_time_total, self_cpu_time_total: microseconds of all together.
        flops: floating-point operations; cpu_memory_usage: bytes of the results.
    """

    key: str
    input_shapes: Any = ""
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    flops: float = 0.0
    cpu_memory_usage: int = 0

    @property
    def cpu_time(self) -> float:
        """Microseconds of one event, on average."""
        return self.cpu_time_total / max(1, self.count)

    @property
    def gflops_per_second(self) -> float:
        """Speed, in 10⁹ floating-point operations per second."""
        return self.flops / 1e3 / self.self_cpu_time_total if self.self_cpu_time_total else 0.0

    def add(self, event: Any) -> None:
        """Count one more event."""
        self.count += 1
        self.cpu_time_total += 1e6 * event.duration
        self.self_cpu_time_total += 1e6 * event.self_time
        self.flops += event.flops
        self.cpu_memory_usage += event.nbytes


class EventList(list[EventAverage]):
    """What ``key_averages()`` returns; ``print(events.table(sort_by="cpu_time_total"))``."""

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of everything."""
        return sum(average.self_cpu_time_total for average in self)

    def total_average(self) -> EventAverage:
        """One line for all."""
        total = EventAverage("Total")
        for average in self:
            for field in ("count", "cpu_time_total", "self_cpu_time_total", "flops", "cpu_memory_usage"):
                setattr(total, field, getattr(total, field) + getattr(average, field))
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
        top_level_events_only: bool = False, time_unit: str | None = None,
    ) -> str:  # fmt: skip
        """The averages as text, largest ``sort_by`` first.

        Raises ValueError for a ``sort_by`` that is not one of :data:`MEASURES`.
        """
        rows = list(self)
        if sort_by is not None:
            measure = sort_by.replace("cuda", "cpu").replace("device", "cpu")
            if measure == "self_cpu_memory_usage":
                measure = "cpu_memory_usage"
            if measure not in MEASURES:
                raise ValueError(f"table(): sort_by must be one of {', '.join(MEASURES)}, but got {sort_by!r}")
            rows.sort(key=lambda average: getattr(average, measure), reverse=True)
        shown = rows if row_limit < 0 else rows[:row_limit]
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total", "CPU time avg", "# of Calls", "FLOPs", "GFLOP/s",
                  "CPU Mem"]  # fmt: skip
        with_shapes = any(average.input_shapes for average in rows)
        if with_shapes:
            titles.append("Input Shapes")
        lines = [self._row(average, with_shapes, max_name_column_width) for average in shown]
        text = _columns([titles, *lines])
        total = f"Self CPU time total: {_time(self.self_cpu_time_total)}"
        return "\n".join([*([header] if header else []), text, total, ""])

    def _row(self, average: EventAverage, with_shapes: bool, width: int) -> list[str]:
        share = average.self_cpu_time_total / max(self.self_cpu_time_total, 1e-12)
        row = [
            average.key[:width], f"{share:.2%}", _time(average.self_cpu_time_total), _time(average.cpu_time_total),
            _time(average.cpu_time), str(average.count), _amount(average.flops),
            f"{average.gflops_per_second:.1f}" if average.flops else "--", _bytes(average.cpu_memory_usage),
        ]  # fmt: skip
        return [*row, str(average.input_shapes)] if with_shapes else row

    def __str__(self) -> str:
        return self.table()


def averages(events: Iterable[Any], by_shape: bool) -> EventList:
    """Add up events of one name, in the order in which the names first appeared."""
    found: dict[tuple[str, str], EventAverage] = {}
    for event in events:
        shapes = str(event.shapes) if by_shape else ""
        found.setdefault((event.name, shapes), EventAverage(event.name, shapes)).add(event)
    return EventList(found.values())


def _columns(rows: list[list[str]]) -> str:
    """Rows as right-aligned columns, the names left-aligned, rules above and below the titles."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = "  ".join("-" * width for width in widths)
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def _time(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    return f"{microseconds / 1e3:.3f}ms" if microseconds >= 1e3 else f"{microseconds:.3f}us"


def _amount(flops: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if flops >= size:
            return f"{flops / size:.2f} {unit}"
    return f"{flops:.0f}" if flops else "--"


def _bytes(nbytes: int) -> str:
    for unit, size in (("Gb", 1 << 30), ("Mb", 1 << 20), ("Kb", 1 << 10)):
        if nbytes >= size:
            return f"{nbytes / size:.2f} {unit}"
    return f"{nbytes} b"
