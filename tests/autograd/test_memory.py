"""Training leaves nothing behind: with the garbage collector off, live memory stays flat.

Counted are the objects that the collector would have to look at, and the bytes of all NumPy arrays. (The total that tracemalloc gives
is no measure: it counts the tuples that CPython keeps for reuse, and their number creeps up for thousands of steps.)
"""

import contextlib
import gc
import tracemalloc

import numpy as np
import pytest

import tinytorch
from tinytorch import nn


def small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(4 * 16, 10),
    )  # fmt: skip


@contextlib.contextmanager
def garbage_collector_off():
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
        gc.enable()


def live():
    """Objects alive, and bytes of NumPy arrays."""
    arrays = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)])
    return len(gc.get_objects()), sum(trace.size for trace in arrays.traces)


def assert_flat(before, after):
    assert after[0] - before[0] < 50, f"{after[0] - before[0]} more objects"
    assert after[1] - before[1] < 1000, f"{after[1] - before[1]} more bytes of arrays"


def test_training_steps_without_the_garbage_collector():
    tinytorch.manual_seed(0)
    model = small_cnn()
    optimizer = tinytorch.optim.Adam(model.parameters())
    images, labels = tinytorch.rand(8, 1, 8, 8), tinytorch.randint(0, 10, (8,))

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            scores = model(images)
            penalty = scores[:, 0].detach().abs().mean()
            loss = nn.functional.cross_entropy(scores, labels) + 0.01 * penalty
            loss.backward()
            optimizer.step()

    with garbage_collector_off():
        train(50)
        before = live()
        train(350)
        assert_flat(before, live())


@pytest.mark.parametrize(("where", "error"), [("forward", RuntimeError), ("backward", KeyError)])
def test_exceptions_leave_nothing(where, error):
    model = small_cnn()
    images = tinytorch.rand(8, 1, 8, 8)

    def fail(*_):
        raise KeyError("stop")

    def break_down(times):
        for _ in range(times):
            with contextlib.suppress(error):
                scores = model(images)
                if where == "forward":
                    model(images[:, :, :2, :2])  # too small for the linear layer
                scores.register_hook(fail)
                scores.sum().backward()
                raise AssertionError("this should have failed")

    with garbage_collector_off():
        break_down(20)
        before = live()
        break_down(50)
        assert_flat(before, live())
    assert tinytorch.is_grad_enabled()


def test_the_check_sees_a_leak():
    kept = []
    with garbage_collector_off():
        before = live()
        for _ in range(100):
            kept.append((tinytorch.ones(8, requires_grad=True) * 2).sum())
        with pytest.raises(AssertionError, match="more objects"):
            assert_flat(before, live())
