"""Random integers, permutations and choices, bit for bit PyTorch's.

The recipes, as far as words are concerned (see `rng_distributions` for the others):

- an integer in [low, high) is `low + word % (high - low)`. The remainder favours small numbers a little:
  with a range of 2**28 by one part in 16. So from there on PyTorch takes 64 bits. (The exact cure, to draw
  again when the word falls into the incomplete last range, would take a varying number of words.)
- a permutation is Fisher and Yates' shuffle (Durstenfeld 1964): position i swaps with a random one of i,
  ..., n - 1.
- a choice with replacement looks a uniform number up in the cumulative distribution. Without replacement it
  takes the k largest of p / e with exponential numbers e: the smallest of exponential waiting times with
  rates p is the one of category c with probability p_c, and the order in which they arrive is that of
  drawing without replacement.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import float_limits, is_half
from tinytorch.kernels.memory import empty
from tinytorch.kernels.rng import Generator
from tinytorch.kernels.rng_distributions import Shape, exponential, scalar_name, size_of
from tinytorch.kernels.rng_normal import uniform53
from tinytorch.kernels.shuffle import swapped

__all__ = ["multinomial", "random_integers", "randperm"]

_INT64 = np.iinfo(np.int64)
_C_NAMES = {
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double", "bool": "bool",
    "int8": "signed char", "int16": "short int", "int32": "int", "int64": "long int", "uint8": "unsigned char",
}  # fmt: skip


def random_integers(
    generator: Generator,
    shape: Shape,
    dtype: DTypeLike = np.int64,
    low: int | None = None,
    high: int | None = None,
) -> NDArray[Any]:
    """Integers in [low, high), as `torch.randint` and `Tensor.random_`.

    Args:
        dtype: any integer, floating point or bool dtype.
        low, high: without `high` up to the largest number of the dtype, inclusive, or up to 2**24
            (2**53, 2**11, 2**8) for float32 (float64, float16, bfloat16); without `low` from 0.

    Raises:
        RuntimeError: low >= high, or a bound does not fit the dtype.
        ValueError: a bound does not fit int64.

    >>> random_integers(Generator().manual_seed(0), 5, low=0, high=10)
    array([4, 9, 3, 0, 3])
    """
    dtype = np.dtype(dtype)
    if low is None and high is None:
        return _natural_range(generator, shape, dtype)
    low = 0 if low is None else low
    for bound in (low, _INT64.max if high is None else high):
        if not _INT64.min <= bound <= _INT64.max:
            raise ValueError(f"Overflow when unpacking long long: {bound} does not fit int64")
    if high is None and low == _INT64.min:
        return _all_int64(generator, shape, dtype)
    last = _largest(dtype) if high is None else high - 1
    if low > last and (high is not None or dtype.kind in FLOATS):
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={last + 1}")
    low, last = _bounds(dtype, low, last)
    span = last - low + 1
    numbers = _below(span, generator, size_of(shape), wide=span >= 2**28)
    if low:
        numbers += np.int64(low)
    return numbers.astype(dtype, copy=False).reshape(shape)


def _natural_range(generator: Generator, shape: Shape, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.name not in _C_NAMES:
        raise NotImplementedError(f""""random_kernel_cpu" not implemented for '{scalar_name(dtype)}'""")
    count, span = size_of(shape), _largest(dtype) + 1
    wide = dtype in (np.dtype(np.int64), np.dtype(np.float64))
    return _below(span, generator, count, wide).astype(dtype, copy=False).reshape(shape)


_CHUNK = 1 << 15


def _below(span: int, generator: Generator, count: int, wide: bool) -> NDArray[np.int64]:
    """Words of 32 or (`wide`) 64 bits modulo `span`, piece by piece in the cache."""
    numbers = empty((count,), np.dtype(np.int64))
    divisor = np.array(span, np.uint64 if wide else np.uint32)
    for start in range(0, count, _CHUNK):
        part = numbers[start : start + _CHUNK]
        words: NDArray[Any] = generator.random64(part.size) if wide else generator.random32(part.size)
        multiples = words // divisor  # NumPy's division by one number is fast, its remainder is not
        multiples *= divisor
        part[...] = np.subtract(words, multiples, out=multiples)
    return numbers


def _all_int64(generator: Generator, shape: Shape, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.name not in ("int64", "float64", "float32", "bfloat16"):
        raise RuntimeError("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")
    return generator.random64(size_of(shape)).view(np.int64).astype(dtype).reshape(shape)


def _digits(dtype: np.dtype[Any]) -> int:
    return int(float_limits(dtype).nmant) + 1


def _largest(dtype: np.dtype[Any]) -> int:
    """The last number of a range without an upper bound; for floats, up to which all integers are exact."""
    if dtype.kind in FLOATS:
        return 2 ** _digits(dtype)
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def _bounds(dtype: np.dtype[Any], low: int, last: int) -> tuple[int, int]:
    """Checked bounds; for floats moved inwards, to where rounding to the dtype cannot leave the range."""
    lowest, largest = _limits(dtype)
    if dtype.kind not in FLOATS and lowest <= low <= last <= largest:
        return low, last
    if dtype.kind in FLOATS and lowest <= low and last <= largest:
        low, high = _round_inwards(dtype, low, last + 1)
        if low >= high:
            raise RuntimeError(
                "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                f"but got from={low} >= to={high}"
            )
        last = high - 1
    for name, bound in (("from", low), ("to - 1", last)):
        if not lowest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES.get(dtype.name, dtype.name)}")
        if dtype.kind in FLOATS and abs(bound) > 2 ** _digits(dtype):
            warnings.warn(
                f"{name} is out of bounds [-(2^{_digits(dtype)}), 2^{_digits(dtype)}]. Due to precision "
                f"limitations {_C_NAMES[dtype.name]} can support discrete uniform distribution only within "
                "this range.",
                UserWarning,
                stacklevel=4,
            )
    return low, last


@functools.cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in FLOATS:
        return float(float_limits(dtype).min), float(float_limits(dtype).max)
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), min(int(np.iinfo(dtype).max), int(_INT64.max))


def _round_inwards(dtype: np.dtype[Any], low: int, high: int) -> tuple[int, int]:
    digits = _digits(dtype)
    above, below = int(dtype.type(low + 1)), int(dtype.type(high - 1))
    if above < low:
        low = above + (1 << (abs(low + 1).bit_length() - digits))
    if below >= high:
        high = below - (1 << (abs(high - 1).bit_length() - digits))
    return low, high


def randperm(generator: Generator, n: int, dtype: DTypeLike = np.int64) -> NDArray[Any]:
    """A random permutation of 0, ..., n - 1, shape (n,), as `torch.randperm`.

    Raises:
        RuntimeError: n is negative or too large for the dtype.
        NotImplementedError: dtype is bool.

    >>> randperm(Generator().manual_seed(0), 5)
    array([4, 0, 1, 3, 2])
    """
    dtype = np.dtype(dtype)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.kind == "b":
        raise NotImplementedError("\"randperm\" not implemented for 'Bool'")
    if n > _largest(dtype) + (dtype.kind in FLOATS):
        raise RuntimeError(f"n cannot be greater than {_largest(dtype)} for {scalar_name(dtype)} type.")
    left = np.arange(n, 1, -1, dtype=np.uint32 if n < 2**32 else np.uint64)  # to choose from, at each position
    # From 2**32 / 20 numbers on, 32 bits would favour some.
    words: NDArray[Any] = generator.random32(left.size) if n < 2**32 // 20 else generator.random64(left.size)
    partners = np.arange(n)
    partners[:-1] += (words % left).astype(np.int64)
    return swapped(partners).astype(dtype, copy=False)


# --------------------------------------------------------------------------------------------- multinomial


def multinomial(
    generator: Generator,
    probabilities: NDArray[Any],
    num_samples: int,
    replacement: bool = False,
    by_columns: bool = False,
) -> NDArray[np.int64]:
    """Indices drawn in proportion to `probabilities`, as `torch.multinomial`.

    Args:
        probabilities: floating point, shape (categories,) or (rows, categories); rows need not sum to 1.
        by_columns: in PyTorch the probabilities lie in memory column by column, in which order it draws then.

    Returns:
        int64, shape (num_samples,) or (rows, num_samples).

    Raises:
        RuntimeError: wrong shape or dtype, negative or infinite probabilities, a row of zeros,
            num_samples < 1, or more samples than categories without replacement.
    """
    if probabilities.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if probabilities.dtype.kind not in FLOATS:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {scalar_name(probabilities.dtype)}"
        )
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > probabilities.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    rows = np.atleast_2d(probabilities)
    if replacement and num_samples > 1:
        drawn = _with_replacement(generator, rows, num_samples)
    else:
        drawn = _without_replacement(generator, rows, num_samples, by_columns)
    return np.ascontiguousarray(drawn.reshape(*probabilities.shape[:-1], num_samples))


def _without_replacement(
    generator: Generator, rows: NDArray[Any], num_samples: int, by_columns: bool
) -> NDArray[np.int64]:
    if not ((rows >= 0) & (rows < np.inf)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (rows.sum(axis=-1) == 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    waiting = (
        exponential(generator, rows.shape[::-1], rows.dtype).T
        if by_columns
        else exponential(generator, rows.shape, rows.dtype)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = rows / waiting
    if num_samples == 1:
        return speed.argmax(axis=-1, keepdims=True)
    return _fastest(speed, num_samples)


def _fastest(speed: NDArray[Any], k: int) -> NDArray[np.int64]:
    """`np.argsort(-speed, axis=-1, kind="stable")[:, :k]`, without sorting those that are not wanted."""
    rows, n = speed.shape
    if 4 * k <= n:
        least = np.partition(speed, n - k, axis=-1)[:, n - k, None]
        columns: NDArray[np.int64] = np.nonzero(speed >= least)[1]
        if columns.size == rows * k:  # or else several are the k-th
            columns = columns.reshape(rows, k)
            order = np.argsort(-np.take_along_axis(speed, columns, axis=-1), axis=-1, kind="stable")
            return np.take_along_axis(columns, order, axis=-1)
    return np.argsort(-speed, axis=-1, kind="stable")[:, :k]


def _with_replacement(generator: Generator, rows: NDArray[Any], num_samples: int) -> NDArray[np.int64]:
    if not (rows >= 0).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    if not np.isfinite(rows).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    sums = rows.cumsum(axis=-1, dtype=np.float32 if is_half(rows.dtype) else rows.dtype)
    if not rows.shape[1] or not (sums[:, -1:] > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    cumulative = sums / sums[:, -1:]
    cumulative[:, -1] = 1.0
    u = uniform53(generator, len(rows) * num_samples).reshape(len(rows), num_samples)
    result = np.empty(u.shape, np.int64)
    for row, drawn, found in zip(cumulative.astype(np.float64), u, result, strict=True):
        found[:] = row.searchsorted(drawn, side="left")
    return result
