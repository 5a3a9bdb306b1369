"""What needs a process of its own: import time, steps undisturbed by the other library, peak memory, growth.

Run alone by ``python -m tests.benchmarks.processes``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

__all__ = ["growth_with_batch", "growth_with_depth", "import_time", "peak_memory", "step_alone", "steps_alone", "table"]

ROOT = Path(__file__).resolve().parents[2]

IMPORT = "import time; start = time.perf_counter(); import {library}; print(time.perf_counter() - start)"

PEAK = """
import {library}, time
from tests.benchmarks.training import cnn_step
def status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024
{library}.set_num_threads(2)
step = cnn_step({library}, {batch})
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # forget the peak so far
before = status("VmRSS")
for _ in range(3): step()
print(status("VmHWM") - before)
start = time.perf_counter(); step(); step(); print((time.perf_counter() - start) / 2)
"""

ALONE = """
import time, statistics, {library}
from tests.benchmarks import overhead, training
{library}.set_num_threads({threads})
(case,) = (c for module in (training, overhead) for c in module.cases({threads}) if c.name.startswith("{case}"))
step = case.make({library})
for _ in range(5): step()
times, end = [], time.perf_counter() + 0.5
while time.perf_counter() < end:
    start = time.perf_counter(); step(); times.append(time.perf_counter() - start)
print(statistics.median(times))
"""

DEPTH = """
import {library} as T, time
T.set_num_threads(1)
layers = T.nn.Sequential(*[T.nn.Linear(8, 8) for _ in range({depth})])
x = T.ones(4, 8)
def step():
    layers(x).sum().backward()
step()
start = time.perf_counter(); step(); step(); took = (time.perf_counter() - start) / 2
with open("/proc/self/status") as file:
    print(took, next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024)
"""


def run(program: str, **values: object) -> list[float]:
    """The numbers that a program prints, run by a fresh Python that keeps compiled modules, as installed ones are."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program.format(**values)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return [float(word) for word in done.stdout.split()]


def import_time(repeats: int = 7) -> str:
    """Seconds to import either library, in turn."""
    times = [[run(IMPORT, library=name)[0] for name in ("torch", "tinytorch")] for _ in range(repeats + 1)][1:]
    theirs, ours = (statistics.median(values) for values in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    return f"| import | {1000 * theirs:.0f} ms | {1000 * ours:.0f} ms | {ratio:.2f} | 0.20 {_verdict(ratio, 0.2)} |"


def step_alone(case: str, threads: int, repeats: int = 3) -> str:
    """The median step of a case; a fresh process for either library, in turn."""
    times = [
        [run(ALONE, library=name, case=case, threads=threads)[0] for name in ("torch", "tinytorch")]
        for _ in range(repeats)
    ]
    theirs, ours = (statistics.median(values) for values in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    return f"| {case}, alone, {threads} thread{'s' * (threads > 1)} | {1000 * theirs:.2f} ms | {1000 * ours:.2f} ms | {ratio:.2f} | |"


def steps_alone(threads: int) -> list[str]:
    """The steps in which the rest of the process matters: those of small or many operations."""
    cases = (
        "CNN training step, batch 16",
        "CNN inference, batch 1",
        "MLP",
        "GPT",
        "LSTM",
        "1,000 tiny ops, forward and b",
    )
    return [step_alone(case, threads) for case in cases]


def peak_memory(batch: int) -> str:
    """Megabytes that three training steps of the CNN need at most, over what was there before the first (on Linux)."""
    theirs, ours = (run(PEAK, library=name, batch=batch)[0] for name in ("torch", "tinytorch"))
    ratio = ours / theirs
    return (
        f"| peak memory, CNN training step, batch {batch} | {theirs:.0f} MB | {ours:.0f} MB | {ratio:.2f} | "
        f"1.00 {_verdict(ratio, 1.0)} |"
    )


def growth_with_batch() -> list[str]:
    """Time and peak memory of a training step of the CNN with ever more images, for each image."""
    rows = ["| images | PyTorch, each | tinytorch, each |", "|---|---|---|"]
    for batch in (16, 64, 256, 1024):
        found = [run(PEAK, library=name, batch=batch) for name in ("torch", "tinytorch")]
        cells = [f"{1e6 * seconds / batch:.0f} us, {1000 * peak / batch:.0f} KB" for peak, seconds in found]
        rows.append(f"| {batch} | {' | '.join(cells)} |")
    return rows


def growth_with_depth() -> list[str]:
    """Time and peak memory of a step through ever more layers: both should be straight lines."""
    rows = [
        "| linear layers | PyTorch | tinytorch | PyTorch per layer | tinytorch per layer |",
        "|---|---|---|---|---|",
    ]
    for depth in (10, 100, 1000, 10_000):
        (t, _), (o, memory) = (run(DEPTH, library=name, depth=depth) for name in ("torch", "tinytorch"))
        rows.append(
            f"| {depth} | {1000 * t:.1f} ms | {1000 * o:.1f} ms ({memory:.0f} MB in all) | "
            f"{1e6 * t / depth:.0f} us | {1e6 * o / depth:.0f} us |"
        )
    return rows


def _verdict(ratio: float, target: float) -> str:
    return "met" if ratio <= target else "MISSED"


def table() -> list[str]:
    """All rows of this file."""
    rows = ["| process | PyTorch | tinytorch | ratio | target |", "|---|---|---|---|---|", import_time()]
    rows += [peak_memory(64), peak_memory(512), *steps_alone(2), *steps_alone(1)]
    rows += ["", "Growth with the batch, two threads:", "", *growth_with_batch()]
    return [*rows, "", "Growth with depth, one thread:", "", *growth_with_depth()]


if __name__ == "__main__":
    print(*table(), sep="\n")
