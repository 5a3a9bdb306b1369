"""Convolutions of few pixels: im2col in the weights' own order, one matrix product, and nothing else.

(After: `conv_reference`. Next: `conv`.)

With W the weights as they lie in memory, (O, C * KH * KW), and gy the gradient, (O, pixels), one copy lays out all
patches of the images as columns, (C * KH * KW, pixels), and

    y = W @ columns(x)         gW = gy @ columns(x)ᵀ         gx = Wᵀ @ gy, each row added to the pixels it came from

The fast kernels do better than that where there are many pixels: they choose an algorithm, cut blocks for the cache,
and bring the weights to the order that suits the blocks. Two kinds of layers have too few pixels for it to pay:

*Little to do*. To choose and to cut takes a hundred microseconds, in which a processor multiplies ten million numbers.

*More weights than pixels*. The deepest layers of a network have images of a few pixels and hundreds of channels: 512 to
512 channels are nine megabytes of weights, and to bring them to another order takes longer than the product. (And a
kernel as large as the image, which has one output pixel: 256 to 512 channels, 4x4, 64 images took 45 ms instead of 12.)

Forward and both gradients of 3x3 kernels, one thread, in milliseconds
(``python -m tests.benchmarks.bench_kernels --only "small conv" --threads 1``)::

     channels   size   images     here   the fast kernels   PyTorch
        1->2     6x6        1     0.05               0.18      0.03
      16->16     8x8        1     0.09               0.19      0.06
        4->8   10x10        8     0.12               0.28      0.23
    512->512     4x4        4     12.5               21.2      12.0
    512->512     4x4       16     41.0               61.6      33.0
    256->256     8x8        8     21.5               19.4      16.2

(Two threads need 11 for the last, and by the fast kernels 18: its tiles make one block.)
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.layout import (
    Array,
    Pair,
    batch_first,
    batch_last,
    contiguous_batch_last,
    copy_pixels,
    empty_chwn,
)
from tinytorch.kernels.memory import empty
from tinytorch.kernels.products import matmul

SMALL = 40_000
"""Numbers in the columns, up to which this is the faster way."""
SMALL_SPREAD = 12_000
"""For the gradient of the input, each row of which is added by a call of its own; with a stride, `SMALL` is right."""
HEAVY = 1 << 16
"""Weights that are worth not moving."""


def is_small(weight_shape: tuple[int, ...], pixels: int, groups: int) -> bool:
    """Whether this file is the faster way; `pixels` are those of a channel of the outputs, of all images together."""
    return groups * math.prod(weight_shape[1:]) * pixels <= SMALL or _few_pixels(weight_shape, pixels, groups)


def spread_is_small(weight_shape: tuple[int, ...], pixels: int, groups: int, stride: tuple[int, ...]) -> bool:
    """The same for `input_gradient`."""
    limit = SMALL_SPREAD if max(stride) == 1 else SMALL
    return groups * math.prod(weight_shape[1:]) * pixels <= limit or _few_pixels(weight_shape, pixels, groups)


def _few_pixels(weight_shape: tuple[int, ...], pixels: int, groups: int) -> bool:
    """More weights than pixels. (A kernel of one tap has its weights in the right order as they are.)"""
    many = groups == 1 and math.prod(weight_shape) >= HEAVY and math.prod(weight_shape[2:]) > 1
    return many and pixels <= 2 * weight_shape[0]


def convolve(
    x: Array, weight: Array, bias: Array | None, out_size: Pair, stride: Pair, padding: Pair, dilation: Pair,
    groups: int,
) -> Array:  # fmt: skip
    """`conv.conv2d`."""
    columns = _columns(x, weight.shape[2:], out_size, stride, padding, dilation, groups)
    y = empty_chwn((len(x), len(weight), *out_size), x.dtype)
    matmul(_by_group(weight, groups), columns, _by_group(batch_last(y), groups))
    if bias is not None:
        y += bias.reshape(-1, 1, 1)
    return y


def weight_gradient(
    x: Array, grad: Array, weight_shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """`conv.conv2d_weight`."""
    columns = _columns(x, weight_shape[2:], grad.shape[2:], stride, padding, dilation, groups)
    rows = _by_group(contiguous_batch_last(grad), groups)
    return matmul(rows, columns.swapaxes(-1, -2)).reshape(weight_shape)


def input_gradient(
    grad: Array, weight: Array, input_shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair, groups: int,
    bias: Array | None = None,
) -> Array:  # fmt: skip
    """`conv.conv2d_input`."""
    n, channels, h, w = input_shape
    (kh, kw), (out_h, out_w) = weight.shape[2:], grad.shape[2:]
    rows = _by_group(contiguous_batch_last(grad), groups)
    products = matmul(_by_group(weight, groups).swapaxes(-1, -2), rows).reshape(channels, kh, kw, out_h, out_w, n)
    lines = max(padding[0] + h, (kh - 1) * dilation[0] + (out_h - 1) * stride[0] + 1)
    columns = max(padding[1] + w, (kw - 1) * dilation[1] + (out_w - 1) * stride[1] + 1)
    padded = np.zeros((channels, lines, columns, n), grad.dtype)
    for i in range(kh):
        top = i * dilation[0]
        down = padded[:, top : top + (out_h - 1) * stride[0] + 1 : stride[0]]
        for j in range(kw):
            left = j * dilation[1]
            seen = down[:, :, left : left + (out_w - 1) * stride[1] + 1 : stride[1]]
            seen += products[:, i, j]
    inside = padded[:, padding[0] : padding[0] + h, padding[1] : padding[1] + w]
    if bias is not None:
        inside += bias.reshape(-1, 1, 1, 1)
    return batch_first(np.ascontiguousarray(inside))


def _by_group(a: Array, groups: int) -> Array:
    """(G * A, B...) to (G, A, B), or (A, B) if there is one group: a matrix, whose product threads may share."""
    size = math.prod(a.shape[1:])
    return a.reshape(len(a), size) if groups == 1 else a.reshape(groups, len(a) // groups, size)


def _columns(
    x: Array,
    kernel: tuple[int, ...],
    out_size: tuple[int, ...],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Array:
    """(N, C, H, W) to (G, C / G * KH * KW, H' * W' * N), without G if that is 1: the patches, each as a column."""
    rows = contiguous_batch_last(x)
    c, h, w, n = rows.shape
    if padding != (0, 0):
        padded = np.zeros((c, h + 2 * padding[0], w + 2 * padding[1], n), x.dtype)
        padded[:, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = rows
        rows = padded
    channel, row, pixel, image = rows.strides
    strides = (channel, row * dilation[0], pixel * dilation[1], row * stride[0], pixel * stride[1], image)
    patches: Array = np.ndarray((c, *kernel, *out_size, n), x.dtype, rows, 0, strides)
    columns = empty(patches.shape, x.dtype)
    copy_pixels(columns, patches)
    rows_of_columns = c * math.prod(kernel), math.prod(out_size) * n
    return _by_group(columns.reshape(rows_of_columns), groups)
