"""Clamp: values held between limits. The gradient passes where x itself came through, and goes to the limit where
that did.

Limits are numbers, which have no gradient, or tensors, which do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import Number
from tinytorch.ops.broadcast import Elementwise, is_number, operands, promote_all
from tinytorch.ops.checks import refuse_bool, refuse_complex
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["clamp", "clamp_max", "clamp_min", "clip"]


SMALL = 1 << 10
"""Elements up to which `np.maximum` and `np.minimum`, one after the other, are faster than `np.clip`."""


class Clamp(Elementwise):
    """y = min(max(x, low), high) with numbers as limits; f' = 1 inside the limits and on them."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        refuse_complex("clamp", x)
        ctx.save_for_backward(x)
        if x.dtype.kind in FLOATS:
            if x.size <= SMALL:
                y = x if low is None else np.maximum(x, low)
                return y if high is None else np.minimum(y, high)
            # NumPy is several times faster with two limits than with one
            low, high = -np.inf if low is None else low, np.inf if high is None else high
        return np.clip(x, low, high).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        low, high = ctx.attributes["low"], ctx.attributes["high"]
        inside = np.ones(x._array.shape, bool)
        if low is not None:
            inside &= x._array >= low
        if high is not None:
            inside &= x._array <= high
        return ops.where(Tensor._wrap(inside), grad, 0.0)


class ClampBetween(Elementwise):
    """y = min(max(x, low), high) with tensors (or None) as limits; the gradient goes to whichever of the three y is.

    On a limit it goes to x, and to nobody where x is nan.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        refuse_complex("clamp", x)
        ctx.save_for_backward(x, low, high)
        y = x if low is None else np.maximum(x, low)
        return y.copy() if high is None else np.minimum(y, high)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, low, high = (saved._array if isinstance(saved, Tensor) else saved for saved in ctx.saved_tensors)
        crossed = False if low is None or high is None else low >= high
        chosen: list[Any] = [np.True_, None, None]
        if low is not None:
            chosen[0] = chosen[0] & (x >= low)
            chosen[1] = (x < low) & ~np.asarray(crossed)
        if high is not None:
            chosen[0] = chosen[0] & (x <= high)
            chosen[2] = (x > high) | (crossed if low is None else low > high)
        return tuple(None if mask is None else ops.where(Tensor._wrap(np.asarray(mask)), grad, 0.0) for mask in chosen)

    known_name = "ClampBackward1"


@accepts_out
def clamp(
    input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None, *, out: Tensor | None = None
) -> Tensor:
    """``input`` limited to ``[min, max]``, numbers or tensors; one of them may be None (``torch.clamp``)."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        if not is_number(min) and not is_number(max):
            return _clamp_tensors(input, min, max)
        if any(isinstance(limit, Tensor) and (limit._array.ndim or limit._requires_grad) for limit in (min, max)):
            kinds = f"{type(min).__name__}, {type(max).__name__}"
            raise TypeError(f"clamp() received an invalid combination of arguments - got (Tensor, {kinds})")
        min, max = (limit.item() if isinstance(limit, Tensor) else limit for limit in (min, max))
    for limit in (min, max):
        if limit is not None:
            input = operands(input, limit)[0]  # a float limit makes an integer tensor floating
    for limit in (min, max):
        if limit is not None:
            check_convertible(limit, input._array.dtype)
    refuse_bool("clamp_scalar_cpu", input)
    if min is not None and max is not None and max != max:
        min = max
    return known_as(Clamp.apply(input, low=min, high=max), "ClampBackward1")


def _clamp_tensors(input: Tensor, min: Any, max: Any) -> Tensor:
    input, *limits = promote_all(input, *[limit for limit in (min, max) if limit is not None])
    if len(limits) == 2:
        refuse_bool("clamp_cpu", input)
    low = limits.pop(0) if min is not None else None
    high = limits.pop(0) if max is not None else None
    return ClampBetween.apply(input, low, high)


@accepts_out
def clamp_min(input: Tensor, min: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input`` where it is larger than ``min``, else ``min``."""
    return known_as(clamp(input, min=min), "ClampMinBackward0")


@accepts_out
def clamp_max(input: Tensor, max: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input`` where it is smaller than ``max``, else ``max``."""
    return known_as(clamp(input, max=max), "ClampMaxBackward0")


clip = clamp


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
