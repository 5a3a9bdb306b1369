"""Activation functions beyond ReLU, sigmoid and tanh (which stand in :mod:`tinytorch.ops.unary`).

Those that networks call after every layer are primitives with kernels (:mod:`tinytorch.ops.curves`); here are their
checks. The others are short compositions, so their derivatives come for free. At a kink both sides give the same value
and only the comparison (``>`` or ``>=``) decides the derivative. Each comparison is PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import INEXACT, float16
from tinytorch.kernels import elementwise, rng_normal
from tinytorch.kernels import erf as erf_kernel
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import Elementwise, to_float
from tinytorch.ops.checks import not_implemented, refuse, refuse_complex, refuse_half, type_name
from tinytorch.ops.compare import where
from tinytorch.ops.curves import (
    Elu,
    Gelu,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyRelu,
    LogSigmoid,
    Mish,
    Silu,
    Softplus,
)
from tinytorch.ops.numbers import check_convertible, number_as
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.unary import sigmoid, tanh
from tinytorch.random import generator_or_default
from tinytorch.tensor import Tensor

__all__ = ["celu", "elu", "erf", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
           "logsigmoid", "mish", "prelu", "relu6", "rrelu", "selu", "silu", "softplus", "softshrink", "softsign",
           "tanhshrink", "threshold"]  # fmt: skip

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


class Erf(Elementwise):
    """f' = 2/√π · exp(-x²)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("erf", x)
        ctx.save_for_backward(x)
        return erf_kernel.erf(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * ((-x * x).exp() * (2 / math.sqrt(math.pi)))


@accepts_out
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function ``2/√π ∫_0^x exp(-t²) dt``."""
    return Erf.apply(to_float(input))


@accepts_exact_out
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None) -> Tensor:
    """``ln(1 + exp(β·x)) / β``: a smooth ReLU; x itself where β·x > threshold."""
    for number in (beta, threshold):
        check_convertible(number, input._array.dtype)
    return Softplus.apply(_floating("softplus", input), beta=float(beta), threshold=float(threshold))


@accepts_exact_out
def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``ln(sigmoid(x))``, without overflow."""
    return LogSigmoid.apply(_floating("log_sigmoid", input))


@accepts_out
def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """x where x > threshold, else ``value``."""
    refuse("b", "threshold", input)
    limit, instead = (Tensor._wrap(number_as(number, input._array.dtype)) for number in (threshold, value))
    return _maybe_in_place(inplace, input, lambda x: where(x <= limit, instead, x), "ThresholdBackward0")


@accepts_out
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """x limited to [min_val, max_val]; the derivative *on* the limits is 0 (:func:`clamp` has 1 there)."""
    refuse("b", "hardtanh", input, error=RuntimeError)
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input._array.dtype.kind in "iu":  # the limits become integers, not the result floating
        min_val, max_val = (int(number_as(limit, np.dtype(np.int64))) for limit in (min_val, max_val))
    else:
        check_convertible(max_val, input._array.dtype)
    if input._array.dtype.kind == "u" and (min_val < 0 or max_val < 0):
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    limits = {"min_val": min_val, "max_val": max_val}
    return _maybe_in_place(inplace, input, lambda x: Hardtanh.apply(x, **limits), "HardtanhBackward0")


@checks_arguments
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return hardtanh(input, 0.0, 6.0, inplace)


@accepts_out
def hardsigmoid(input: Tensor, inplace: bool = False, *, out: Tensor | None = None) -> Tensor:
    """``relu6(x + 3) / 6``: the sigmoid in three straight pieces."""
    return _maybe_in_place(inplace, _floating("hardsigmoid", input), Hardsigmoid.apply, "HardsigmoidBackward0")


@checks_arguments
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · relu6(x + 3) / 6``; its derivative is 0 up to -3 and 1 from 3 on."""

    return _maybe_in_place(inplace, _floating("hardswish", input), Hardswish.apply, "HardswishBackward0")


@accepts_out
def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """x where x > 0, else ``negative_slope · x``."""
    _floating("leaky_relu_cpu", input)
    return _maybe_in_place(
        inplace, input, lambda x: LeakyRelu.apply(x, negative_slope=negative_slope), "LeakyReluBackward0"
    )


class PRelu(Elementwise):
    """y = x where x > 0, else w x; w broadcasts and learns."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x, w if ctx.needs_input_grad[0] else None)
        return elementwise.where(np.asarray(x > 0), x, np.asarray(w * x))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, w = ctx.saved_tensors
        need_x, need_w = ctx.needs_input_grad
        positive = x > 0
        gx = where(positive, grad, grad * w) if need_x else None
        return gx, where(positive, 0.0, grad * x) if need_w else None

    known_name = "PreluKernelBackward0"


@checks_arguments
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky ReLU with a learned slope: one for all, or one per channel (dimension 1)."""
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {type_name(input)} and {type_name(weight)}")
    refuse("biuc", "prelu", input)
    if weight._array.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._array.ndim}"
        )
    if weight._array.size != 1:
        channels = input._array.shape[1] if input._array.ndim > 1 else 1
        if input._array.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != weight._array.size:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight._array.size} and channel size = {channels}."
            )
        weight = weight.reshape([-1] + [1] * (input._array.ndim - 2))
    elif weight._array.ndim:
        weight = weight.reshape(())
    return PRelu.apply(input, weight)


@checks_arguments
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU whose slope is drawn from [lower, upper] for every negative element; their mean in evaluation."""
    for bound, value in (("lower", lower), ("upper", upper)):
        if not math.isfinite(value):
            raise RuntimeError(f"rrelu: {bound} bound must be finite, got {value}")
        check_convertible(value, input._array.dtype)
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if training:
        refuse("iubc", "rrelu_with_noise_out_cpu", input)
        if input.dtype is float16:  # bfloat16 PyTorch has
            refuse_half("rrelu_with_noise_out", input)
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slope = np.ones(input._array.shape, input._array.dtype)
    negative = input._array <= 0
    count = int(np.count_nonzero(negative))
    # PyTorch draws in double precision, one number per negative element in row-major order, between rounded bounds
    low, high = (float(slope.dtype.type(bound)) for bound in (lower, upper))
    slope[negative] = rng_normal.uniform53(generator_or_default(None), count) * (high - low) + low
    return _maybe_in_place(inplace, input, lambda x: x * Tensor._wrap(slope), "RreluWithNoiseBackward0")


@checks_arguments
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``α (exp(x) - 1)``."""
    return _maybe_in_place(inplace, _floating("elu", input), lambda x: _elu(x, alpha), "EluBackward0")


@checks_arguments
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``scale · elu(x, α)`` with constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _maybe_in_place(
        inplace, _floating("elu", input), lambda x: _elu(x, SELU_ALPHA, scale=SELU_SCALE), "EluBackward0"
    )


@checks_arguments
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else ``α (exp(x/α) - 1)``: ELU with a derivative of 1 at 0 for every α."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _maybe_in_place(inplace, _floating("elu", input), lambda x: _elu(x, alpha, 1.0 / alpha), "CeluBackward0")


def _elu(x: Tensor, alpha: float, rate: float = 1.0, scale: float = 1.0) -> Tensor:
    return Elu.apply(x, alpha=float(alpha), rate=rate, scale=scale)


@checks_arguments
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · sigmoid(x)``, also called swish."""
    complex_ = _floating("silu", input)._array.dtype.kind == "c"
    return _maybe_in_place(inplace, input, (lambda x: x * sigmoid(x)) if complex_ else Silu.apply, "SiluBackward0")


@checks_arguments
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))`` (Misra 2019)."""
    return _maybe_in_place(inplace, _floating("mish", input), Mish.apply, "MishBackward0")


@accepts_exact_out
def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """``x · Φ(x)``, Φ the normal distribution function; ``approximate='tanh'``: by a tanh (Hendrycks and Gimpel
    2016).
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    x = _floating("GeluKernelImpl", input)
    refuse_complex("gelu", x._array)
    return Gelu.apply(x, approximate=approximate)


@checks_arguments
def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return input / (input.abs() + 1)


@checks_arguments
def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return input - tanh(input)


@accepts_exact_out
def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x where |x| > λ, else 0."""
    _floating("hardshrink_cpu", input)
    check_convertible(lambd, input._array.dtype)
    inside = (input >= -lambd) & (input <= lambd)
    return known_as(where(inside, 0.0, input), "HardshrinkBackward0")


@accepts_exact_out
def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x moved towards 0 by λ, and 0 for |x| <= λ."""
    _floating("softshrink_check", input)
    if not 0 <= lambd < math.inf:
        raise RuntimeError(f"lambda must be finite and greater or equal to 0, but found to be {lambd}.")
    check_convertible(lambd, input._array.dtype)
    lambd = float(lambd)
    y = where(input > lambd, input - lambd, where(input < -lambd, input + lambd, input * 0.0))
    return known_as(y, "SoftshrinkBackward0")


def _floating(name: str, input: Tensor) -> Tensor:
    if input._array.dtype.kind not in INEXACT:
        raise not_implemented(name, input)
    return input


def _maybe_in_place(in_place: bool, input: Tensor, function: Any, known_name: str) -> Tensor:
    """``function(input)`` as a new tensor, or written over ``input``; printed under PyTorch's name for it."""
    return known_as(inplace_changes.change_in_place(input, function) if in_place else function(input), known_name)


from tinytorch.autograd import inplace as inplace_changes  # noqa: E402 - part of the circle that tinytorch.tensor closes
