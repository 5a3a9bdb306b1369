"""Average pooling and its adjoint: a sum over windows, axis by axis, and a division.

(After: `pool`. Next: `norm`.)

A sum over a KH x KW window is a sum over KW columns of a sum over KH rows, so both directions are done one
axis at a time: KH + KW additions for each output in place of KH * KW. Averaging is linear, so its derivative
is its adjoint (transpose): what `_sum_windows` gathers from places, `_spread_windows` sends back to them.

What to divide by is PyTorch's rule. With `count_include_pad` the window's size, padding counted, but not what
`ceil_mode` lets hang over beyond the padding; otherwise the number of places inside the image;
`divisor_override` beats both.

Shapes: x (N, C, H, W), y (N, C, H', W'), in C,H,W,N memory order.
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, Pair, batch_first, batch_last, contiguous_batch_last, empty_chwn
from tinytorch.kernels.pool import channel_blocks
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import tap


def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    out_size: Pair,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Mean over windows (`torch.nn.functional.avg_pool2d`). `out_size` is from `pool_output_size`."""
    rows = contiguous_batch_last(x)
    y = empty_chwn((*x.shape[:2], *out_size), x.dtype)
    target = batch_last(y)
    count = _divisor(x.shape[2:], kernel_size, stride, padding, out_size, count_include_pad, divisor_override)
    divisor = count.astype(x.dtype)
    whole = out_size == (1, 1) and padding == (0, 0) and kernel_size == x.shape[2:]

    def pool(block: Pair) -> None:
        part, out = rows[slice(*block)], target[slice(*block)]
        if whole:
            np.add.reduce(part.reshape(len(part), -1, part.shape[3]), axis=1, out=out.reshape(len(part), -1))
        else:
            sums = _sum_windows(part, 1, kernel_size[0], stride[0], padding[0], out_size[0])
            out[...] = _sum_windows(sums, 2, kernel_size[1], stride[1], padding[1], out_size[1])
        out /= divisor

    if y.size:
        run_blocks(pool, channel_blocks(rows), (x.size + y.size * sum(kernel_size)) / 4000)
    return y


def avg_pool2d_input(
    grad: Array,
    input_shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The adjoint of `avg_pool2d`: grad (N, C, H', W') -> `input_shape` (N, C, H, W)."""
    gx = empty_chwn(tuple(input_shape), grad.dtype)
    g, target = contiguous_batch_last(grad), batch_last(gx)
    size, out_size = target.shape[1:3], g.shape[1:3]
    count = _divisor(size, kernel_size, stride, padding, out_size, count_include_pad, divisor_override)
    divisor = count.astype(grad.dtype)
    whole = out_size == (1, 1) and padding == (0, 0) and kernel_size == size

    def spread(block: Pair) -> None:
        part = g[slice(*block)] / divisor
        if whole:
            target[slice(*block)] = part
        else:
            columns = _spread_windows(part, 2, kernel_size[1], stride[1], padding[1], size[1])
            target[slice(*block)] = _spread_windows(columns, 1, kernel_size[0], stride[0], padding[0], size[0])

    if gx.size:
        run_blocks(spread, channel_blocks(target), (gx.size + grad.size * sum(kernel_size)) / 4000)
    return gx


def _divisor(
    size: tuple[int, ...],
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    out: tuple[int, ...],
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """What each window is divided by: (H', W', 1), or (1, 1, 1) when it is the same everywhere."""
    if divisor_override is not None:
        return np.full((1, 1, 1), divisor_override)
    lengths = []
    for extent, k, s, p, count in zip(size, kernel, stride, padding, out, strict=True):
        start = np.arange(count) * s - p
        stop = np.minimum(start + k, extent + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, extent)
        lengths.append(np.maximum(stop - start, 1))  # an empty window's sum is 0 whatever it is divided by
    divisor = lengths[0][:, None, None] * lengths[1][:, None]
    return divisor[:1, :1] if divisor.size and (divisor == divisor[0, 0]).all() else divisor


def _sum_windows(x: Array, axis: int, kernel: int, stride: int, padding: int, out: int) -> Array:
    """Sum over windows along one axis of (C, H, W, N)."""
    shape = list(x.shape)
    shape[axis] = out
    sums = np.zeros(shape, x.dtype)
    for i in range(kernel):
        served, seen = tap(i - padding, stride, out, x.shape[axis])
        sums[_at(axis, served)] += x[_at(axis, seen)]
    return sums


def _spread_windows(g: Array, axis: int, kernel: int, stride: int, padding: int, size: int) -> Array:
    """The adjoint of `_sum_windows`: every place receives the gradients of the windows that saw it."""
    shape = list(g.shape)
    shape[axis] = size
    spread = np.zeros(shape, g.dtype)
    for i in range(kernel):
        served, seen = tap(i - padding, stride, g.shape[axis], size)
        spread[_at(axis, seen)] += g[_at(axis, served)]
    return spread


def _at(axis: int, piece: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (piece,)


def adaptive_windows(size: int, out: int) -> list[Pair]:
    """PyTorch's adaptive windows: output o averages places floor(o size / out) up to ceil((o + 1) size / out).

    >>> adaptive_windows(5, 3)
    [(0, 2), (1, 4), (3, 5)]
    """
    return [(o * size // out, -(-(o + 1) * size // out)) for o in range(out)]


def adaptive_avg_pool2d(x: Array, out_size: Pair) -> Array:
    """Mean over `out_size` windows that cover the image (`torch.nn.functional.adaptive_avg_pool2d`)."""
    h, w = x.shape[2:]
    if out_size[0] and out_size[1] and h % out_size[0] == w % out_size[1] == 0 and h and w:  # ordinary windows
        kernel = (h // out_size[0], w // out_size[1])
        return avg_pool2d(x, kernel, kernel, (0, 0), out_size)
    rows = contiguous_batch_last(x)
    means = np.empty((x.shape[1], out_size[0], w, x.shape[0]), x.dtype)
    for o, (start, stop) in enumerate(adaptive_windows(h, out_size[0])):
        np.mean(rows[:, start:stop], axis=1, out=means[:, o])
    y = np.empty((x.shape[1], *out_size, x.shape[0]), x.dtype)
    for o, (start, stop) in enumerate(adaptive_windows(w, out_size[1])):
        np.mean(means[:, :, start:stop], axis=2, out=y[:, :, o])
    return batch_first(y)


def adaptive_avg_pool2d_input(grad: Array, input_shape: tuple[int, ...]) -> Array:
    """The adjoint of `adaptive_avg_pool2d`: grad (N, C, H', W') -> `input_shape` (N, C, H, W)."""
    (n, c, h, w), (out_h, out_w) = input_shape, grad.shape[2:]
    if out_h and out_w and h % out_h == w % out_w == 0 and h and w:
        kernel = (h // out_h, w // out_w)
        return avg_pool2d_input(grad, tuple(input_shape), kernel, kernel, (0, 0))
    g = contiguous_batch_last(grad)
    columns = np.zeros((c, out_h, w, n), grad.dtype)
    for o, (start, stop) in enumerate(adaptive_windows(w, out_w)):
        columns[:, :, start:stop] += (g[:, :, o] / grad.dtype.type(stop - start))[:, :, None]
    gx = np.zeros((c, h, w, n), grad.dtype)
    for o, (start, stop) in enumerate(adaptive_windows(h, out_h)):
        gx[:, start:stop] += (columns[:, o] / grad.dtype.type(stop - start))[:, None]
    return batch_first(gx)
