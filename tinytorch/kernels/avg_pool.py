"""Average pooling and its adjoint: a sum over windows, axis by axis, and a division.

(After: `pool`. Next: `norm`.)

A sum over a KH x KW window is a sum over KW columns of a sum over KH rows, so it is done one axis at a time:
KH + KW additions for each output in place of KH * KW. Averaging is linear, so its derivative
is its adjoint (transpose): what `_sum_windows` gathers from places, `_spread_windows` sends back to them.

What to divide by is PyTorch's rule. With `count_include_pad` the window's size, padding counted, but not what
`ceil_mode` lets hang over beyond the padding; otherwise the number of places inside the image;
`divisor_override` beats both.

Shapes: x (N, C, H, W), y (N, C, H', W'), in C,H,W,N memory order; any number of dimensions may stand in place of H, W.
"""

from __future__ import annotations

import functools

import numpy as np

from tinytorch.kernels.cache import channel_blocks
from tinytorch.kernels.layout import Array, Pair, batch_first, batch_last, contiguous_batch_last, empty_chwn
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import tap

Sizes = tuple[int, ...]


def avg_pool(
    x: Array,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    out_size: Sizes,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Mean over windows (`torch.nn.functional.avg_pool`). `out_size` is from `pool_output_size`."""
    rows = contiguous_batch_last(x)
    y = empty_chwn((*x.shape[:2], *out_size), x.dtype)
    target = batch_last(y)
    count = _divisor(x.shape[2:], kernel_size, stride, padding, out_size, count_include_pad, divisor_override)
    divisor = count.astype(x.dtype)
    whole = max(out_size) == 1 and max(padding) == 0 and kernel_size == x.shape[2:]

    def pool(block: Pair) -> None:
        part, out = rows[slice(*block)], target[slice(*block)]
        if whole:
            np.add.reduce(part.reshape(len(part), -1, part.shape[-1]), axis=1, out=out.reshape(len(part), -1))
        else:
            for axis, one in enumerate(zip(kernel_size, stride, padding, out_size, strict=True), 1):
                part = _sum_windows(part, axis, *one)
            out[...] = part
        out /= divisor

    if y.size:
        run_blocks(pool, channel_blocks(rows), (x.size + y.size * sum(kernel_size)) / 4000)
    return y


def avg_pool_input(
    grad: Array,
    input_shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The adjoint of `avg_pool`: grad (N, C, H', W') -> `input_shape` (N, C, H, W)."""
    gx = empty_chwn(tuple(input_shape), grad.dtype)
    g, target = contiguous_batch_last(grad), batch_last(gx)
    size, out_size = target.shape[1:-1], g.shape[1:-1]
    count = _divisor(size, kernel_size, stride, padding, out_size, count_include_pad, divisor_override)
    divisor = count.astype(grad.dtype)
    whole = max(out_size) == 1 and max(padding) == 0 and kernel_size == size

    def spread(block: Pair) -> None:
        part = g[slice(*block)] / divisor
        if not whole:
            for axis in range(len(size), 0, -1):
                one = kernel_size[axis - 1], stride[axis - 1], padding[axis - 1], size[axis - 1]
                part = _spread_windows(part, axis, *one)
        target[slice(*block)] = part

    if gx.size:
        run_blocks(spread, channel_blocks(target), (gx.size + grad.size * sum(kernel_size)) / 4000)
    return gx


@functools.lru_cache(maxsize=256)
def _divisor(
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    out: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """What each window is divided by: (H', W', 1), or one number when it is the same everywhere."""
    if divisor_override is not None:
        return np.asarray(divisor_override)
    lengths = []
    for extent, k, s, p, count in zip(size, kernel, stride, padding, out, strict=True):
        start = np.arange(count) * s - p
        stop = np.minimum(start + k, extent + p)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, extent)
        lengths.append(np.maximum(stop - start, 1))  # an empty window's sum is 0 whatever it is divided by
    divisor = functools.reduce(np.multiply.outer, lengths)
    return divisor.flat[0] if divisor.size and (divisor == divisor.flat[0]).all() else divisor[..., None]


def _sum_windows(x: Array, axis: int, kernel: int, stride: int, padding: int, out: int) -> Array:
    """Sum over windows along one axis of (C, ..., N)."""
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


def adaptive_avg_pool(x: Array, out_size: Sizes) -> Array:
    """Mean over `out_size` windows that cover the image (`torch.nn.functional.adaptive_avg_pool2d`)."""
    size = x.shape[2:]
    if _divides(size, out_size):  # ordinary windows
        kernel = tuple(n // out for n, out in zip(size, out_size, strict=True))
        return avg_pool(x, kernel, kernel, (0,) * len(size), out_size)
    y = contiguous_batch_last(x)
    for axis, (n, out) in enumerate(zip(size, out_size, strict=True), 1):
        means = np.empty((*y.shape[:axis], out, *y.shape[axis + 1 :]), x.dtype)
        for o, (start, stop) in enumerate(adaptive_windows(n, out)):
            np.mean(y[_at(axis, slice(start, stop))], axis=axis, keepdims=True, out=means[_at(axis, slice(o, o + 1))])
        y = means
    return batch_first(y)


def adaptive_avg_pool_input(grad: Array, input_shape: Sizes) -> Array:
    """The adjoint of `adaptive_avg_pool`: grad (N, C, H', W') -> `input_shape` (N, C, H, W)."""
    size, out_size = input_shape[2:], grad.shape[2:]
    if _divides(size, out_size):
        kernel = tuple(n // out for n, out in zip(size, out_size, strict=True))
        return avg_pool_input(grad, tuple(input_shape), kernel, kernel, (0,) * len(size))
    g = contiguous_batch_last(grad)
    for axis in range(len(size), 0, -1):
        spread = np.zeros((*g.shape[:axis], size[axis - 1], *g.shape[axis + 1 :]), grad.dtype)
        for o, (start, stop) in enumerate(adaptive_windows(size[axis - 1], out_size[axis - 1])):
            spread[_at(axis, slice(start, stop))] += g[_at(axis, slice(o, o + 1))] / grad.dtype.type(stop - start)
        g = spread
    return batch_first(g)


def _divides(size: Sizes, out: Sizes) -> bool:
    return all(o and n and n % o == 0 for n, o in zip(size, out, strict=True))
