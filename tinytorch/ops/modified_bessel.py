"""The modified Bessel functions I₀ and I₁ and their scaled forms, differentiable: I₀' = I₁ and I₁' = I₀ - I₁/x."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.kernels import modified_bessel as kernels
from tinytorch.ops.broadcast import Elementwise, to_float
from tinytorch.ops.checks import refuse_complex
from tinytorch.ops.compare import where
from tinytorch.ops.out import accepts_out
from tinytorch.ops.rounding import sign
from tinytorch.tensor import Tensor

__all__ = ["i0", "i0e", "i1", "i1e"]


class I0(Elementwise):
    """f' = I₁(x)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("i0", x)
        ctx.save_for_backward(x)
        return kernels.i0(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * i1(x)


class I0e(Elementwise):
    """y = exp(-|x|) I₀(x); f' = exp(-|x|) I₁(x) - sign(x) y."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("i0e", x)
        y = kernels.i0e(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return grad * (i1e(x) - sign(x) * y)

    known_name = "SpecialI0EBackward0"


class I1(Elementwise):
    """f' = I₀(x) - I₁(x)/x, which is 1/2 at 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("i1", x)
        y = kernels.i1(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return grad * (i0(x) - _over_x(y, x))

    known_name = "SpecialI1Backward0"


class I1e(Elementwise):
    """y = exp(-|x|) I₁(x); f' = exp(-|x|) I₀(x) - y (sign(x) + 1/x)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("i1e", x)
        y = kernels.i1e(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return grad * (i0e(x) - sign(x) * y - _over_x(y, x))

    known_name = "SpecialI1EBackward0"


def _over_x(y: Tensor, x: Tensor) -> Tensor:
    """y/x for y about x/2 near 0."""
    origin = x == 0
    return where(origin, 0.5, y / where(origin, 1.0, x))


@accepts_out
def i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 0, ``I₀(x) = 1/π ∫_0^π exp(x cos θ) dθ``."""
    return I0.apply(to_float(input))


@accepts_out
def i0e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-|x|) I₀(x)``, which stays in range."""
    return I0e.apply(to_float(input))


@accepts_out
def i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    return I1.apply(to_float(input))


@accepts_out
def i1e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-|x|) I₁(x)``, which stays in range."""
    return I1e.apply(to_float(input))
