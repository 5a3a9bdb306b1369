"""Layer normalization and its relatives: normalize each sample by itself, over its features.

The formulas are those of :mod:`tinytorch.ops.norm`; only *what* is averaged differs::

    x (N, C, H, W)        mean and variance over        weight and bias for each
    batch_norm            N, H, W                       channel
    instance_norm         H, W                          channel
    group_norm            H, W, a group of channels     channel
    layer_norm            the last dimensions           place in the last dimensions
    rms_norm              as layer_norm, but only divided by the root of the mean square

Samples do not see each other, so there are no running statistics, and training and evaluation are the same. (Ba,
Kiros and Hinton 2016; Wu and He 2018, "Group Normalization"; Zhang and Sennrich 2019, "Root Mean Square Layer
Normalization".)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import group_norm as group_kernels
from tinytorch.kernels import layer_norm as kernels
from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import check_floating, not_implemented
from tinytorch.ops.dims import ints_from
from tinytorch.ops.fused import as_tensors
from tinytorch.ops.half import rounded_once
from tinytorch.ops.norm import in_shapes, normalization_backward, save_for_normalization, sum_over
from tinytorch.tensor import Tensor

__all__ = ["group_norm", "layer_norm", "rms_norm"]


class LayerNorm(Primitive):
    """x (..., *features) normalized over its last dimensions, which are those of weight and bias."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, dims: int, eps: float
    ) -> np.ndarray:
        y, mean, invstd = kernels.layer_norm(_as_rows(x, dims), _flat(weight), _flat(bias), eps)
        save_for_normalization(ctx, x, weight, mean, invstd)
        return y.reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        dims, needs = ctx.attributes["dims"], tuple(ctx.needs_input_grad)
        shape = grad._array.shape
        shapes = (shape, shape[-dims:], shape[-dims:])
        if x is not None and not is_grad_enabled():
            mean, invstd = ctx.intermediates
            rows, scale = _as_rows(x._array, dims), None if weight is None else _flat(weight._array)
            arrays = kernels.layer_norm_backward(_as_rows(grad._array, dims), rows, mean, invstd, scale, needs)
            return as_tensors(in_shapes(arrays, shapes))
        samples, features = tuple(range(len(shape) - dims)), tuple(range(len(shape) - dims, len(shape)))
        if x is None:
            return in_shapes((None, None, sum_over(grad, samples)), shapes)
        return in_shapes(
            normalization_backward(grad, x, weight, features, samples, ctx.attributes["eps"], needs), shapes
        )

    known_name = "NativeLayerNormBackward0"


class GroupNorm(Primitive):
    """x (N, C, ...), of which each sample's groups of channels are normalized; weight and bias are per channel."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, groups: int, eps: float
    ) -> np.ndarray:
        y, mean, invstd = group_kernels.group_norm(x, weight, bias, groups, eps)
        save_for_normalization(ctx, x, weight, mean, invstd)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        groups, needs = ctx.attributes["groups"], tuple(ctx.needs_input_grad)
        n, c, *pixels = grad._array.shape
        if x is None:
            return None, None, grad.reshape(n, c, -1).sum((0, 2))
        if not is_grad_enabled():
            mean, invstd = ctx.intermediates
            scale = None if weight is None else weight._array
            return as_tensors(group_kernels.group_norm_backward(grad._array, x._array, mean, invstd, scale, needs))
        apart = (n, groups, c // groups, math.prod(pixels))
        factor = None if weight is None else weight.reshape(1, groups, -1, 1)
        grads = normalization_backward(
            grad.reshape(apart), x.reshape(apart), factor, (2, 3), (0, 3), ctx.attributes["eps"], needs
        )
        return in_shapes(grads, (x._array.shape, c, c))

    known_name = "NativeGroupNormBackward0"


def _as_rows(x: np.ndarray, dims: int) -> np.ndarray:
    """The last ``dims`` dimensions as the columns of a matrix."""
    samples = x.ndim - dims
    return x.reshape(math.prod(x.shape[:samples]), math.prod(x.shape[samples:]))


def _flat(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else values.reshape(-1)


# ------------------------------------------------------------------------------------------ public functions


@checks_arguments
def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Normalize over the last dimensions, ``normalized_shape`` in all (``torch.nn.functional.layer_norm``).

    Args:
        input: (..., *normalized_shape).
        weight, bias: of ``normalized_shape``, or None.

    Raises:
        RuntimeError: shapes that do not fit, mixed dtypes (but for parameters in single precision with an input in
            half). TypeError: ``normalized_shape`` is an int.
    """
    shape = _checked_shape("layer_norm", input, normalized_shape, weight, bias)
    if _is_mixed("layer_norm", input, weight, bias):
        return layer_norm(input.float(), shape, weight, bias, eps).to(input.dtype)
    return LayerNorm.apply(input, weight, bias, dims=len(shape), eps=eps)


@checks_arguments
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Normalize each sample over groups of neighbouring channels and all pixels (``torch.nn.functional.group_norm``).

    Args:
        input: (N, C, ...); C is a multiple of ``num_groups``.
        weight, bias: (C,) or None.

    Raises:
        RuntimeError: shapes that do not fit. ValueError: one number per group, in one sample. ZeroDivisionError:
            no groups.
    """
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    n, c = shape[:2]
    if num_groups == 0:
        raise ZeroDivisionError("group_norm(): num_groups is 0")
    if num_groups < 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if c % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    if n * (c // num_groups) * math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value._array.shape != (c,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(value.shape)} and input of shape {list(shape)}"
            )
    if _is_mixed("group_norm", input, weight, bias):
        return group_norm(input.float(), num_groups, weight, bias, eps).to(input.dtype)
    if input._array.size:
        return GroupNorm.apply(input, weight, bias, groups=num_groups, eps=eps)
    per_channel = (c, *[1] * (len(shape) - 2))
    y = input if weight is None else input * weight.reshape(per_channel)
    return known_as(y if bias is None else y + bias.reshape(per_channel), "NativeGroupNormBackward0")


@checks_arguments
@rounded_once
def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """``input / sqrt(mean(input²) + eps) · weight`` over the last dimensions (``torch.nn.functional.rms_norm``).

    ``eps`` is by default the distance from 1 to the next number of the dtype in which it is computed, which is single
    precision for an input in half.
    """
    shape = _checked_shape("rms_norm", input, normalized_shape, weight, None)
    check_floating("rms_norm", input)
    eps = float(np.finfo(input._array.dtype).eps) if eps is None else eps
    dims = tuple(range(-len(shape), 0))
    y = input * ((input * input).mean(dims, True) + eps).rsqrt()
    return y if weight is None else cast(y * weight, input._array.dtype)


def _checked_shape(
    function: str, input: Any, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None
) -> tuple[int, ...]:
    if not isinstance(input, Tensor):
        raise wrong_argument(function, "input", None, input)
    shape = ints_from(function, "normalized_shape", normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value._array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(value.shape)} "
                f"and normalized_shape = {list(shape)}"
            )
    if function == "rms_norm" and input._array.ndim < len(shape):
        raise ValueError(f"Input tensor must have at least {len(shape)} dimensions, but got {input._array.ndim}")
    if input._array.shape[-len(shape) :] != shape or input._array.ndim < len(shape):
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(input.shape)}"
        )
    return shape


def _is_mixed(function: str, input: Tensor, *parameters: Tensor | None) -> bool:
    """Whether the parameters are in single precision and the input in half; RuntimeError for other mixtures."""
    dtype = input._array.dtype
    if dtype.kind not in FLOATS:
        raise not_implemented(function, input)
    given = [value._array.dtype for value in parameters if value is not None]
    if given.count(dtype) == len(given):
        return False
    if not is_half(dtype) or given.count(np.dtype(np.float32)) < len(given):
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
    return True
