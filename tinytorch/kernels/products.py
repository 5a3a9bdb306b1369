"""Matrix products in pieces that BLAS multiplies without repacking them.

A matrix product in OpenBLAS first copies both matrices into an order that its inner loop likes. For matrices of a few
dozen rows, which is what convolutions have, that takes as long as a third of the arithmetic. On processors with AVX-512
it has other loops that read the matrices where they lie, but takes them only for products of up to a million
multiplications. So a product is cut into pieces of that size: views, in one call of `numpy.matmul`. Float32, one
thread, billions of multiplications and additions a second, in one piece and in many::

      m    k    n    a @ b: one  many    a @ bᵀ: one  many
     20  180 1792            79   107             71    92
     40  360  896            94   113             84   109
     64  576  448            98   113             97   107
     32   75 1024            68   101             71   103
     64   64  448            94    99             74   100

Those are of an AMD processor (Zen 4). On Intel's (Granite Rapids), whose arithmetic units are twice as wide, copying
weighs more, and pieces of matrices that lie in the cache gain more::

     20  180 1792            88   121             51   108
     40  360  896           101   131             81   131
     64  576  448           128   139            107   140
     32   75 1024           120   140             63   126
     64   64  448           131   153             94   127

That is where rows begin at cache lines, as the columns of convolutions do (`memory` sees to it). Where they do not,
or must come from memory, pieces of many rows lose: in pieces of 8 rows, a product of 1024x1024 matrices took 1.1 times
as long on the former and 4 times on the latter. So `matmul`, whose matrices may come from anywhere, cuts on Intel's
only those of few rows, and `_pieces` draws the lines for all. They depend on shapes, never on where a matrix happens to
lie: pieces are summed in another order, and the same program must give the same bits.

The pieces of a @ bᵀ have rows and columns by eights, and what is left over are products of their own: (25, 1600) by
(175, 1600) takes 0.14 ms instead of 0.33 in one.

``python -m tests.benchmarks.bench_kernels --only product --threads 1`` times both, beside PyTorch.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinytorch.kernels.blas import blas_architectures, hold_blas
from tinytorch.kernels.cache import CACHED_NUMBERS, last_level_is_fast
from tinytorch.kernels.memory import Array, empty
from tinytorch.kernels.pieces import ceil_div, even_parts
from tinytorch.kernels.threads import MIN_PARALLEL_MICROSECONDS, run_blocks

__all__ = ["matmul", "multiply", "multiply_transposed"]

LARGE = 1 << 18
"""Multiplications; BLAS does not use threads for fewer."""
MANY = 1 << 26
"""Multiplications that are worth cutting into more than two parts: about a millisecond."""
PER_MICROSECOND = 45_000.0
"""Multiplications of a large product, one thread; to tell small work from large."""
CALLS_COUNT = 2.0
"""A block of a product is one call, which meets the global lock once: half the usual work is enough for two threads."""
LONG = 256
"""Numbers in the rows of a and b, for a @ bᵀ in pieces to be faster than in one."""
FEW = 64
"""Rows of a matrix anywhere in memory, up to which pieces gain on any processor."""
MOST = 1_000_000
"""Multiplications in a product that OpenBLAS does without repacking."""
CACHED = 1 << 19
"""Numbers of a matrix that may be read several times: as many as a second-level cache of two megabytes has room for."""
MOST_TRANSPOSED = 1024
"""For a @ bᵀ, besides, so many numbers of the result: as many as the inner loop keeps in registers or nearly so."""
_WITHOUT_REPACKING = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS's names of processors with AVX-512


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """`np.matmul`, large products cut over the threads: stacks by matrix, single ones by rows or by columns."""
    small = a.size * b.shape[-1] <= LARGE
    if small or a.ndim != b.ndim or a.ndim < 2 or a.dtype.kind not in "fc" or a.dtype != b.dtype:
        result: Array = np.matmul(a, b, out=out)
        return result
    hold_blas()
    if a.shape[:-2] != b.shape[:-2]:
        result = np.matmul(a, b, out=out)
        return result
    if out is None:
        out = empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    if a.ndim == 2 and b.strides[0] == b.itemsize and len(b) < LONG <= len(a) and last_level_is_fast():
        b = np.ascontiguousarray(b)  # a transposed weight; that pays for so many rows
    microseconds = a.size * b.shape[-1] / PER_MICROSECOND
    if microseconds < MIN_PARALLEL_MICROSECONDS / CALLS_COUNT:
        _multiply_views((a, b, out))
    else:
        run_blocks(_multiply_views, _cut(a, b, out), CALLS_COUNT * microseconds)
    return out


def _multiply_views(views: tuple[Array, Array, Array]) -> None:
    """out = a @ b for (a, b, out), without repacking if rows lie as they should."""
    a, b, out = views
    item = a.itemsize
    if a.ndim == 2 and out.strides[1] == item and (len(a) <= FEW or last_level_is_fast()):
        if a.strides[1] == item and b.strides[1] == item:
            multiply(a, b, out)
            return
        if a.strides[1] == item == b.strides[0] and len(b) >= LONG:
            multiply_transposed(a, b.T, out)
            return
    np.matmul(a, b, out=out)


def _cut(a: Array, b: Array, out: Array) -> list[tuple[Array, Array, Array]]:
    """The product as several, each (a, b, out); few, as every piece of a single product repacks the other matrix."""
    by_rows = a.ndim > 2 or len(out) >= out.shape[1]
    size = len(out) if by_rows else out.shape[1]
    if a.size * b.shape[-1] <= MANY:
        count = 2
    else:
        count = 16 if a.ndim > 2 or size > 4096 else 2 * ceil_div(size, 512)  # even: two threads have the same to do
    parts = [slice(*part) for part in even_parts(size, count)]
    if a.ndim > 2:
        return [(a[part], b[part], out[part]) for part in parts]
    return [(a[part], b, out[part]) if by_rows else (a, b[:, part], out[:, part]) for part in parts]


def multiply(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for a (..., m, k), b (..., k, n), out (..., m, n); leading dimensions are broadcast."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    _in_pieces(a, b, out, *(_pieces(m, k, n) if a.dtype.kind == "f" and _reads_in_place() else (m, n)))


def multiply_transposed(a: Array, b: Array, out: Array) -> None:
    """out = a @ bᵀ for a (..., m, k), b (..., n, k), out (..., m, n); leading dimensions are broadcast."""
    (m, k), n = a.shape[-2:], b.shape[-2]
    pieces = _pieces_transposed(m, k, n) if a.dtype.kind == "f" and _reads_in_place() else (m, n)
    _in_pieces(a, b.swapaxes(-1, -2), out, *pieces)


def _in_pieces(a: Array, b: Array, out: Array, rows: int, columns: int) -> None:
    """out = a @ b as products of so many rows and columns, in one call; what they leave over are two more."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    if rows == m and columns == n:
        np.matmul(a, b, out=out)
        return
    upper, left = m // rows * rows, n // columns * columns
    corner = out[..., :upper, :left].reshape(*out.shape[:-2], m // rows, rows, n // columns, columns)
    np.matmul(
        a[..., :upper, :].reshape(*a.shape[:-2], m // rows, 1, rows, k),
        b[..., :left].reshape(*b.shape[:-2], 1, k, n // columns, columns).swapaxes(-2, -3),
        out=corner.swapaxes(-2, -3),
    )
    if left < n:
        np.matmul(a[..., :upper, :], b[..., left:], out=out[..., :upper, left:])
    if upper < m:
        np.matmul(a[..., upper:, :], b, out=out[..., upper:, :])


@lru_cache(maxsize=512)
def _pieces(m: int, k: int, n: int) -> tuple[int, int]:
    """Rows and columns of a piece: as many rows as leave room for 64 columns. (m, n) where one piece is faster."""
    if 0 < m * k * n <= MOST or not m * k * n:
        return m, n
    if not last_level_is_fast():
        return _short_pieces(m, k, n)
    for rows in range(m, 7, -1):
        columns = MOST // (rows * k) // 64 * 64
        if m % rows == 0 and columns:
            b_is_read_once = rows == m <= 128
            b_stays_in_cache = rows >= 16 and k * n < CACHED
            return (rows, min(columns, n)) if b_is_read_once or b_stays_in_cache else (m, n)
    return m, n


def _short_pieces(m: int, k: int, n: int) -> tuple[int, int]:
    """The same for wide arithmetic units and a slow last-level cache: 64 columns, or 32 for as many rows."""
    for columns in (64, 32):
        rows = _divisor(m, min(m, MOST // (columns * k)))
        if rows == m <= 128 or (rows >= 24 and k * n < CACHED_NUMBERS):
            return rows, min(n, 128 if n % 128 == 0 and rows * k * 128 <= MOST else columns)
    return m, n


@lru_cache(maxsize=512)
def _pieces_transposed(m: int, k: int, n: int) -> tuple[int, int]:
    """Rows and columns of a piece; few if k is long. What is left over at the edges are products of their own."""
    most = min(MOST_TRANSPOSED, MOST // max(k, 1))
    if m * n <= most or k < 128 or (min(m, n) if last_level_is_fast() else m) > 128:
        return m, n
    rows = m if m < 8 else next((rows for rows in (_divisor(m, 32), 16, 8) if 8 <= rows <= min(m, most // 8)), m)
    fitting = [columns for columns in (32, 24, 16, 8) if rows * columns <= most and columns <= n]
    if not fitting:
        return m, n
    if m // rows > 2 and k * n > 2 * CACHED:  # b is read for each piece of a
        return m, n
    return rows, next((columns for columns in fitting if n % columns == 0), fitting[0])


def _divisor(size: int, most: int) -> int:
    """The largest divisor of `size` that is at most `most`; 0 if that is 0."""
    return next((d for d in range(most, 0, -1) if size % d == 0), 0)


@lru_cache(maxsize=1)
def _reads_in_place() -> bool:
    """Whether the BLAS in use has loops for small matrices."""
    return bool(_WITHOUT_REPACKING.intersection(blas_architectures()))
