"""Yes or no: Bernoulli numbers and dropout's masks, bit for bit PyTorch's.

A uniform number u in [0, 1) is less than p with probability p. How many words u takes decides everything
drawn later, and PyTorch has two ways:

- one probability for all: u is a float64 number, of two words, whatever is filled;
- an array of probabilities: u has the precision of the array, two words for float64 and one for float32 or
  half precision.

Dropout (Srivastava et al. 2014) multiplies by such a mask, ones with probability 1 - p made in the first way,
and divides by 1 - p, so that the expectation stays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytorch.kernels.rng import Generator
from tinytorch.kernels.rng_distributions import Shape, as_number, require_float, size_of
from tinytorch.kernels.rng_normal import LOW_53, uniform24, uniform53

__all__ = ["bernoulli", "dropout_mask"]

# Numbers drawn at a time: 8 bytes of words for one byte of result, so the words should stay in the cache.
_CHUNK = 1 << 15


def bernoulli(
    generator: Generator, shape: Shape, p: float | NDArray[Any], dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """Ones with probability `p` and zeros, as `Tensor.bernoulli_(p)` and `torch.bernoulli(p)`.

    Args:
        p: a number, or a floating point array that broadcasts to `shape`.
        dtype: any; by default that of an array p, and float32 for a number.

    Raises:
        RuntimeError: a probability is not in [0, 1].
        NotImplementedError: p is an array of integers.
    """
    size = size_of(shape)
    if not isinstance(p, np.ndarray):
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        return _bernoulli53(generator, size, p).astype(np.float32 if dtype is None else dtype).reshape(shape)
    require_float(p.dtype, "bernoulli_tensor_cpu_p_")
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
    draw = uniform53 if p.dtype == np.float64 else uniform24
    return (draw(generator, size).reshape(shape) < p).astype(p.dtype if dtype is None else dtype)


def _bernoulli53(generator: Generator, size: int, p: float) -> NDArray[np.bool_]:
    """u < p for uniform float64 u = k / 2**53; in whole numbers k < 2**53 p (exact), which saves making u."""
    threshold = np.array(math.ceil(p * 2.0**53), np.uint64)
    result = np.empty(size, np.bool_)
    for start in range(0, size, _CHUNK):
        part = result[start : start + _CHUNK]
        k = generator.random64(part.size)
        k &= LOW_53
        np.less(k, threshold, out=part)
    return result


def dropout_mask(generator: Generator, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """What `torch.nn.functional.dropout` multiplies its input by: 0 with probability `p`, else 1 / (1 - p).

    Nothing is drawn for p = 0 and p = 1. The order is C order: pass the logical shape (N, C, H, W).

    Raises:
        ValueError: p is not in [0, 1].
    """
    dtype = np.dtype(dtype)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0.0 or p == 1.0:
        return np.full(shape, 1.0 - p, dtype)
    kept = _bernoulli53(generator, size_of(shape), 1.0 - p)
    # One multiplication in place of PyTorch's division, same numbers: 0 / (1 - p) and 1 / (1 - p). The
    # division is in float32 for half precision, too.
    arithmetic = np.promote_types(dtype, np.float32)
    scale = as_number(arithmetic, 1.0) / as_number(arithmetic, 1.0 - p)
    mask = kept.astype(dtype)
    mask *= as_number(dtype, scale)
    return mask.reshape(shape)
