"""What ``torch.*`` calls otherwise than ``torch.nn.functional.*``: PyTorch's inner functions, which some programs call.

They compute the same, but their arguments come in another order, are given by number, or more results come back.
Prefer the functions of :mod:`tinytorch.nn.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.inplace import change_in_place
from tinytorch.ops import random
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinytorch.ops.embedding import embedding as embedding_by_index
from tinytorch.ops.embedding import embedding_bag as bags_by_index
from tinytorch.ops.grid_sample import affine_grid, grid_sample
from tinytorch.ops.layer_norm import group_norm as group_norm_by_name
from tinytorch.ops.layer_norm import layer_norm as layer_norm_by_name
from tinytorch.ops.norm import batch_norm as batch_norm_by_name
from tinytorch.ops.norm import instance_norm as instance_norm_by_name
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = [
    "affine_grid_generator",
    "alpha_dropout",
    "alpha_dropout_",
    "batch_norm",
    "convolution",
    "dropout",
    "dropout_",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "feature_alpha_dropout_",
    "feature_dropout",
    "feature_dropout_",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "native_batch_norm",
    "native_dropout",
    "native_group_norm",
    "native_layer_norm",
]  # fmt: skip


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """``torch.batch_norm``: :func:`tinytorch.nn.functional.batch_norm` with the weight before the statistics."""
    return batch_norm_by_name(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """``torch.instance_norm``: the function of ``nn.functional`` with the weight before the statistics."""
    return instance_norm_by_name(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """``torch.layer_norm``: the function of ``nn.functional`` and a flag that changes nothing here."""
    return layer_norm_by_name(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """``torch.group_norm``: the function of ``nn.functional`` and a flag that changes nothing here."""
    return group_norm_by_name(input, num_groups, weight, bias, eps)


@accepts_exact_out
def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, *, out: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm, and the mean and ``1 / sqrt(var + eps)`` of the batch (empty unless training)."""
    y = batch_norm_by_name(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return y, ops.empty(0, dtype=input.dtype), ops.empty(0, dtype=input.dtype)
    return y, *_statistics(input.detach(), [d for d in range(input.dim()) if d != 1], eps, keepdim=False)


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Layer norm, and the mean and ``1 / sqrt(var + eps)`` that it used."""
    y = layer_norm(input, normalized_shape, weight, bias, eps)
    return y, *_statistics(input.detach(), list(range(-len(normalized_shape), 0)), eps, keepdim=True)


@checks_arguments
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Group norm, and the mean and ``1 / sqrt(var + eps)`` of each sample's groups, (N, group)."""
    if group <= 0 or input.numel() != N * C * HxW or not input.is_contiguous():
        raise RuntimeError(
            f"native_group_norm(): expected contiguous memory of N * C * HxW = {N} * {C} * {HxW} numbers and a "
            f"positive group, but got input of shape {list(input.shape)} and group={group}"
        )
    y = group_norm(input, group, weight, bias, eps)
    return y, *_statistics(input.reshape(N, group, C // group * HxW), [2], eps, keepdim=False)


def _statistics(x: Tensor, dims: Sequence[int], eps: float, keepdim: bool) -> tuple[Tensor, Tensor]:
    return x.mean(dims, keepdim), (x.var(dims, correction=0, keepdim=keepdim) + eps).rsqrt()


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout, and the mask of what was kept."""
    if train is False or p == 0 or not input.numel():
        return input.clone(), ops.ones_like(input, dtype=dtypes.bool)
    kept = random.dropout(ops.ones_like(input.detach()), p, True)
    return input * kept, kept != 0


@checks_arguments
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``torch.dropout``: all of its arguments must be given."""
    return random.dropout(input, p, train)


@checks_arguments
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``torch.feature_dropout``: dropout of whole channels."""
    return random.feature_dropout(input, p, train)


@checks_arguments
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``torch.alpha_dropout``."""
    return random.alpha_dropout(input, p, train)


@checks_arguments
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``torch.feature_alpha_dropout``: alpha dropout of whole channels."""
    return random.feature_alpha_dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout in place."""
    return random.dropout(input, p, train, inplace=True)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels, in place."""
    return random.feature_dropout(input, p, train, inplace=True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Alpha dropout in place."""
    return change_in_place(input, random.alpha_dropout, p, train) if train and p else input


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Alpha dropout of whole channels, in place."""
    return change_in_place(input, random.feature_alpha_dropout, p, train) if train and p else input


def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """Any convolution: ``conv1d`` ... ``conv_transpose3d``, by the weight's rank and ``transposed``."""
    dims = weight.dim() - 2
    if transposed:
        backward = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}[dims]
        return backward(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return {1: conv1d, 2: conv2d, 3: conv3d}[dims](input, weight, bias, stride, padding, dilation, groups)


@checks_arguments
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """:func:`tinytorch.nn.functional.grid_sample` with its modes by number."""
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    if not (0 <= interpolation_mode < 3 and 0 <= padding_mode < 3):
        raise RuntimeError(f"grid_sampler(): modes are 0 to 2, but got {interpolation_mode} and {padding_mode}")
    return grid_sample(input, grid, modes[interpolation_mode], paddings[padding_mode], align_corners)


grid_sampler_2d = grid_sampler_3d = grid_sampler


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """:func:`tinytorch.nn.functional.affine_grid`."""
    return affine_grid(theta, size, align_corners)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """``torch.embedding``: the table first; ``padding_idx=-1`` is none."""
    padding = None if padding_idx < 0 else padding_idx
    return embedding_by_index(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """``torch.embedding_bag``: the table first, the mode by number (sum, mean, max); the bags, to which bag each index
    belongs, the bags' sizes, and (as PyTorch leaves it open) an empty tensor for the maxima."""
    padding = None if padding_idx is None or padding_idx < 0 else padding_idx
    bags = bags_by_index(
        indices, weight, offsets, None, 2.0, scale_grad_by_freq, ("sum", "mean", "max")[mode], sparse,
        per_sample_weights, include_last_offset, padding,
    )  # fmt: skip
    starts = offsets._array[:-1] if include_last_offset else offsets._array
    sizes = np.diff(np.append(starts, indices._array.size))
    numbers = np.repeat(np.arange(len(starts)), sizes)
    return bags, Tensor._wrap(numbers), Tensor._wrap(sizes.astype(np.int64)), ops.empty(0, dtype=dtypes.int64)


from tinytorch import dtypes, ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
