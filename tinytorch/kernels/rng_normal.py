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
then). In float32 the second way uses the polynomials of the Cephes library (Moshier), eight numbers at a
time, with *fused* multiply-adds, which round once: `_fma32` does the same in float64 arithmetic, where the
product of two float32 numbers is exact.

Measured against PyTorch 2.13 on x86-64 with AVX2 or AVX-512: no difference in 100 million float32 and 10
million float64 numbers. (The sum in `_fma32` is itself rounded to float64 first, so a difference in the
last bit must be expected about once in 10**9 operations.) On processors without these
instructions PyTorch's own bits differ from these, as a product and a sum then round twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytorch.kernels.rng import Generator

__all__ = ["fma64", "libm", "normal", "scalar_normal", "uniform24", "uniform53"]

_FLOATS = (np.float16, np.float32, np.float64)

# Pairs transformed at a time: large enough to make NumPy's cost per call small, and the temporaries (64 KB)
# stay in the cache.
_CHUNK = 8192


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
        dtype: float16, float32 or float64; complex64 or complex128.
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
    out = np.empty(shape, dtype)
    if dtype.type not in _FLOATS:
        raise NotImplementedError(f'"normal_kernel_cpu" not implemented for {dtype.name!r}')
    if out.size < 16 or not contiguous:
        numbers: NDArray[Any] = scalar_normal(generator, out.size, mean, std)
        if dtype == np.float16:  # made from float32 only: two roundings
            numbers = numbers.astype(np.float32)
        out[...] = numbers.reshape(out.shape)
    elif dtype == np.float64:
        _fill(generator, out.reshape(-1), uniform53, _box_muller64, mean, std)
    else:
        _fill(generator, out.reshape(-1), uniform24, _box_muller32, *_float32(mean, std))
    return out


def scalar_normal(generator: Generator, count: int, mean: float, std: float) -> NDArray[np.float64]:
    """`count` normal numbers drawn one at a time in float64; the odd one out waits in the generator."""
    waiting = [] if generator.next_normal is None or count == 0 else [generator.next_normal]
    pairs = (count - len(waiting) + 1) // 2
    uniforms = uniform53(generator, 2 * pairs)
    u1, u2 = uniforms[0::2], uniforms[1::2]
    radius = np.sqrt(-2.0 * libm(math.log1p, -u2))
    theta = 2.0 * math.pi * u1
    numbers = np.empty(len(waiting) + 2 * pairs)
    numbers[: len(waiting)] = waiting
    numbers[len(waiting) :: 2] = radius * libm(math.cos, theta)
    numbers[len(waiting) + 1 :: 2] = radius * libm(math.sin, theta)
    if count:
        generator.next_normal = float(numbers[-1]) if numbers.size > count else None
    return fma64(numbers[:count], std, mean)


# ------------------------------------------------------------------------------------- 16 numbers or more


_Uniform = Callable[[Generator, int], NDArray[Any]]
_BoxMuller = Callable[[NDArray[Any], float, float], None]


def _fill(
    generator: Generator,
    out: NDArray[Any],
    uniform: _Uniform,
    box_muller: _BoxMuller,
    mean: float,
    std: float,
) -> None:
    """Fills `out`, shape (n,) with n >= 16, by blocks of 16."""
    full, rest = out.size // 16 * 16, out.size % 16
    # The rest's first uniform numbers are drawn and overwritten; float16 goes block by block and draws none.
    unused = 0 if out.dtype == np.float16 else rest
    drawn = uniform(generator, full + (unused + 16 if rest else 0))
    if unused:
        drawn = np.concatenate((drawn[:full], drawn[-16:]))
    blocks = drawn.reshape(-1, 16)
    rows = _CHUNK // 8
    for start in range(0, len(blocks), rows):
        box_muller(blocks[start : start + rows], mean, std)
    out[:full] = drawn[:full]
    if rest:
        out[-16:] = drawn[-16:]


def _box_muller64(blocks: NDArray[np.float64], mean: float, std: float) -> None:
    """Box-Muller in place on (k, 16) uniform float64 numbers."""
    u1, u2 = 1.0 - blocks[:, :8], blocks[:, 8:]
    radius = np.sqrt(-2.0 * libm(math.log, u1))
    theta = 2.0 * math.pi * u2
    blocks[:, :8] = fma64(radius * libm(math.cos, theta), std, mean)
    blocks[:, 8:] = fma64(radius * libm(math.sin, theta), std, mean)


# In the float32 arithmetic below every array has dtype float64 but holds float32 numbers: _round32 is
# applied wherever the float32 code would round, and nowhere else.


def _box_muller32(blocks: NDArray[np.float32], mean: float, std: float) -> None:
    """Box-Muller in place on (k, 16) uniform float32 numbers."""
    u1, u2 = 1.0 - blocks[:, :8], blocks[:, 8:].astype(np.float64)
    radius = np.sqrt((-2.0 * _log32(u1)).astype(np.float32))
    sine, cosine = _sincos32(_round32(_TWO_PI * u2))
    for half, numbers in ((blocks[:, :8], radius * cosine), (blocks[:, 8:], radius * sine)):
        half[...] = numbers + np.float32(mean) if std == 1.0 else numbers.astype(np.float64) * std + mean


def _round32(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x.astype(np.float32).astype(np.float64)


def _fma32(
    a: NDArray[np.float64], b: NDArray[np.float64] | float, c: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """a b + c with one rounding to float32: 24 x 24 bits fit in the 53 of float64."""
    product = a * b
    product += c
    return product.astype(np.float32).astype(np.float64)


def _float32(*values: float) -> tuple[float, ...]:
    return tuple(float(np.float32(value)) for value in values)


# Cephes, logf.c and sinf.c. ln 2 and pi / 4 are split in parts with few bits, so that a small integer times
# a part is exact.
(_TWO_PI, _FOUR_OVER_PI) = _float32(2 * math.pi, 4 / math.pi)
_SQRT_HALF_BITS = np.float32(math.sqrt(0.5)).view(np.int32)
_LOG = _float32(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
(_LN2_HIGH, _LN2_LOW) = _float32(0.693359375, -2.12194440e-4)
_COS = _float32(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = _float32(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_PI_OVER_4 = _float32(0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)


def _horner32(coefficients: tuple[float, ...], x: NDArray[np.float64]) -> NDArray[np.float64]:
    y = _fma32(x, coefficients[0], coefficients[1])
    for coefficient in coefficients[2:]:
        y = _fma32(y, x, coefficient)
    return y


def _log32(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """log x for normal float32 numbers x > 0: x = 2**e (1 + f), log x = e ln 2 + f - f**2 / 2 + f**3 P(f)."""
    # With 1 + f in [sqrt 1/2, sqrt 2). The bits of a float32 number are its exponent, then its fraction of 23
    # bits: subtract those of sqrt 1/2 and drop the fraction for e; subtract e from the exponent for 1 + f.
    bits = x.view(np.int32)
    exponent = (bits - _SQRT_HALF_BITS) >> 23
    f = (bits - (exponent << 23)).view(np.float32).astype(np.float64) - 1.0
    e = exponent.astype(np.float64)
    square = _round32(f * f)
    y = _round32(_horner32(_LOG, f) * f)
    y = _fma32(y, square, _round32(e * _LN2_LOW))
    y = _fma32(square, -0.5, y)
    return _fma32(e, _LN2_HIGH, _round32(f + y))


def _sincos32(x: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(sin x, cos x) for float32 x in [0, 2 pi]: take off quarter turns, then two polynomials to pi / 4."""
    octant = (x * _FOUR_OVER_PI).astype(np.float32).astype(np.int32)
    octant += 1
    octant &= ~1  # two octants are a quarter turn
    turn = octant.astype(np.float64)
    for part in _PI_OVER_4:
        x = _fma32(turn, -part, x)
    z = _round32(x * x)
    cosine = _round32(_horner32(_COS, z) * z)
    cosine = _fma32(cosine, z, -0.5 * z)  # half of z is exact
    cosine += 1.0
    sine = _round32(_horner32(_SIN, z) * z)
    sine *= x
    sine += x
    # An odd number of quarter turns swaps sine and cosine, and signs change. Done on the bits, as a choice
    # number by number (np.where) costs more than a polynomial.
    sine_bits, cosine_bits = sine.astype(np.float32).view(np.int32), cosine.astype(np.float32).view(np.int32)
    swap = (sine_bits ^ cosine_bits) & -((octant >> 1) & 1)
    sine_bits ^= swap ^ ((octant & 4) << 29)
    cosine_bits ^= swap ^ (((octant + 2) & 4) << 29)
    return sine_bits.view(np.float32), cosine_bits.view(np.float32)


# -------------------------------------------------------------------------------------------------- parts


def uniform24(generator: Generator, count: int) -> NDArray[np.float32]:
    """float32 in [0, 1): the low 24 bits of a word."""
    numbers = (generator.random32(count) & np.uint32(2**24 - 1)).astype(np.float32)
    numbers *= np.float32(2.0**-24)
    return numbers


def uniform53(generator: Generator, count: int) -> NDArray[np.float64]:
    """float64 in [0, 1): the low 53 bits of two words."""
    numbers = (generator.random64(count) & np.uint64(2**53 - 1)).astype(np.float64)
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
