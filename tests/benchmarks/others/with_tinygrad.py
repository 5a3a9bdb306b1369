"""The benchmarks in tinygrad: its layers and optimizers, and TinyJit, which replays the kernels of the second call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad import Context, Tensor, TinyJit, nn

__all__ = ["cnn_inference", "cnn_step", "mlp_step", "tiny_ops", "tiny_ops_compiled"]


def convolutions(*layers: tuple[int, int, int, int]) -> list[Callable[[Tensor], Tensor]]:
    """(channels in, out, kernel size, padding) of each; a batch norm and a ReLU after it."""
    return [
        layer
        for c, out, size, padding in layers
        for layer in (nn.Conv2d(c, out, size, padding=padding), nn.BatchNorm(out), Tensor.relu)
    ]


class CNN:
    """examples/cnn_example.py, with the same names for the same weights."""

    def __init__(self) -> None:
        self.block1 = convolutions((1, 20, 3, 1), (20, 20, 3, 1), (20, 20, 3, 1))
        self.block2 = convolutions((20, 40, 3, 1), (40, 40, 3, 1), (40, 40, 3, 1))
        self.conv1 = convolutions((40, 60, 3, 0))
        self.conv2 = convolutions((60, 40, 1, 0))
        self.conv3 = convolutions((40, 20, 1, 0))
        self.fc1 = nn.Linear(20, 10)

    def __call__(self, x: Tensor) -> Tensor:
        x = x.sequential(self.block1).max_pool2d()
        x = x.sequential(self.block2).max_pool2d()
        x = x.sequential(self.conv1).sequential(self.conv2).sequential(self.conv3)
        return self.fc1(x.avg_pool2d((5, 5)).flatten(1))


class MLP:
    def __init__(self) -> None:
        self.layers = [nn.Linear(784, 512), Tensor.relu, nn.Linear(512, 256), Tensor.relu, nn.Linear(256, 10)]

    def __call__(self, x: Tensor) -> Tensor:
        return x.sequential(self.layers)


def load(model: Any, weights: dict[str, np.ndarray]) -> Any:
    nn.state.load_state_dict(model, {name: Tensor(value) for name, value in weights.items()}, verbose=False)
    return model


def training_step(model: Any, optimizer: Any, images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    x, y = Tensor(images).realize(), Tensor(labels).realize()

    @TinyJit
    def compiled() -> Tensor:
        optimizer.zero_grad()
        loss = model(x).sparse_categorical_crossentropy(y).backward()
        return loss.realize(*optimizer.schedule_step())

    def step() -> float:
        with Context(TRAINING=1):
            return float(compiled().item())

    return step


def cnn_step(weights: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    model = load(CNN(), weights)
    return training_step(model, nn.optim.Adam(nn.state.get_parameters(model), lr=1e-3), images, labels)


def cnn_inference(weights: dict[str, np.ndarray], images: np.ndarray) -> Callable[[], np.ndarray]:
    model, x = load(CNN(), weights), Tensor(images).realize()
    infer = TinyJit(lambda: model(x).realize())
    return lambda: infer().numpy()


def mlp_step(weights: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    model = load(MLP(), {f"layers.{name}": value for name, value in weights.items()})
    optimizer = nn.optim.SGD(nn.state.get_parameters(model), lr=0.1, momentum=0.9)
    return training_step(model, optimizer, images, labels)


def chain_gradients(x: Tensor, w: Tensor) -> list[Tensor]:
    """Four ops to a kernel: as a single kernel, which tinygrad would make of all of them, they compile for minutes."""
    y = x
    for _ in range(250):
        y = ((y * w + x).tanh() - w).contiguous()
    gradients = y.sum().gradient(x, w)
    Tensor.realize(*gradients)
    return gradients


def tiny_ops(x: np.ndarray, w: np.ndarray) -> Callable[[], list[np.ndarray]]:
    a, b = Tensor(x).realize(), Tensor(w).realize()
    return lambda: [g.numpy() for g in chain_gradients(a, b)]


def tiny_ops_compiled(x: np.ndarray, w: np.ndarray) -> Callable[[], list[np.ndarray]]:
    a, b = Tensor(x).realize(), Tensor(w).realize()
    compiled = TinyJit(lambda: chain_gradients(a, b))
    return lambda: [g.numpy() for g in compiled()]
