"""Groups of few channels: several output rows in one matrix product, by a band matrix.

(After: `conv_rows`. Next: `conv_few`.)

A depthwise convolution has one output channel in each group. As a matrix product on columns (`conv_columns`) that is
a single row times a matrix, which BLAS does at half of its speed at best: it lives on using a number that it has loaded
for many rows. So let R output *rows of the image* be rows of the product. Output row h reads the input rows h .. h + KH
- 1, so R of them read R + KH - 1, and the weights stand in a band::

                 input row   0   1   2   3   4
    output row 0          [ w0  w1  w2   .   . ]
    output row 1          [  .  w0  w1  w2   . ]          KH = 3, R = 3
    output row 2          [  .   .  w0  w1  w2 ]

Each entry stands for KW * C numbers: the taps of that kernel row, for each channel of the group. The zeros are
multiplied as well, (R + KH - 1) / KH times the work; `Bands` chooses R. Stride and dilation along the height are
another pattern of the band; so is the gradient for the input, whose output row i reads the rows h with h * stride +
k * dilation - padding = i. Along the width pixels are shifted by copying, as in `conv_columns`.

The gradient of the weight is the same product turned around: gradient rows @ columns^T is a matrix of the band's
shape, and the weight k of output row h and input row r is used for all pairs (h, r) on its diagonal, so its gradient
is the sum along that diagonal. Here no pixel needs to be shifted: one product for each kernel column, with a view of
the image that begins so many pixels further on.

What limits it: for 64 channels at 28x28, 3x3, 16 images, the forward's products take 0.29 ms, bringing the columns
together 0.36, and 0.15 go to the bias, the check for infinities and the calls. PyTorch's compiled loop reads each pixel
once and adds nine products in registers; NumPy has no multiplication that also adds.

Tried, and not faster: adding up shifted products instead of copying shifted pixels (each pass reads twice what a copy
reads); and bands across the rows of row-major images, which need no copies, but a product for each kernel row.

`conv_reference.conv2d_taps` is the clear version of all this: a sum of KH * KW shifted products.

Measured by ``python -m tests.benchmarks.bench_kernels --only groups --threads 1`` on a quiet machine, milliseconds of
the forward, of the gradient for the input and of that for the weight, PyTorch's in brackets; and the three together
without this file::

    64 channels at 28x28, 3x3, 16 images              1.3  1.3  1.3   (1.1  1.2   1.1)    3.7
    32 channels at 112x112, 3x3, stride 2, 2 images   0.7  0.7  0.8   (0.4  0.6   0.5)    3.3
    96 channels at 28x28, 7x7, 4 images               1.4  1.4  1.4   (0.7  0.8  11.8)   12.0
    128 channels in 32 groups at 28x28, 16 images     3.6  3.4  2.8   (4.0  3.9  14.4)   10.6

`conv_few` makes convolutions of this, and computes both gradients with the columns of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.cache import last_level_is_fast
from tinytorch.kernels.conv_rows import copy_rows
from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.pieces import ceil_div, even_parts
from tinytorch.kernels.threads import MIN_PARALLEL_MICROSECONDS, get_num_threads, run_blocks
from tinytorch.kernels.windows import tap

LONG = 192
"""Numbers in a row for a matrix product of its own."""
BUFFER_BYTES = 1 << 22
"""Columns gathered together: few enough for a cache, many enough that the calls do not count; or twice as many
where the last-level cache is slow (`cache`)."""
CACHED_BYTES = 1 << 20
"""Such a processor gives one thread its columns back sooner if they are so few: 64 channels at 28x28, 16 images,
forward 1.7 ms instead of 2.4. Two threads would meet too often: 2.8 instead of 1.5."""
SHARED_MICROSECONDS = {True: MIN_PARALLEL_MICROSECONDS, False: 400.0}
"""Estimated work from which on threads share it, by `cache.last_level_is_fast`: less is better done so by one."""


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
    """The convolution of x (G, C, H, A, W, B) with kernels (KH, KW) to y (G, O, H', A, W', B), or a gradient of one.

    shape: of x, image rows by group (`image_rows`);  channels: O;  kernel: (KH, KW);  out: (H', W')
    vertical, horizontal: which rows, and which columns, meet in an output; `horizontal.down` must be 1

    An instance knows the shapes alone. `bands_for` keeps it for the next training step.
    """

    def __init__(
        self, shape: tuple[int, ...], channels: int, kernel: Pair, out: Pair, vertical: Steps, horizontal: Steps
    ) -> None:
        self.shape, self.channels, self.kernel, self.out = shape, channels, kernel, out
        self.vertical, self.horizontal = vertical, horizontal
        self.row = (shape[3], out[1], shape[5])  # of an output
        self.width = math.prod(self.row)
        self.depth = kernel[1] * shape[1]  # how many rows of the column matrix belong to one input row
        self.rows = self._choose_rows()
        self.move = self.rows * vertical.up // vertical.down  # input rows from block to block
        seen = vertical.seen(self.rows, kernel[0])
        self.above = min(r for _, _, r in seen)  # the first input row that a block reads, from the block's own place
        self.reach = max(r for _, _, r in seen) - self.above + 1
        # which kernel row stands where in the band: one for each, 1 on its diagonal (output rows x input rows), else 0
        self.diagonals = np.zeros((kernel[0], self.rows, self.reach))
        for o, k, r in seen:
            self.diagonals[k, o, r - self.above] = 1
        # a rough time, multiplications and copies, to tell small work from large; half of what it takes, because the
        # calls are short and a thread gains nothing before a millisecond
        copied = 1 + self.depth * vertical.up / (vertical.down * channels)  # numbers for each output, and itself
        apart = max(horizontal.up, vertical.down) > 1
        nanoseconds = self.depth * self.reach / 110 + copied * (0.25 if apart else 0.14)
        self.microseconds = shape[0] * channels * out[0] * self.width * nanoseconds / 1000
        self._chunks = {shared: self._cut(shared) for shared in (False, True)}

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
            total += count * (self.depth * reach * self.width * (r * self.channels + 1.3) + 1300) * (r > 0)
        return total * (1.2 if rest else 1.0)

    def _cut(self, shared: bool) -> list[Chunk]:
        """All of it in chunks: rows as far as the buffer reaches, then groups; two at least if threads share it.

        Blocks are summed by chunks of rows, so the cut of rows must be the same for any number of threads.
        """
        groups, (whole, rest) = self.shape[0], divmod(self.out[0], self.rows)
        row_bytes = max(1, self.depth * self.width * 4)
        buffer_bytes = BUFFER_BYTES * (1 if last_level_is_fast() else 2)
        most = max(1, (buffer_bytes // row_bytes - self.reach) // max(1, self.move) + 1)  # blocks of one group
        group_bytes = row_bytes * (max(0, min(whole, most) - 1) * self.move + self.reach)
        by_rows, by_groups = ceil_div(whole, most), ceil_div(groups, max(1, buffer_bytes // group_bytes))
        if self.microseconds >= MIN_PARALLEL_MICROSECONDS and by_rows * by_groups % 2:
            by_rows, by_groups = (by_rows, by_groups + 1) if groups > by_groups else (by_rows + 1, by_groups)
        if not shared and not last_level_is_fast():
            by_groups = ceil_div(groups, max(1, CACHED_BYTES // group_bytes))
        runs = [(b0 * self.rows, b1 - b0, self.rows) for b0, b1 in even_parts(whole, by_rows)]
        if rest:
            runs.append((whole * self.rows, 1, rest))
        return [Chunk(*piece, *run) for piece in even_parts(groups, by_groups) for run in runs]

    def _run(self, work: Callable[[Chunk], object], microseconds: float) -> None:
        """`run_blocks`, in chunks that suit as many threads as there will be."""
        shared = get_num_threads() > 1 and microseconds >= SHARED_MICROSECONDS[last_level_is_fast()]
        run_blocks(work, self._chunks[shared], microseconds if shared else 0.0)

    @contextmanager
    def gather(self, x: Array, chunk: Chunk) -> Iterator[Array]:
        """Lend the column matrices (g, blocks, K, A * W' * B) of a chunk, K = reach * KW * C."""
        groups, rows, to_h, from_h = self._lines(chunk)
        stride, first, step, _ = self.horizontal
        with scratch((groups, rows, self.kernel[1], self.shape[1], *self.row), x.dtype) as buffer:
            buffer[:, : to_h.start] = 0
            buffer[:, to_h.stop :] = 0
            image, lines = x[chunk.g0 : chunk.g1, :, from_h].swapaxes(1, 2), buffer[:, to_h]
            for k in range(self.kernel[1]):
                to_w, from_w = tap(first + k * step, stride, self.out[1], self.shape[4])
                part = lines[:, :, k]
                part[..., : to_w.start, :] = 0
                part[..., to_w.stop :, :] = 0
                copy_rows(part[..., to_w, :], image[..., from_w, :])
            yield self._seen(buffer.reshape(groups, rows, self.depth, self.width), chunk)

    @contextmanager
    def pad(self, x: Array, chunk: Chunk) -> Iterator[list[Array]]:
        """Lend what is under each kernel column, KW matrices (g, blocks, reach * C, W' * B), without copying KW times.

        They are views of the image rows with zeros around. Columns are sorted by their remainder modulo the stride, so
        that those under one kernel column lie side by side. For A = 1: else they do not.
        """
        groups, rows, to_h, from_h = self._lines(chunk)
        stride, first, step, _ = self.horizontal
        columns = [divmod(first + k * step, stride) for k in range(self.kernel[1])]  # seen by output column 0
        left = min(columns)[0]
        span = max(columns)[0] - left + self.out[1]
        inner = self.shape[5]
        with scratch((groups, rows, self.shape[1], stride, span, inner), x.dtype) as region:
            region.view(np.uint8).fill(0)  # at twice the speed of numbers
            for remainder in range(stride):
                to_w, from_w = tap(left * stride + remainder, stride, span, self.shape[4])
                part = region[:, to_h, :, remainder, to_w]
                copy_pixels(part, x[chunk.g0 : chunk.g1, :, from_h, 0, from_w].swapaxes(1, 2))
            seen = self._seen(region.reshape(*region.shape[:3], -1), chunk)
            starts = [(remainder * span + column - left) * inner for column, remainder in columns]
            yield [seen[..., start : start + self.width] for start in starts]

    def _lines(self, chunk: Chunk) -> tuple[int, int, slice, slice]:
        """How many groups and image rows a chunk sees; which of these rows lie in the image, and where."""
        top = chunk.h0 * self.vertical.up // self.vertical.down + self.above
        rows = (chunk.blocks - 1) * self.move + self.reach
        return chunk.g1 - chunk.g0, rows, *tap(top, 1, rows, self.shape[2])

    def _seen(self, lines: Array, chunk: Chunk) -> Array:
        """What each block of a chunk sees of the image rows (g, rows, lines of a row, width): overlapping views."""
        groups, _, lines_of_row, width = lines.shape
        line, item = lines.strides[2:]
        shape = (groups, chunk.blocks, self.reach * lines_of_row, width)
        return np.ndarray(shape, lines.dtype, lines, 0, (lines.strides[0], self.move * lines.strides[1], line, item))

    def _outputs(self, y: Array, chunk: Chunk) -> Array:
        """The part of outputs y that a chunk computes, by block: (g, blocks, O, rows, A, W', B)."""
        part = y[chunk.g0 : chunk.g1, :, chunk.h0 : chunk.h0 + chunk.blocks * chunk.rows]
        return part.reshape(*part.shape[:2], chunk.blocks, chunk.rows, *self.row).swapaxes(1, 2)

    def correlate(self, x: Array, weight: Array, bias: Array | None, y: Array) -> bool:
        """y[g,o,h,..] = bias[g,o] + the sum over all taps, for weight (G, O, C, KH, KW); `y` may have gaps.

        False if some result is not finite: then the zeros of the band may have spread an infinity or a NaN
        (0 * infinity = NaN) to rows that do not see it, and the caller must go another way.
        """
        multiply = self._multiplication(weight, bias, y)
        finite: list[bool] = []

        def work(chunk: Chunk) -> None:
            with self.gather(x, chunk) as columns:
                finite.append(multiply(columns, chunk))

        if y.size:
            self._run(work, self.microseconds)
        return all(finite)

    def correlate_and_pair(self, x: Array, weight: Array, y: Array, grad: Array) -> Array | None:
        """`correlate`, and `weight_gradient` with the same columns; None if a result is not finite."""
        multiply = self._multiplication(weight, None, y)
        finite: list[bool] = []
        sums = self._sums(grad.dtype)

        def work(chunk: Chunk) -> None:
            with self.gather(x, chunk) as columns:
                finite.append(multiply(columns, chunk))
                self._pair(columns, grad, chunk, sums)

        self._run(work, 2 * self.microseconds)
        result = self._along_diagonals(sums, grad.dtype)
        return result if all(finite) and np.isfinite(result).all() else None

    def weight_gradient(self, x: Array, grad: Array) -> Array:
        """The gradient for the weight, (G, O, C, KH, KW), from `grad` (G, O, H', A, W', B).

        A product for each kernel column saves copying the image KW times; but short ones take longer than that.
        """
        sums = self._sums(grad.dtype)

        def multiply(chunk: Chunk) -> None:
            if self.width < LONG or self.shape[3] > 1:
                with self.gather(x, chunk) as columns:
                    self._pair(columns, grad, chunk, sums)
                return
            part = self._outputs(grad, chunk)
            left = part.reshape(*part.shape[:2], self.channels * chunk.rows, self.width)
            with self.pad(x, chunk) as matrices:
                for k, columns in enumerate(matrices):
                    band = sums[chunk.h0][chunk.g0 : chunk.g1, ..., k, :]
                    band[...] = np.add.reduce(np.matmul(left, columns.swapaxes(2, 3)), axis=1).reshape(band.shape)

        if grad.size:
            self._run(multiply, self.microseconds)
        return self._along_diagonals(sums, grad.dtype)

    def _multiplication(self, weight: Array, bias: Array | None, y: Array) -> Callable[[Array, Chunk], bool]:
        """The function that computes a chunk of `y` from its columns, and says whether that is finite."""
        by_row = weight.transpose(0, 1, 3, 4, 2).reshape(*weight.shape[:2], self.kernel[0], self.depth)
        spread = self.diagonals.reshape(self.kernel[0], -1).T.astype(weight.dtype)
        band = np.matmul(spread, by_row).reshape(*weight.shape[:2], self.rows, self.reach * self.depth)
        shift = None if bias is None else bias.reshape(len(band), 1, self.channels, 1)
        direct = self.channels == 1 and y.flags.c_contiguous  # then rows of the product are rows of `y`

        def multiply(columns: Array, chunk: Chunk) -> bool:
            groups, blocks = columns.shape[:2]
            part = self._outputs(y, chunk)
            left = band[chunk.g0 : chunk.g1, :, : chunk.rows].reshape(groups, 1, self.channels * chunk.rows, -1)
            with scratch((0,) if direct else part.shape, y.dtype) as work:
                whole = part if direct else work
                product = whole.reshape(groups, blocks, self.channels * chunk.rows, self.width)
                np.matmul(left, columns, out=product)
                flat = product.reshape(-1)
                finite = self.rows == 1 or bool(np.isfinite(np.dot(flat, flat)))
                if shift is not None:
                    by_channel = product.reshape(groups, blocks, self.channels, -1)
                    by_channel += shift[chunk.g0 : chunk.g1]
                if not direct:
                    copy_rows(part, work)
            return finite

        return multiply

    def _sums(self, dtype: np.dtype) -> dict[int, Array]:
        """Room for the products of gradient and columns: by their first row those of all groups."""
        channels, kw = self.shape[1], self.kernel[1]
        heights = {chunk.h0: chunk.rows for chunk in self._chunks[True]}
        return {
            h0: np.zeros((self.shape[0], self.channels, rows, self.reach, kw, channels), dtype)
            for h0, rows in heights.items()
        }

    def _pair(self, columns: Array, grad: Array, chunk: Chunk, sums: dict[int, Array]) -> None:
        """gradient rows @ columnsᵀ, summed over the blocks."""
        part = self._outputs(grad, chunk)
        apart = not part.flags.c_contiguous
        with scratch(part.shape if apart else (0,), grad.dtype) as copy:
            if apart:
                copy_rows(copy, part)
                part = copy
            left = part.reshape(*part.shape[:2], self.channels * chunk.rows, self.width)
            band = sums[chunk.h0][chunk.g0 : chunk.g1]
            products = np.matmul(left, columns.swapaxes(2, 3))
            np.add.reduce(products, axis=1, out=band.reshape(len(band), left.shape[2], -1))

    def _along_diagonals(self, sums: dict[int, Array], dtype: np.dtype) -> Array:
        """The gradient of each weight, from all products: the sum along its diagonal of the band."""
        (kh, kw), groups, channels = self.kernel, self.shape[0], self.shape[1]
        result = np.zeros((groups, self.channels, kh, self.depth), dtype)
        for band in sums.values():  # in this order, whoever came first
            diagonals = self.diagonals[:, : band.shape[2]].reshape(kh, -1)
            by_place = band.reshape(groups, self.channels, -1, self.depth)
            if np.isfinite(by_place).all():
                result += np.matmul(diagonals.astype(dtype), by_place)
            else:  # 0 * infinity = NaN
                for k, diagonal in enumerate(diagonals):
                    result[:, :, k] += np.add.reduce(by_place[:, :, np.flatnonzero(diagonal)], axis=2)
        by_tap = result.reshape(groups, self.channels, kh, kw, channels)
        return np.ascontiguousarray(by_tap.transpose(0, 1, 4, 2, 3))


bands_for = lru_cache(maxsize=256)(Bands)
"""`Bands(...)`, or the one that was made for the same arguments before."""
