"""Special functions: the complement and inverse of erf, the gamma family, and logarithms that must not overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.kernels import elementwise
from tinytorch.kernels import gamma as gamma_kernels
from tinytorch.kernels.erfinv import erfinv as erfinv_kernel
from tinytorch.kernels.rng_normal import libm
from tinytorch.ops.broadcast import Elementwise, float_operands, operands, to_float
from tinytorch.ops.checks import check_floating, check_tensor, refuse, refuse_complex
from tinytorch.ops.clamp import clamp_max
from tinytorch.ops.compare import where
from tinytorch.ops.numbers import check_convertible, check_count
from tinytorch.ops.out import accepts_out
from tinytorch.ops.unary import exp, log, log1p, sigmoid
from tinytorch.tensor import Tensor

__all__ = ["digamma", "erfc", "erfinv", "lgamma", "logaddexp", "logaddexp2", "logit", "mvlgamma", "polygamma",
           "xlog1py", "xlogy"]  # fmt: skip


class Erfc(Elementwise):
    """y = 1 - erf(x), exact where that would cancel; f' = -2/√π · exp(-x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("erfc", x)
        ctx.save_for_backward(x)
        return libm(math.erfc, x.astype(np.float64)).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (exp(-(x * x)) * (-2 / math.sqrt(math.pi)))


class Erfinv(Elementwise):
    """y with erf(y) = x; f' = √π/2 · exp(y²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("erfinv", x)
        y = erfinv_kernel(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * (exp(y * y) * (math.sqrt(math.pi) / 2))


class Lgamma(Elementwise):
    """y = ln |Γ(x)|; f' = ψ(x), the digamma function."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("lgamma", x)
        ctx.save_for_backward(x)
        return gamma_kernels.lgamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * digamma(x)


class Polygamma(Elementwise):
    """The n-th derivative of ψ; its own derivative is the next one."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, n: int) -> np.ndarray:
        refuse_complex("polygamma", x)
        ctx.save_for_backward(x)
        return gamma_kernels.polygamma(n, x) if n else gamma_kernels.digamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * Polygamma.apply(x, n=ctx.attributes["n"] + 1)


class LogAddExp(Elementwise):
    """y = log_base(base^a + base^b); each receives its share of the sum, a sigmoid of the difference."""

    known_name = "LogaddexpBackward0"

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, base: float) -> np.ndarray:
        ctx.save_for_backward(a, b)
        if a.dtype.kind == "c" and base == math.e:
            return elementwise.complex_logaddexp(a, b)
        return np.logaddexp2(a, b) if base == 2 else np.logaddexp(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        difference = (a - b) * math.log(ctx.attributes["base"])
        return grad * sigmoid(difference), grad * sigmoid(-difference)


class Xlogy(Elementwise):
    """y = a · ln b, and 0 where a = 0 (unless b is nan)."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        refuse_complex("xlogy", a, b)
        ctx.save_for_backward(a, b)
        return np.where((a == 0) & ~np.isnan(b), a.dtype.type(0), a * np.log(b))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        flat = (a == 0) & (b <= 0)
        return (
            grad * where(flat, 0.0, log(where(flat, 1.0, b))) if need_a else None,
            grad * (a / b) if need_b else None,
        )


class Xlog1py(Elementwise):
    """y = a · ln(1 + b), and 0 where a = 0 (unless b is nan)."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        refuse_complex("xlog1py", a, b)
        ctx.save_for_backward(a, b)
        return np.where((a == 0) & ~np.isnan(b), a.dtype.type(0), a * np.log1p(b))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        flat = (a == 0) & (b <= -1)
        return (
            grad * where(flat, 0.0, log1p(where(flat, 0.0, b))) if need_a else None,
            grad * (a / (b + 1)) if need_b else None,
        )

    known_name = "SpecialXlog1PyBackward0"


@accepts_out
def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - erf(x)``, exact for large x too."""
    return Erfc.apply(to_float(input))


@accepts_out
def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`erf`; infinite at ±1, nan outside."""
    return Erfinv.apply(to_float(input))


@accepts_out
def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``ln |Γ(x)|``; infinite at 0 and the negative integers."""
    return Lgamma.apply(to_float(input))


@accepts_out
def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``ψ(x) = d/dx ln Γ(x)``."""
    return known_as(Polygamma.apply(to_float(input), n=0), "DigammaBackward0")


@accepts_out
def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The n-th derivative of the digamma function, n >= 0."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return Polygamma.apply(to_float(input), n=n)


@accepts_out
def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """The logarithm of the multivariate gamma function: ``p(p-1)/4 · ln π + Σ_{j<p} lgamma(x - j/2)``."""
    refuse("b", "mvlgamma", input, error=RuntimeError)
    x = to_float(input)
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    check_count(p)
    shifts = Tensor._wrap((np.arange(p) / -2).astype(x._array.dtype))
    return lgamma(x.unsqueeze(-1) + shifts).sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


@accepts_out
def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """``ln(x / (1 - x))``, the inverse of sigmoid; x limited to [eps, 1 - eps] first if ``eps`` is given."""
    refuse("c", "logit", input)
    x = to_float(input)
    if eps is not None:
        check_convertible(eps, x._array.dtype)
    z = x if eps is None or math.isnan(eps) else where(x < eps, eps, clamp_max(x, 1 - eps))
    return known_as(log(z / (1 - z)), "LogitBackward0")


@accepts_out
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``ln(exp(a) + exp(b))`` without overflow. NotImplementedError for integers."""
    return _log_add("logaddexp", input, other, math.e)


@accepts_out
def logaddexp2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log2(2^a + 2^b)`` without overflow. NotImplementedError for integers."""
    return _log_add("logaddexp2", input, other, 2.0)


def _log_add(name: str, input: Tensor, other: Tensor, base: float) -> Tensor:
    check_tensor(name, "input", 1, input)
    check_tensor(name, "other", 2, other)
    a, b = operands(input, other)
    check_floating(f"{name}_cpu", a, b)
    return LogAddExp.apply(a, b, base=base)


@accepts_out
def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input · ln(other)``, and 0 where ``input`` is 0; one of the two may be a number."""
    return Xlogy.apply(*float_operands(input, other))


@accepts_out
def xlog1py(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input · ln(1 + other)``, and 0 where ``input`` is 0; one of the two may be a number (``special.xlog1py``)."""
    return Xlog1py.apply(*float_operands(input, other))
