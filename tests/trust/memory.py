"""Does training keep memory that it should have given back? 10,000 steps, hundreds of interruptions, and peaks beside PyTorch's.

    python -m tests.trust.memory                   # all of it, some minutes
    python -m tests.trust.memory --steps 1000 --interrupts 50 --no-peaks

With Python's garbage collector off: what is not freed by counting references is counted as lost. (After interruptions it
runs once, as the standard library itself leaves cycles then.)
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import random
import signal
import time
from collections.abc import Callable, Iterator

import tinytorch
from tests.benchmarks import processes
from tinytorch import nn
from tinytorch.kernels import memory

ALLOWED_OBJECTS, ALLOWED_MEGABYTES = 50, 4.0


def small_training(seed: int = 0) -> tuple[Callable[[], None], nn.Module]:
    """A step of training with everything in it that a CNN has, on arrays large enough for two threads and lent memory."""
    tinytorch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Conv2d(8, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8 * 5 * 5, 10),
    )  # fmt: skip
    optimizer = tinytorch.optim.Adam(model.parameters())
    schedule = tinytorch.optim.lr_scheduler.StepLR(optimizer, 100)
    images, labels = tinytorch.rand(16, 1, 24, 24), tinytorch.randint(0, 10, (16,))

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()

    return step, model


@contextlib.contextmanager
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def live() -> tuple[int, float]:
    """Objects that the collector would have to look at, and megabytes of the process (programs and files in memory aside)."""
    with open("/proc/self/status", encoding="ascii") as file:
        kilobytes = {line.split()[0]: int(line.split()[1]) for line in file if line.startswith(("RssAnon:", "VmSwap:"))}
    return len(gc.get_objects()), sum(kilobytes.values()) / 2**10


def assert_flat(before: tuple[int, float], after: tuple[int, float]) -> None:
    objects, megabytes = after[0] - before[0], after[1] - before[1]
    assert objects <= ALLOWED_OBJECTS, f"{objects} more objects"
    assert megabytes <= ALLOWED_MEGABYTES, f"{megabytes:.1f} more MB"


def train(steps: int, say: Callable[[str], object] = print) -> None:
    """So many steps; raises AssertionError if, after the first tenth, anything grows."""
    step, _ = small_training()
    with collector_off():
        for _ in range(steps // 10):
            step()
        before = live()
        for tenth in range(2, 11):
            for _ in range(steps // 10):
                step()
            now = live()
            say(f"after {tenth * steps // 10:6,} steps: {now[1]:6.1f} MB, {now[0]:,} objects")
        assert_flat(before, now)


def interrupt(times: int, seed: int = 0) -> int:
    """Ctrl-C at random moments of steps, so often; how many of them arrived. Raises AssertionError if anything is lost.

    Afterwards a new training computes the bits that it computed before, and gradients are recorded.
    """
    expected = _bits()
    step, _ = small_training()
    step()
    seconds = min(_seconds(step) for _ in range(10))  # longer on a busy machine: then many would come too late
    moments = random.Random(seed)

    def interrupted_step() -> bool:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, seconds))
                step()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)  # it may come in here, too
        except KeyboardInterrupt:
            return True
        return False

    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(10):
            interrupted_step()
        step()
        with collector_off():
            before = live()
            arrived = sum(interrupted_step() for _ in range(times))
            step()  # whole, so that the same gradients are there
            gc.collect()  # one stopped within the standard library's ExitStack.__exit__ refers to itself
            for _ in range(50):  # a busy machine may let the helper threads wait with what they were given last
                if live()[0] - before[0] <= ALLOWED_OBJECTS:
                    break
                time.sleep(0.1)
            assert_flat(before, live())
    finally:
        signal.signal(signal.SIGALRM, old)
    assert tinytorch.is_grad_enabled() and _bits() == expected, "an interruption changed what is computed afterwards"
    return arrived


def _seconds(step: Callable[[], None]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def _bits() -> list[bytes]:
    step, model = small_training()
    for _ in range(3):
        step()
    return [value.numpy().tobytes() for value in model.state_dict().values()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Does training keep memory that it should have given back?")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--interrupts", type=int, default=500)
    parser.add_argument("--no-peaks", action="store_true", help="leave out the comparison with PyTorch")
    args = parser.parse_args()
    train(args.steps)
    arrived = interrupt(args.interrupts)
    memory.release()
    print(f"{arrived} of {args.interrupts} steps interrupted: nothing left behind")
    if not args.no_peaks:
        print("\n| | PyTorch | tinytorch | ratio | at most |\n|---|---|---|---|---|")
        for batch in (64, 512):
            print(processes.peak_memory(batch))


if __name__ == "__main__":
    main()
