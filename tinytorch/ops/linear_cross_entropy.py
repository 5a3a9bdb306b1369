"""``F.linear_cross_entropy``: the scores of a linear layer and their cross entropy, as one function."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.linalg import linear
from tinytorch.ops.softmax import cross_entropy
from tinytorch.tensor import Tensor

__all__ = ["linear_cross_entropy"]


@checks_arguments
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """:func:`cross_entropy` of the logits :func:`linear` gives (``torch.nn.functional.linear_cross_entropy``).

    Args:
        input: (N, in_features) or (in_features,).
        linear_weight: (C, in_features); or (C, d1, ..., in_features) for a loss at each of (N, d1, ...).
        linear_bias: of the weight's shape without in_features.
        ignore_index: a class that counts nothing; -100 if None. Not for targets that are probabilities.
        options: how PyTorch would cut the batch into chunks to save memory. It does not change the loss, only what is
            refused: classes must be one for each row, and weights and bias are taken in the dtype of the input.
    """
    _check(input, linear_weight, target, ignore_index)
    classes = linear_weight.shape[:-1]
    chunked = reduction in ("mean", "sum", "none") and not label_smoothing and target._array.dtype == np.int64
    if options is not None and chunked and len(classes) == 1:
        if not hasattr(options, "chunking_method"):
            raise TypeError(
                f"linear_cross_entropy(): options must be LinearCrossEntropyOptions, not {type(options).__name__}"
            )
        _check_chunked(input, target, weight, classes[0], -100 if ignore_index is None else ignore_index)
        if is_half(input._array.dtype):
            linear_weight = cast(linear_weight, input._array.dtype)
        linear_bias, weight = (None if t is None else cast(t, input._array.dtype) for t in (linear_bias, weight))
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, input.shape[-1]), bias).reshape(*input.shape[:-1], *classes)
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(logits, target, weight, None, ignored, None, reduction, label_smoothing)


def _check(input: Tensor, linear_weight: Tensor, target: Tensor, ignore_index: int | None) -> None:
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    in_features = linear_weight.shape[-1]
    if input.dim() not in (1, 2) or input.shape[-1] != in_features:
        raise RuntimeError(
            f"linear_cross_entropy: input must be (N, {in_features}) or ({in_features},), but got {list(input.shape)}"
        )
    if linear_weight.dim() > 2 and input.dim() == 1:
        raise RuntimeError("linear_cross_entropy: a multi-dimensional weight needs batched input")
    if ignore_index is not None and target.is_floating_point():
        raise RuntimeError("linear_cross_entropy: ignore_index is for targets that are class indices")


def _check_chunked(input: Tensor, target: Tensor, weight: Tensor | None, n_classes: int, ignore_index: int) -> None:
    """What PyTorch's loop over chunks refuses: as it looks up the weights of the classes first, if there are any, its
    errors are then IndexErrors.
    """
    if input._array.dtype.kind not in FLOATS:
        raise ValueError(f"linear_cross_entropy: cannot accumulate in {input.dtype}: input must be floating")
    kind = RuntimeError if weight is None and n_classes else IndexError
    if target._array.shape != input._array.shape[:-1]:
        short = target._array.ndim < input._array.ndim - 1
        raise (RuntimeError if short else kind)(
            f"linear_cross_entropy: expected target of shape {list(input.shape[:-1])}, one class for each row, but got "
            f"{list(target.shape)}"
        )
    wrong = (target._array != ignore_index) & ((target._array < 0) | (target._array >= n_classes))
    if wrong.any():
        first = target._array[wrong].flat[0]
        raise kind(f"linear_cross_entropy: target {first} is out of bounds for {n_classes} classes")
    if weight is not None and weight._array.shape != (n_classes,):
        found = weight._array.shape[:1] == (n_classes,) or (weight._array.ndim > 1 and not weight._array.size)
        raise (RuntimeError if found else IndexError)(
            f"linear_cross_entropy: weight must hold one number for each of {n_classes} classes, but has shape "
            f"{list(weight.shape)}"
        )
