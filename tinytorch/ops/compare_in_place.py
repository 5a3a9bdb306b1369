"""``x.eq_(y)`` and its kin: a comparison written over ``x`` as ones and zeros, in x's own dtype.

The new value no longer depends on the old one but by jumps, so ``x`` receives the gradient 0, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.broadcast import Elementwise, operands
from tinytorch.ops.checks import refuse_complex
from tinytorch.tensor import Tensor

__all__ = ["compared"]


class Compared(Elementwise):
    """y = 1 where the comparison holds, else 0."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: Any, function: Any, dtype: Any) -> np.ndarray:
        return np.asarray(function(a, b), dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return ops.zeros_like(grad), ops.zeros_like(grad)


def compared(input: Tensor, other: Any, function: Any) -> Tensor:
    """``function(input, other)`` (a NumPy comparison) as ones and zeros in the dtype of ``input``."""
    a, b = operands(input, other)
    if function not in (np.equal, np.not_equal):
        refuse_complex(function.__name__, a._array, b._array if isinstance(b, Tensor) else b)
    return Compared.apply(a, b, function=function, dtype=input._array.dtype)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
