"""Convolutions of groups of few channels, forward and backward, by bands of image rows.

(After: `conv_bands`. Next: `conv`.)

`Bands` computes one sliding sum of products. A convolution's three are made of it: the forward; the gradient for the
input, which slides the other way, and with a stride is a sum of its own for each remainder of the columns; and the
gradient for the weight. Backward needs both gradients, and both the same columns of the output's gradient (stride 1):

    gx[i] = sum over k of w[k] * g[i + padding - k]          gw[k] = sum over i of x[i] * g[i + padding - k]

So they are gathered once, and those of x not at all. Images that come row-major are read and written as they lie
(`conv_rows`).

Measured by ``python -m tests.benchmarks --only depthwise groups --no-processes``, forward and backward of row-major
images, milliseconds on one thread and on two; and with each gradient by itself, on copies in C,H,W,N order::

    64 channels at 28x28, 3x3, 16 images              3.6   2.6      (5.2   4.1)
    32 channels at 112x112, 3x3, stride 2, 2 images   2.3   2.1      (3.2   2.9)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinytorch.kernels.conv_bands import Bands, Steps, bands_for
from tinytorch.kernels.conv_rows import empty_images, image_rows, is_row_major
from tinytorch.kernels.layout import Array, Pair
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import taps_of_remainder


def bands_pay(channels: int, out_channels: int, kernel: Pair) -> bool:
    """Whether `Bands.correlate` is the faster way, for so many channels in each group."""
    return channels <= 4 and channels * out_channels <= 20 and kernel != (1, 1)


def weight_bands_pay(channels: int, out_channels: int, kernel: Pair) -> bool:
    """The same for `Bands.weight_gradient`."""
    return (channels * out_channels <= 100 or out_channels <= 4) and kernel != (1, 1)


def in_place(images: Array, channels: int, out_channels: int, kernel: Any) -> bool:
    """Whether these are row-major images that are best read as they lie, for so many channels in each group.

    Each kernel column copies them, W numbers at a time, which takes as long as 14 numbers in a long run.
    """
    both = bands_pay(channels, out_channels, kernel) and bands_pay(out_channels, channels, kernel)
    return both and images.shape[3] >= 4 * kernel[1] and is_row_major(images)


def convolve(
    x: Array, weight: Array, bias: Array | None, shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair
) -> Array | None:
    """The convolution of x (N, C, H, W) with weight by group (G, O, C, KH, KW) to `shape`; None if it is not finite."""
    groups, out_channels, channels = weight.shape[:3]
    kernel: Any = weight.shape[3:]
    row_major = in_place(x, channels, out_channels, kernel)
    y, rows = empty_images(shape, x.dtype, row_major), image_rows(x, groups, row_major)
    steps = [Steps(s, -p, d) for s, p, d in zip(stride, padding, dilation, strict=True)]
    bands = bands_for(rows.shape, out_channels, kernel, shape[2:], *steps)
    return y if bands.correlate(rows, weight, bias, image_rows(y, groups, row_major)) else None


def weight_gradient(
    x: Array, grad: Array, weight_shape: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The gradient for a weight (O, C // groups, KH, KW)."""
    channels, out_channels, kernel = weight_shape[1], weight_shape[0] // groups, weight_shape[2:]
    row_major = all(in_place(images, channels, out_channels, kernel) for images in (x, grad))
    rows, gradients = (image_rows(images, groups, row_major) for images in (x, grad))
    steps = [Steps(s, -p, d) for s, p, d in zip(stride, padding, dilation, strict=True)]
    bands = bands_for(rows.shape, out_channels, kernel, grad.shape[2:], *steps)
    return bands.weight_gradient(rows, gradients).reshape(weight_shape)


def input_gradient(
    grad: Array, weight: Array, bias: Array | None, shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair
) -> Array | None:
    """The gradient for the input of `shape`, for weight (G, C, O, KH, KW); None if it is not finite."""
    _, channels, out_channels, *kernel = weight.shape
    row_major = in_place(grad, channels, out_channels, tuple(kernel))
    gx = empty_images(shape, grad.dtype, row_major)
    rows, target = (image_rows(images, len(weight), row_major) for images in (grad, gx))
    finite: list[bool] = []

    def send(part: _Part) -> None:
        to = target[..., part.columns, :]
        if part.bands is None:
            to[...] = 0 if bias is None else bias.reshape(len(to), -1, 1, 1, 1, 1)
        else:
            finite.append(part.bands.correlate(rows, weight[..., part.taps], bias, to))

    _run(send, _parts(rows, weight, target, stride, padding, dilation))
    return gx if all(finite) else None


def both_gradients(
    x: Array, grad: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[Array, Array] | None:
    """`input_gradient` and `weight_gradient` (O, C // groups, KH, KW); None if one of them is not finite."""
    groups, channels, out_channels, *kernel = weight.shape
    row_major = all(in_place(images, channels, out_channels, tuple(kernel)) for images in (x, grad))
    gx = empty_images(x.shape, grad.dtype, row_major)
    images, rows, target = (image_rows(a, groups, row_major) for a in (x, grad, gx))
    gw = np.zeros(weight.shape, weight.dtype)
    finite: list[bool] = []

    def send(part: _Part) -> None:
        to = target[..., part.columns, :]
        if part.bands is None:
            to[...] = 0
            return
        pairs = part.bands.correlate_and_pair(rows, weight[..., part.taps], to, images[..., part.columns, :])
        finite.append(pairs is not None)
        if pairs is not None:
            gw[..., part.taps] = pairs

    _run(send, _parts(rows, weight, target, stride, padding, dilation))
    return (gx, gw.swapaxes(1, 2).reshape(groups * out_channels, channels, *kernel)) if all(finite) else None


class _Part(NamedTuple):
    """The columns of the input with one remainder modulo the stride; the kernel columns that reach them, and what sends
    the output's gradient there (None if there are none). Rows of all remainders go together."""

    columns: slice
    taps: slice
    bands: Bands | None


def _parts(g: Array, weight: Array, target: Array, stride: Pair, padding: Pair, dilation: Pair) -> list[_Part]:
    kernel_h, kernel_w = weight.shape[3:]
    down = Steps(1, padding[0], -dilation[0], stride[0])
    parts = []
    for b in range(min(stride[1], target.shape[4])):
        taps, first, step = taps_of_remainder(b, kernel_w, stride[1], padding[1], dilation[1])
        columns = slice(b, None, stride[1])
        many, (_, channels, height, _, width, _) = len(range(*taps.indices(kernel_w))), target[..., columns, :].shape
        right = Steps(1, first, step)
        bands = bands_for(g.shape, channels, (kernel_h, many), (height, width), down, right) if many else None
        parts.append(_Part(columns, taps, bands))
    return parts


def _run(send: Callable[[_Part], None], parts: list[_Part]) -> None:
    """All parts, side by side; a single one is shared among the threads by itself."""
    run_blocks(send, parts, 2 * sum(part.bands.microseconds for part in parts if part.bands is not None))
