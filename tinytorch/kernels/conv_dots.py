"""The gradient for the weight of a depthwise convolution, where rows are short: one dot product for each tap.

(After: `conv_bands`. Next: `conv`.)

With one channel in each group, the gradient of a tap is a sum over all outputs

    gw[i, j] = sum over h, w, n of gy[h, w, n] * x[h * stride + i - padding, w * stride + j - padding, n]

Copy x into zeros as far as the kernel reaches, and gy into rows of the same length. Then the pixels that meet in a tap
lie equally far apart everywhere, and the sum is one dot product of two long runs of memory, which BLAS reads where they
lie. With a stride, x is copied once for each remainder modulo the stride: a tap sees pixels of one remainder only.

`conv_bands` multiplies zeros as well. Where rows are long it is faster all the same: its products use each number that
they load several times.

Measured by ``python -m tests.benchmarks.bench_kernels --only groups --threads 1`` on a quiet machine, milliseconds, and
those of `conv_bands`::

    72 channels at 16x16, 3x3, 8 images               0.25   0.30
    120 channels at 8x8, 5x5, 8 images                0.34   0.50
    240 channels at 8x8, 3x3, stride 2, 8 images      0.25   0.30
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.pieces import ceil_div, even_pieces
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import tap

LONG = 192
"""Numbers in a row of outputs, from which on `conv_bands` is faster."""
BUFFER_BYTES = 1 << 21


def dots_pay(weight_shape: tuple[int, ...], grad: Array, groups: int) -> bool:
    """Whether `depthwise_weight_gradient` is the faster way; grad (N, O, H', W')."""
    n, out_channels, _, width = grad.shape
    one_each = out_channels == groups and weight_shape[1] == 1
    return one_each and groups > 1 and 0 < width * n < LONG and grad.size > 0 and grad.dtype.kind == "f"


def depthwise_weight_gradient(
    x: Array, grad: Array, kernel: Pair, stride: Pair, start: Pair, dilation: Pair
) -> Array | None:
    """The gradient for the weight, (G, 1, KH, KW), from x (G, 1, H, W, N) and grad (G, 1, H', W', N).

    None if it is not finite: then zeros around an image may have met an infinity (0 * infinity = NaN).
    """
    groups, _, height, width, n = x.shape
    out_h, out_w = grad.shape[2:4]
    down, right = (_taps(*along) for along in zip(kernel, stride, dilation, strict=True))
    rows, columns = (out_h + max(t.last for t in down), out_w + max(t.last for t in right))
    length = ((out_h - 1) * columns + out_w) * n
    result = np.empty((groups, *kernel), grad.dtype)

    def multiply(some: Pair) -> None:
        part, count = slice(*some), some[1] - some[0]
        with (
            scratch((count, rows, columns, n), x.dtype) as image,
            scratch((count, out_h, columns, n), x.dtype) as gradients,
        ):
            gradients[:, :, out_w:] = 0
            gradients[:, :, :out_w] = grad[part, 0]
            factor = gradients.reshape(count, 1, 1, -1)[..., :length]
            for i in down:
                for j in right:
                    image.reshape(-1).view(np.uint8).fill(0)  # at twice the speed of numbers
                    to_h, from_h = tap(start[0] + i.remainder, stride[0], rows, height)
                    to_w, from_w = tap(start[1] + j.remainder, stride[1], columns, width)
                    copy_pixels(image[:, to_h, to_w], x[part, 0, from_h, from_w])
                    group, row, column, item = image.strides
                    seen = np.ndarray(
                        (count, i.many, j.many, length), x.dtype, image, i.first * row + j.first * column,
                        (group, i.step * row, j.step * column, item),
                    )  # fmt: skip
                    np.vecdot(seen, factor, out=result[part, i.taps, j.taps])

    longest = max(1, BUFFER_BYTES // max(1, rows * columns * n * x.itemsize))
    run_blocks(multiply, even_pieces(groups, longest), result.size * length / 10e3)
    return result[:, None] if np.isfinite(result).all() else None


class _Taps(NamedTuple):
    """The taps that see places of one `remainder` modulo the stride: the first of them the `first` of these places
    under output 0, the next one `step` places further on."""

    taps: slice
    many: int
    remainder: int
    first: int
    step: int

    @property
    def last(self) -> int:
        return self.first + (self.many - 1) * self.step


def _taps(size: int, stride: int, dilation: int) -> list[_Taps]:
    """All taps of a kernel along one axis.

    >>> _taps(3, stride=2, dilation=1)
    [_Taps(taps=slice(0, None, 2), many=2, remainder=0, first=0, step=1), \
_Taps(taps=slice(1, None, 2), many=1, remainder=1, first=0, step=1)]
    """
    spacing = stride // math.gcd(stride, dilation)
    return [
        _Taps(slice(k, None, spacing), ceil_div(size - k, spacing), k * dilation % stride, k * dilation // stride,
              spacing * dilation // stride)
        for k in range(min(spacing, size))
    ]  # fmt: skip
