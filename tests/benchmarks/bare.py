"""Layers and steps, forward and backward, as NumPy calls and nothing else: the least that NumPy takes (see `limits`).

Each function makes its arrays, results included, and returns the calls as one function. Inputs, the gradient that is sent
back, and results are those of the benchmark's cases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.layers import normal

__all__ = ["Run", "batch_norm", "batch_norm_images", "convolution", "depthwise", "mlp_step", "relu", "tiny_ops"]

Run = Callable[[], Any]
IMAGE = (64, 20, 28, 28)


def sent_back(*shape: int) -> np.ndarray:
    """The gradient of the result that `layers.forward_backward` sends back."""
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def like(x: np.ndarray, count: int) -> list[np.ndarray]:
    return [np.empty_like(x) for _ in range(count)]


def relu() -> Run:
    """max(x, 0); g where the result is not 0: as bits, times 0 or 1 (`kernels.masks`). In pieces for the cache."""
    (x,), g = normal((20, 50176))(), sent_back(20, 50176)  # 64x20x28x28 numbers
    zeros, mask = np.zeros(50176, np.float32), np.empty(x.shape, bool)
    y, gx = like(x, 2)
    bits, g_bits, mask_bytes = gx.view(np.int32), g.view(np.int32), mask.view(np.int8)
    pieces = [slice(start, start + 5) for start in range(0, 20, 5)]

    def run() -> Any:
        np.maximum(x, zeros, out=y)
        for piece in pieces:
            np.not_equal(y[piece], 0, out=mask[piece])
            np.copyto(bits[piece], mask_bytes[piece])
            np.multiply(bits[piece], g_bits[piece], out=bits[piece])
        return [gx.reshape(IMAGE)]

    return run


def batch_norm(n: int, c: int) -> Run:
    """y = (x - mean) / sqrt(var + eps) · w + b, and with xhat = (x - mean) / sqrt(var + eps):
    gx = w / sqrt(var + eps) · (g - mean(g) - xhat · mean(g · xhat)).
    """
    (x, w, b), g = normal((n, c), (c,), (c,))(), sent_back(n, c)
    xhat, y, h, gx = like(x, 4)

    def run() -> Any:
        np.subtract(x, np.add.reduce(x, 0) / n, out=xhat)
        np.multiply(xhat, xhat, out=h)
        invstd = 1 / np.sqrt(np.add.reduce(h, 0) / n + 1e-5)
        np.multiply(xhat, invstd, out=xhat)
        np.multiply(xhat, w, out=y)
        np.add(y, b, out=y)
        np.multiply(g, xhat, out=h)
        gw, gb = np.add.reduce(h, 0), np.add.reduce(g, 0)
        np.multiply(xhat, gw / n, out=h)
        np.subtract(g, h, out=gx)
        np.subtract(gx, gb / n, out=gx)
        np.multiply(gx, w * invstd, out=gx)
        return [gx, gw, gb]

    return run


def batch_norm_images(n: int, c: int, size: int) -> Run:
    """The same, a channel's pixels in a row; some channels after the other, so that their numbers stay in the cache."""
    x, w, b = normal((n, c, size, size), (c,), (c,))()
    x, g = (np.ascontiguousarray(a.transpose(1, 2, 3, 0)).reshape(c, -1) for a in (x, sent_back(n, c, size, size)))
    count, piece = x.shape[1], 5
    gx, xhat = like(x, 2)
    y, h = (np.empty((piece, count), np.float32) for _ in range(2))
    gw, gb = np.empty(c, np.float32), np.empty(c, np.float32)

    def run() -> Any:
        for part in (slice(start, start + piece) for start in range(0, c, piece)):
            mean = np.add.reduce(x[part], 1, keepdims=True) / count
            variance = np.vecdot(x[part], x[part])[:, None] / count - mean * mean
            invstd = 1 / np.sqrt(variance + 1e-5)
            np.subtract(x[part], mean, out=xhat[part])
            np.multiply(xhat[part], invstd * w[part, None], out=y)
            np.add(y, b[part, None], out=y)
        for part in (slice(start, start + piece) for start in range(0, c, piece)):
            variance = np.vecdot(xhat[part], xhat[part]) / count
            invstd = 1 / np.sqrt(variance + 1e-5)
            gw[part], gb[part] = np.vecdot(g[part], xhat[part]) * invstd, np.add.reduce(g[part], 1)
            scale = (w[part] * invstd)[:, None]
            np.multiply(xhat[part], (gw[part] * invstd / count)[:, None], out=h)
            np.subtract(g[part], h, out=gx[part])
            np.subtract(gx[part], gb[part, None] / count, out=gx[part])
            np.multiply(gx[part], scale, out=gx[part])
        return [gx.reshape(c, size, size, n).transpose(3, 0, 1, 2), gw, gb]

    return run


def columns(x: np.ndarray, k: int, padding: int) -> np.ndarray:
    """The windows of images (N,C,H,W) as columns: (C · k · k, N · out · out)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3)).transpose(1, 4, 5, 0, 2, 3)
    return np.ascontiguousarray(windows).reshape(windows.shape[0] * k * k, -1)


def convolution(n: int, c: int, o: int, size: int, k: int, padding: int) -> Run:
    """Three products; the columns of the input and of the gradient are there already."""
    x, w, b = normal((n, c, size, size), (o, c, k, k), (o,))()
    out = size + 2 * padding - k + 1
    g = sent_back(n, o, out, out)
    x_columns, g_columns = columns(x, k, padding), columns(g, k, k - 1 - padding)
    rows = np.ascontiguousarray(g.transpose(1, 0, 2, 3)).reshape(o, -1)
    flat = w.reshape(o, -1)
    turned = np.ascontiguousarray(w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)).reshape(c, -1)
    y, gx = np.empty((o, rows.shape[1]), np.float32), np.empty((c, g_columns.shape[1]), np.float32)
    gw = np.empty_like(flat)

    def run() -> Any:
        np.matmul(flat, x_columns, out=y)
        np.add(y, b[:, None], out=y)
        np.matmul(turned, g_columns, out=gx)
        np.matmul(rows, x_columns.T, out=gw)
        return [gx.reshape(c, n, size, size).transpose(1, 0, 2, 3), gw.reshape(w.shape), np.add.reduce(rows, 1)]

    return run


def depthwise(n: int, c: int, size: int) -> Run:
    """3x3, padding 1: a channel's pixels shifted to columns, and a band matrix times four rows' (`kernels.conv_bands`).

    In pieces for the cache. Beforehand: images and gradients in the order C,H,W,N, and the zeros around them.
    """
    x, w, b = normal((n, c, size, size), (c, 1, 3, 3), (c,))()
    rows, piece = 4, 16
    x, g = (np.ascontiguousarray(a.transpose(1, 2, 3, 0)) for a in (x, sent_back(n, c, size, size)))
    x_rows = x.reshape(c, size // rows, rows, size * n)
    y, gx = like(x_rows, 2)
    shifted = np.zeros((piece, size + 2, 3, size, n), np.float32)
    channel, line, _, item = shifted.reshape(piece, size + 2, 3, -1).strides
    shape, step = (piece, size // rows, (rows + 2) * 3, size * n), shifted.strides[2]
    columns = np.ndarray(shape, np.float32, shifted, 0, (channel, rows * line, step, item))
    gw = np.empty((c, 3, 3), np.float32)

    def shift(images: np.ndarray) -> None:
        inside = shifted[:, 1:-1]
        inside[:, :, 0, 1:] = images[:, :, :-1]
        inside[:, :, 1] = images
        inside[:, :, 2, :-1] = images[:, :, 1:]

    def bands(taps: np.ndarray) -> np.ndarray:
        matrices = np.zeros((c, 1, rows, rows + 2, 3), np.float32)
        for row in range(rows):
            matrices[:, 0, row, row : row + 3] = taps
        return matrices.reshape(c, 1, rows, -1)

    def run() -> Any:
        forward, backward = bands(w[:, 0]), bands(w[:, 0, ::-1, ::-1])
        for start in range(0, c, piece):
            part = slice(start, start + piece)
            shift(x[part])
            np.matmul(forward[part], columns, out=y[part])
            np.add(y[part], b[part, None, None, None], out=y[part])
            shift(g[part])
            np.matmul(backward[part], columns, out=gx[part])
            sums = np.matmul(x_rows[part], columns.swapaxes(2, 3)).sum(1).reshape(piece, rows, rows + 2, 3)
            gw[part] = sum(sums[:, row, row : row + 3] for row in range(rows))[:, ::-1, ::-1]
        return [gx.reshape(c, size, size, n).transpose(3, 0, 1, 2), gw[:, None], np.add.reduce(g, (1, 2, 3))]

    return run


def mlp_step() -> Run:
    """Three layers forward, five products backward, and the step of SGD with momentum, in place."""
    import torch

    from tests.benchmarks.training import images, labels, mlp

    layers = [layer for layer in mlp(torch) if isinstance(layer, torch.nn.Linear)]
    weights = [layer.weight.detach().numpy().copy() for layer in layers]
    biases = [layer.bias.detach().numpy().copy() for layer in layers]
    x, targets = images(torch, 128).reshape(128, 784).numpy(), labels(torch, 128).numpy()
    momentum = [np.zeros_like(p) for p in (*weights, *biases)]
    samples = np.arange(128)

    def run() -> float:
        inputs = [x]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = inputs[-1] @ w.T
            h += b
            inputs.append(np.maximum(h, 0, out=h))
        scores = inputs[-1] @ weights[-1].T + biases[-1]
        scores -= scores.max(1, keepdims=True)
        sums = np.exp(scores).sum(1, keepdims=True)
        loss = float(np.mean(np.log(sums[:, 0]) - scores[samples, targets]))
        g = np.exp(scores) / sums
        g[samples, targets] -= 1
        g /= 128
        gw: list[np.ndarray] = []
        gb: list[np.ndarray] = []
        for w, h in zip(weights[::-1], inputs[::-1], strict=True):
            gw.insert(0, g.T @ h)
            gb.insert(0, g.sum(0))
            if h is not x:
                g = g @ w
                g *= h > 0
        for p, m, gradient in zip((*weights, *biases), momentum, (*gw, *gb), strict=True):
            m *= 0.9
            m += gradient
            gradient[...] = m
            gradient *= 0.1
            p -= gradient
        return loss

    return run


def tiny_ops() -> Run:
    """`overhead.tiny_ops` and its derivatives by hand, every result a new array of four numbers."""
    x, w = np.array([[0.5, -0.3, 0.2, 0.1], [1.01, 0.99, 1.0, 1.02]], np.float32)

    def run() -> Any:
        y, kept = x, []
        for _ in range(250):
            t = np.tanh(np.add(np.multiply(y, w), x))
            kept.append((y, t))
            y = np.subtract(t, w)
        y.sum()
        g = np.ones_like(y)
        gx, gw = np.zeros_like(x), np.zeros_like(w)
        for y, t in reversed(kept):
            gw = np.subtract(gw, g)
            g = np.multiply(g, np.subtract(1, np.multiply(t, t)))
            gx = np.add(gx, g)
            gw = np.add(gw, np.multiply(g, y))
            g = np.multiply(g, w)
        return [np.add(gx, g), gw]

    return run
