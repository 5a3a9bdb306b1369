"""The tiles of Winograd's convolution, a block of them at a time: Bᵀ d B, A gy Aᵀ and Aᵀ m A by long additions.

(After: `conv_columns`. Next: `winograd`, which tells what the matrices are for.)

*Few calls, each a long one.* Tiles of 4x4 pixels overlap, two pixels apart. So the odd and even rows and columns of a
block go to four planes of one buffer. The pixel two rows further down, of a whole plane, is the same plane read from an
offset: every addition is one over a long contiguous run. Aᵀ m A is a matrix product for each channel, Aᵀ ⊗ Aᵀ times its
sixteen places. A block makes about fifteen calls: after each, one of two threads may have to wait for Python's lock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tinytorch.kernels.cache import last_level_is_fast
from tinytorch.kernels.layout import Array, Pair, copy_pixels, scratch
from tinytorch.kernels.pieces import ceil_div, even_parts, even_pieces
from tinytorch.kernels.windows import inside

A_T = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])

TILE_BYTES = 5 << 19
"""Bytes of V in a block: more than the L2 cache of a current core, but each product reads a sixteenth of it. Four times
as many where the last-level cache is slow (`cache`)."""
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
    """Block boundaries, from the shapes alone (`threads` says why); for two threads, the same number of tiles.

    A large batch is cut in halves. Else the number of blocks is even, and the largest come first.
    """
    _, height, width, n = y.shape
    nbytes = TILE_BYTES * (1 if last_level_is_fast() else 4)
    most = max(1, nbytes // (16 * channels * itemsize))  # tiles
    ns = even_pieces(n, min(max(64, most // 8), ceil_div(n, 2)) if n >= 64 else n)
    images = ns[0][1]
    ws = even_pieces((width + 1) // 2, max(1, most // images))
    rows = (height + 1) // 2
    count = ceil_div(rows, max(1, most // (images * ws[0][1])))
    if (count > 1 or not last_level_is_fast()) and count < rows and len(ns) == 1:
        count += count % 2
    return [Block(*t, *w, *n_) for t in even_parts(rows, count) for n_ in ns for w in ws]


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
            _butterfly(planes[..., :used], planes[..., down:], half)
            v = v_flat.reshape(4, 4, kept)[..., : used - right]
            _butterfly(*(part.swapaxes(0, 1) for part in (half[..., :-right], half[..., right:], v)))
        if block.by_row:
            yield v_flat.reshape(16, rows, channels, run)[..., : columns * n]
        else:
            yield v_flat.reshape(16, 1, channels, (rows + 1) * run)[..., : rows * run - n]


def _butterfly(own: Array, next_: Array, into: Array) -> None:
    """Bᵀ d for d0 and d1 in `own`, d2 and d3 in `next_`: d0 - d2, d1 + d2, d2 - d1, d1 - d3."""
    np.subtract(own, next_, out=into[::3])
    np.add(own[1], next_[0], out=into[1])
    np.subtract(next_[0], own[1], out=into[2])


def _split(x: Array, planes: Array, block: Block, start: Pair) -> None:
    """planes[i, j, r, c, w, n] = x[c, 2 r + i + top, 2 w + j + left, n], and zero outside the image."""
    rows, columns = _places(x, planes, block, start)
    for i, r, _ in rows:
        planes[i, :, : r.start] = 0
        planes[i, :, r.stop :] = 0
    for j, c, _ in columns:
        planes[:, j, :, :, : c.start] = 0
        planes[:, j, :, :, c.stop :] = 0
    for part, pixels in _pairs(x, planes, block, rows, columns):
        copy_pixels(part, pixels)


class Place(NamedTuple):
    """Along one axis: which planes, which of their squares, and the pixels of the image that belong there."""

    planes: slice
    squares: slice
    pixels: slice


def _places(x: Array, planes: Array, block: Block, start: Pair) -> list[list[Place]]:
    """Rows and columns of squares that lie in the image: even and odd pixels together, where both have the same."""
    result = []
    for first, count, size in (
        (2 * block.t0 + start[0], planes.shape[2], x.shape[1]),
        (2 * block.w0 + start[1], planes.shape[4], x.shape[2]),
    ):
        (e0, e1), (o0, o1) = (inside(first + i, 2, count, size) for i in range(2))
        if (e0, e1) == (o0, o1):
            result.append([Place(slice(0, 2), slice(e0, e1), slice(first + 2 * e0, first + 2 * e1))])
        else:
            even = Place(slice(0, 1), slice(e0, e1), slice(first + 2 * e0, first + 2 * e1, 2))
            odd = Place(slice(1, 2), slice(o0, o1), slice(first + 2 * o0 + 1, first + 2 * o1 + 1, 2))
            result.append([even, odd])
    return result


def _pairs(
    x: Array, planes: Array, block: Block, rows: list[Place], columns: list[Place]
) -> Iterator[tuple[Array, Array]]:
    """Parts of the planes, and the same pixels of `x`, in the same order of axes."""
    for i, r, from_rows in rows:
        for j, c, from_columns in columns:
            part = planes[i, j, r, :, c]
            both_i, both_j, height, channels, width, n = part.shape
            pixels = x[:, from_rows, from_columns, block.n0 : block.n1]
            yield part, pixels.reshape(channels, height, both_i, width, both_j, n).transpose(2, 4, 1, 0, 3, 5)


def output_tiles(m: Array, y: Array, block: Block) -> bool:
    """Write the outputs Aᵀ m A of the block's tiles; m (16, R, O, columns). False if some are not finite."""
    rows, columns, n = block.size
    width = columns + (not block.by_row)
    lines = m.reshape(16, -1, m.shape[3] if block.by_row else width * n * rows).swapaxes(0, 1)  # one for each channel
    with scratch((4, *m.shape[1:]), m.dtype) as results:
        np.matmul(_both_sides(m.dtype), lines, out=results.reshape(4, *lines.shape[::2]).swapaxes(0, 1))
        flat = results.reshape(-1)
        planes = _images(results.reshape(2, 2, -1), block, rows, width)[..., :columns, :]
        for part, pixels in _pairs(y, planes, block, *_places(y, planes, block, (0, 0))):
            copy_pixels(pixels, part)
        return math.isfinite(np.dot(flat, flat))


@lru_cache(maxsize=8)
def _both_sides(dtype: np.dtype) -> Array:
    """Aᵀ ⊗ Aᵀ (4, 16): Aᵀ m A as one product with the sixteen places."""
    return np.kron(A_T, A_T).astype(dtype)


@contextmanager
def gradient_tiles(grad: Array, block: Block) -> Iterator[Array]:
    """Lend A gy Aᵀ of the block's tiles, but for the sign of row 3 and of column 3: (16, R, O, columns)."""
    rows, columns, n = block.size
    width = columns + (not block.by_row)
    out_channels = len(grad)
    with scratch((4, 4, rows * out_channels * width * n), grad.dtype) as z:
        ends = z[::3]
        planes = _images(ends[:, ::3], block, rows, width)
        planes[..., columns:, :] = 0
        _split(grad, planes[..., :columns, :], block, (0, 0))
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
