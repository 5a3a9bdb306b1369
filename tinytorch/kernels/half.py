"""Half precision, computed in single: sums of float16 numbers lose too much, and NumPy has no fast float16 arithmetic.

PyTorch's kernels do the same: the numbers come and go as float16, the accumulator is a float32.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def half_in_single(kernel: Kernel) -> Kernel:
    """A kernel whose first argument may be float16: then its array arguments become float32, and its result float16."""

    @functools.wraps(kernel)
    def wrapped(first: Any, *args: Any, **kwargs: Any) -> Any:
        if first.dtype != np.float16:
            return kernel(first, *args, **kwargs)
        result = kernel(
            _single(first), *[_single(arg) for arg in args], **{name: _single(arg) for name, arg in kwargs.items()}
        )
        return result.astype(np.float16)

    return wrapped  # type: ignore[return-value]


def _single(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float16 else value
