"""The benchmarks in HIPS autograd: the MLP and the tiny ops. (It has no convolution that one would train with.)"""

from __future__ import annotations

from collections.abc import Callable

import autograd
import autograd.numpy as anp
import numpy as np

__all__ = ["mlp_step", "tiny_ops"]


def mlp_step(weights: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    weights = {name: value.copy() for name, value in weights.items()}
    velocity = {name: np.zeros_like(value) for name, value in weights.items()}

    def loss(w: dict[str, np.ndarray]) -> np.ndarray:
        x = images
        for layer in ("0", "2", "4"):
            x = anp.dot(x, w[f"{layer}.weight"].T) + w[f"{layer}.bias"]
            if layer != "4":
                x = x * (x > 0)  # of anp.maximum, the gradient is float64
        x = x - anp.max(x, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(x), axis=1)) - x[np.arange(len(labels)), labels])

    value_and_gradient = autograd.value_and_grad(loss)

    def step() -> float:
        value, gradient = value_and_gradient(weights)
        for name, g in gradient.items():  # SGD
            velocity[name] *= 0.9
            velocity[name] += g
            weights[name] -= 0.1 * velocity[name]
        return float(value)

    return step


def tiny_ops(x: np.ndarray, w: np.ndarray) -> Callable[[], list[np.ndarray]]:
    def chain(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        y = x
        for _ in range(250):
            y = anp.tanh(y * w + x) - w
        return anp.sum(y)

    gradient = autograd.grad(chain, (0, 1))
    return lambda: list(gradient(x, w))
