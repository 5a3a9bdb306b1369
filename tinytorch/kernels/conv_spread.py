"""The gradient of a convolution for its input, by sending: no columns are gathered, products are spread.

(After: `conv_columns`. Next: `conv`.)

Output pixel h was made of the input pixels h * stride + k * dilation - padding, one for each tap k. So its gradient,
times the weight of that tap, goes back to each of them:

    products[k, c, h] = sum over o of weight[o, c, k] * grad[o, h]          one matrix product
    gx[c, h * stride + k * dilation - padding] += products[k, c, h]         KH * KW additions of shifted images

This is the transpose of im2col, step by step ("col2im"). The other way round, `conv2d_input` as a convolution of the
gradient, has C rows in its matrix product, the channels of the input. When these are three (the first layer of a
network), BLAS runs at a third of its speed; here the rows are KH * KW * C. And with a stride it is one product
here, but stride * stride small convolutions there.

The additions are made with the padding around, and with the columns of the image apart by their remainder modulo the
stride: then each tap is one long run.

Measured by ``python -m tests.benchmarks.bench_kernels --only "input grad" --threads 1``, in brackets as a convolution:
3 to 32 channels, 5x5 at 32x32, 32 images 2.7 ms (7.3); 3 to 64 channels, 7x7 at 112x112, stride 2, four images 3.5 ms
(10.7; both AMD); 40 to 60 channels, 3x3 at 7x7 without padding, 64 images 0.84 ms (1.22; Intel).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.loops import unbuffered
from tinytorch.kernels.pieces import even_parts, even_pieces
from tinytorch.kernels.products import multiply
from tinytorch.kernels.threads import run_blocks

BUFFER_BYTES = 1 << 21
"""Products of so many bytes are made and added before the next ones, so that they stay in the cache."""
LONG_MICROSECONDS = (1000.0, 10_000.0)
"""Work from which on the image is cut into two lanes, and into four, which are summed separately for as many threads:
they overlap, and adding them up takes time. How many there are is part of the result."""


def spread_pays(channels: int, out_channels: int, width: int, growth: float) -> bool:
    """Whether this is the faster way for C input and O output channels in a group; `width` is W' * N.

    `growth`: how many times as many pixels the input has as the output, with stride 1. Small images without padding
    grow: from 5x5 to 7x7 pixels, half of what a convolution of the gradient multiplies are the zeros around it. (Not
    where channels are more than outputs: then it is the products that are large.)
    """
    few = out_channels >= 4 * channels and channels <= 16
    return width >= 64 and (few or (growth >= 1.6 and out_channels >= channels))


def spread(grad: Array, weight: Array, target: Array, stride: Pair, padding: Pair, dilation: Pair) -> None:
    """target = the gradient for the input: grad (G, O, H', W', N), weight (G, O, C, KH, KW), target (G, C, H, W, N)."""
    groups, out_channels, channels, kh, kw = weight.shape
    _, _, height, width, n = grad.shape
    matrix = np.ascontiguousarray(weight.transpose(0, 3, 4, 2, 1)).reshape(groups, -1, out_channels)
    pixels = grad.reshape(groups, out_channels, height, width * n)
    columns = max((width - 1) * stride[1] + (kw - 1) * dilation[1] + 1, padding[1] + target.shape[3])
    columns = -(-columns // stride[1])  # of each remainder
    most = max(1, BUFFER_BYTES // max(1, matrix.shape[1] * groups * width * n * grad.itemsize))
    microseconds = matrix.size * height * width * n / 40e3
    lanes = even_parts(height, 2 ** sum(microseconds >= long for long in LONG_MICROSECONDS))
    parts: list[Array] = [np.empty(0)] * len(lanes)

    def send(lane: int) -> None:
        first, last = lanes[lane]
        rows = (last - first - 1) * stride[0] + (kh - 1) * dilation[0] + 1
        sums = parts[lane] = np.zeros((stride[1], groups, channels, rows, columns, n), grad.dtype)
        for start, stop in even_pieces(last - first, most):
            flat = pixels[:, :, first + start : first + stop].reshape(groups, out_channels, -1)
            with scratch((groups, kh, kw, channels, stop - start, width, n), grad.dtype) as products, unbuffered():
                multiply(matrix, flat, products.reshape(groups, -1, flat.shape[2]))
                for i, j in np.ndindex(kh, kw):
                    top = start * stride[0] + i * dilation[0]
                    to_rows = slice(top, top + (stop - start - 1) * stride[0] + 1, stride[0])
                    left, remainder = divmod(j * dilation[1], stride[1])
                    sums[remainder, :, :, to_rows, left : left + width] += products[:, i, j]

    run_blocks(send, range(len(lanes)), microseconds)
    _put(parts, [first * stride[0] for first, _ in lanes], target, stride, padding)


def _put(parts: list[Array], tops: list[int], target: Array, stride: Pair, padding: Pair) -> None:
    """Add up the lanes, which overlap by a few rows, and copy them to their places; zero where nothing was sent."""
    steps, groups, channels, _, columns, n = parts[0].shape
    rows = max(tops[-1] + parts[-1].shape[3], padding[0] + target.shape[2])
    total = np.zeros((steps, groups, channels, rows, columns, n), target.dtype)
    for top, part in zip(tops, parts, strict=True):
        total[:, :, :, top : top + part.shape[3]] += part
    inside = slice(padding[0], padding[0] + target.shape[2])
    for column in range(min(steps, target.shape[3])):
        first, remainder = divmod(column + padding[1], steps)
        to = target[:, :, :, column::steps]
        copy_pixels(to, total[remainder, :, :, inside, first : first + to.shape[3]])
