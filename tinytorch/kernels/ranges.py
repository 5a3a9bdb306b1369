"""Evenly spaced numbers, bit for bit PyTorch's: arange and linspace of floating-point numbers.

The formula ``start + step * i`` leaves open where to round, and PyTorch's loops decide it:

- multiplication and addition are one instruction, with one rounding (FMA);
- `linspace` counts up from the start in its first half, and down from the end in its second, in its own precision;
- `arange` computes in float64. Whole pairs of vectors (of 256 bits) are filled first: each vector's first number is
  rounded to the result's precision and the others are counted from it. The rest is computed one by one.

The bits matter where numbers decide: thresholds, buckets, positions on a grid.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.memory import empty
from tinytorch.kernels.rng_normal import fma64

__all__ = ["arange", "linspace"]

_VECTOR_BYTES = 32
_PIECE = 1 << 13
"""Numbers made at a time, in the cache."""


def _line(first: int, step: Any, start: Any, out: NDArray[Any]) -> None:
    """out = start + step * (first, first + 1, ...), with one rounding (to float64, then to `out`'s precision)."""
    for begin in range(0, out.size, _PIECE):
        part = out[begin : begin + _PIECE]
        index = np.arange(first + begin, first + begin + part.size, dtype=np.float64)
        if out.dtype == np.float64:
            part[...] = fma64(index, float(step), float(start))
        else:  # the product of 24 bits and an index is exact
            index *= float(step)
            index += float(start)
            part[...] = index


def linspace(start: Any, end: Any, steps: int) -> NDArray[Any]:
    """`steps` numbers from `start` to `end`, NumPy numbers of the result's dtype.

    >>> linspace(np.float32(-1), np.float32(1), 5)
    array([-1. , -0.5,  0. ,  0.5,  1. ], dtype=float32)
    """
    dtype, half = start.dtype, steps // 2
    gap = (end - start) / dtype.type(max(steps - 1, 1))
    numbers = empty((steps,), dtype)
    up, down = numbers[:half], numbers[half:][::-1]
    if dtype.kind == "c":
        up[...] = start + gap * np.arange(half).astype(dtype)
        down[...] = end - gap * np.arange(steps - half).astype(dtype)
    else:
        _line(0, gap, start, up)
        _line(0, -gap, end, down)
    return numbers


def arange(start: float, step: float, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """`count` numbers from `start` on, in a floating dtype.

    >>> arange(0.0, 0.5, 3, np.dtype(np.float32))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    numbers = empty((count,), dtype)
    lanes = _VECTOR_BYTES // dtype.itemsize
    whole = count // (2 * lanes) * (2 * lanes)
    _line(whole, step, start, numbers[whole:])
    firsts = fma64(np.arange(0, whole, lanes, dtype=np.float64), step, start).astype(dtype).reshape(-1, 1)
    # Where the steps are no float64 numbers, long doubles stand for the FMA.
    exact = int(math.frexp(step)[0] * 2**53) % lanes == 0
    lane = np.arange(lanes) * (np.float64 if exact else np.longdouble)(step)
    rows = numbers[:whole].reshape(-1, lanes)
    for begin in range(0, len(rows), _PIECE // lanes):
        part = slice(begin, begin + _PIECE // lanes)
        rows[part] = (firsts[part] + lane).astype(np.float64, copy=False)
    return numbers
