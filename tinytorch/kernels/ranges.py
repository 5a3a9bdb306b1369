"""Evenly spaced numbers, bit for bit PyTorch's: arange and linspace of floating-point numbers.

The formula ``start + step * i`` leaves open where to round, and PyTorch's loops decide it:

- multiplication and addition are one instruction, with one rounding (FMA);
- `linspace` counts up from the start in its first half, and down from the end in its second, in its own precision;
- `arange` computes in float64. Whole pairs of vectors (of 256 bits) are filled first: each vector's first number is
  rounded to the result's precision and the others are counted from it. The rest is computed one by one.

The bits matter where numbers decide: thresholds, buckets, positions on a grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.rng_normal import fma64

__all__ = ["arange", "linspace"]

_VECTOR_BYTES = 32


def _line(index: NDArray[Any], step: Any, start: Any) -> NDArray[np.float64]:
    return fma64(index.astype(np.float64), float(step), float(start))


def linspace(start: Any, end: Any, steps: int) -> NDArray[Any]:
    """`steps` numbers from `start` to `end`, NumPy numbers of the result's dtype.

    >>> linspace(np.float32(-1), np.float32(1), 5)
    array([-1. , -0.5,  0. ,  0.5,  1. ], dtype=float32)
    """
    dtype, index = start.dtype, np.arange(steps)
    gap = (end - start) / dtype.type(max(steps - 1, 1))
    if dtype.kind == "c":
        up, down = start + gap * index.astype(dtype), end - gap * (steps - 1 - index).astype(dtype)
    else:
        up, down = _line(index, gap, start).astype(dtype), _line(steps - 1 - index, -gap, end).astype(dtype)
    return np.where(index < steps // 2, up, down)


def arange(start: float, step: float, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """`count` numbers from `start` on, in a floating dtype.

    >>> arange(0.0, 0.5, 3, np.dtype(np.float32))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    index = np.arange(count)
    numbers = _line(index, step, start).astype(dtype)
    lanes = _VECTOR_BYTES // dtype.itemsize
    whole = count // (2 * lanes) * (2 * lanes)
    if whole:
        firsts = numbers[:whole:lanes].astype(np.longdouble)  # rounded already; long doubles stand for the FMA
        lane = np.arange(lanes) * np.longdouble(step)
        numbers[:whole] = (firsts[:, None] + lane).astype(np.float64).astype(dtype).reshape(-1)
    return numbers
