"""Chapter 13, part 2. The column matrix of a convolution, piece by piece: small enough for the cache.

After: tinytorch/kernels/conv_reference.py
Next: tinytorch/kernels/conv.py

Goal: gather columns in pieces that stay in the cache, with a third of the copying.

Two ideas turn the plain im2col into a fast one.

*Pieces.* The whole column matrix is KH * KW times as large as the image and leaves every cache. But a matrix
product can be done a block of columns at a time. A block here is `rows` output rows by about 256 columns (pixels
of a row times images). It is gathered into one small buffer, multiplied while it is still in the L2 cache, and
the buffer is used again. 256 columns because that many, with the K of usual layers, BLAS multiplies without first
repacking its operands.

*Sliding rows.* Output rows h and h + 1 read almost the same input rows. So the buffer keeps, for each input row,
only its KW shifts side by side:

    buffer[row, j, c, column] = x[c, row, column + j]          (j = 0 .. KW-1)

The column matrix of output row h is buffer[h : h + KH] read as one matrix of KH * KW * C rows, for output row
h + 1 it is buffer[h + 1 : h + 1 + KH]: overlapping views of the same memory. Every pixel is copied KW times, not
KH * KW times (Cho and Brand 2017, "MEC: Memory-efficient Convolution"). It works when kernel rows are adjacent
(dilation 1). Otherwise, and when rows are too short to give BLAS enough columns, several output rows are gathered
as plain columns side by side.

*Small images.* Where all columns together fit into the cache, they are gathered at once, and threads share the rows of
the weights (see `conv`).

Padding costs nothing: `_gather_rows` writes zeros where the kernel hangs over the edge.

What PyTorch does. oneDNN needs no columns: compiled code reads the pixels where they lie.

Pitfalls. A buffer that is used again is only as large as the first block; the last block is often smaller.

Exercises. How large is the whole column matrix for 64 images of 20x28x28, float32 and a 3x3 kernel with padding 1? And
that of one output row of four images?
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.cache import CACHED_NUMBERS, last_level_is_fast
from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.pieces import ceil_div, even_parts, even_pieces
from tinytorch.kernels.windows import inside, tap, window_spans

COLUMNS = 256
"""Aim for so many columns in one matrix product; for twice as many where the last-level cache is slow (`cache`)."""
SLIDING = 128
"""Columns of an output row, from which on rows slide."""
GATHERED = 2048
"""Or for so many where nothing slides: every block is a copy then, and each copy a call."""
BUFFER_BYTES = 1 << 21
"""A gathered block should not be larger than this, about the L2 cache of a current core; or twice this (`cache`)."""
WHOLE_BYTES = 1 << 21
"""Columns that take no more are gathered at once, by one thread: several would wait for each other at Python's lock
longer than such short copies take."""
FEW_ROWS = 32
"""Columns of fewer rows are not worth a thread of their own."""


class Block(NamedTuple):
    """Output rows h0:h1, output columns w0:w1, images n0:n1."""

    h0: int
    h1: int
    w0: int
    w1: int
    n0: int
    n1: int


class Columns:
    """The column matrix of one convolution over `x`, gathered block by block.

    x:      (G, C, H, W, N) contiguous: groups, channels of a group, height, width, batch
    kernel: (KH, KW)
    out:    (H', W'), the output rows and columns to compute
    stride, dilation: as in conv2d;  start: the input place under the kernel's corner at output 0 (= -padding)

    A block's matrix has K = KH * KW * C rows in the order (kh, kw, c). With `ones`, a row of ones follows the KW * C
    rows of each kh: K = KH * (KW * C + 1). A weight on such a row is a bias, and adding it costs no pass of its own.
    (The columns of a 1x1 convolution are not copied, so there is no place for ones; `self.ones` is False then.)
    """

    def __init__(
        self, x: Array, kernel: Pair, out: Pair, stride: Pair, start: Pair, dilation: Pair, ones: bool = False
    ) -> None:
        self.pointwise = kernel == stride == (1, 1) and start == (0, 0) and out == x.shape[2:4]
        if self.pointwise:  # a 1x1 convolution does not look around: all pixels of all images are one long row
            x, out = x.reshape(*x.shape[:2], 1, 1, -1), (1, 1)
        self.x, self.kernel, self.out = x, kernel, out
        self.stride, self.start, self.dilation = stride, start, dilation
        self.ones = ones and not self.pointwise
        self.row_depth = kernel[1] * x.shape[1] + self.ones
        self.depth = kernel[0] * self.row_depth
        width = out[1] * x.shape[4]
        self.sliding = dilation[0] == 1 and stride[0] < kernel[0] and width >= SLIDING
        rows = (out[0] - 1) * stride[0] + kernel[0] if self.sliding else kernel[0] * out[0]
        gathered = x.shape[0] * rows * self.row_depth * width * x.itemsize
        small = gathered <= WHOLE_BYTES and (self.depth >= FEW_ROWS or not self.sliding)
        self.whole = not self.pointwise and (small or out[0] * width < SLIDING)
        self.blocks = self._cut()

    def _cut(self) -> list[Block]:
        """Block boundaries, from the shapes alone (`threads` says why)."""
        groups, n, (out_h, out_w), kh = self.x.shape[0], self.x.shape[4], self.out, self.kernel[0]
        if self.pointwise:
            count = ceil_div(n, 8 * COLUMNS)
            return [Block(0, 1, 0, 1, n0, n1) for n0, n1 in even_parts(n, count + count % 2 * (count > 1))]
        if self.whole:
            return [Block(0, out_h, 0, out_w, 0, n)]
        column_bytes = max(1, groups * self.row_depth * self.x.itemsize)
        aim, buffer_bytes = COLUMNS, BUFFER_BYTES
        if not last_level_is_fast():
            buffer_bytes *= 2
            if self.depth * 2 * COLUMNS <= CACHED_NUMBERS:
                aim *= 2
        if not self.sliding:
            aim = max(aim, min(GATHERED, buffer_bytes // (column_bytes * kh)))
        ns = even_pieces(n, 3 * aim // 2)
        ws = even_pieces(out_w, max(1, aim // max(1, n))) if len(ns) == 1 else even_pieces(out_w, 1)
        if out_w * n <= 3 * aim // 2:
            ws = [(0, out_w)]
        columns = (ws[0][1] if ws else 0) * (ns[0][1] if ns else 0)
        row_bytes = max(1, column_bytes * columns)
        if self.sliding:
            most = (buffer_bytes // row_bytes - kh) // self.stride[0] + 1
        elif len(ws) == len(ns) == 1:  # whole rows can be gathered side by side
            most = min(buffer_bytes // (row_bytes * kh), ceil_div(aim, max(1, columns)))
        else:
            most = 1
        hs = even_pieces(out_h, most)
        if len(hs) * len(ws) * len(ns) % 2 and self.depth >= FEW_ROWS:  # two threads should have the same to do
            if len(ws) > 1:
                ws = even_parts(out_w, len(ws) + 1)
            else:
                hs = even_parts(out_h, len(hs) + 1)
        return [Block(*h, *w, *n_) for n_ in ns for h in hs for w in ws]

    @contextmanager
    def gather(self, block: Block) -> Iterator[Array]:
        """Lend the column matrices of one block: (G, R, K, columns).

        R is the number of output rows when rows slide, else 1 with all rows side by side in `columns`.
        """
        h0, h1, w0, w1, n0, n1 = block
        x = self.x[..., n0:n1]
        groups, channels, _, _, n = x.shape
        if self.pointwise:
            yield x.reshape(groups, 1, channels, n)
            return
        (kh, kw), (step, _), rows, width = self.kernel, self.stride, h1 - h0, w1 - w0
        first = (h0 * self.stride[0] + self.start[0], w0 * self.stride[1] + self.start[1])
        if self.sliding:
            in_rows, columns = (rows - 1) * step + kh, width * n
            with scratch((groups, in_rows, self.row_depth, width, n), x.dtype) as buffer:
                buffer[:, :, kw * channels :] = 1
                shifts = buffer[:, :, : kw * channels].reshape(groups, in_rows, kw, channels, width, n)
                self._gather_rows(shifts.transpose(1, 2, 0, 3, 4, 5), x, first, 1)
                item = x.itemsize
                row = self.row_depth * columns * item
                strides = (in_rows * row, step * row, columns * item, item)
                yield np.ndarray((groups, rows, self.depth, columns), x.dtype, buffer, 0, strides)
        else:
            with scratch((groups, kh, self.row_depth, rows, width, n), x.dtype) as buffer:
                buffer[:, :, kw * channels :] = 1
                taps = buffer[:, :, : kw * channels].reshape(groups, kh, kw, channels, rows, width, n)
                self._gather_windows(taps, x, first)
                yield buffer.reshape(groups, 1, self.depth, rows * width * n)

    def _gather_windows(self, taps: Array, x: Array, first: Pair) -> None:
        """taps[g, i, j, c, h, w, n] = x[g, c, h * stride + i * dilation + first, w ..., n], in a single copy.

        Windows that hang over the edge are read from a copy of the image with zeros around.
        """
        groups, kh, kw, channels, rows, width, n = taps.shape
        spans = window_spans((rows, width), self.stride, (kh, kw), self.dilation)
        places = [
            tap(start, 1, span, size) for start, span, size in zip(first, spans, x.shape[2:4], strict=True)
        ]  # of the part of the image that the windows see: within it, and in the image
        (to_h, from_h), (to_w, from_w) = places
        part = x[:, :, from_h, from_w]
        if part.shape[2:4] == tuple(spans):
            self._copy_windows(taps, part)
            return
        with scratch((groups, channels, *spans, n), x.dtype) as region:
            region.fill(0)
            region[:, :, to_h, to_w] = part
            self._copy_windows(taps, region)

    def _copy_windows(self, taps: Array, region: Array) -> None:
        """As above, for windows that lie in `region` (G, C, spans, N)."""
        g, c, h, w, b = region.strides
        (sh, sw), (dh, dw) = self.stride, self.dilation
        strides = (g, h * dh, w * dw, c, h * sh, w * sw, b)
        if region.flags.c_contiguous:  # a tenth of the time of as_strided
            windows = np.ndarray(taps.shape, region.dtype, region, 0, strides)
        else:
            windows = np.lib.stride_tricks.as_strided(region, taps.shape, strides)
        copy_pixels(taps, windows)

    def _gather_rows(self, view: Array, x: Array, first: Pair, row_step: int) -> None:
        """view[r, j, g, c, w, n] = x[g, c, first row + r * row_step, first column + j * dilation + w * stride, n].

        Rows and columns outside the image read as zero.
        """
        height, width = x.shape[2:4]
        count, kw, _, _, columns, _ = view.shape
        col_step = self.stride[1]
        r0, r1 = inside(first[0], row_step, count, height)
        view[:r0] = 0
        view[r1:] = 0
        if r0 == r1:
            return
        top = first[0] + r0 * row_step
        source = x[:, :, top : first[0] + (r1 - 1) * row_step + 1 : row_step]
        for j in range(kw):
            left = first[1] + j * self.dilation[1]
            c0, c1 = inside(left, col_step, columns, width)
            target = view[r0:r1, j]
            if c0 > 0:
                target[..., :c0, :] = 0
            if c1 < columns:
                target[..., c1:, :] = 0
            if c0 < c1:
                piece = source[..., left + c0 * col_step : left + (c1 - 1) * col_step + 1 : col_step, :]
                copy_pixels(target[..., c0:c1, :], piece.transpose(2, 0, 1, 3, 4))

    def output(self, y: Array, block: Block) -> Array:
        """The part of `y` (G, O, H', W', N) that belongs to a block, as (G, R, O, columns) in `gather`'s order."""
        h0, h1, w0, w1, n0, n1 = block
        groups, channels = y.shape[:2]
        n = self.x.shape[4]
        # in each case the columns are one contiguous run: whole images, or one pixel, or one row
        rows = y.reshape(groups, channels, *self.out, n).reshape(groups, channels, self.out[0], self.out[1] * n)
        if self.sliding or h1 - h0 == 1:
            return rows[:, :, h0:h1, w0 * n + n0 : (w1 - 1) * n + n1].transpose(0, 2, 1, 3)
        return rows[:, :, h0:h1].reshape(groups, 1, channels, -1)
