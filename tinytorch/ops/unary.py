"""Elementwise functions of one tensor: y_i = f(x_i), so ∂L/∂x_i = grad_i · f'(x_i).

Where f' is cheapest in terms of the result (exp, sqrt, tanh, sigmoid), the result is saved instead of the input.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.kernels import elementwise
from tinytorch.ops.broadcast import Elementwise, operands, promote_all, to_float
from tinytorch.tensor import Tensor

__all__ = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "abs", "absolute", "sign", "sin", "cos",
           "tan", "tanh", "sigmoid", "relu", "clamp", "clip", "clamp_min", "clamp_max", "floor", "ceil", "round", "trunc",
           "fix", "frac"]  # fmt: skip

#: Elements from which on a blocked kernel is faster than one call of NumPy.
_LARGE = 1 << 14


class Exp(Elementwise):
    """f' = exp(x) = y."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * y


class Exp2(Elementwise):
    """f' = 2^x · ln 2."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.exp2(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y * math.log(2))


class Expm1(Elementwise):
    """y = exp(x) - 1, exact near 0; f' = y + 1."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.expm1(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y + 1)


class Log(Elementwise):
    """f' = 1 / x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / x


class Log2(Elementwise):
    """f' = 1 / (x · ln 2)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log2(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(2))


class Log10(Elementwise):
    """f' = 1 / (x · ln 10)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log10(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(10))


class Log1p(Elementwise):
    """y = ln(1 + x), exact near 0; f' = 1 / (1 + x)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.log1p(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x + 1)


class Sqrt(Elementwise):
    """f' = 1 / (2y)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.sqrt(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad / (y * 2)


class Rsqrt(Elementwise):
    """y = x^(-1/2); f' = -y³/2."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.reciprocal(np.sqrt(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y * y * y * -0.5)


class Abs(Elementwise):
    """f' = sign(x), with 0 at 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * sign(x)


class Sin(Elementwise):
    """f' = cos x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * cos(x)


class Cos(Elementwise):
    """f' = -sin x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.cos(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -grad * sin(x)


class Tan(Elementwise):
    """f' = 1 + y²."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.tan(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y * y + 1)


class Tanh(Elementwise):
    """f' = 1 - y²."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = np.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (1 - y * y)


class Sigmoid(Elementwise):
    """y = 1 / (1 + e^-x); f' = y (1 - y)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        # e^-x may overflow to inf for very negative x, and then 1 / (1 + inf) = 0 is right.
        y = np.reciprocal(np.exp(np.negative(x)) + 1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y * (1 - y))


class Relu(Elementwise):
    """y = max(x, 0); f' = 1 where y > 0, and 0 at 0. A nan stays nan and lets the gradient through."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = elementwise.relu(x) if x.size > _LARGE else np.maximum(x, x.dtype.type(0))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return ReluGrad.apply(grad, y)


class ReluGrad(Elementwise):
    """grad where y > 0 (or nan), else 0: linear in grad, and flat in y."""

    @staticmethod
    def forward(ctx: Any, grad: np.ndarray, y: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(y)
        return elementwise.relu_backward(grad, y) if y.size > _LARGE else np.where(y <= 0, grad.dtype.type(0), grad)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return ReluGrad.apply(grad, y), None

    @classmethod
    def name(cls) -> str:
        return "ThresholdBackwardBackward0"


class Clamp(Elementwise):
    """y = min(max(x, low), high) with numbers as limits; f' = 1 inside the limits and on them."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, low: Any, high: Any) -> np.ndarray:
        ctx.save_for_backward(x)
        y = x if low is None else np.maximum(x, low)
        y = y if high is None else np.minimum(y, high)
        return y.astype(x.dtype, copy=False)

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
        return tuple(
            None if mask is None else ops.where(Tensor._wrap(np.asarray(mask)), grad, 0.0) for mask in chosen
        )

    @classmethod
    def name(cls) -> str:
        return "ClampBackward1"


class Step(Elementwise):
    """Piecewise constant functions (sign, floor, round...): the derivative is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any) -> np.ndarray:
        return function(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return ops.zeros_like(grad)


def exp(input: Tensor) -> Tensor:
    """e to the power of ``input``."""
    return Exp.apply(to_float(input))


def exp2(input: Tensor) -> Tensor:
    """2 to the power of ``input``."""
    return Exp2.apply(to_float(input))


def expm1(input: Tensor) -> Tensor:
    """``exp(input) - 1``, exact near 0."""
    return Expm1.apply(to_float(input))


def log(input: Tensor) -> Tensor:
    """Natural logarithm; -inf at 0, nan below."""
    return Log.apply(to_float(input))


def log2(input: Tensor) -> Tensor:
    """Logarithm to base 2."""
    return Log2.apply(to_float(input))


def log10(input: Tensor) -> Tensor:
    """Logarithm to base 10."""
    return Log10.apply(to_float(input))


def log1p(input: Tensor) -> Tensor:
    """``log(1 + input)``, exact near 0."""
    return Log1p.apply(to_float(input))


def sqrt(input: Tensor) -> Tensor:
    """Square root; nan below 0."""
    return Sqrt.apply(to_float(input))


def rsqrt(input: Tensor) -> Tensor:
    """``1 / sqrt(input)``."""
    return Rsqrt.apply(to_float(input))


def abs(input: Tensor) -> Tensor:
    """Absolute value."""
    return Abs.apply(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; its derivative is 0."""
    return Step.apply(input, function=_sign)


def _sign(x: np.ndarray) -> np.ndarray:
    return x.copy() if x.dtype.kind == "b" else np.nan_to_num(np.sign(x)) if x.dtype.kind == "f" else np.sign(x)


def sin(input: Tensor) -> Tensor:
    """Sine, of radians."""
    return Sin.apply(to_float(input))


def cos(input: Tensor) -> Tensor:
    """Cosine, of radians."""
    return Cos.apply(to_float(input))


def tan(input: Tensor) -> Tensor:
    """Tangent, of radians."""
    return Tan.apply(to_float(input))


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return Tanh.apply(to_float(input))


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return Sigmoid.apply(to_float(input))


def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; the derivative at 0 is 0."""
    if not isinstance(input, Tensor):
        raise TypeError(f"relu(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if input._array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return Relu.apply(input)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input`` limited to ``[min, max]``, numbers or tensors; one of them may be None (``torch.clamp``)."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return _clamp_tensors(input, min, max)
    for limit in (min, max):
        if limit is not None:
            input = operands(input, limit)[0]  # a float limit makes an integer tensor floating
    if min is not None and max is not None and max != max:
        min = max
    return Clamp.apply(input, low=min, high=max)


def _clamp_tensors(input: Tensor, min: Any, max: Any) -> Tensor:
    input, *limits = promote_all(input, *[limit for limit in (min, max) if limit is not None])
    low = limits.pop(0) if min is not None else None
    high = limits.pop(0) if max is not None else None
    return ClampBetween.apply(input, low, high)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """``input`` where it is larger than ``min``, else ``min``."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """``input`` where it is smaller than ``max``, else ``max``."""
    return clamp(input, max=max)


def floor(input: Tensor) -> Tensor:
    """The largest integer not above; its derivative is 0."""
    return Step.apply(input, function=np.floor)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below; its derivative is 0."""
    return Step.apply(input, function=np.ceil)


def trunc(input: Tensor) -> Tensor:
    """The integer part; its derivative is 0."""
    return Step.apply(input, function=np.trunc)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, ties to even; or so many ``decimals``."""
    if decimals == 0:
        return Step.apply(input, function=np.rint if input._array.dtype.kind == "f" else np.array)
    return Step.apply(input, function=lambda x: np.round(x, decimals))


def frac(input: Tensor) -> Tensor:
    """The fractional part, with the sign of ``input``."""
    return input - trunc(input)


clip, absolute, fix = clamp, abs, trunc

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
