"""Losses with a margin: once an answer is right by a distance ``margin``, it costs nothing more.

All have the hinge ``max(0, margin - how right)`` in them, or its smooth version ``log(1 + exp(-how right))``. What
differs is what is compared: a score with a sign, two scores with each other, the right class with all others, two
distances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS
from tinytorch.ops.activation import logsigmoid
from tinytorch.ops.arguments import Number, Truth, checks_arguments
from tinytorch.ops.broadcast import broadcast_shapes, cast
from tinytorch.ops.checks import refuse, refuse_half, type_name
from tinytorch.ops.clamp import clamp_min
from tinytorch.ops.compare import minimum, where
from tinytorch.ops.distance import pairwise_distance
from tinytorch.ops.gather import gather
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.reduction_modes import chosen_reduction, reduced
from tinytorch.ops.unary import exp, log1p
from tinytorch.tensor import Tensor

__all__ = ["cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
           "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
           "triplet_margin_with_distance_loss"]  # fmt: skip


@checks_arguments
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, ``max(0, margin - x)`` where it is -1; x is usually a distance."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    refuse("c", "hinge_embedding_loss", input)
    if input._array.dtype.kind in FLOATS:
        check_convertible(margin, input._array.dtype)
    rest = margin - input
    if input._array.dtype.kind in "iu":  # integers stay integers
        rest = cast(rest, input._array.dtype)
    far = where(target != 1, clamp_min(rest, 0), 0)
    near = where(target != -1, input, 0)
    return reduced(far + near, reduction)


@checks_arguments
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target·input))`` with targets 1 and -1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    refuse("iub", "soft_margin_loss", input, error=RuntimeError)
    wide = broadcast_shapes(input._array.shape, target._array.shape)
    if wide != input._array.shape or (target.is_complex() and not input.is_complex()):
        raise RuntimeError(
            f"soft_margin_loss: output with shape {list(input.shape)} and dtype {input.dtype} doesn't match the "
            f"broadcast shape {list(wide)} with a target of {target.dtype}"
        )
    loss = log1p(exp(-input * target))
    return known_as(reduced(cast(loss, input._array.dtype), reduction), "SoftMarginLossBackward0")


@checks_arguments
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target·(x1 - x2) + margin)``: the first should be larger where the target is 1, smaller where it is
    -1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if not input1._array.ndim == input2._array.ndim == target._array.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0.0), reduction)


@checks_arguments
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(x1, x2)`` where the target is 1, ``max(0, cos(x1, x2) - margin)`` where it is -1.

    Args:
        input1, input2: (N, D) with target (N,), or (D,) with target ().
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    ndim = target._array.ndim
    if ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1._array.ndim != ndim + 1 or input2._array.ndim != ndim + 1:
        raise RuntimeError(
            f"{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    squared1 = (input1 * input1).sum(-1) + 1e-12
    squared2 = (input2 * input2).sum(-1) + 1e-12
    cosine = (input1 * input2).sum(-1) / (squared1 * squared2).sqrt()
    alike = where(target == 1, 1.0 - cosine, 0.0)
    different = where(target == -1, clamp_min(cosine - margin, 0.0), 0.0)
    return reduced(alike + different, reduction)


@checks_arguments
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: float = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ_j≠t max(0, margin - x_t + x_j)^p / C``: the right class t should lead all others by the margin.

    Args:
        input: scores (N, C) with target (N,), or (C,) with target () or (1,).
        p: 1 or 2 (else ValueError).
        weight: one factor per class, that of the right class counts.
    """
    refuse("biuc", "multi_margin_loss", input)
    refuse_half("multi_margin_loss", input)
    reduction = chosen_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    check_convertible(margin, input._array.dtype)
    if input._array.ndim > 2 or input._array.shape[-1:] == (0,):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    rows = input if input._array.ndim == 2 else input.reshape(1, -1)
    n, classes = rows._array.shape
    if target._array.size != n or target._array.ndim > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{n}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
        )
    if weight is not None and weight._array.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    if target._array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(target)}")
    index = target.reshape(n, 1)
    right = index._array
    if ((right < 0) | (right >= classes)).any():
        raise RuntimeError("target out of range")
    excess = _hinge(margin - gather(rows, 1, index) + rows)
    excess = excess if p == 1 else excess * excess
    others = Tensor._wrap(np.arange(classes) != right)
    loss = where(others, excess, 0.0).sum(1) / float(classes)
    if weight is not None:
        loss = loss * weight[index[:, 0]]
    return known_as(reduced(loss.reshape(target._array.shape), reduction), "MultiMarginLossBackward0")


def _hinge(x: Tensor) -> Tensor:
    """``max(0, x)``; 0 of nan, too, which is not larger than 0 (as in PyTorch's loops over classes)."""
    return where(x > 0, x, 0.0)


@checks_arguments
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ_t Σ_j max(0, 1 - (x_t - x_j)) / C`` over right classes t and wrong classes j.

    Args:
        input: scores (N, C) or (C,).
        target: int64, of the same shape: the right classes of each row, ended by -1 where there are fewer than C.
    """
    refuse("biuc", "multilabel_margin_loss", input)
    refuse_half("multilabel_margin_loss", input)
    reduction = chosen_reduction(size_average, reduce, reduction)
    if input._array.ndim > 2:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    if max(target._array.ndim, input._array.ndim) < 2 and target._array.size == input._array.size:
        target = target.reshape(input._array.shape)  # a number is as good as a vector of one
    if target._array.shape != input._array.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    if target._array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(target)}")
    rows = input if input._array.ndim == 2 else input.reshape(1, -1)
    n, classes = rows._array.shape
    labels = target._array.reshape(n, classes)
    if ((labels < -1) | (labels >= classes)).any():
        raise RuntimeError("argument #2 'target' is out of range")
    listed = np.logical_and.accumulate(labels >= 0, axis=1)  # up to the first -1
    right = np.zeros((n, classes), bool)
    right[np.nonzero(listed)[0], labels[listed]] = True
    scores = gather(rows, 1, Tensor._wrap(np.where(listed, labels, 0)))
    excess = _hinge(1.0 - scores.unsqueeze(2) + rows.unsqueeze(1))  # (N, right, wrong)
    counted = Tensor._wrap(listed[:, :, None] & ~right[:, None, :])
    loss = where(counted, excess, 0.0).sum((1, 2)) / float(classes)
    return reduced(loss.reshape(input._array.shape[:-1]), reduction)


@checks_arguments
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor | Number,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The binary cross entropy of each class with logits ``input``, averaged over classes (the last dimension)."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    loss = loss if weight is None else loss * weight
    return reduced(loss.sum(input._array.ndim - 1) / float(input.size(-1)), reduction)


@checks_arguments
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))`` with the p-norm as d, over the last dimension."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda a, b: pairwise_distance(a, b, p, eps), margin=margin,
        swap=swap, reduction=reduction,
    )  # fmt: skip


@checks_arguments
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: Truth = False,
    reduction: str = "mean",
) -> Tensor:
    """As :func:`triplet_margin_loss`, with any distance.

    With ``swap`` the negative's distance is the smaller of those to anchor and positive. ValueError for margin <= 0.
    """
    reduction = chosen_reduction(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ranks = [t._array.ndim for t in (anchor, positive, negative)]
    if len(set(ranks)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        )
    distance: Any = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(margin + near - far, 0.0), reduction)
