"""Losses that are negative log likelihoods: how surprised is a predicted distribution by what happened?

::

    binary_cross_entropy    a coin with probability p        -t·log p - (1 - t)·log(1 - p)
    poisson_nll             a count with expectation λ       λ - t·log λ  (+ log t!)
    gaussian_nll            a number with mean μ, variance v (log v + (t - μ)² / v) / 2
    kl_div                  from one distribution to another Σ t·(log t - log p)

The coin again in terms of its logit x, p = sigmoid(x), needs no p at all: log p = logsigmoid(x) and log(1 - p) =
logsigmoid(x) - x, which neither overflow nor round to log 0.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS, INEXACT, default_numpy_dtype
from tinytorch.kernels import logistic
from tinytorch.kernels.elementwise import in_pieces
from tinytorch.ops.activation import logsigmoid
from tinytorch.ops.arguments import Truth, checks_arguments, wrong_argument
from tinytorch.ops.broadcast import Elementwise, broadcast_shapes, cast, is_number
from tinytorch.ops.checks import not_implemented, refuse, refuse_complex, type_name
from tinytorch.ops.clamp import clamp_min
from tinytorch.ops.compare import where
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.reduction_modes import chosen_reduction, reduced
from tinytorch.ops.special_functions import xlogy
from tinytorch.ops.unary import exp, log, log1p, sigmoid
from tinytorch.tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "kl_div",
           "poisson_nll_loss"]  # fmt: skip


class BinaryCrossEntropy(Elementwise):
    """-t·log p - (1 - t)·log(1 - p), logarithms no lower than -100; ∂/∂p = (p - t) / (p·(1 - p))."""

    @staticmethod
    def forward(ctx: Any, p: np.ndarray, t: np.ndarray) -> np.ndarray:
        refuse_complex("binary_cross_entropy", p)
        ctx.save_for_backward(p, t)
        with np.errstate(divide="ignore"):
            log_p, log_not_p = np.maximum(np.log(p), p.dtype.type(-100)), np.maximum(np.log1p(-p), p.dtype.type(-100))
        return (t - p.dtype.type(1)) * log_not_p - t * log_p

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        p, t = ctx.saved_tensors
        need_p, need_t = ctx.needs_input_grad
        return (
            grad * (p - t) / clamp_min((1.0 - p) * p, 1e-12) if need_p else None,
            grad * (_log_at_least(log1p, -p) - _log_at_least(log, p)) if need_t else None,
        )


def _log_at_least(logarithm: Any, x: Tensor) -> Tensor:
    with np.errstate(divide="ignore"):
        return clamp_min(logarithm(x), -100.0)


@checks_arguments
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross entropy of probabilities ``input`` and targets in [0, 1]
    (``torch.nn.functional.binary_cross_entropy``).

    Args:
        input: probabilities; elements outside [0, 1] raise RuntimeError.
        target: of the same shape (else ValueError) and dtype (else RuntimeError).
        weight: a factor for each element; broadcasts.
        reduction: 'mean', 'sum' or 'none'.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if input._array.dtype.kind not in FLOATS:
        raise not_implemented("binary_cross_entropy", input)
    if target._array.dtype != input._array.dtype:
        raise RuntimeError(f"Found dtype {type_name(target)} but expected {type_name(input)}")
    if not ((input._array >= 0) & (input._array <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    if not ((target._array >= 0) & (target._array <= 1)).all():
        raise RuntimeError("all elements of target should be between 0 and 1")
    loss = BinaryCrossEntropy.apply(input, target)
    if weight is not None:
        if tuple(broadcast_shapes(target._array.shape, weight._array.shape)) != input._array.shape:
            raise RuntimeError(f"weight of shape {list(weight.shape)} does not broadcast to {list(input.shape)}")
        loss = _weighted(loss, weight)
    return known_as(reduced(loss, reduction), "BinaryCrossEntropyBackward0")


def _weighted(loss: Tensor, weight: Tensor) -> Tensor:
    """``loss · weight`` in the shape and dtype of the loss, in whose memory PyTorch computes it."""
    wide = tuple(broadcast_shapes(loss._array.shape, weight._array.shape))
    if wide != loss._array.shape or (weight.is_complex() and not loss.is_complex()):
        raise RuntimeError(
            f"weight of shape {list(weight.shape)} and {weight.dtype} does not fit a loss of shape {list(loss.shape)} "
            f"and {loss.dtype}: their product would be of shape {list(wide)}"
        )
    return cast(loss * weight, loss._array.dtype)


class LogisticCrossEntropy(Elementwise):
    """-t·log s - (1 - t)·log(1 - s) with s = sigmoid(x); ∂/∂x = s - t, ∂/∂t = -x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(x, t if ctx.needs_input_grad[0] else None)
        return in_pieces(logistic.cross_entropy, x, t, passes=20)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, t = ctx.saved_tensors
        need_x, need_t = ctx.needs_input_grad
        gx = None
        if need_x and is_grad_enabled():
            gx = grad * (sigmoid(x) - t)
        elif need_x:
            arrays = grad._array, x._array, t._array
            gx = Tensor._wrap(in_pieces(logistic.cross_entropy_backward, *arrays, passes=9))
        return gx, grad * -x if need_t else None


@checks_arguments
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Sigmoid and :func:`binary_cross_entropy` in one, without overflow (``F.binary_cross_entropy_with_logits``).

    Args:
        input: logits, any numbers.
        target: floating, of the same shape (else ValueError).
        pos_weight: a factor for the term of positive targets; broadcasts (usually one per class).
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if input._array.shape != target._array.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    if target._array.dtype.kind not in FLOATS and input._array.dtype.kind in FLOATS:
        raise RuntimeError(
            f"result type {type_name(input)} can't be cast to the desired output type {type_name(target)}: the "
            "target must be floating, target.float()"
        )
    refuse("iubc", "log_sigmoid_cpu", input)
    dtype = target._array.dtype  # PyTorch computes in the target's memory
    if pos_weight is None and dtype == input._array.dtype and dtype.char in "fd":
        loss = LogisticCrossEntropy.apply(input, target)
    else:
        log_p = logsigmoid(input)
        if pos_weight is not None:
            log_p = log_p * ((pos_weight - 1) * target + 1)
        loss = cast((1.0 - target) * input - log_p, dtype)
    loss = reduced(loss if weight is None else _weighted(loss, weight), reduction)
    return known_as(loss, "BinaryCrossEntropyWithLogitsBackward0")


@checks_arguments
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence ``target·(log target - input)``, element by element
    (``torch.nn.functional.kl_div``).

    Args:
        input: log-probabilities.
        target: probabilities, or log-probabilities if ``log_target``.
        reduction: 'batchmean' is the mathematical one: the sum, divided by the batch size. 'mean' divides by all
            elements.
    """
    if {input._array.dtype.kind, target._array.dtype.kind} & set("biu"):
        raise RuntimeError(f"kl_div: Integral inputs not supported, but got {input.dtype} and {target.dtype}")
    refuse("c", "kl_div", input, target, error=RuntimeError)
    batchmean = reduction == "batchmean"
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=3,
        )
    reduction = chosen_reduction(size_average, reduce, "sum" if batchmean else reduction)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = xlogy(target, target) - target * input  # 0·log 0 is 0: its limit
    result = reduced(loss, reduction)
    return result / float(input._array.shape[0]) if batchmean and input._array.ndim else result


@checks_arguments
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of counts ``target`` under Poisson distributions
    (``torch.nn.functional.poisson_nll_loss``).

    Args:
        input: the logarithm of the expectations, or the expectations themselves if not ``log_input``.
        full: add log(target!), by Stirling's formula where the target is larger than 1.
        eps: keeps the logarithm of an expectation finite.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    refuse("b" if full else "", "poisson_nll_loss", target, error=RuntimeError)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        large = target > 1
        safe = where(large, target, 2.0)
        stirling = where(large, safe * log(safe) - safe + 0.5 * log(safe * (2 * math.pi)), 0.0)
        loss = loss + cast(stirling, loss._array.dtype)
    return reduced(loss, reduction)


@checks_arguments
def gaussian_nll_loss(
    input: Tensor,
    target: Any,
    var: Any,
    full: Truth = False,
    eps: float = 1e-06,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of ``target`` under normal distributions (``torch.nn.functional.gaussian_nll_loss``).

    Args:
        input: the means.
        var: the variances, of the input's shape, or without its last dimension, or with size 1 in one place, or one
            number.
        full: add the constant log(2π) / 2.
        eps: the variance counts as at least this, while its gradient passes unchanged.

    Raises:
        ValueError: a negative variance, a shape that does not fit, an unknown reduction.
    """
    if not isinstance(var, (Tensor, float)):
        raise wrong_argument("gaussian_nll_loss", "var", 3, var)
    if not isinstance(var, Tensor):
        if not is_number(var):
            raise wrong_argument("gaussian_nll_loss", "var", 3, var, "Tensor or float")
        dtype = input._array.dtype if input._array.dtype.kind in INEXACT else default_numpy_dtype()
        var = Tensor._wrap(np.full(input._array.shape, var, dtype))
    refuse_complex("gaussian_nll_loss", var._array)
    if (var._array < 0).any():
        raise ValueError("var has negative entry/entries")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    refuse("iub", "gaussian_nll_loss", var, error=RuntimeError)
    var = _fitting_variance(var, input._array.shape).clone()
    check_convertible(eps, var._array.dtype)
    np.maximum(var._array, var._array.dtype.type(eps), out=var._array)  # unseen by autograd
    loss = 0.5 * (log(var) + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _fitting_variance(var: Tensor, shape: tuple[int, ...]) -> Tensor:
    given = var._array.shape
    if given == shape:
        return var
    if given == shape[:-1]:
        return var.unsqueeze(-1)
    if len(given) == len(shape) and sum(g for s, g in zip(shape, given, strict=True) if s != g) == 1:
        return var
    raise ValueError("var is of incorrect size")
