"""What pictures cost: python -m tests.benchmarks.pictures

Watched training steps beside plain ones, in turn; what recording an op costs when nobody draws; large graphs.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinytorch as tt
import tinytorch.nn.functional as F
from tests.benchmarks.training import cnn_example
from tinytorch import viz


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def training_step() -> Callable[[], Any]:
    """A step of the CNN, batch 64, with Adam."""
    model = cnn_example(tt)
    images, labels = tt.randn(64, 1, 28, 28), tt.randint(0, 10, (64,))
    optimizer = tt.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


def watching() -> float:
    """Time of a step, and how much longer a watched one takes."""
    step = training_step()

    def watched() -> None:
        with viz.watch():
            step()

    step(), watched()
    pairs = [(seconds(step), seconds(watched)) for _ in range(15)]
    plain = statistics.median(a for a, _ in pairs)
    print(f"training step {plain * 1e3:.1f} ms; watched x {statistics.median(b / a for a, b in pairs):.3f}")
    return plain


def recording(step: float) -> None:
    """What an op costs more if it is recorded, times the ops of a step."""
    w, v = tt.ones(1, requires_grad=True), tt.ones(1)
    times = [min(timeit.repeat(lambda x=x: x * x, number=20_000, repeat=7)) / 20_000 for x in (w, v)]
    cost = times[0] - times[1]
    print(f"recording an op {cost * 1e6:.2f} us; 34 ops are {cost * 34 / step:.3%} of the step")


def large_graphs() -> None:
    """3,000 nodes without modules, tangled; a chain of 100,000 ops."""
    random.seed(0)
    made = [tt.ones(2, requires_grad=True)]
    while len(made) < 3500:
        p, q = made[-1] if random.random() < 0.8 else random.choice(made[-30:]), random.choice(made[-8:])
        made.append(random.choice([lambda p=p, q=q: p * q, lambda p=p, q=q: p + q, lambda p=p: p.tanh()])())
    graph = viz.graph(sum(made[-5:], start=tt.zeros(2)).sum())
    with tempfile.TemporaryDirectory() as folder:
        drawn = seconds(lambda: graph.save(Path(folder) / "large.svg", max_nodes=10_000))
    print(f"{len(graph.nodes):,} nodes drawn as SVG in {drawn:.1f} s")
    y = tt.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y + 1
    print(f"graph of a chain of 100,000 ops in {seconds(lambda: viz.graph(y)):.1f} s")


if __name__ == "__main__":
    tt.set_num_threads(1)
    recording(watching())
    large_graphs()
