"""Convolutions so small that the calls cost more than the arithmetic: im2col, and nothing else.

(After: `conv_reference`. Next: `conv`.)

The fast kernels choose an algorithm, cut blocks, look for threads. That takes a hundred microseconds, in which a
processor multiplies ten million numbers. Where the columns are few (`SMALL`) this file is faster: one copy lays out all
patches as columns, by group; one product with the weights is the convolution; one with the gradient, the gradient for
the weights. The gradient for the input is the product with the transposed weights, each row of which is added back to
the pixels that it came from.

Forward and both gradients of 3x3 kernels, one thread, in microseconds
(``python -m tests.benchmarks.bench_kernels --only "small conv" --threads 1``)::

    channels   size   images     here   the fast kernels   PyTorch
       1->2     6x6        1       38                185        24
     16->16     8x8        1       87                194        56
       4->8   10x10        8      151                277       248
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.layout import Array, Pair

SMALL = 40_000
"""Numbers in the columns, up to which this is the faster way."""
SMALL_SPREAD = 12_000
"""For the gradient of the input, each row of which is added by a call of its own; with a stride, `SMALL` is right."""


def is_small(weight_shape: tuple[int, ...], pixels: int, groups: int) -> bool:
    """Whether this file is the faster way; `pixels` are those of a channel of the outputs, of all images together."""
    return groups * math.prod(weight_shape[1:]) * pixels <= SMALL


def spread_is_small(weight_shape: tuple[int, ...], pixels: int, groups: int, stride: tuple[int, ...]) -> bool:
    """The same for `input_gradient`."""
    limit = SMALL_SPREAD if max(stride) == 1 else SMALL
    return groups * math.prod(weight_shape[1:]) * pixels <= limit


def convolve(
    x: Array, weight: Array, bias: Array | None, out_size: Pair, stride: Pair, padding: Pair, dilation: Pair,
    groups: int,
) -> Array:  # fmt: skip
    """`conv.conv2d`."""
    columns = _columns(x, weight.shape[2:], out_size, stride, padding, dilation, groups)
    y = np.matmul(weight.reshape(groups, len(weight) // groups, columns.shape[1]), columns).reshape(
        len(weight), len(x), *out_size
    )
    if bias is not None:
        y += bias.reshape(-1, 1, 1, 1)
    return np.ascontiguousarray(y.transpose(1, 0, 2, 3))


def weight_gradient(
    x: Array, grad: Array, weight_shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """`conv.conv2d_weight`."""
    columns = _columns(x, weight_shape[2:], grad.shape[2:], stride, padding, dilation, groups)
    return np.matmul(_rows(grad, groups), columns.swapaxes(1, 2)).reshape(weight_shape)


def input_gradient(
    grad: Array, weight: Array, input_shape: tuple[int, ...], stride: Pair, padding: Pair, dilation: Pair, groups: int,
    bias: Array | None = None,
) -> Array:  # fmt: skip
    """`conv.conv2d_input`."""
    n, channels, h, w = input_shape
    (kh, kw), (out_h, out_w) = weight.shape[2:], grad.shape[2:]
    by_group = weight.reshape(groups, len(weight) // groups, channels // groups * kh * kw)
    products = np.matmul(by_group.swapaxes(1, 2), _rows(grad, groups))
    products = products.reshape(channels, kh, kw, n, out_h, out_w)
    rows = max(padding[0] + h, (kh - 1) * dilation[0] + (out_h - 1) * stride[0] + 1)
    columns = max(padding[1] + w, (kw - 1) * dilation[1] + (out_w - 1) * stride[1] + 1)
    padded = np.zeros((channels, n, rows, columns), grad.dtype)
    for i in range(kh):
        top = i * dilation[0]
        down = padded[:, :, top : top + (out_h - 1) * stride[0] + 1 : stride[0]]
        for j in range(kw):
            left = j * dilation[1]
            seen = down[..., left : left + (out_w - 1) * stride[1] + 1 : stride[1]]
            seen += products[:, i, j]
    inside = padded[:, :, padding[0] : padding[0] + h, padding[1] : padding[1] + w]
    if bias is not None:
        inside += bias.reshape(-1, 1, 1, 1)
    return np.ascontiguousarray(inside.transpose(1, 0, 2, 3))


def _rows(images: Array, groups: int) -> Array:
    """(N, C, H, W) to (G, C / G, N * H * W)."""
    n, channels, h, w = images.shape
    return images.transpose(1, 0, 2, 3).reshape(groups, channels // groups, n * h * w)


def _columns(
    x: Array,
    kernel: tuple[int, ...],
    out_size: tuple[int, ...],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Array:
    """(N, C, H, W) to (G, C / G * KH * KW, N * H' * W'): the patches, each as a column."""
    n, c, h, w = x.shape
    if padding != (0, 0):
        padded = np.zeros((n, c, h + 2 * padding[0], w + 2 * padding[1]), x.dtype)
        padded[:, :, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = x
    else:
        padded = np.ascontiguousarray(x)
    image, channel, row, pixel = padded.strides
    patches: Array = np.ndarray(
        (c, *kernel, n, *out_size), x.dtype, padded, 0,
        (channel, row * dilation[0], pixel * dilation[1], image, row * stride[0], pixel * stride[1]),
    )  # fmt: skip
    return patches.reshape(groups, c // groups * kernel[0] * kernel[1], n * out_size[0] * out_size[1])
