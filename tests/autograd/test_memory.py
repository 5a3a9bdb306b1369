"""Training leaves nothing behind: with the garbage collector off, live memory stays flat."""

import contextlib
import gc
import tracemalloc

import pytest

import tinytorch
from tinytorch import nn


def small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(4 * 16, 10),
    )  # fmt: skip


@pytest.mark.slow
def test_a_thousand_training_steps_without_the_garbage_collector():
    tinytorch.manual_seed(0)
    model = small_cnn()
    optimizer = tinytorch.optim.Adam(model.parameters())
    images, labels = tinytorch.rand(8, 1, 8, 8), tinytorch.randint(0, 10, (8,))

    def step():
        optimizer.zero_grad()
        scores = model(images)
        penalty = scores[:, 0].detach().abs().mean()
        loss = nn.functional.cross_entropy(scores, labels) + 0.01 * penalty
        loss.backward()
        optimizer.step()

    for _ in range(20):
        step()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(100):
            step()
        early = tracemalloc.get_traced_memory()[0]
        for _ in range(900):
            step()
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert late - early < 20_000, f"{late - early} bytes more after 900 steps"


def test_an_exception_in_forward_or_backward_leaves_nothing():
    model = small_cnn()
    images = tinytorch.rand(8, 1, 8, 8)

    def fail(*_):
        raise KeyError("stop")

    def broken_step(where):
        scores = model(images)
        if where == "forward":
            model(images[:, :, :2, :2])  # too small for the linear layer
        scores.register_hook(fail)
        scores.sum().backward()

    for where, error in (("forward", RuntimeError), ("backward", KeyError)):
        with pytest.raises(error):
            broken_step(where)
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            sizes = []
            for _ in range(2):
                for _ in range(60):
                    with contextlib.suppress(error):
                        broken_step(where)
                sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
            gc.enable()
        assert sizes[1] - sizes[0] < 20_000
        assert tinytorch.is_grad_enabled()
