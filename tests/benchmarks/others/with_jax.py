"""The benchmarks in JAX: steps are functions of the weights, compiled as a whole by jax.jit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["cnn_inference", "cnn_step", "mlp_step", "tiny_ops", "tiny_ops_compiled"]

Weights = dict[str, jax.Array]
BLOCKS = {"block1": (0, 3, 6), "block2": (0, 3, 6), "conv1": (0,), "conv2": (0,), "conv3": (0,)}
"""Where the convolutions of the CNN stand in its Sequentials; each is followed by its batch norm."""


def cnn_weights(weights: dict[str, np.ndarray]) -> tuple[Weights, Weights]:
    """PyTorch's weights as (parameters, running statistics); filters in the order that XLA prefers: H,W,in,out."""
    filters_last = {
        name: jnp.asarray(value.transpose(2, 3, 1, 0) if value.ndim == 4 else value) for name, value in weights.items()
    }
    statistics = {name: value for name, value in filters_last.items() if "running" in name}
    return {name: value for name, value in filters_last.items() if name.endswith((".weight", ".bias"))}, statistics


def convolution(x: jax.Array, w: Weights, name: str, padding: int) -> jax.Array:
    pads = [(padding, padding)] * 2
    return lax.conv_general_dilated(
        x, w[f"{name}.weight"], (1, 1), pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
    ) + w[f"{name}.bias"]  # fmt: skip


def batch_norm(x: jax.Array, w: Weights, stats: Weights, name: str, training: bool) -> tuple[jax.Array, Weights]:
    """The result, and the new running statistics."""
    names = f"{name}.running_mean", f"{name}.running_var"
    mean, var = (stats[n] for n in names)
    if training:
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        n = x.size / x.shape[-1]
        stats = {**stats, names[0]: 0.9 * stats[names[0]] + 0.1 * mean}
        stats[names[1]] = 0.9 * stats[names[1]] + 0.1 * var * (n / (n - 1))
    return (x - mean) * (w[f"{name}.weight"] * lax.rsqrt(var + 1e-5)) + w[f"{name}.bias"], stats


def max_pool(x: jax.Array) -> jax.Array:
    """Of 2 x 2 windows. (lax.reduce_window has a slower gradient: the step takes 15 % longer with it.)"""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def cnn(w: Weights, stats: Weights, x: jax.Array, training: bool) -> tuple[jax.Array, Weights]:
    """examples/cnn_example.py on images in N,H,W,C."""
    for block, places in BLOCKS.items():
        for i in places:
            x = convolution(x, w, f"{block}.{i}", padding=int(len(places) > 1))
            x, stats = batch_norm(x, w, stats, f"{block}.{i + 1}", training)
            x = jax.nn.relu(x)
        if len(places) > 1:
            x = max_pool(x)
    return x.mean((1, 2)) @ w["fc1.weight"].T + w["fc1.bias"], stats


def mlp(w: Weights, x: jax.Array) -> jax.Array:
    for layer in ("0", "2"):
        x = jax.nn.relu(x @ w[f"{layer}.weight"].T + w[f"{layer}.bias"])
    return x @ w["4.weight"].T + w["4.bias"]


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()


def cnn_step(weights: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """Forward, backward, Adam."""
    w, stats = cnn_weights(weights)
    x, y = jnp.asarray(images.transpose(0, 2, 3, 1)), jnp.asarray(labels)
    zeros = jax.tree.map(jnp.zeros_like, w)
    state = w, stats, zeros, jax.tree.map(jnp.zeros_like, w), jnp.zeros(())

    def loss(w: Weights, stats: Weights, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Weights]:
        logits, stats = cnn(w, stats, x, training=True)
        return cross_entropy(logits, y), stats

    @partial(jax.jit, donate_argnums=0)
    def update(state: tuple, x: jax.Array, y: jax.Array) -> tuple[tuple, jax.Array]:
        w, stats, first, second, t = state
        (value, stats), g = jax.value_and_grad(loss, has_aux=True)(w, stats, x, y)
        t = t + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, g)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, g)
        rate, correction = 1e-3 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        w = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * correction) + 1e-8), w, first, second)
        return (w, stats, first, second, t), value

    def step() -> float:
        nonlocal state
        state, value = update(state, x, y)
        return float(value)

    return step


def cnn_inference(weights: dict[str, np.ndarray], images: np.ndarray) -> Callable[[], np.ndarray]:
    w, stats = cnn_weights(weights)
    x = jnp.asarray(images.transpose(0, 2, 3, 1))
    infer = jax.jit(lambda w, stats, x: cnn(w, stats, x, training=False)[0])
    return lambda: np.asarray(infer(w, stats, x))


def mlp_step(weights: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """Forward, backward, SGD with momentum."""
    w: Weights = {name: jnp.asarray(value) for name, value in weights.items()}
    x, y = jnp.asarray(images), jnp.asarray(labels)
    state = w, jax.tree.map(jnp.zeros_like, w)

    @partial(jax.jit, donate_argnums=0)
    def update(state: tuple, x: jax.Array, y: jax.Array) -> tuple[tuple, jax.Array]:
        w, velocity = state
        value, g = jax.value_and_grad(lambda w: cross_entropy(mlp(w, x), y))(w)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, g)
        return (jax.tree.map(lambda p, v: p - 0.1 * v, w, velocity), velocity), value

    def step() -> float:
        nonlocal state
        state, value = update(state, x, y)
        return float(value)

    return step


def chain(x: jax.Array, w: jax.Array) -> jax.Array:
    y = x
    for _ in range(250):
        y = jnp.tanh(y * w + x) - w
    return y.sum()


def tiny_ops(x: np.ndarray, w: np.ndarray) -> Callable[[], list[jax.Array]]:
    gradient = jax.grad(chain, argnums=(0, 1))
    arrays = jnp.asarray(x), jnp.asarray(w)
    return lambda: list(jax.block_until_ready(gradient(*arrays)))


def tiny_ops_compiled(x: np.ndarray, w: np.ndarray) -> Callable[[], list[jax.Array]]:
    gradient = jax.jit(jax.grad(chain, argnums=(0, 1)))
    arrays = jnp.asarray(x), jnp.asarray(w)
    return lambda: list(jax.block_until_ready(gradient(*arrays)))
