"""Models trained in several Python threads at once compute, bit for bit, what they compute alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tinytorch
from tinytorch import nn
from tinytorch.nn import functional as F

THREADS = 4


def model_and_data(seed: int) -> tuple[nn.Module, Any, Any]:
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 7 * 7, 10)
    )  # fmt: skip
    with tinytorch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(tinytorch.from_numpy(0.1 * rng.standard_normal(parameter.shape).astype("float32")))
    images = tinytorch.from_numpy(rng.standard_normal((16, 1, 14, 14)).astype("float32"))
    return model, images, tinytorch.from_numpy(rng.integers(0, 10, 16))


def trained(prepared: tuple[nn.Module, Any, Any], start: threading.Barrier | None = None) -> list[bytes]:
    """The parameters' bytes after a few steps."""
    model, images, labels = prepared
    optimizer = tinytorch.optim.Adam(model.parameters(), 0.01)
    if start is not None:
        start.wait()
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return [value.numpy().tobytes() for value in model.state_dict().values()]


def test_separate_models_at_once() -> None:
    alone = [trained(model_and_data(seed)) for seed in range(THREADS)]
    for _ in range(3):
        start = threading.Barrier(THREADS)
        prepared = [model_and_data(seed) for seed in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            assert list(pool.map(lambda p, s=start: trained(p, s), prepared)) == alone


def test_one_model_infers_in_several_threads_while_another_thread_trains() -> None:
    model, images, _ = model_and_data(0)
    model.eval()
    with tinytorch.no_grad():
        expected = model(images).numpy().tobytes()
    start = threading.Barrier(THREADS)

    def infer() -> list[bytes]:
        start.wait()
        with tinytorch.no_grad():
            results = [model(images) for _ in range(10)]
        assert not any(result.requires_grad for result in results)
        return [result.numpy().tobytes() for result in results]

    with ThreadPoolExecutor(THREADS) as pool:
        learning = pool.submit(trained, model_and_data(1), start)
        inferring = [pool.submit(infer) for _ in range(THREADS - 1)]
        assert all(result == expected for future in inferring for result in future.result())
        assert learning.result() == trained(model_and_data(1))


@pytest.mark.parametrize("batch", [16, 64])
def test_the_bits_do_not_depend_on_the_number_of_threads(batch: int) -> None:
    before, found = tinytorch.get_num_threads(), []
    try:
        for threads in (1, 2):
            tinytorch.set_num_threads(threads)
            model, images, labels = model_and_data(3)
            found.append(trained((model, images.repeat(batch // 16, 1, 1, 1), labels.repeat(batch // 16))))
    finally:
        tinytorch.set_num_threads(before)
    assert found[0] == found[1]
