"""Activations in straight and bent pieces, as primitives: leaky ReLU, hard sigmoid, ELU, softplus and their kin.

The functions that users call, with their checks, stand in :mod:`tinytorch.ops.activation`. Each of these could be
composed of ``where`` and arithmetic, with its derivative for free. But each step of a composition is a pass over
memory, and the whole formula is cheaper in pieces that stay in the cache (:mod:`tinytorch.kernels.elementwise`): 3 to
10 times on a matrix of 512 x 1024 (``python -m tests.benchmarks.survey``).

A :class:`Curve` has two formulas: ``value`` on arrays, and ``pull``, what grad becomes on its way through. ``pull`` is
written once, with operators and :func:`either`, for arrays (the first derivative, in pieces) and for Tensors (when the
derivative itself is to be differentiated).

At a kink both sides give the same value and only the comparison (``>`` or ``>=``) decides the derivative. Each
comparison is PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.kernels import masks
from tinytorch.kernels.elementwise import in_pieces
from tinytorch.ops.broadcast import Elementwise
from tinytorch.ops.checks import refuse_complex
from tinytorch.ops.clamp import clamp
from tinytorch.ops.compare import where
from tinytorch.ops.unary import sigmoid
from tinytorch.tensor import Tensor

__all__ = ["Elu", "Hardsigmoid", "Softplus"]

PIECE = 1 << 15
"""Elements worked on together: a handful of such arrays fits into a core's second-level cache."""


class Curve(Elementwise):
    """y = f(x) for one x. Subclasses define ``value(x, **attributes)`` and ``pull(grad, x, **attributes)``."""

    backward_on_arrays = True
    value: Any
    pull: Any

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, **attributes: Any) -> np.ndarray:
        refuse_complex(cls.__name__.lower(), x)
        ctx.save_for_backward(x)

        def write(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = cls.value(x, **attributes)

        return in_pieces(write, x, piece=PIECE)

    @classmethod
    def backward(cls, ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        if isinstance(grad, Tensor):
            return cls.pull(grad, x, **ctx.attributes)

        def write(grad: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
            out[...] = cls.pull(grad, x, **ctx.attributes)

        return in_pieces(write, grad, x, piece=PIECE)


def either(condition: Any, a: Any, b: Any) -> Any:
    """``where(condition, a, b)`` for Tensors or arrays; one of the two may be a number."""
    if isinstance(condition, Tensor):
        return where(condition, a, b)
    dtype = (a if hasattr(a, "dtype") else b).dtype
    if dtype.itemsize == 16 or condition.ndim != 1:  # complex; small or oddly lying arrays
        return np.where(condition, a, b).astype(dtype, copy=False)
    out = np.empty(condition.shape, dtype)
    if isinstance(b, float) and b == 0:
        return masks.keep(a, condition, out)
    masks.select(condition, np.asarray(a, dtype), np.asarray(b, dtype), out)
    return out


def _at_most_zero(x: Any) -> Any:
    """min(x, 0): so that exp of the other branch, where x is large, is not infinite (infinity times 0 is NaN)."""
    return clamp(x, max=0.0) if isinstance(x, Tensor) else np.minimum(x, x.dtype.type(0))


class Hardsigmoid(Curve):
    """y = min(max(x + 3, 0), 6) / 6."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return np.clip(x + 3.0, 0.0, 6.0) / 6.0

    @staticmethod
    def pull(grad: Any, x: Any) -> Any:
        return either((x > -3.0) & (x < 3.0), grad * (1 / 6), 0.0)


class Elu(Curve):
    """y = scale · x where x > 0, else scale · α (exp(rate · x) - 1)."""

    @staticmethod
    def value(x: np.ndarray, alpha: float, rate: float, scale: float) -> np.ndarray:
        bent = np.expm1(_at_most_zero(x) * rate) * (alpha * scale)  # 0 where x > 0
        return bent + np.maximum(x, x.dtype.type(0)) * scale

    @staticmethod
    def pull(grad: Any, x: Any, alpha: float, rate: float, scale: float) -> Any:
        exponent = _at_most_zero(x) * rate
        growth = exponent.exp() if isinstance(exponent, Tensor) else np.exp(exponent)
        return grad * either(x <= 0, growth * (alpha * rate * scale), scale)


class Softplus(Curve):
    """y = ln(1 + e^(βx)) / β, or x where βx > threshold; f' = sigmoid(βx), or 1 there.

    Computed as (max(βx, 0) + ln(1 + e^-|βx|)) / β, which does not overflow.
    """

    @staticmethod
    def value(x: np.ndarray, beta: float, threshold: float) -> np.ndarray:
        scaled = x * beta
        smooth = (np.maximum(scaled, 0.0) + np.log1p(np.exp(-np.abs(scaled)))) / beta
        return either(scaled > threshold, x, smooth)

    @staticmethod
    def pull(grad: Any, x: Any, beta: float, threshold: float) -> Any:
        scaled = x * beta
        slope = sigmoid(scaled) if isinstance(scaled, Tensor) else 1 / (1 + np.exp(-scaled))
        return grad * either(scaled > threshold, 1.0, slope)
