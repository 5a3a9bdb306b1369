"""Cutting a range into pieces: as many as a cache, or the number of threads, asks for.

>>> [list(range(*piece)) for piece in even_pieces(7, 3)]
[[0, 1, 2], [3, 4], [5, 6]]
"""

from __future__ import annotations

import numpy as np

Piece = tuple[int, int]
"""The first place and the one after the last."""

BLOCK_BYTES = 1 << 20
"""Bytes that are worked on together: few enough for a second-level cache, enough for the work of a thread."""


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up.

    >>> ceil_div(7, 2), ceil_div(-7, 2)
    (4, -3)
    """
    return -(-a // b)


def even_pieces(size: int, longest: int) -> list[Piece]:
    """Cut range(size) into the fewest pieces of at most `longest`, as even as can be, the longer ones first.

    >>> even_pieces(14, 5)
    [(0, 5), (5, 10), (10, 14)]
    """
    return even_parts(size, ceil_div(size, max(1, longest)))


def even_parts(size: int, count: int) -> list[Piece]:
    """Cut range(size) into `count` parts (or `size`, if that is less), as even as can be, the longer ones first.

    >>> even_parts(14, 4)
    [(0, 4), (4, 8), (8, 11), (11, 14)]
    """
    if size == 0:
        return []
    length, longer = divmod(size, min(count, size))
    middle = longer * (length + 1)
    return [(start, start + length + 1) for start in range(0, middle, length + 1)] + [
        (start, start + length) for start in range(middle, size, length)
    ]


def cache_blocks(rows: np.ndarray, nbytes: int = BLOCK_BYTES) -> list[Piece]:
    """Which rows (the first dimension of an array) to work on together, so that they stay in the cache.

    >>> cache_blocks(np.zeros((5, 1 << 16)))                          # rows of half a megabyte
    [(0, 2), (2, 4), (4, 5)]
    """
    if len(rows) and rows.nbytes <= nbytes:
        return [(0, len(rows))]
    return even_pieces(len(rows), max(1, nbytes // max(1, rows[:1].nbytes)))
