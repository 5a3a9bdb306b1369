"""Half precision, float16 and bfloat16: two bytes a number, which come and go, and are computed with as float32.

PyTorch's kernels do the same. For what is no op of autograd's; ops see nothing of it (:mod:`tinytorch.autograd.half`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS

__all__ = ["float_limits", "is_half", "widened"]


def is_half(dtype: np.dtype[Any]) -> bool:
    """Whether that is float16 or bfloat16."""
    return dtype.itemsize == 2 and dtype.kind in FLOATS


def float_limits(dtype: np.dtype[Any]) -> Any:
    """`np.finfo`, of bfloat16 too."""
    if dtype.kind != "V":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)


def widened(value: Any) -> Any:
    """An array of half precision in float32; anything else as it is."""
    return value.astype(np.float32) if isinstance(value, np.ndarray) and is_half(value.dtype) else value
