"""Half precision in functions that several ops make up: they compute in single from end to end, and round once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinytorch.kernels.half import is_half
from tinytorch.ops.broadcast import cast
from tinytorch.tensor import Tensor

__all__ = ["in_single", "number_in", "rounded_once"]

Function = TypeVar("Function", bound=Callable[..., Any])


def rounded_once(function: Function) -> Function:
    """``function`` of a first tensor that may be of half precision: all tensors of that go in as float32, and results
    of float32 come out as the first one's dtype.

    PyTorch has one kernel for such a function, which rounds what it writes. Each op by itself would round, too
    (:mod:`tinytorch.autograd.half`).
    """

    @functools.wraps(function)
    def wrapped(input: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(input, Tensor) or not is_half(input._array.dtype):
            return function(input, *args, **kwargs)
        wide = {name: in_single(value) for name, value in kwargs.items()}
        result = function(in_single(input), *[in_single(value) for value in args], **wide)
        return _rounded(result, input._array.dtype)

    return wrapped  # type: ignore[return-value]


def in_single(value: Any) -> Any:
    """A tensor of half precision as float32; anything else as it is."""
    half = isinstance(value, Tensor) and is_half(value._array.dtype)
    return cast(value, np.dtype(np.float32)) if half else value


def number_in(dtype: np.dtype[Any], value: Any) -> Any:
    """A Python number rounded to half precision, as one beside tensors of it is, except in products and quotients.
    Anything else as it is, and all of it if ``dtype`` is another one.
    """
    if type(value) not in (float, int) or not is_half(dtype):
        return value
    return float(np.asarray(value, np.float64).astype(dtype))


def _rounded(result: Any, half: np.dtype[Any]) -> Any:
    if isinstance(result, tuple):
        parts = [_rounded(part, half) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return cast(result, half) if isinstance(result, Tensor) and result._array.dtype == np.float32 else result
