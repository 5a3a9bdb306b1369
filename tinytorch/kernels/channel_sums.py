"""Sums over everything but the channel: the gradient of a bias, and the statistics of a normalization.

An image batch in C,H,W,N order is, channel by channel, one long row. The sums are done by BLAS in runs of 256 numbers,
and the runs are added in double precision: as fast as memory, and the rounding error does not grow with the length.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.layout import Array, Pair, contiguous_batch_last, is_chwn
from tinytorch.kernels.pieces import cache_blocks
from tinytorch.kernels.sums import ones
from tinytorch.kernels.threads import run_blocks

RUN = 256
"""Numbers that are added in single precision before double precision takes over."""


def sum_per_channel(grad: Array) -> Array:
    """Sum over all dimensions but the second: (N, C, ...) -> (C,). The gradient of a convolution's bias."""
    if grad.dtype.kind == "c":
        total: Array = np.add.reduce(grad, axis=(0, *range(2, grad.ndim)))
        return total
    if grad.ndim > 2 and grad.flags.c_contiguous and math.prod(grad.shape[2:]) >= RUN and not is_chwn(grad):
        return _sum_in_place(grad)
    rows = channel_rows(grad)
    sums = np.empty(rows.shape[0], grad.dtype)

    def add_up(block: Pair) -> None:
        sums[slice(*block)] = exact_row_sums(rows[slice(*block)])

    run_blocks(add_up, cache_blocks(rows), grad.size / 6000)
    return sums


def _sum_in_place(grad: Array) -> Array:
    """`sum_per_channel` of images that lie row-major: each channel of each image is a row."""
    n, channels = grad.shape[:2]
    rows = grad.reshape(n * channels, -1)
    sums = np.empty(len(rows))
    one = ones(rows.shape[1], grad.dtype) if rows.shape[1] <= 4 * RUN else None

    def add_up(block: Pair) -> None:
        part = rows[slice(*block)]
        sums[slice(*block)] = exact_row_sums(part) if one is None else part @ one

    run_blocks(add_up, cache_blocks(rows), grad.size / 6000)
    total: Array = sums.reshape(n, channels).sum(axis=0).astype(grad.dtype)
    return total


def exact_row_sums(a: Array) -> Array:
    """Sum of each row of (c, M), in float64: runs of 256 by BLAS, the runs in double precision."""
    whole = _whole_runs(a)
    total: Array = np.zeros(len(a))
    if whole:
        runs = a[:, :whole].reshape(len(a), -1, RUN)
        total += np.add.reduce(runs @ ones(RUN, a.dtype), axis=1, dtype=np.float64)
    rest = a.shape[1] - whole
    if whole and rest:
        total += a[:, whole:] @ ones(RUN, a.dtype)[:rest]
    elif rest:
        total += np.add.reduce(a, axis=1, dtype=np.float64)
    return total


def exact_row_dots(a: Array, b: Array) -> Array:
    """Dot product of each row of `a` with the same row of `b`, both (c, M), in float64."""
    whole = _whole_runs(a)
    total: Array = np.zeros(len(a))
    if whole < a.shape[1]:
        total += np.add.reduce(np.multiply(a[:, whole:], b[:, whole:]), axis=1, dtype=np.float64)
    if whole:
        left, right = (m[:, :whole].reshape(len(m), -1, RUN) for m in (a, b))
        total += np.add.reduce(np.vecdot(left, right), axis=1, dtype=np.float64)
    return total


def _whole_runs(a: Array) -> int:
    """How much of each row is whole runs; none for rows that are not contiguous (a small (N, C) matrix)."""
    return a.shape[1] // RUN * RUN if a.strides[1] == a.itemsize else 0


def channel_rows(x: Array) -> Array:
    """(N, C, ...) as a matrix (C, M), a view where possible: images in C,H,W,N order, and any (N, C)."""
    if x.ndim == 2:
        return x.T
    return contiguous_batch_last(x).reshape(x.shape[1], -1)
