"""Random numbers of every other kind, bit for bit PyTorch's: uniform, exponential, ...

Each function turns the generator's words into numbers by PyTorch's recipe, and takes as many words as
PyTorch's CPU code takes, so that whatever is drawn next agrees as well:

=====================================  =================================================================
drawn                                  from
=====================================  =================================================================
uniform float32, float16, bfloat16     the low 24 bits of one word
uniform float64                        the low 53 bits of two words
exponential, geometric, cauchy         two words each: the inverse of the distribution function in float64
log_normal                             exp of normal numbers drawn one by one
=====================================  =================================================================

Yes-or-no draws are in `rng_bernoulli`, integers, permutations and choices in `rng_integers`. All functions
return new C-contiguous arrays, numbered in C order. PyTorch fills a destination in the order of its
*memory* (a transposed one column by column): `fill` does that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import float_limits, is_half
from tinytorch.kernels.rng import Generator
from tinytorch.kernels.rng_normal import fma64, libm, normal, scalar_normal, uniform24, uniform53

__all__ = [
    "as_number",
    "cauchy",
    "exponential",
    "fill",
    "geometric",
    "log_normal",
    "require_float",
    "scalar_name",
    "size_of",
    "trunc_normal",
    "uniform",
]

Shape = int | tuple[int, ...]

_CHUNK = 1 << 14

_SCALAR_NAMES = {
    "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double", "bool": "Bool",
    "complex64": "ComplexFloat", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long", "uint8": "Byte",
    "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "complex128": "ComplexDouble",
}  # fmt: skip


def scalar_name(dtype: np.dtype[Any]) -> str:
    """The name that PyTorch's error messages have for a dtype, such as Long."""
    return _SCALAR_NAMES.get(dtype.name, dtype.name)


def require_float(dtype: np.dtype[Any], kernel: str) -> None:
    """Raises NotImplementedError, in the name of PyTorch's `kernel`, unless `dtype` is floating point."""
    if dtype.kind not in FLOATS:
        raise NotImplementedError(f""""{kernel}" not implemented for '{scalar_name(dtype)}'""")


def _cast(numbers: NDArray[Any], dtype: np.dtype[Any], shape: Shape) -> NDArray[Any]:
    """`numbers` in `dtype` and `shape`; half precision is made from float32 only, as in PyTorch (two roundings)."""
    if is_half(dtype):
        numbers = numbers.astype(np.float32)
    return numbers.astype(dtype, copy=False).reshape(shape)


def as_number(dtype: np.dtype[Any], value: float) -> Any:
    """`value` as a NumPy number of `dtype`, so that arithmetic with it stays in `dtype`."""
    return dtype.type(value)


def size_of(shape: Shape) -> int:
    """The number of elements of a shape."""
    return math.prod(shape) if isinstance(shape, tuple) else shape


def fill(out: NDArray[Any], draw: Callable[[tuple[int, ...]], NDArray[Any]]) -> None:
    """Writes `draw(shape)` into `out` in the order of memory, as PyTorch's in-place draws do.

    Args:
        out: any array, not necessarily contiguous.
        draw: returns an array of the shape that it is given, that of `out` with dimensions sorted by stride.

    >>> out = np.zeros((2, 3)).T
    >>> fill(out, lambda shape: np.arange(6.0).reshape(shape))
    >>> out
    array([[0., 3.],
           [1., 4.],
           [2., 5.]])
    """
    if out.flags.c_contiguous:
        out[...] = draw(out.shape)
        return
    in_memory = out.transpose(sorted(range(out.ndim), key=lambda dim: -abs(out.strides[dim])))
    in_memory[...] = draw(in_memory.shape)


# ----------------------------------------------------------------------------------------------- continuous


def uniform(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, low: float = 0.0, high: float = 1.0
) -> NDArray[Any]:
    """Uniform numbers in [low, high), as `torch.rand` and `Tensor.uniform_`: low + (high - low) u.

    Raises:
        NotImplementedError: `dtype` is not floating point.
        RuntimeError: low > high, or a bound or their difference is too large for `dtype`.

    >>> uniform(Generator().manual_seed(0), 3)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "c":  # both parts
        sizes = (*shape, 2) if isinstance(shape, tuple) else (shape, 2)
        return uniform(generator, sizes, dtype.type(0).real.dtype, low, high).view(dtype)[..., 0]
    require_float(dtype, "check_uniform_bounds")
    draw = uniform53 if dtype == np.float64 else uniform24
    if low == 0.0 and high == 1.0 and not is_half(dtype):
        return draw(generator, size_of(shape)).reshape(shape)
    _check_uniform_bounds(dtype, low, high)
    u: NDArray[Any] = draw(generator, size_of(shape))
    stretched = fma64(u, high - low, low) if dtype == np.float64 else _fma32(u, np.float32(low), np.float32(high))
    numbers = _cast(stretched, dtype, shape)
    at_the_end = numbers == as_number(dtype, high)  # where rounding reached the bound
    if at_the_end.any():
        numbers[at_the_end] = low
    return numbers


def _fma32(u: NDArray[np.float32], low: np.float32, high: np.float32) -> NDArray[np.float32]:
    """low + (high - low) u with one rounding, in place of `u`: in float64, some thousand at a time."""
    span, offset = np.array(high - low, np.float64), np.array(low, np.float64)
    for start in range(0, u.size, _CHUNK):
        part = u[start : start + _CHUNK]
        wide = part.astype(np.float64)
        wide *= span
        wide += offset
        part[...] = wide
    return u


def _check_uniform_bounds(dtype: np.dtype[Any], low: float, high: float) -> None:
    largest = float(float_limits(dtype).max)
    for name, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {dtype.name}")
    if not low <= high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    if not high - low <= largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name(dtype)}>::max(), but found "
            f"to={high} and from={low} which result in to-from to exceed the limit"
        )


def trunc_normal(
    generator: Generator,
    shape: Shape,
    dtype: DTypeLike = np.float32,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
) -> NDArray[Any]:
    """Normal numbers that lie in [low, high], as `torch.nn.init.trunc_normal_`, by rejection.

    Where [low, high] holds over 30 % of the probability the numbers are normal and those outside are replaced
    from a whole new draw, until none is. Otherwise they are uniform, and each is accepted with the
    probability density / peak density; both the numbers and the random thresholds are drawn anew in full for
    every round.
    """
    dtype = np.dtype(dtype)

    def cdf(x: float) -> float:
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    if cdf(high) - cdf(low) > 0.3:
        result = normal(generator, shape, dtype, mean, std)
        lowest, highest = as_number(dtype, low), as_number(dtype, high)
        while (outside := (result < lowest) | (result > highest)).any():
            np.copyto(result, normal(generator, shape, dtype, mean, std), where=outside)
        return result

    mode = max(low, min(mean, high))
    log_peak = -0.5 * ((mode - mean) / std) ** 2
    result = np.empty(shape, dtype)
    pending = np.ones(shape, bool)
    while True:
        candidates = uniform(generator, shape, dtype, low, high)
        np.copyto(result, candidates, where=pending)
        relative_log_density = ((candidates - as_number(dtype, mean)) / as_number(dtype, std)) ** 2
        relative_log_density = relative_log_density * as_number(dtype, -0.5) - as_number(dtype, log_peak)
        with np.errstate(divide="ignore"):  # log 0 is -inf: accepted
            pending &= np.log(uniform(generator, shape, dtype)) > relative_log_density
        if not pending.any():
            return result


def exponential(generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, lambd: float = 1.0) -> NDArray[Any]:
    """Numbers with density lambd exp(-lambd x), as `Tensor.exponential_`: -log(1 - u) / lambd.

    Raises:
        RuntimeError: `dtype` is not floating point, or lambd <= 0.
    """
    dtype = np.dtype(dtype)
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    if dtype.kind not in FLOATS:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {scalar_name(dtype)}"
        )
    u = uniform53(generator, size_of(shape))
    np.negative(u, out=u)
    logarithm = libm(math.log1p, u) if dtype == np.float64 else log1p_for_float32(u, -1.0 / lambd)
    return _cast(-1.0 / lambd * logarithm, dtype, shape)


def log1p_for_float32(x: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """log(1 + x), such that its product with `factor`, rounded to float32, is that of the C library's.

    NumPy's log1p is many times as fast, and may be off in the last bits. So the C library is asked only where a change
    in those bits could change the rounding: for about one number in a million.
    """
    value = np.log1p(x)
    scaled = factor * value
    doubtful = np.flatnonzero(
        (scaled * (1 - 2.0**-46)).astype(np.float32) != (scaled * (1 + 2.0**-46)).astype(np.float32)
    )
    value[doubtful] = libm(math.log1p, x[doubtful])
    return value


def cauchy(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, median: float = 0.0, sigma: float = 1.0
) -> NDArray[Any]:
    """Cauchy numbers, as `Tensor.cauchy_`: median + sigma tan(pi (u - 1/2)).

    Raises:
        RuntimeError: `dtype` is not floating point, or sigma <= 0.
    """
    dtype = np.dtype(dtype)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    if dtype.kind not in FLOATS:
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {scalar_name(dtype)}"
        )
    tangent = libm(math.tan, math.pi * (uniform53(generator, size_of(shape)) - 0.5))
    return _cast(fma64(tangent, sigma, median), dtype, shape)


def log_normal(
    generator: Generator, shape: Shape, dtype: DTypeLike = np.float32, mean: float = 1.0, std: float = 2.0
) -> NDArray[Any]:
    """Numbers whose logarithm is normal with `mean` and `std`, as `Tensor.log_normal_`.

    Raises:
        RuntimeError: std <= 0.
        NotImplementedError: `dtype` is not floating point.
    """
    dtype = np.dtype(dtype)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    require_float(dtype, "log_normal_cpu")
    normals = scalar_normal(generator, size_of(shape), mean, std)
    with np.errstate(over="ignore"):
        return _cast(libm(_exp, normals), dtype, shape)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:  # where C's exp returns infinity
        return math.inf


# ------------------------------------------------------------------------------------------------- discrete


def geometric(generator: Generator, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Number of trials until the first success of probability `p`, as `Tensor.geometric_`.

    It is ceil(log u / log(1 - p)).

    Raises:
        RuntimeError: p is not in (0, 1).
    """
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    log_u = libm(lambda u: math.log(u) if u else -math.inf, uniform53(generator, size_of(shape)))
    return _cast(np.ceil(log_u / math.log1p(-p)), np.dtype(dtype), shape)
