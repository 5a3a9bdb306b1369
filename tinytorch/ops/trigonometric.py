"""Inverse trigonometric and hyperbolic functions, angles, and what is made of them.

Each y_i = f(x_i), so ∂L/∂x_i = grad_i · f'(x_i); every f' here is algebraic, or the sister function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import Elementwise, of_float, operands, to_float
from tinytorch.ops.checks import check_floating, check_tensor, refuse
from tinytorch.ops.compare import where
from tinytorch.ops.half import rounded_once
from tinytorch.ops.out import accepts_out
from tinytorch.ops.unary import rsqrt, sin
from tinytorch.tensor import Tensor

__all__ = ["acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin",
           "asinh", "atan", "atan2", "atanh", "cosh", "deg2rad", "hypot", "rad2deg", "sinc", "sinh"]  # fmt: skip


class Asin(Elementwise):
    """f' = 1 / √(1 - x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arcsin(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * rsqrt(1 - x * x)


class Acos(Elementwise):
    """f' = -1 / √(1 - x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arccos(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * -rsqrt(1 - x * x)


class Atan(Elementwise):
    """f' = 1 / (1 + x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arctan(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (x * x + 1)


class Sinh(Elementwise):
    """f' = cosh x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.sinh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * cosh(x)


class Cosh(Elementwise):
    """f' = sinh x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.cosh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * sinh(x)


class Asinh(Elementwise):
    """f' = 1 / √(x² + 1)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arcsinh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * rsqrt(x * x + 1)


class Acosh(Elementwise):
    """f' = 1 / √(x² - 1)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arccosh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        if x._array.dtype.kind == "c":  # the root of a product would lie on the wrong branch for half of all numbers
            return grad * (rsqrt(x - 1) * rsqrt(x + 1))
        return grad * rsqrt(x * x - 1)


class Atanh(Elementwise):
    """f' = 1 / (1 - x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.arctanh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / (1 - x * x)


class Atan2(Elementwise):
    """The angle of the point (b, a): ∂y/∂a = b / (a² + b²), ∂y/∂b = -a / (a² + b²); both 0 at the origin."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(a, b)
        return np.arctan2(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        squares = a * a + b * b
        inverse = where(squares == 0, 0.0, 1 / where(squares == 0, 1.0, squares))
        return grad * (b * inverse), grad * (-a * inverse)


class Hypot(Elementwise):
    """y = √(a² + b²) without overflow: ∂y/∂a = a / y."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.hypot(a, b)
        ctx.save_for_backward(a, b, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b, y = ctx.saved_tensors
        return grad * (a / y), grad * (b / y)


@checks_arguments
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse sine, in [-π/2, π/2]; nan outside [-1, 1]."""
    return of_float(Asin, input, out)


@checks_arguments
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse cosine, in [0, π]; nan outside [-1, 1]."""
    return of_float(Acos, input, out)


@checks_arguments
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse tangent, in (-π/2, π/2)."""
    return of_float(Atan, input, out)


@checks_arguments
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic sine, ``(exp(x) - exp(-x)) / 2``."""
    return of_float(Sinh, input, out)


@checks_arguments
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Hyperbolic cosine, ``(exp(x) + exp(-x)) / 2``."""
    return of_float(Cosh, input, out)


@checks_arguments
def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse hyperbolic sine."""
    return of_float(Asinh, input, out)


@checks_arguments
def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse hyperbolic cosine; nan below 1."""
    return of_float(Acosh, input, out)


@checks_arguments
def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Inverse hyperbolic tangent; infinite at ±1, nan outside."""
    return of_float(Atanh, input, out)


@accepts_out
def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle between the positive x axis and the point (x, y) = (other, input), in [-π, π] (``torch.atan2``)."""
    check_tensor("atan2", "other", 2, other)
    a, b = operands(input, other)
    return Atan2.apply(to_float(a), to_float(b))


@accepts_out
def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sqrt(input² + other²)``, without overflow. NotImplementedError for integers."""
    check_tensor("hypot", "input", 1, input)
    check_tensor("hypot", "other", 2, other)
    a, b = operands(input, other)
    check_floating("hypot_cpu", a, b)
    return Hypot.apply(a, b)


@accepts_out
@rounded_once
def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(πx) / (πx)``, and 1 at 0."""
    s = to_float(input) * math.pi
    near = s.detach().abs() < 0.1  # here the terms of the quotient's derivative would cancel; six terms of the series
    t = where(near, s, 0.0) ** 2
    series = 1 - t / 6 * (1 - t / 20 * (1 - t / 42 * (1 - t / 72 * (1 - t / 110))))
    far = where(near, 1.0, s)
    return known_as(where(near, series, sin(far) / far), "SincBackward0")


@accepts_out
def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Degrees to radians: ``x · π / 180``."""
    refuse("c", "deg2rad", input, error=RuntimeError)
    return to_float(input) * (math.pi / 180)


@accepts_out
def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Radians to degrees: ``x · 180 / π``."""
    refuse("c", "rad2deg", input, error=RuntimeError)
    return to_float(input) * (180 / math.pi)


arcsin, arccos, arctan, arcsinh, arccosh, arctanh, arctan2 = asin, acos, atan, asinh, acosh, atanh, atan2
