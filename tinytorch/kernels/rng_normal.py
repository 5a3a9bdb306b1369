"""Normal numbers, bit for bit PyTorch's.

The Box-Muller transform (1958) turns two uniform numbers into two independent normal ones: a random radius
and a random angle,

    radius = sqrt(-2 log(1 - u1)),   theta = 2 pi u2,   z1 = radius cos(theta),   z2 = radius sin(theta).

PyTorch's CPU code applies it in two ways, and a tensor's size decides which:

- *fewer than 16 numbers*, or a destination that is not contiguous: one number at a time, always in float64
  and rounded to the destination's dtype at the end; the second number of a pair waits in the generator
  (`Generator.next_normal`) for the next such draw, in whatever tensor that is;
- *16 numbers or more*: the destination is filled with uniform numbers of its own dtype, and every 16 of
  them are transformed in place, the first eight as u1 and the other eight as u2. When the size is no
  multiple of 16, the *last* 16 places are filled with uniform numbers once more and transformed, over what
  was there.

To get the same bits one must round where PyTorch rounds. In float64 both ways call the C library's log, sin
and cos, which Python's `math` calls too (NumPy's own float64 sin and log differ in the last bit now and
then). In float32 the second way uses the polynomials of `cephes`, on as many threads as allowed.

Measured against PyTorch 2.13 on x86-64 with AVX2 or AVX-512: no difference in 100 million float32 and 10
million float64 numbers. On processors without these instructions PyTorch's own bits differ from these, as a
product and a sum then round twice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.cephes import cossin32, log32
from tinytorch.kernels.half import is_half
from tinytorch.kernels.layout import Pair
from tinytorch.kernels.memory import empty
from tinytorch.kernels.pieces import even_pieces
from tinytorch.kernels.rng import Generator
from tinytorch.kernels.threads import run_blocks

__all__ = ["LOW_53", "fma64", "libm", "normal", "scalar_normal", "uniform24", "uniform53"]

# Arrays without dimensions, which NumPy takes in half the time of a number.
LOW_53 = np.array(2**53 - 1, np.uint64)
_LOW_24, _LESS_2_TO_24 = np.array(2**24 - 1, np.uint32), np.array(-(2**24), np.int32)
_UNIT, _MINUS_UNIT, _ANGLE, _MINUS_2 = (
    np.array(value, np.float32) for value in (2.0**-24, -(2.0**-24), 2.0**-24 * 2 * math.pi, -2.0)
)

# Numbers made at a time: enough to make NumPy's cost per call small, few enough for the cache.
_CHUNK = 1 << 16


def normal(
    generator: Generator,
    shape: int | tuple[int, ...],
    dtype: DTypeLike = np.float32,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    contiguous: bool = True,
) -> NDArray[Any]:
    """Normal numbers as `torch.randn` and `Tensor.normal_(mean, std)` draw them.

    Args:
        generator: the source; its state moves on as PyTorch's does.
        shape: shape of the result.
        dtype: float16, bfloat16, float32 or float64; complex64 or complex128.
        mean, std: of the distribution.
        contiguous: False for a destination that is not contiguous: PyTorch then draws one number at a time.

    Returns:
        A new array, C-contiguous.

    Raises:
        RuntimeError: std is negative.
        NotImplementedError: dtype is no floating point type.

    >>> normal(Generator().manual_seed(0), 3)
    array([ 1.5409961, -0.2934289, -2.1787894], dtype=float32)
    """
    dtype = np.dtype(dtype)
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if dtype.kind == "c":  # half of the variance for each of the two parts
        sizes = (*shape, 2) if isinstance(shape, tuple) else (shape, 2)
        parts = normal(generator, sizes, dtype.type(0).real.dtype, mean, std / math.sqrt(2), contiguous=contiguous)
        return parts.view(dtype)[..., 0]
    out = empty(shape if isinstance(shape, tuple) else (shape,), dtype)
    if dtype.kind not in FLOATS:
        raise NotImplementedError(f'"normal_kernel_cpu" not implemented for {dtype.name!r}')
    if out.size < 16 or not contiguous:
        numbers: NDArray[Any] = scalar_normal(generator, out.size, mean, std)
        if is_half(dtype):  # made from float32 only: two roundings
            numbers = numbers.astype(np.float32)
        out[...] = numbers.reshape(out.shape)
    elif dtype == np.float64:
        _fill(generator, out.reshape(-1), uniform53, _box_muller64, mean, std)
    else:
        _fill(generator, out.reshape(-1), Generator.random32, _box_muller32, *_float32(mean, std))
    return out


def scalar_normal(generator: Generator, count: int, mean: float, std: float) -> NDArray[np.float64]:
    """`count` normal numbers drawn one at a time in float64; the odd one out waits in the generator."""
    if count == 0:
        return np.empty(0)
    numbers = [] if generator.next_normal is None else [generator.next_normal]
    uniforms = _uniform53_list(generator, (count - len(numbers) + 1) // 2 * 2)
    for u1, u2 in zip(uniforms[0::2], uniforms[1::2], strict=True):
        radius, theta = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
        numbers += radius * math.cos(theta), radius * math.sin(theta)
    generator.next_normal = numbers.pop() if len(numbers) > count else None
    if mean == 0.0:
        return np.array([number * std + 0.0 for number in numbers])
    return fma64(np.array(numbers), std, mean)


def _uniform53_list(generator: Generator, count: int) -> list[float]:
    """`uniform53` as Python's numbers; of a few, Python makes them faster."""
    if count > 20:
        return uniform53(generator, count).tolist()
    words = generator.random32(2 * count).tolist()
    return [((high << 32 | low) & (2**53 - 1)) * 2.0**-53 for high, low in zip(words[0::2], words[1::2], strict=True)]


# ------------------------------------------------------------------------------------- 16 numbers or more


_Draw = Callable[[Generator, int], NDArray[Any]]
_BoxMuller = Callable[[NDArray[Any], float, float], NDArray[Any]]


def _fill(
    generator: Generator, out: NDArray[Any], draw: _Draw, box_muller: _BoxMuller, mean: float, std: float
) -> None:
    """Fills `out`, shape (n,) with n >= 16, by blocks of 16.

    While one thread turns what it drew into normal numbers, another draws; who comes next takes the next place.
    """
    blocks, rest = divmod(out.size, 16)
    pieces = even_pieces(blocks, _CHUNK // 16)
    coming, turn = iter(pieces), threading.Lock()

    def fill(_: Pair) -> None:
        with turn:
            start, stop = next(coming)
            drawn = draw(generator, 16 * (stop - start)).reshape(-1, 16)
            if rest and stop == blocks:
                if not is_half(out.dtype):  # which goes block by block
                    draw(generator, rest)  # for the last places, which are then filled anew
                drawn = np.concatenate((drawn, draw(generator, 16).reshape(1, 16)))
        halves = box_muller(_apart(drawn), mean, std).astype(out.dtype, copy=False)
        size = 8 * (stop - start)
        _side_by_side(halves[:, :size], out[16 * start : 16 * stop])
        if rest and stop == blocks:
            _side_by_side(halves[:, size:], out[-16:])

    run_blocks(fill, pieces, out.size / 80 if out.dtype != np.float64 else 0)


def _apart(blocks: NDArray[Any]) -> NDArray[Any]:
    """The first eight of every block of 16 and the other eight: (k, 16) to (2, 8 k)."""
    # Eight numbers are copied as one item: NumPy is slow on rows as short as that. (Always a copy: a single block of
    # words is the generator's own.)
    return blocks.view(f"V{8 * blocks.itemsize}").T.copy().view(blocks.dtype)


def _side_by_side(halves: NDArray[Any], out: NDArray[Any]) -> None:
    """The inverse of `_apart`: (2, 8 k) to (16 k,)."""
    item = f"V{8 * out.itemsize}"
    out.reshape(-1, 16).view(item)[...] = halves.view(item).T


def _box_muller64(uniform: NDArray[np.float64], mean: float, std: float) -> NDArray[np.float64]:
    """Box-Muller from (2, k) uniform numbers to as many normal ones."""
    radius = np.sqrt(-2.0 * libm(math.log, 1.0 - uniform[0]))
    theta = 2.0 * math.pi * uniform[1]
    return fma64(radius * np.stack((libm(math.cos, theta), libm(math.sin, theta))), std, mean)


def _box_muller32(words: NDArray[np.uint32], mean: float, std: float) -> NDArray[np.float32]:
    """Box-Muller from the low 24 bits of (2, k) words to as many normal numbers. The words are overwritten."""
    first, second = words.view(np.int32)
    first |= _LESS_2_TO_24  # the low bits less 2**24
    second &= _LOW_24.view(np.int32)
    u1, theta = words.view(np.int32).astype(np.float32)
    u1 *= _MINUS_UNIT  # 1 - u1
    theta *= _ANGLE
    radius = log32(u1)
    radius *= _MINUS_2
    np.sqrt(radius, out=radius)
    normal = cossin32(theta)
    normal *= radius
    if std != 1.0 and mean != 0.0:  # one rounding
        return (normal.astype(np.float64) * std + mean).astype(np.float32)
    if std != 1.0:
        normal *= np.float32(std)
    normal += np.float32(mean)
    return normal


def _float32(*values: float) -> tuple[float, ...]:
    return tuple(float(np.float32(value)) for value in values)


# -------------------------------------------------------------------------------------------------- parts


def uniform24(generator: Generator, count: int) -> NDArray[np.float32]:
    """float32 in [0, 1): the low 24 bits of a word."""
    numbers = empty((count,), np.dtype(np.float32))
    for start in range(0, count, _CHUNK):
        part = numbers[start : start + _CHUNK]
        bits = generator.random32(part.size) & _LOW_24
        part[...] = bits.view(np.int32)  # NumPy converts signed numbers faster
        part *= _UNIT
    return numbers


def uniform53(generator: Generator, count: int) -> NDArray[np.float64]:
    """float64 in [0, 1): the low 53 bits of two words."""
    bits = generator.random64(count)
    bits &= LOW_53
    numbers = bits.view(np.int64).astype(np.float64)  # NumPy converts signed numbers faster
    numbers *= 2.0**-53
    return numbers


def libm(function: Callable[[float], float], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """`function` from `math` on every number of `x`: the C library's bits, not those of NumPy's own loops."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def fma64(a: NDArray[np.float64], b: float, c: float) -> NDArray[np.float64]:
    """a b + c with one rounding to float64.

    Dekker (1971): cut both factors in halves of 26 bits, so that the rounding error of the product is a sum
    of exact products; Knuth: the rounding error of a sum is exact as well. Both are added to the rounded sum.
    """
    if c == 0.0 or max(abs(b), abs(c)) > 2.0**900:  # no second rounding, or the cut would overflow
        return a * b + c
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(np.float64(b))
    a_low, b_low = a - a_high, b - b_high
    product_error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    rounded_c = total - product
    sum_error = (product - (total - rounded_c)) + (c - rounded_c)
    return total + (sum_error + product_error)


def _upper_half(x: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """The upper 26 bits of a float64 number (Veltkamp)."""
    scaled = x * (2.0**27 + 1.0)
    return np.asarray(scaled - (scaled - x), np.float64)
