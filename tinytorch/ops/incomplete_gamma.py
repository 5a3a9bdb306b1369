"""The incomplete gamma functions and Hurwitz's zeta: two arguments, of which PyTorch knows the second's derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.broadcast import Elementwise, float_operands, operands
from tinytorch.ops.checks import check_floating, check_tensor, refuse_complex, refuse_half
from tinytorch.ops.out import accepts_out
from tinytorch.ops.special_functions import lgamma
from tinytorch.ops.unary import exp, log
from tinytorch.tensor import Tensor

__all__ = ["igamma", "igammac", "zeta"]


class Igamma(Elementwise):
    """y = P(a, x); ∂y/∂x = x^(a-1) e^-x / Γ(a). ``upper``: Q = 1 - P, with the opposite sign."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, x: np.ndarray, upper: bool) -> np.ndarray:
        refuse_complex("igamma", a, x)
        from tinytorch.kernels import incomplete_gamma

        ctx.save_for_backward(a, x)
        return incomplete_gamma.gammaincc(a, x) if upper else incomplete_gamma.gammainc(a, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        a, x = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            name = "igammac" if ctx.attributes["upper"] else "igamma"
            raise NotImplementedError(f"the derivative for '{name}: input' is not implemented.")
        density = exp((a - 1) * log(x) - x - lgamma(a))
        return None, grad * (-density if ctx.attributes["upper"] else density)


class Zeta(Elementwise):
    """y = ζ(s, q); ∂y/∂q = -s ζ(s + 1, q)."""

    @staticmethod
    def forward(ctx: Any, s: np.ndarray, q: np.ndarray) -> np.ndarray:
        refuse_complex("zeta", s, q)
        from tinytorch.kernels import zeta as kernel

        ctx.save_for_backward(s, q)
        return kernel.zeta(s, q)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        s, q = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            raise NotImplementedError("the derivative for 'zeta' is not implemented.")
        return None, grad * (-s * zeta(s + 1, q))


@accepts_out
def igamma(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``P(a, x) = 1/Γ(a) ∫_0^x t^(a-1) e^-t dt`` with a = ``input`` and x = ``other``; also ``special.gammainc``.

    No derivative for ``input``: NotImplementedError in backward. NotImplementedError for integers.
    """
    return _igamma("igamma", input, other, False)


@accepts_out
def igammac(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - igamma(input, other)``, exact where that is small; also ``special.gammaincc``."""
    return _igamma("igammac", input, other, True)


def _igamma(name: str, input: Tensor, other: Tensor, upper: bool) -> Tensor:
    check_tensor(name, "input", 1, input)
    check_tensor(name, "other", 2, other)
    a, x = operands(input, other)
    check_floating(f"{name}_cpu", a, x)
    return Igamma.apply(a, x, upper=upper)


@accepts_out
def zeta(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``ζ(s, q) = Σ_{k≥0} (k + q)^-s`` with s = ``input`` and q = ``other``, one of which may be a number.

    No derivative for ``input``: NotImplementedError in backward, as in PyTorch. NotImplementedError for float16.
    """
    s, q = float_operands(input, other)
    refuse_half("zeta", s)
    return Zeta.apply(s, q)
