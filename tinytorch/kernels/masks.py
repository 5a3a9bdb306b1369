"""Choosing without branches: bit masks in place of `np.where`.

`np.where(mask, a, 0)` and `np.copyto(a, b, where=mask)` test one element after the other. When the mask has no
pattern, the processor guesses half of these tests wrong, and one guess costs as much as adding a hundred numbers.
Arithmetic needs no test. Multiplying by the mask as 0.0 and 1.0 will not do, because infinity * 0.0 is NaN; but the
*bits* of a, read as an integer, times 1 are those of a, and times 0 those of 0.0, whatever they mean:

    bits(inf) = 0x7F800000        0x7F800000 * 1 = bits(inf)        0x7F800000 * 0 = bits(0.0)

`tests/benchmarks/bench_kernels.py --only masks` times both.

>>> keep(np.array([1.0, np.inf, 3.0]), np.array([True, False, True]), out=np.empty(3))
array([1., 0., 3.])
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, scratch

_SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


def as_bits(x: Array) -> Array:
    """The same memory seen as signed integers of the same width."""
    return x.view(_SIGNED[x.itemsize])


def full_mask(mask: Array, out: Array) -> Array:
    """A boolean mask as signed integers: -1 (all ones) where True, 0 where False."""
    np.copyto(out, np.negative(mask.view(np.int8)))  # True is the byte 1; widening -1 keeps all bits set
    return out


def keep(x: Array, mask: Array, out: Array) -> Array:
    """out = `x` where `mask`, else 0: `np.where(mask, x, 0)`, many times faster when the mask has no pattern.

    `out` is another array than `x`.
    """
    bits = as_bits(out)
    np.copyto(bits, mask.view(np.int8))
    bits *= as_bits(x)
    return out


def select(mask: Array, a: Array, b: Array, out: Array) -> Array:
    """out = `a` where `mask`, else `b`: `np.where`. `a` or `b` may be 0-dimensional; `out` may be `b`."""
    with scratch(mask.shape, as_bits(out).dtype) as bits:
        full_mask(mask, bits)
        with scratch(mask.shape, bits.dtype) as flips:
            np.bitwise_xor(as_bits(a), as_bits(b), out=flips)  # the bits in which they differ
            flips &= bits
            np.bitwise_xor(as_bits(b), flips, out=as_bits(out))
    return out


def select_in_rows(mask: Array, x: Array, number: Array, there: bool, out: Array) -> Array:
    """out = `x`, but `number` (0-dimensional) where the mask of the last dimensions is `there`; x and out contiguous.

    A mask as short as that, of a causal attention say, is made into bits once, and two passes apply them to all rows.
    """
    keep_bits = full_mask(mask.reshape(-1), np.empty(mask.size, as_bits(out[:0]).dtype))
    if there:
        np.invert(keep_bits, out=keep_bits)
    rows = as_bits(out).reshape(-1, mask.size)
    np.bitwise_and(as_bits(x).reshape(rows.shape), keep_bits, out=rows)
    bits = as_bits(np.asarray(number))
    if bits:
        rows |= ~keep_bits & bits
    return out


def replace(x: Array, mask: Array, value: int) -> None:
    """x[mask] = value in place, for an integer array of any width."""
    with scratch(mask.shape, as_bits(x).dtype) as bits, scratch(mask.shape, x.dtype) as flips:
        np.bitwise_xor(x, x.dtype.type(value), out=flips)  # the bits in which x differs from value
        flips &= full_mask(mask, bits).view(x.dtype)
        x ^= flips
