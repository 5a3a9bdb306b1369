"""Chapter 3, part 4. Elementwise functions of one tensor: y_i = f(x_i), so ∂L/∂x_i = grad_i · f'(x_i).

After: tinytorch/ops/powers.py
Next: tinytorch/ops/reduce.py

Goal: differentiate y_i = f(x_i), choosing what to save.

Where f' is cheapest in terms of the result (exp, sqrt, tanh, sigmoid), the result is saved instead of the input.

The functions at the end take a tensor of any shape; integers and bools become the default float type, except in abs
and relu. TypeError for what is no tensor.

What PyTorch does. The same functions, and the same choices at kinks: the slope of ReLU at 0 is 0, that of abs is 0,
that of sqrt is inf.

Pitfalls. Formulas that are right on paper overflow: sigmoid of -1000 as 1 / (1 + e^1000). Infinity times 0 is NaN,
also in backward.

Exercises. Why does tanh save its result and sin its input? Write ``softplus`` so that neither 1000 nor -1000
overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.kernels import activations, elementwise
from tinytorch.kernels.elementwise import applied
from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.broadcast import Elementwise, of_float
from tinytorch.ops.checks import check_tensor, refuse_bool, refuse_complex
from tinytorch.ops.complex_numbers import sgn
from tinytorch.ops.out import castable, exact, write_out
from tinytorch.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "cos",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "relu",
    "rsqrt",
    "sigmoid",
    "sin",
    "sqrt",
    "tan",
    "tanh",
]  # fmt: skip

#: Elements from which on a blocked kernel is faster than one call of NumPy.
_LARGE = 1 << 11
#: Elements of whose arrays a cache does not hold several.
_CACHED = 1 << 16


class Exp(Elementwise):
    """f' = exp(x) = y."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = applied(np.exp, x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * y


class Exp2(Elementwise):
    """f' = 2^x · ln 2."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = applied(np.exp2, x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y * math.log(2))


class Expm1(Elementwise):
    """y = exp(x) - 1, exact near 0; f' = y + 1."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = applied(np.expm1, x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (y + 1)


class Log(Elementwise):
    """f' = 1 / x."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return applied(np.log, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / x


class Log2(Elementwise):
    """f' = 1 / (x · ln 2)."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return applied(np.log2, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(2))


class Log10(Elementwise):
    """f' = 1 / (x · ln 10)."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return applied(np.log10, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(10))


class Log1p(Elementwise):
    """y = ln(1 + x), exact near 0; f' = 1 / (1 + x)."""

    known_name = "Log1PBackward0"

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        y = np.log1p(x)
        if x.dtype.kind == "c":  # NumPy squares the parts, which overflows
            y = np.where(np.isinf(y) & np.isfinite(x) & (x != -1), np.log(x), y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x + 1)


class Sqrt(Elementwise):
    """f' = 1 / (2y)."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = applied(np.sqrt, x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad / (y * 2)


class Rsqrt(Elementwise):
    """y = x^(-1/2); f' = -y³/2."""

    backward_on_arrays = True

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
    """f' = sign(x), with 0 at 0; of a complex number, along the ray through it: x / |x|."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * sgn(x)


class Sin(Elementwise):
    """f' = cos x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return applied(np.sin, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * cos(x)


class Cos(Elementwise):
    """f' = -sin x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return applied(np.cos, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -grad * sin(x)


class Tan(Elementwise):
    """f' = 1 + y²."""

    backward_on_arrays = True

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

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y = applied(np.tanh, x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return _in_pieces_or(activations.tanh_backward, lambda grad, y: grad * (1 - y * y), grad, y)


class Sigmoid(Elementwise):
    """y = 1 / (1 + e^-x); f' = y (1 - y)."""

    backward_on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        # e^-x may overflow to inf for very negative x, and then 1 / (1 + inf) = 0 is right.
        y = activations.sigmoid(x) if x.size > _LARGE else np.reciprocal(np.exp(np.negative(x)) + 1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return _in_pieces_or(activations.sigmoid_backward, lambda grad, y: grad * (y * (1 - y)), grad, y)


def _in_pieces_or(kernel: Callable[..., Any], formula: Callable[..., Any], grad: Any, y: Any) -> Any:
    """The kernel where grad and y are large arrays, else the formula: gradients may be Tensors, too, or small."""
    large = isinstance(grad, np.ndarray) and y.size > _CACHED and y.dtype.kind == "f" and grad.dtype == y.dtype
    return kernel(grad, y) if large else formula(grad, y)


class Relu(Elementwise):
    """y = max(x, 0); f' = 1 where y > 0, and 0 at 0. A nan stays nan and lets the gradient through."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("relu", x)
        y = elementwise.relu(x) if x.size > _LARGE else np.maximum(x.dtype.type(0), x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return _where_positive(grad, y)

    backward_on_arrays = True


def _where_positive(grad: Any, y: Any) -> Any:
    """grad where y > 0 (or nan), else 0; of arrays or of Tensors: gradients are either."""
    if not isinstance(grad, np.ndarray):
        return ReluGrad.apply(grad, y)
    return elementwise.relu_backward(grad, y) if y.size > _LARGE else np.where(y <= 0, grad.dtype.type(0), grad)


class ReluGrad(Elementwise):
    """grad where y > 0 (or nan), else 0: linear in grad, and flat in y."""

    @staticmethod
    def forward(ctx: Any, grad: np.ndarray, y: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(y)
        return _where_positive(grad, y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return ReluGrad.apply(grad, y), None

    known_name = "ThresholdBackwardBackward0"


def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """e to the power of ``input``."""
    return of_float(Exp, input, out)


def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """2 to the power of ``input``."""
    return of_float(Exp2, input, out)


def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) - 1``, exact near 0."""
    return of_float(Expm1, input, out)


def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Natural logarithm; -inf at 0, nan below."""
    return of_float(Log, input, out)


def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Logarithm to base 2."""
    return of_float(Log2, input, out)


def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Logarithm to base 10."""
    return of_float(Log10, input, out)


def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + input)``, exact near 0."""
    return of_float(Log1p, input, out)


def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Square root; nan below 0."""
    return of_float(Sqrt, input, out)


def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / sqrt(input)``."""
    return of_float(Rsqrt, input, out)


def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Absolute value; a complex number's distance from 0."""
    check_tensor("abs", "input", 1, input)
    refuse_bool("abs_cpu", input)
    result = Abs.apply(input)
    if out is None:
        return result
    return write_out("abs", result, out, input, rule=castable if input.is_complex() else exact)


def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sine, of radians."""
    return of_float(Sin, input, out)


def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Cosine, of radians."""
    return of_float(Cos, input, out)


def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Tangent, of radians."""
    return of_float(Tan, input, out)


def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic tangent."""
    return of_float(Tanh, input, out)


def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return of_float(Sigmoid, input, out)


def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; the derivative at 0 is 0."""
    if not isinstance(input, Tensor):
        raise wrong_argument("relu", "input", 1, input)
    if input._array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return Relu.apply(input)


absolute = abs
