"""Activations as primitives, with kernels for value and gradient: ReLU's kin, and the smooth ones.

The functions that users call, with their checks, stand in :mod:`tinytorch.ops.activation`. Each of these could be
composed of ``where`` and arithmetic, with its derivative for free. But each step of a composition is a pass over
memory, and the whole formula is cheaper in pieces that stay in the cache: :mod:`tinytorch.kernels.activations` has
the formulas, and what they gained.

A :class:`Curve` has three: the kernel of the value, the kernel of the gradient, and ``pull``, what grad becomes on its
way through, in Tensor ops. That one is to read, and recorded when the gradient itself is to be differentiated.

At a kink both sides give the same value and only the comparison (``>`` or ``>=``) decides the derivative. Each
comparison is PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.kernels import activations as kernels
from tinytorch.kernels import gelu as gelu_kernels
from tinytorch.kernels.elementwise import in_pieces
from tinytorch.kernels.memory import empty_like
from tinytorch.ops.broadcast import Elementwise
from tinytorch.ops.checks import refuse_complex
from tinytorch.ops.clamp import clamp
from tinytorch.ops.compare import where
from tinytorch.ops.unary import sigmoid, tanh
from tinytorch.tensor import Tensor

__all__ = ["Elu", "Gelu", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyRelu", "LogSigmoid", "Mish", "Silu",
           "Softplus"]  # fmt: skip

Kernel = Callable[..., None]


class Curve(Elementwise):
    """y = f(x) for one x. Subclasses define three things and may set two more.

    ``pull(grad, x, **attributes)`` is grad · f'(x) in Tensor ops.
    ``value(x, out, **attributes)`` and ``gradient(grad, x, out, **attributes)`` write into ``out``, which is a piece
    of an array as the others are. With ``keeps``, there is another piece before ``out``: what the value has computed
    that the gradient can use (None where there will be no gradient). ``passes`` is how long value and gradient take
    (see :func:`in_pieces`).
    """

    value: ClassVar[Kernel]
    gradient: ClassVar[Kernel]
    keeps: ClassVar[bool] = False
    pull: ClassVar[Callable[..., Tensor]]
    passes: ClassVar[tuple[int, int]] = (3, 4)

    @classmethod
    def forward(cls, ctx: Any, x: np.ndarray, **attributes: Any) -> np.ndarray:
        refuse_complex(cls.value.__name__, x)
        ctx.save_for_backward(x)
        if not cls.keeps:
            return in_pieces(lambda x, out: cls.value(x, out, **attributes), x, passes=cls.passes[0])
        if not ctx.needs_input_grad[0]:
            return in_pieces(lambda x, out: cls.value(x, None, out, **attributes), x, passes=cls.passes[0])
        kept = empty_like(x)
        ctx.save_intermediates(kept)
        return in_pieces(lambda *pieces: cls.value(*pieces, **attributes), x, kept, passes=cls.passes[0])

    @classmethod
    def backward(cls, ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        if is_grad_enabled():  # create_graph
            return cls.pull(grad, x, **ctx.attributes)
        kept = ctx.intermediates if cls.keeps else ()
        options, passes = ctx.attributes, cls.passes[1]
        return Tensor._wrap(_pulled(grad._array, x._array, *kept, kernel=cls.gradient, options=options, passes=passes))


def _pulled(
    grad: np.ndarray, *arrays: np.ndarray, kernel: Kernel, options: dict[str, Any], passes: float
) -> np.ndarray:
    """What ``kernel`` gives for grad, x and what was kept; lies in memory as grad does."""
    return in_pieces(lambda *pieces: kernel(*pieces, **options), grad, *arrays, passes=passes)


class LeakyRelu(Curve):
    """y = x, or a x where x <= 0; y' = 1, or a."""

    value, gradient = kernels.leaky_relu, kernels.leaky_relu_backward

    @staticmethod
    def pull(grad: Tensor, x: Tensor, negative_slope: float) -> Tensor:
        return where(x > 0, grad, grad * negative_slope)


class Hardtanh(Curve):
    """y = x limited to [low, high]; y' = 1 strictly between them, else 0."""

    value, gradient, passes = kernels.hardtanh, kernels.hardtanh_backward, (1, 4)

    @staticmethod
    def pull(grad: Tensor, x: Tensor, min_val: float, max_val: float) -> Tensor:
        return where((x > min_val) & (x < max_val), grad, 0.0)


class Hardsigmoid(Curve):
    """y = min(max(x + 3, 0), 6) / 6; y' = 1/6 strictly between -3 and 3, else 0."""

    value, gradient = kernels.hardsigmoid, kernels.hardsigmoid_backward

    @staticmethod
    def pull(grad: Tensor, x: Tensor) -> Tensor:
        return where((x > -3.0) & (x < 3.0), grad * (1 / 6), 0.0)


class Hardswish(Curve):
    """y = x · clip(x + 3, 0, 6) / 6; y' is 0 up to -3, 1 from 3 on, and x / 3 + 1/2 between."""

    value, gradient, passes = kernels.hardswish, kernels.hardswish_backward, (4, 7)

    @staticmethod
    def pull(grad: Tensor, x: Tensor) -> Tensor:
        return where(x <= -3.0, 0.0, where(x < 3.0, grad * (x / 3.0 + 0.5), grad))


class Elu(Curve):
    """y = scale · x where x > 0, else scale · α (e^(rate · x) - 1)."""

    value, gradient, passes = kernels.elu, kernels.elu_backward, (8, 8)

    @staticmethod
    def pull(grad: Tensor, x: Tensor, alpha: float, rate: float, scale: float) -> Tensor:
        # e^(rate · x) may be inf where x > 0; that is not taken, but backward would multiply it by 0: nan
        growth = (clamp(x, max=0.0) * rate).exp()
        return grad * where(x <= 0, growth * (alpha * rate * scale), scale)


class Softplus(Curve):
    """y = ln(1 + e^(βx)) / β, or x where βx > threshold; y' = sigmoid(βx), or 1 there."""

    value, gradient, passes = kernels.softplus, kernels.softplus_backward, (16, 6)

    @staticmethod
    def pull(grad: Tensor, x: Tensor, beta: float, threshold: float) -> Tensor:
        scaled = x * beta
        return grad * where(scaled > threshold, 1.0, sigmoid(scaled))


class LogSigmoid(Curve):
    """y = -ln(1 + e^-x); y' = sigmoid(-x)."""

    value, gradient, passes = kernels.logsigmoid, kernels.logsigmoid_backward, (16, 6)

    @staticmethod
    def pull(grad: Tensor, x: Tensor) -> Tensor:
        return grad * sigmoid(-x)


class Silu(Curve):
    """y = x s with s = sigmoid(x); y' = s (1 + x (1 - s))."""

    value, gradient, keeps, passes = kernels.silu, kernels.silu_backward, True, (6, 5)

    @staticmethod
    def pull(grad: Tensor, x: Tensor) -> Tensor:
        s = sigmoid(x)
        return grad * (s * (x * (1 - s) + 1))


class Mish(Curve):
    """y = x t with t = tanh(ln(1 + e^x)); y' = t + x (1 - t²) sigmoid(x)."""

    value, gradient, passes = kernels.mish, kernels.mish_backward, (11, 18)

    @staticmethod
    def pull(grad: Tensor, x: Tensor) -> Tensor:
        t = tanh(Softplus.apply(x, beta=1.0, threshold=math.inf))
        return grad * (t + x * (1 - t * t) * sigmoid(x))


class Gelu(Curve):
    """y = x · Φ(x); y' = Φ(x) + x · Φ'(x), with Φ by the error function or by a tanh."""

    value, gradient, keeps, passes = gelu_kernels.gelu, gelu_kernels.gelu_backward, True, (16, 10)

    @staticmethod
    def pull(grad: Tensor, x: Tensor, approximate: str) -> Tensor:
        square = x * x
        if approximate == "none":
            cdf = (ops.erf(x * math.sqrt(0.5)) + 1) * 0.5
            return grad * (cdf + x * (square * -0.5).exp() * (1 / math.sqrt(2 * math.pi)))
        a, b = math.sqrt(2 / math.pi), 0.044715 * math.sqrt(2 / math.pi)
        bent = tanh(x * (square * b + a))
        return grad * ((bent + 1) * 0.5 + x * (1 - bent * bent) * (square * (3 * b) + a) * 0.5)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
