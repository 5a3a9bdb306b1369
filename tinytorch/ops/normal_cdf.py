"""The normal distribution function and its relatives (``tinytorch.special``): tails that neither vanish nor cancel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.kernels import normal_cdf as kernels
from tinytorch.ops.broadcast import Elementwise, to_float
from tinytorch.ops.checks import refuse_complex, refuse_half
from tinytorch.ops.out import accepts_out
from tinytorch.ops.unary import exp, log
from tinytorch.tensor import Tensor

__all__ = ["entr", "erfcx", "log_ndtr", "ndtr", "ndtri"]


class Erfcx(Elementwise):
    """y = exp(x²) erfc(x); f' = 2xy - 2/√π."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("erfcx", x)
        y = kernels.erfcx(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return grad * (2 * x * y - 2 / math.sqrt(math.pi))

    known_name = "SpecialErfcxBackward0"


class Ndtr(Elementwise):
    """y = Φ(x); f' = exp(-x²/2) / √(2π)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("ndtr", x)
        ctx.save_for_backward(x)
        return kernels.ndtr(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (exp(x * x / -2) / math.sqrt(2 * math.pi))


class LogNdtr(Elementwise):
    """y = ln Φ(x); f' = φ(x) / Φ(x) = √(2/π) / erfcx(-x/√2)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("log_ndtr", x)
        ctx.save_for_backward(x)
        return kernels.log_ndtr(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad / erfcx(x / -math.sqrt(2)) * math.sqrt(2 / math.pi)

    known_name = "SpecialLogNdtrBackward0"


class Ndtri(Elementwise):
    """y = Φ⁻¹(p); f' = 1 / φ(y) = √(2π) exp(y²/2)."""

    @staticmethod
    def forward(ctx: Any, p: np.ndarray) -> np.ndarray:
        refuse_complex("ndtri", p)
        y = kernels.ndtri(p)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (exp(y * y / 2) * math.sqrt(2 * math.pi))

    known_name = "SpecialNdtriBackward0"


class Entr(Elementwise):
    """y = -x ln x, 0 at 0 and -inf below; f' = -1 - ln x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("entr", x)
        ctx.save_for_backward(x)
        inside = -x * np.log(np.where(x > 0, x, x.dtype.type(1)))
        return np.where(x < 0, -x.dtype.type(np.inf), np.where(x == 0, x.dtype.type(0), inside))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (-log(x) - 1)

    known_name = "SpecialEntrBackward0"


def _no_half(name: str, input: Tensor) -> Tensor:
    x = to_float(input)
    refuse_half(name, x)
    return x


@accepts_out
def erfcx(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(x²) erfc(x)``, which neither vanishes nor overflows for positive x. NotImplementedError for float16."""
    return Erfcx.apply(_no_half("erfcx", input))


@accepts_out
def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Φ(x), the probability that a standard normal number is less than x."""
    return Ndtr.apply(to_float(input))


@accepts_out
def log_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """ln Φ(x), exact far below 0 too, where Φ vanishes. NotImplementedError for float16."""
    return LogNdtr.apply(_no_half("log_ndtr", input))


@accepts_out
def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The x with Φ(x) = ``input``: infinite at 0 and 1, nan outside. NotImplementedError for float16."""
    return Ndtri.apply(_no_half("ndtri", input))


@accepts_out
def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-x ln x``, the terms of an entropy: 0 at 0, -inf below."""
    return Entr.apply(to_float(input))
