"""What is not arithmetic: the engine's cost per op, optimizer steps, loading data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.benchmarks.measure import Case
from tests.benchmarks.training import cnn_example

__all__ = ["cases"]


def tiny_ops(x: Any, w: Any) -> Any:
    """1,000 ops on four numbers each."""
    y = x
    for _ in range(250):
        y = (y * w + x).tanh() - w
    return y.sum()


def four_numbers(library: Any) -> tuple[Any, Any]:
    x = library.tensor([0.5, -0.3, 0.2, 0.1], requires_grad=True)
    w = library.tensor([1.01, 0.99, 1.0, 1.02], requires_grad=True)
    return x, w


def tiny_ops_backward(library: Any) -> Callable[[], Any]:
    """As in training: gradients are added into ``.grad`` of every leaf."""
    x, w = four_numbers(library)

    def run() -> Any:
        x.grad = w.grad = None
        tiny_ops(x, w).backward()
        return [x.grad, w.grad]

    return run


def tiny_ops_grad(library: Any) -> Callable[[], Any]:
    """``autograd.grad``, which looks first which nodes lead to the inputs."""
    x, w = four_numbers(library)
    return lambda: library.autograd.grad(tiny_ops(x, w), (x, w))


def tiny_ops_forward(library: Any) -> Callable[[], Any]:
    x, w = four_numbers(library)

    def run() -> Any:
        with library.no_grad():
            return tiny_ops(x, w)

    return run


def adam_on_cnn(library: Any) -> Callable[[], Any]:
    library.manual_seed(0)
    return optimizer_step(library, list(cnn_example(library).parameters()))


def adam_on_ten_million(library: Any) -> Callable[[], Any]:
    values = np.random.default_rng(0).standard_normal(10_000_000).astype(np.float32)
    return optimizer_step(library, [library.tensor(values).requires_grad_()])


def optimizer_step(library: Any, parameters: list[Any]) -> Callable[[], Any]:
    for parameter in parameters:
        parameter.grad = parameter.detach() * 0.1
    optimizer = library.optim.Adam(parameters)

    def step() -> Any:
        optimizer.step()
        return parameters[0].detach()

    return step


def loading(library: Any, **options: Any) -> Callable[[], Any]:
    """One epoch over 4,000 digits in shuffled batches of 64; with workers, they are started and ended in it."""
    from tinytorch.datasets import MNISTSample

    digits = MNISTSample(train=True)
    pixels = library.tensor(digits.data.numpy().astype(np.float32))
    data = library.utils.data.TensorDataset(pixels, library.tensor(digits.targets.numpy()))
    loader = library.utils.data.DataLoader(data, batch_size=64, shuffle=True, **options)

    def run() -> Any:
        library.manual_seed(0)
        return [batch.sum() for batch, _ in loader]

    return run


def cases(threads: int) -> Iterator[Case]:
    """Every case of this file."""
    yield Case("1,000 tiny ops, forward and backward()", tiny_ops_backward, 1.5)
    yield Case("1,000 tiny ops, forward and autograd.grad()", tiny_ops_grad, 1.5)
    yield Case("1,000 tiny ops, forward only, no_grad", tiny_ops_forward)
    yield Case("Adam step, the CNN's parameters", adam_on_cnn)
    yield Case("Adam step, 10 million parameters", adam_on_ten_million, 1.5)
    yield Case("DataLoader, 4,000 digits in batches of 64", loading)
    yield Case("the same with 2 workers", lambda library: loading(library, num_workers=2))
