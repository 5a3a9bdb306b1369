"""1x1 convolutions of row-major images, without moving a number.

(After: `conv_columns`. Next: `conv`.)

An image batch in N,C,H,W order is a stack of matrices (C, H * W); a 1x1 convolution multiplies each from the left:

    y[n] = weight @ x[n]        gx[n] = weightᵀ @ gy[n]        gw = sum over n of gy[n] @ x[n]ᵀ

So images that come in row-major need not be brought to C,H,W,N order first, which takes as long as the products, and
what comes out is row-major again. (Images that lie in C,H,W,N are one matrix (C, H * W * N), see `conv_columns`.)

Measured by ``python -m tests.benchmarks --only "1x1 at 28" --no-processes``, forward and both gradients of 256 to 64
channels, 16 images: 15.4 ms on one thread (19.9 with the copies), 8.6 on two (14.1).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, Pair, is_chwn
from tinytorch.kernels.memory import empty
from tinytorch.kernels.pieces import ceil_div, even_pieces
from tinytorch.kernels.products import multiply, multiply_transposed
from tinytorch.kernels.threads import run_blocks

LANES = 8
"""Parts of the batch that are worked on side by side; how many is part of the result."""
PER_MICROSECOND = 45e3  # multiplications
LONG = 64
"""With so many pixels an image is worth a product of its own."""


def in_place(images: Array, kernel: tuple[int, ...], stride: Pair, padding: Pair, groups: int) -> bool:
    """Whether this is a 1x1 convolution of images that lie row-major."""
    return (
        groups == 1 and kernel == stride == (1, 1) and padding == (0, 0) and images.flags.c_contiguous
        and images.shape[2] * images.shape[3] >= LONG and not is_chwn(images)
    )  # fmt: skip


def pointwise(x: Array, weight: Array, bias: Array | None) -> Array:
    """x (N, C, H, W) row-major, weight (O, C) -> y (N, O, H, W), row-major."""
    n, channels, *image = x.shape
    y = empty((n, len(weight), *image), x.dtype)
    matrices, results = x.reshape(n, channels, -1), y.reshape(n, len(weight), -1)

    def convolve(images: Pair) -> None:
        part = slice(*images)
        multiply(weight, matrices[part], results[part])
        if bias is not None:
            results[part] += bias[:, None]

    run_blocks(convolve, even_pieces(n, ceil_div(n, LANES)), x.size * len(weight) / PER_MICROSECOND)
    return y


def pointwise_weight(x: Array, grad: Array) -> Array:
    """The gradient for the weight, (O, C), from x (N, C, H, W) and grad (N, O, H, W), both row-major."""
    (n, channels), out_channels = x.shape[:2], grad.shape[1]
    lanes = even_pieces(n, ceil_div(n, LANES))
    matrices, gradients = x.reshape(n, channels, -1), grad.reshape(n, out_channels, -1)
    sums = np.zeros((len(lanes), out_channels, channels), x.dtype)

    def add_lane(lane: int) -> None:
        products = np.empty((out_channels, channels), x.dtype)
        for image in range(*lanes[lane]):
            multiply_transposed(gradients[image], matrices[image], products)
            sums[lane] += products

    run_blocks(add_lane, range(len(lanes)), x.size * out_channels / PER_MICROSECOND)
    total: Array = sums.sum(axis=0)
    return total
