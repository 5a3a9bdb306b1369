"""The tiles of Winograd's convolution, a block of them at a time: Bᵀ d B, A gy Aᵀ and Aᵀ m A by long additions.

(After: `conv_columns`. Next: `winograd`, which tells what the matrices are for.)

*Passes without strides.* Tiles of 4x4 pixels overlap, two pixels apart. So the odd and even rows and columns of a block
go to four planes of one buffer. The pixel two rows further down, of a whole plane, is the same plane read from an
offset: every addition is one over a long contiguous run. With few images in a batch, that is what makes it fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.windows import ceil_div, even_pieces, inside

TILE_BYTES = 5 << 19
"""Bytes of V in a block: more than the L2 cache of a current core, but each product reads a sixteenth of it."""
LONG_ROW = 128
"""So many columns make a matrix product of one row of tiles worth its call; with fewer, the rows lie side by side."""


class Block(NamedTuple):
    """Tile rows t0:t1 and columns w0:w1 of images n0:n1."""

    t0: int
    t1: int
    w0: int
    w1: int
    n0: int
    n1: int

    @property
    def by_row(self) -> bool:
        """Whether each row of tiles is a matrix of its own. In a few small images rows are joined to one."""
        return (self.w1 - self.w0) * (self.n1 - self.n0) >= LONG_ROW

    @property
    def size(self) -> tuple[int, int, int]:
        """Rows and columns of tiles, and images."""
        return self.t1 - self.t0, self.w1 - self.w0, self.n1 - self.n0

    @property
    def columns(self) -> int:
        """Columns of the matrix products; rows that are joined have one tile more each, which is not used."""
        rows, columns, n = self.size
        return columns * n if self.by_row else rows * (columns + 1) * n


def blocks(channels: int, y: Array, itemsize: int) -> list[Block]:
    """Block boundaries, from the shapes alone (`threads` says why)."""
    _, height, width, n = y.shape
    most = max(1, TILE_BYTES // (16 * channels * itemsize))  # tiles
    ns = even_pieces(n, max(64, most // 8))
    images = ns[0][1]
    ws = even_pieces((width + 1) // 2, max(1, most // images))
    rows = (height + 1) // 2
    count = ceil_div(rows, max(1, most // (images * ws[0][1])))
    if 1 < count < rows:
        count += count % 2  # two threads have the same to do
    ts = [(i * rows // count, (i + 1) * rows // count) for i in range(count)]
    return [Block(*t, *w, *n_) for n_ in ns for t in ts for w in ws]


@contextmanager
def input_tiles(x: Array, block: Block, start: Pair) -> Iterator[Array]:
    """Lend V = Bᵀ d B of the block's tiles: (16, R, C, columns), for R rows of tiles (1, if they are joined).

    Plane [i, j] of the first buffer has the pixels of row i and column j of each 2x2 square. A tile needs rows 0 and 1
    of its own square and of the one below: the same plane, `down` numbers further; likewise columns, `right` further.
    Each row has one square more than tiles, and where rows are joined each channel has one row more; what is computed
    there is not used.
    """
    rows, columns, n = block.size
    channels = len(x)
    run = (columns + 1) * n
    down, right = channels * run if block.by_row else run, n
    size = (rows + 1) * channels * run
    used = size - down  # where rows are joined, this includes a last row of every channel but one
    kept = used if block.by_row else size
    with scratch((16, kept), x.dtype) as v_flat:
        with scratch((2, 2, size), x.dtype) as planes, scratch((4, 2, used), x.dtype) as half:
            _split(x, _images(planes, block, rows + 1, columns + 1), block, start)
            _butterfly([planes[i % 2, :, i // 2 * down :][:, :used] for i in range(4)], half)
            shifted = [half[:, j % 2, j // 2 * right :][:, : used - right] for j in range(4)]
            _butterfly(shifted, v_flat.reshape(4, 4, kept)[:, :, : used - right].swapaxes(0, 1))
        if block.by_row:
            yield v_flat.reshape(16, rows, channels, run)[..., : columns * n]
        else:
            yield v_flat.reshape(16, 1, channels, (rows + 1) * run)[..., : rows * run - n]


def _butterfly(d: list[Array], into: Array) -> None:
    """Bᵀ d: d0 - d2, d1 + d2, d2 - d1, d1 - d3."""
    np.subtract(d[0], d[2], out=into[0])
    np.add(d[1], d[2], out=into[1])
    np.subtract(d[2], d[1], out=into[2])
    np.subtract(d[1], d[3], out=into[3])


def _split(x: Array, planes: Array, block: Block, start: Pair) -> None:
    """planes[i, j, r, c, w, n] = x[c, 2 r + i + top, 2 w + j + left, n], and zero outside the image."""
    height, width = x.shape[1:3]
    images = x[..., block.n0 : block.n1].swapaxes(0, 1)
    for i in range(2):
        top = 2 * block.t0 + start[0] + i
        r0, r1 = inside(top, 2, planes.shape[2], height)
        planes[i, :, :r0] = 0
        planes[i, :, r1:] = 0
        for j in range(2):
            left = 2 * block.w0 + start[1] + j
            c0, c1 = inside(left, 2, planes.shape[4], width)
            target = planes[i, j, r0:r1]
            target[:, :, :c0] = 0
            target[:, :, c1:] = 0
            source = images[top + 2 * r0 : top + 2 * r1 : 2, :, left + 2 * c0 : left + 2 * c1 : 2]
            copy_pixels(target[:, :, c0:c1], source)


def output_tiles(m: Array, y: Array, block: Block) -> bool:
    """Write the outputs Aᵀ m A of the block's tiles; m (4, 4, numbers). False if some are not finite."""
    rows, columns, _ = block.size
    with scratch((2, *m.shape[1:]), m.dtype) as half:
        np.add(m[0], m[1], out=half[0])
        np.subtract(m[1], m[2], out=half[1])
        half[0] += m[2]
        half[1] -= m[3]
        even, odd = half[:, 0], half[:, 1]  # Aᵀ once more, for the columns, in place
        even += odd
        even += half[:, 2]
        odd -= half[:, 2]
        odd -= half[:, 3]
        results = _images(half, block, rows, columns + (not block.by_row))[..., :columns, :]
        target = y[..., block.n0 : block.n1].swapaxes(0, 1)
        for i in range(2):
            for j in range(2):
                part = target[2 * block.t0 + i : 2 * block.t1 : 2, :, 2 * block.w0 + j : 2 * block.w1 : 2]
                copy_pixels(part, results[i, j, : part.shape[0], :, : part.shape[2]])
        results_are_finite = all(math.isfinite(np.dot(flat, flat)) for flat in (*even, *odd))
    return results_are_finite


@contextmanager
def gradient_tiles(grad: Array, block: Block) -> Iterator[Array]:
    """Lend A gy Aᵀ of the block's tiles, but for the sign of row 3 and of column 3: (16, R, O, columns)."""
    rows, columns, n = block.size
    width = columns + (not block.by_row)
    out_channels = len(grad)
    with scratch((4, 4, rows * out_channels * width * n), grad.dtype) as z:
        ends = z[::3]
        images = _images(ends, block, rows, width)
        source = grad[..., block.n0 : block.n1].swapaxes(0, 1)
        for i in range(2):
            for j in range(2):
                part = source[2 * block.t0 + i : 2 * block.t1 : 2, :, 2 * block.w0 + j : 2 * block.w1 : 2]
                height, _, length, _ = part.shape
                copy_pixels(images[i, 3 * j, :height, :, :length], part)
                images[i, 3 * j, height:] = 0
                images[i, 3 * j, :, :, length:] = 0
        np.add(ends[:, 0], ends[:, 3], out=ends[:, 1])
        np.subtract(ends[:, 0], ends[:, 3], out=ends[:, 2])
        np.add(z[0], z[3], out=z[1])
        np.subtract(z[0], z[3], out=z[2])
        yield z.reshape(16, rows if block.by_row else 1, out_channels, -1)


def _images(flat: Array, block: Block, rows: int, columns: int) -> Array:
    """(a, b, numbers) as (a, b, rows, channels, columns, n), in the block's order: rows or channels outermost."""
    lead, n = flat.shape[:2], block.size[2]
    if block.by_row:
        return flat.reshape(*lead, rows, -1, columns, n)
    return flat.reshape(*lead, -1, rows, columns, n).swapaxes(2, 3)
