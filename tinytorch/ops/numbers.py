"""Python numbers as elements: which ones a dtype can hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import float_limits

__all__ = ["check_convertible", "check_count", "number_as"]

#: How PyTorch's errors name the types of elements.
_C_NAMES = {
    "uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "int8": "int8_t",
    "int16": "int16_t", "int32": "int", "int64": "int64_t", "float16": "at::Half", "bfloat16": "at::BFloat16",
    "float32": "float", "float64": "double",
}  # fmt: skip


_HALF_HOLDS = 60000  # half precision ends at 65504


def number_as(value: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """A number as a 0-dimensional array of ``dtype``, fractions cut off.

    Negative integers wrap around in unsigned types, as in C. RuntimeError for what the type cannot hold: a larger
    number, or a complex one in a real type.
    """
    if dtype.kind in FLOATS and type(value) in (float, int) and -_HALF_HOLDS < value < _HALF_HOLDS:
        return np.array(value, dtype)
    check_convertible(value, dtype)
    return np.asarray(value).astype(dtype)


def check_convertible(value: Any, dtype: np.dtype[Any]) -> None:
    """RuntimeError if ``dtype`` cannot hold the number (see :func:`number_as`)."""
    if dtype.kind in FLOATS and type(value) in (float, int) and -_HALF_HOLDS < value < _HALF_HOLDS:
        return
    number = complex(value) if isinstance(value, (complex, np.complexfloating)) or np.iscomplexobj(value) else value
    if dtype.kind == "c" or dtype.kind == "b":
        return
    if isinstance(number, complex):
        fits = number.imag == 0
    elif dtype.kind in FLOATS:
        limit = float(float_limits(dtype).max)
        fits = not -np.inf < number < -limit and not limit < number < np.inf
    else:
        limits = np.iinfo(dtype)
        wraps = dtype.kind == "u" and np.asarray(number).dtype.kind in "iu"
        lowest = -int(limits.max) if wraps else int(limits.min)
        fits = bool(lowest <= number <= int(limits.max))
    if not fits:
        raise RuntimeError(f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow")


def check_count(count: int) -> None:
    """RuntimeError for more elements than any memory holds. (Ints of more than 64 bits have an error of their own.)"""
    if 2**60 <= count < 2**63:
        raise RuntimeError(f"Storage size calculation overflowed with sizes=[{count}]")
