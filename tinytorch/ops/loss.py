"""Chapter 10, part 2. Losses of regression: functions of the difference between prediction and target.

After: tinytorch/ops/softmax.py
Next: tinytorch/optim/optimizer.py

Goal: choose how hard a loss punishes what is far off, by the slope that it has there.

The idea. Each of these losses is a function f of the difference d alone, and trains by its slope f'(d)::

    mse          d²                                            punishes outliers hard: its slope grows with d
    l1           |d|                                           slope ±1 everywhere: robust, but never calm near 0
    smooth_l1    d² / (2·beta) if |d| < beta, else |d| - beta/2        both: calm near 0, robust far out
    huber        d² / 2 if |d| < delta, else delta·(|d| - delta/2)     the same, times delta

They share one pattern (:class:`DifferenceLoss`): with f(d) the loss and f'(d) its slope, ``∂L/∂input = grad · f'(d)``
and ``∂L/∂target = -grad · f'(d)``; under 'mean' both are divided by the number of elements.

What PyTorch does. The same names, defaults and broadcasting, with its warning where the two shapes differ.

Pitfalls. A prediction (n, 1) and a target (n,) broadcast to (n, n): the loss is a number, and the wrong one.

Exercises. Which constant has the smallest mse from the numbers 0, 1, 2, 3, 94, and which the smallest l1? How steep
does huber get?
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import sums
from tinytorch.kernels.elementwise import in_pieces
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.broadcast import broadcast_tensors, cast, operands
from tinytorch.ops.checks import not_implemented, refuse
from tinytorch.ops.clamp import clamp
from tinytorch.ops.reduction_modes import chosen_reduction, reduced
from tinytorch.tensor import Tensor

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


class DifferenceLoss(Primitive):
    """Base of losses f(input - target), reduced. A loss defines ``value`` (f, on arrays) and ``slope`` (f', on
    Tensors)."""

    @staticmethod
    def forward(ctx: Any, input: np.ndarray, target: np.ndarray, reduction: str, **options: Any) -> np.ndarray:
        ctx.save_for_backward(input, target)
        values = ctx.value(input - target, **options)
        if reduction == "none":
            return values
        total = sums.total(values, tuple(range(values.ndim)))
        with np.errstate(invalid="ignore"):  # the mean of nothing is nan
            return total / values.dtype.type(values.size) if reduction == "mean" else total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, target = ctx.saved_tensors
        options = dict(ctx.attributes)
        difference = input - target
        if options.pop("reduction") == "mean":
            grad = grad * (1.0 / max(difference._array.size, 1))
        gradient = grad * ctx.slope(difference, **options)
        need_input, need_target = ctx.needs_input_grad
        return gradient if need_input else None, -gradient if need_target else None

    @staticmethod
    def value(d: np.ndarray, **options: Any) -> np.ndarray:
        """f(d)."""
        raise NotImplementedError

    @staticmethod
    def slope(d: Tensor, **options: Any) -> Tensor:
        """f'(d)."""
        raise NotImplementedError


class MseLoss(DifferenceLoss):
    """f = d², f' = 2d."""

    @staticmethod
    def value(d: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return d * d

    @staticmethod
    def slope(d: Tensor) -> Tensor:  # type: ignore[override]
        return d * 2.0


class SmoothL1Loss(DifferenceLoss):
    """f' = d / beta, limited to [-1, 1]."""

    @staticmethod
    def value(d: np.ndarray, beta: float) -> np.ndarray:  # type: ignore[override]
        return HuberLoss.value(d, beta) / d.dtype.type(beta)

    @staticmethod
    def slope(d: Tensor, beta: float) -> Tensor:  # type: ignore[override]
        return clamp(d / float(beta), -1.0, 1.0)


class HuberLoss(DifferenceLoss):
    """f' = d, limited to [-delta, delta]."""

    @staticmethod
    def value(d: np.ndarray, delta: float) -> np.ndarray:  # type: ignore[override]
        def formula(d: np.ndarray, out: np.ndarray) -> None:  # limited · (d - limited / 2), for both pieces
            limited = np.clip(d, -delta, delta)
            np.multiply(limited, -0.5, out=out)
            out += d
            out *= limited

        return in_pieces(formula, d)

    @staticmethod
    def slope(d: Tensor, delta: float) -> Tensor:  # type: ignore[override]
        return clamp(d, -float(delta), float(delta))


# ------------------------------------------------------------------------------------------ public functions


@checks_arguments
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean squared error, ``mean((input - target)²)`` (``torch.nn.functional.mse_loss``).

    Args:
        input, target: floating, of the same shape; other shapes broadcast, with a warning.
        reduction: 'mean', 'sum' or 'none'.
        weight: of the input's shape; 'mean' then divides by the sum of the weights.

    Raises:
        ValueError: unknown reduction, weight of another shape. RuntimeError: shapes that do not broadcast.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    input, target = _alike("mse_loss", input, target)
    if weight is None:
        return MseLoss.apply(input, target, reduction=reduction)
    _check_weight(weight, input)
    return _weighted(MseLoss.apply(input, target, reduction="none"), weight, reduction)


@checks_arguments
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean absolute error, ``mean(|input - target|)``; arguments as :func:`mse_loss`. The slope at 0 is 0."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    refuse("b", "l1_loss", input, target, error=RuntimeError)
    input, target = _alike("l1_loss", input, target, floating=False)
    loss = (input - target).abs()
    if weight is None:
        return reduced(loss, reduction)
    _check_weight(weight, input)
    return _weighted(loss, weight, reduction)


@checks_arguments
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared below ``beta``, absolute above (``torch.nn.functional.smooth_l1_loss``; Girshick 2015, "Fast R-CNN").

    With beta = 0 this is :func:`l1_loss`. RuntimeError for a negative beta.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if not beta >= 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    input, target = _alike("smooth_l1_loss", input, target)
    return SmoothL1Loss.apply(input, target, reduction=reduction, beta=beta)


@checks_arguments
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Half the square below ``delta``, linear above (``torch.nn.functional.huber_loss``; Huber 1964).

    A ``weight`` multiplies each element; the mean is over the elements all the same. RuntimeError for delta <= 0.
    """
    reduction = chosen_reduction(None, None, reduction)
    if not delta > 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if target._array.dtype.kind in FLOATS and input._array.dtype.kind in "iub":
        raise RuntimeError(f"result type {target.dtype} can't be cast to the desired output type {input.dtype}")
    dtype = input._array.dtype  # that of the loss, too
    input, target = _alike("huber_loss", input, target)
    if weight is None:
        return cast(HuberLoss.apply(input, target, reduction=reduction, delta=delta), dtype)
    _check_weight(weight, input)
    return cast(reduced(HuberLoss.apply(input, target, reduction="none", delta=delta) * weight, reduction), dtype)


def _weighted(loss: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Each element times its weight; the mean divides by the weights' sum."""
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)


def _alike(function: str, input: Any, target: Any, floating: bool = True) -> tuple[Tensor, Tensor]:
    """Input and target in one shape and dtype, with PyTorch's warning where their shapes differ."""
    for name, value in (("input", input), ("target", target)):
        if not isinstance(value, Tensor):
            raise wrong_argument(function, name, None, value)
    input, target = operands(input, target)
    if floating and input._array.dtype.kind not in FLOATS:
        raise not_implemented(function, input)
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=4,
        )
        input, target = broadcast_tensors(input, target)
    return input, target


def _check_weight(weight: Tensor, input: Tensor) -> None:
    if weight._array.shape != input._array.shape:
        raise ValueError("Weights and input must have the same size.")
