"""Groups of few channels: several output rows in one matrix product, by a band matrix.

(After: `conv_columns`. Next: `conv`.)

A depthwise convolution has one output channel in each group. As a matrix product on columns (`conv_columns`) that is
a single row times a matrix, which BLAS does at a twentieth of its speed: it lives on using a number that it has loaded
for many rows. So let R output *rows of the image* be rows of the product. Output row h reads the input rows h .. h + KH
- 1, so R of them read R + KH - 1, and the weights stand in a band::

                 input row   0   1   2   3   4
    output row 0          [ w0  w1  w2   .   . ]
    output row 1          [  .  w0  w1  w2   . ]          KH = 3, R = 3
    output row 2          [  .   .  w0  w1  w2 ]

Each entry stands for KW * C numbers: the taps of that kernel row, for each channel of the group. The zeros are
multiplied as well, (R + KH - 1) / KH times the work, but at ten times the speed. Stride and dilation along the height
are another pattern of the band; so is the gradient for the input, whose output row i reads the rows h with h * stride +
k * dilation - padding = i. Along the width pixels are shifted by copying, as in `conv_columns`.

The gradient of the weight is the same product turned around: gradient rows @ columns^T is a matrix of the band's
shape, and the weight k of output row h and input row r is used for all pairs (h, r) on its diagonal, so its gradient
is the sum along that diagonal.

`conv_reference.conv2d_taps` is the clear version of all this: a sum of KH * KW shifted products.

Measured by ``python -m tests.benchmarks --only depthwise groups --threads 1`` on a quiet machine, forward and backward,
by columns and by bands: 32 channels at 112x112, 3x3, stride 2, two images 7.3 and 3.0 ms; 96 channels, 7x7 at 28x28,
four images 26.4 and 4.5 ms; 64 channels, 3x3 at 28x28, 16 images 6.6 and 5.5 ms, of which a third brings images to the
kernels' memory order; 128 channels in 32 groups 15.8 and 14.7 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import ceil_div, even_pieces, tap

BUFFER_BYTES = 1 << 22
"""Columns gathered together: few enough for a cache, many enough that the calls do not count."""


def bands_pay(groups: int, out_channels: int, channels: int) -> bool:
    """Whether `Bands` is the faster way, for so many groups, and channels in each."""
    return groups >= 16 and out_channels <= min(8, 2 * channels)


class Steps(NamedTuple):
    """Along one axis, output o sees through tap k the input (o * up + first + k * step) / down, if that is whole.

    A convolution has up = stride, first = -padding, step = dilation, down = 1. The gradient for its input has up = 1,
    first = padding, step = -dilation, down = stride.
    """

    up: int
    first: int
    step: int
    down: int = 1

    def seen(self, outputs: int, taps: int) -> list[tuple[int, int, int]]:
        """All (output, tap, input) of the first outputs, wherever the input lies.

        >>> Steps(up=2, first=-1, step=1).seen(outputs=1, taps=3)
        [(0, 0, -1), (0, 1, 0), (0, 2, 1)]
        """
        places = ((o, k, o * self.up + self.first + k * self.step) for o in range(outputs) for k in range(taps))
        return [(o, k, place // self.down) for o, k, place in places if place % self.down == 0]


class Chunk(NamedTuple):
    """What is worked on together: groups g0:g1, `blocks` blocks of `rows` output rows each, the first of them h0."""

    g0: int
    g1: int
    h0: int
    blocks: int
    rows: int


class Bands:
    """The convolution of x (G, C, H, W, N) with kernels (KH, KW) to y (G, O, H', W', N), or a gradient of one.

    shape: of x;  channels: O;  kernel: (KH, KW);  out: (H', W')
    vertical, horizontal: which rows, and which columns, meet in an output; `horizontal.down` must be 1

    An instance knows the shapes alone. `bands_for` keeps it for the next training step.
    """

    def __init__(
        self, shape: tuple[int, ...], channels: int, kernel: Pair, out: Pair, vertical: Steps, horizontal: Steps
    ) -> None:
        self.shape, self.channels, self.kernel, self.out = shape, channels, kernel, out
        self.vertical, self.horizontal = vertical, horizontal
        self.width = out[1] * shape[4]
        self.depth = kernel[1] * shape[1]  # how many rows of the column matrix belong to one input row
        self.rows = self._choose_rows()
        self.move = self.rows * vertical.up // vertical.down  # input rows from block to block
        seen = vertical.seen(self.rows, kernel[0])
        self.above = min(r for _, _, r in seen)  # the first input row that a block reads, from the block's own place
        self.reach = max(r for _, _, r in seen) - self.above + 1
        # for each kernel row its diagonal in the band: (output rows, input rows)
        pairs = [[(o, r - self.above) for o, tap_, r in seen if tap_ == k] for k in range(kernel[0])]
        self.diagonals = [tuple(np.array(one, np.intp).reshape(-1, 2).T) for one in pairs]
        self.chunks = self._cut()
        # a rough time for one output number, multiplications and copies, to tell small work from large; less than
        # half of what it takes, because the calls are short and a thread gains nothing before a millisecond
        self.nanoseconds = self.depth * (self.reach / 110 + 0.12 * vertical.up / (vertical.down * channels))

    def _choose_rows(self) -> int:
        """R, a multiple of `vertical.down`: then every block has the same band."""
        step = self.vertical.down
        return min(range(step, min(self.out[0], 16) + step, step), key=self._cost)

    def _cost(self, rows: int) -> float:
        """Time of all rows in multiplications: a product of few rows runs at part of BLAS's speed, each call costs."""
        vertical, total = self.vertical, 0.0
        whole, rest = divmod(self.out[0], rows)
        for count, r in ((whole, rows), (1, rest)):
            reach = ((r - 1) * vertical.up + (self.kernel[0] - 1) * abs(vertical.step)) // vertical.down + 1
            total += count * (self.depth * reach * self.width * (r * self.channels + 4) + 8000) * (r > 0)
        return total * (1.2 if rest else 1.0)

    def _cut(self) -> list[list[Chunk]]:
        """Lists of chunks, each list of other groups."""
        whole, rest = divmod(self.out[0], self.rows)
        row_bytes = max(1, self.depth * self.width * 4)
        most = max(1, (BUFFER_BYTES // row_bytes - self.reach) // max(1, self.move) + 1)  # blocks of one group
        group_bytes = row_bytes * (max(0, min(whole, most) - 1) * self.move + self.reach)
        runs = [(b0 * self.rows, b1 - b0, self.rows) for b0, b1 in even_pieces(whole, most)]
        if rest:
            runs.append((whole * self.rows, 1, rest))
        pairs = ceil_div(self.shape[0], 2 * max(1, BUFFER_BYTES // group_bytes))  # an even number, for two threads
        pieces = even_pieces(self.shape[0], ceil_div(self.shape[0], 2 * pairs))
        return [[Chunk(g0, g1, *run) for run in runs] for g0, g1 in pieces]

    @contextmanager
    def gather(self, x: Array, chunk: Chunk) -> Iterator[Array]:
        """Lend the column matrices (g, blocks, K, W' * N) of a chunk, K = reach * KW * C.

        First the part of the image that is seen, with zeros around it, then its KW shifts side by side.
        """
        g0, g1, h0, blocks, _ = chunk
        (kw, channels, n), columns = (self.kernel[1], self.shape[1], self.shape[4]), self.out[1]
        stride, first, step, _ = self.horizontal
        left = min(first, first + (kw - 1) * step)
        span = (columns - 1) * stride + (kw - 1) * abs(step) + 1
        rows = (blocks - 1) * self.move + self.reach
        top = h0 * self.vertical.up // self.vertical.down + self.above
        with scratch((g1 - g0, rows, kw, channels, columns, n), x.dtype) as buffer:
            with scratch((g1 - g0, channels, rows, span, n), x.dtype) as region:
                region.fill(0)
                to_h, from_h = tap(top, 1, rows, self.shape[2])
                to_w, from_w = tap(left, 1, span, self.shape[3])
                region[:, :, to_h, to_w] = x[g0:g1, :, from_h, from_w]
                g, c, h, w, b = region.strides
                strides = (g, h, step * w, c, stride * w, b)
                copy_pixels(buffer, np.ndarray(buffer.shape, region.dtype, region, (first - left) * w, strides))
            item = buffer.itemsize
            row = self.depth * self.width * item
            overlapping = (rows * row, self.move * row, self.width * item, item)
            shape = (g1 - g0, blocks, self.reach * self.depth, self.width)
            yield np.ndarray(shape, buffer.dtype, buffer, 0, overlapping)

    def correlate(self, x: Array, weight: Array, bias: Array | None, y: Array) -> bool:
        """y[g,o,h,w,n] = bias[g,o] + the sum over all taps, for weight (G, O, C, KH, KW); `y` may have gaps.

        False if some result is not finite: then the zeros of the band may have spread an infinity or a NaN
        (0 * infinity = NaN) to rows that do not see it, and the caller must go another way.
        """
        band = np.zeros((*weight.shape[:2], self.rows, self.reach, self.kernel[1], weight.shape[2]), weight.dtype)
        for k, (o, r) in enumerate(self.diagonals):
            band[:, :, o, r] = weight[:, :, None, :, k].swapaxes(3, 4)
        shift = None if bias is None else bias.reshape(*weight.shape[:2], 1, 1, 1)
        direct = self.channels == 1 and y.flags.c_contiguous  # then rows of the product are rows of `y`
        finite: list[bool] = []

        def multiply(chunks: list[Chunk]) -> None:
            for chunk in chunks:
                g0, g1, h0, blocks, rows = chunk
                groups, height = g1 - g0, self.channels * rows
                part = y[g0:g1, :, h0 : h0 + blocks * rows]
                by_rows = part.reshape(groups, self.channels, blocks, rows, *y.shape[3:]).swapaxes(1, 2)
                left = band[g0:g1, :, :rows].reshape(groups, 1, height, -1)
                with self.gather(x, chunk) as columns, scratch(by_rows.shape, y.dtype) as work:
                    product = (by_rows if direct else work).reshape(groups, blocks, height, self.width)
                    np.matmul(left, columns, out=product)
                    flat = product.reshape(-1)
                    finite.append(bool(np.isfinite(np.dot(flat, flat))))
                    if not direct:
                        copy_pixels(by_rows, work)
                if shift is not None:
                    part += shift[g0:g1]

        if y.size:
            run_blocks(multiply, self.chunks, y.size * self.nanoseconds / 1000)
        return all(finite)

    def weight_gradient(self, x: Array, grad: Array) -> Array:
        """The gradient for the weight, (G, O, C, KH, KW), from `grad` (G, O, H', W', N)."""
        kh, kw = self.kernel
        result = np.zeros((len(grad), self.channels, kh, kw, self.shape[1]), grad.dtype)

        def add_up(chunks: list[Chunk]) -> None:
            g0, g1 = chunks[0][:2]
            band = np.zeros((g1 - g0, self.channels, self.rows, self.reach, kw, self.shape[1]), grad.dtype)
            for chunk in chunks:
                _, _, h0, blocks, rows = chunk
                part = grad[g0:g1, :, h0 : h0 + blocks * rows].reshape(g1 - g0, self.channels, blocks, rows, self.width)
                left = part.swapaxes(1, 2).reshape(g1 - g0, blocks, self.channels * rows, self.width)
                with self.gather(x, chunk) as columns:
                    product = np.matmul(left, columns.swapaxes(2, 3))
                band[:, :, :rows] += product.sum(axis=1).reshape(g1 - g0, self.channels, rows, *band.shape[3:])
            for k, (o, r) in enumerate(self.diagonals):
                result[g0:g1, :, k] = band[:, :, o, r].sum(axis=2)

        if grad.size:
            run_blocks(add_up, self.chunks, grad.size * self.nanoseconds / 1000)
        return np.ascontiguousarray(result.transpose(0, 1, 4, 2, 3))


bands_for = lru_cache(maxsize=256)(Bands)
"""`Bands(...)`, or the one that was made for the same arguments before."""
