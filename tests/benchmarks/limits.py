"""What NumPy allows: the cases that miss their targets, beside the same arithmetic in bare NumPy calls.

    python -m tests.benchmarks.limits [--threads 2 1] [--only TEXT ...] [--blocks 5]

First the machine: what a call, a pass over memory, a matrix product and waking up a thread take. Then each case three
times: in PyTorch, in tinytorch, and as NumPy calls and nothing else (`bare`), which compute what PyTorch computes, checked
before it is timed. These have their arrays and a convolution's columns made beforehand, look at no shapes, and keep no graph;
and for two threads their time on one is halved, as if sharing cost nothing. Where that takes as long as PyTorch, no
framework on NumPy is faster than PyTorch; what tinytorch takes beyond it are columns, calls, the graph and waiting for threads.
Whole steps: `shares`.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import numpy as np
import torch

from tests.benchmarks import bare, layers, overhead, training
from tests.benchmarks.measure import Case, arguments, heading, measure, use_threads
from tinytorch.kernels import bell
from tinytorch.kernels.threads import run_blocks

#: The cases: what computes them.
LIMITS: dict[str, Callable[[], bare.Run]] = {
    "MLP 784-512-256-10 training step, batch 128": bare.mlp_step,
    "conv2d notebook 20->40, 3x3 at 14": lambda: bare.convolution(64, 20, 40, 14, 3, 1),
    "conv2d notebook 40->40, 3x3 at 14": lambda: bare.convolution(64, 40, 40, 14, 3, 1),
    "conv2d notebook 40->60, 3x3 at 7": lambda: bare.convolution(64, 40, 60, 7, 3, 0),
    "conv2d notebook 60->40, 1x1 at 5": lambda: bare.convolution(64, 60, 40, 5, 1, 0),
    "conv2d 64->64, 3x3 at 56": lambda: bare.convolution(8, 64, 64, 56, 3, 1),
    "conv2d 64->64, 3x3 at 28": lambda: bare.convolution(16, 64, 64, 28, 3, 1),
    "conv2d 64->64, 3x3 at 28, batch 1": lambda: bare.convolution(1, 64, 64, 28, 3, 1),
    "conv2d depthwise 64, 3x3 at 28": lambda: bare.depthwise(16, 64, 28),
    "relu, 64x20x28x28": bare.relu,
    "batch_norm, 64x20x28x28": lambda: bare.batch_norm_images(64, 20, 28),
    "batch_norm, 64x256": lambda: bare.batch_norm(64, 256),
    "1,000 tiny ops, forward and backward()": bare.tiny_ops,
}


@dataclasses.dataclass(frozen=True)
class Cost:
    """One line of what the machine takes."""

    what: str
    value: float
    unit: str


def machine() -> Iterator[Cost]:
    """What the parts cost."""
    few, large, square = np.ones(4, np.float32), np.ones(1 << 20, np.float32), np.ones((512, 512), np.float32)
    for name, library in (("NumPy", np), ("PyTorch", torch)):
        a, b, c = (array if library is np else torch.from_numpy(array) for array in (few, large, square))
        out, out_large, out_square = (library.empty_like(x) for x in (a, b, c))
        tiny = fastest(lambda a=a, out=out, add=library.add: add(a, a, out=out), 1000)
        once = fastest(lambda a=b, out=out_large, add=library.add: add(a, a, out=out), 10)
        product = fastest(lambda a=c, out=out_square, multiply=library.matmul: multiply(a, a, out=out), 3)
        yield Cost(f"{name}: two times four numbers added", tiny * 1e9, "ns")
        yield Cost(f"{name}: a pass over 4 MB, into 4 MB", once * 1e6, "us")
        yield Cost(f"{name}: product of 512x512 matrices", 2 * 512**3 / product / 1e9, "GFLOP/s")
    yield Cost("Python: another thread woken up, and its answer", wake_up() * 1e6, "us")
    for awake, how in ((False, "asleep between"), (True, "awake")):
        yield Cost(f"tinytorch: two threads share a millisecond, {how}: beyond half", sharing(awake) * 1e6, "us")


def fastest(run: bare.Run, calls: int, rounds: int = 30) -> float:
    """Seconds of one call: of the fastest round, because whatever disturbs makes the others slower."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        times.append((time.perf_counter() - start) / calls)
    return min(times)


def wake_up() -> float:
    """Seconds until a thread that slept has answered: what a kernel pays for a second thread, beside the work. (Median.)"""
    asked: SimpleQueue[bool] = SimpleQueue()
    answers: SimpleQueue[None] = SimpleQueue()

    def answer() -> None:
        while asked.get():
            answers.put(None)

    threading.Thread(target=answer, daemon=True).start()
    times = []
    for _ in range(200):
        time.sleep(0.002)  # it sleeps, too, meanwhile
        start = time.perf_counter()
        asked.put(True)
        answers.get()
        times.append(time.perf_counter() - start)
    asked.put(False)
    return float(np.median(times))


def sharing(awake: bool) -> float:
    """Seconds that two blocks at the same time, half a millisecond each, take longer than one of them. (Medians.)"""
    before, bell.STAY_AWAKE = bell.STAY_AWAKE, awake
    a, out = np.ones((288, 288), np.float32), np.empty((2, 288, 288), np.float32)
    times: list[list[float]] = [[], []]
    use_threads(2)
    for _ in range(200):
        for blocks, into in zip(([0], [0, 1]), times, strict=True):
            start = time.perf_counter()
            run_blocks(lambda block: np.matmul(a, a, out=out[block]), blocks)
            into.append(time.perf_counter() - start)
    use_threads(1)
    bell.STAY_AWAKE = before
    return float(np.median(times[1]) - np.median(times[0]))


def row(case: Case, make: Callable[[], bare.Run], threads: int, blocks: int) -> str:
    """One line: PyTorch's time, and both ratios to it."""
    alone = Case(case.name, lambda library: case.make(torch) if library is torch else make(), tolerance=case.tolerance)
    ours, least = measure(case, blocks), measure(alone, blocks, library=np)
    quiet = "" if ours.quiet and least.quiet else "  wide spread: do not quote"
    return f"| {case.name} | {ours.theirs:.3f} ms | {least.ratio / threads:.2f} | {ours.ratio:.2f} | {case.target} |{quiet}"


def main() -> None:
    options = arguments(__doc__, blocks=5).parse_args()
    warnings.simplefilter("ignore")
    use_threads(1)
    print("One thread:")
    for cost in machine():
        print(f"  {cost.what:56} {cost.value:7.0f} {cost.unit}")
    for threads in options.threads:
        use_threads(threads)
        print(heading(threads, "PyTorch", "bare NumPy", "tinytorch", "target"), flush=True)
        cases = {case.name: case for module in (training, layers, overhead) for case in module.cases(threads)}
        for name, make in LIMITS.items():
            if any(text in name for text in options.only):
                print(row(cases[name], make, threads, options.blocks), flush=True)


if __name__ == "__main__":
    main()
