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

``python -m tests.benchmarks.bench_kernels --only product --threads 1`` times both, beside PyTorch.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinytorch.kernels.layout import Pair
from tinytorch.kernels.memory import Array, empty
from tinytorch.kernels.threads import blas_architectures, hold_blas, run_blocks
from tinytorch.kernels.windows import even_pieces

__all__ = ["matmul", "multiply", "multiply_transposed"]

LARGE = 1 << 18
"""Multiplications; BLAS does not use threads for fewer."""
PER_MICROSECOND = 45_000.0
"""Multiplications of a large product, one thread; to tell small work from large."""

MOST = 1_000_000
"""Multiplications in a product that OpenBLAS does without repacking."""
MOST_TRANSPOSED = 1024
"""For a @ bᵀ, besides, so many numbers of the result: as many as the inner loop keeps in registers or nearly so."""
_WITHOUT_REPACKING = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS's names of processors with AVX-512


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """`np.matmul`, large products cut over the threads: stacks by matrix, single ones by rows or by columns."""
    if (
        a.size * b.shape[-1] <= LARGE
        or a.ndim != b.ndim
        or a.ndim < 2
        or a.dtype.kind not in "fc"
        or a.dtype != b.dtype
    ):
        result: Array = np.matmul(a, b, out=out)
        return result
    hold_blas()
    stacked = a.ndim > 2
    rows, columns = a.shape[0 if stacked else -2], b.shape[-1]
    by_rows = stacked or rows >= columns
    size = rows if by_rows else columns
    microseconds = a.size * columns / PER_MICROSECOND
    if microseconds < 500 or size < 2 or (stacked and a.shape[:-2] != b.shape[:-2]):
        result = np.matmul(a, b, out=out)
        return result
    if out is None:
        out = empty((*a.shape[:-1], columns), a.dtype)

    def block(piece: Pair) -> None:
        part = slice(*piece)
        if stacked:
            np.matmul(a[part], b[part], out=out[part])
        elif by_rows:
            np.matmul(a[part], b, out=out[part])
        else:
            np.matmul(a, b[:, part], out=out[:, part])

    # each piece of a single product repacks the other matrix: the fewer the better
    most = -(-size // 16) if stacked else max(256, -(-size // 16)) if size > 512 else -(-size // 2)
    run_blocks(block, even_pieces(size, most), microseconds)
    return out


def multiply(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for a (..., m, k), b (..., k, n), out (..., m, n); leading dimensions are broadcast."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    rows, columns = _pieces(m, k, n) if a.dtype.kind == "f" and _reads_in_place() else (m, n)
    whole = n // columns * columns if columns else 0
    if rows < m or columns < n:
        pieces = b[..., :whole].reshape(*b.shape[:-2], 1, k, whole // columns, columns).swapaxes(-2, -3)
        into = out[..., :whole].reshape(*out.shape[:-2], m // rows, rows, whole // columns, columns).swapaxes(-2, -3)
        np.matmul(a.reshape(*a.shape[:-2], m // rows, 1, rows, k), pieces, out=into)
        if whole == n:
            return
        b, out = b[..., whole:], out[..., whole:]
    np.matmul(a, b, out=out)


def multiply_transposed(a: Array, b: Array, out: Array) -> None:
    """out = a @ bᵀ for a (..., m, k), b (..., n, k), out (..., m, n); leading dimensions are broadcast."""
    (m, k), n = a.shape[-2:], b.shape[-2]
    rows, columns = _pieces_transposed(m, k, n) if a.dtype.kind == "f" and _reads_in_place() else (m, n)
    if rows < m or columns < n:
        a = a.reshape(*a.shape[:-2], m // rows, 1, rows, k)
        b = b.reshape(*b.shape[:-2], 1, n // columns, columns, k)
        out = out.reshape(*out.shape[:-2], m // rows, rows, n // columns, columns).swapaxes(-2, -3)
    np.matmul(a, b.swapaxes(-1, -2), out=out)


@lru_cache(maxsize=512)
def _pieces(m: int, k: int, n: int) -> tuple[int, int]:
    """Rows and columns of a piece: as many rows as leave room for 64 columns."""
    if 0 < m * k * n <= MOST or not m * k * n:
        return m, n
    for rows in range(m, 7, -1):
        columns = MOST // (rows * k) // 64 * 64
        if m % rows == 0 and columns:
            return rows, min(columns, n)
    return m, n


@lru_cache(maxsize=512)
def _pieces_transposed(m: int, k: int, n: int) -> tuple[int, int]:
    """Rows and columns of a piece, divisors of m and n of at most 32; few if k is long."""
    most = min(MOST_TRANSPOSED, MOST // max(k, 1))
    if m * n <= most or most < 128 or k < 128:
        return m, n
    rows = _divisor(m, 32 if most == MOST_TRANSPOSED else 16)
    columns = _divisor(n, min(32, most // rows))
    return (rows, columns) if min(rows, columns) >= 8 else (m, n)


def _divisor(size: int, most: int) -> int:
    """The largest divisor of `size` that is at most `most`."""
    return next(d for d in range(most, 0, -1) if size % d == 0)


@lru_cache(maxsize=1)
def _reads_in_place() -> bool:
    """Whether the BLAS in use has loops for small matrices."""
    return bool(_WITHOUT_REPACKING.intersection(blas_architectures()))
