"""The functions behind the layers, without state: parameters are arguments (``torch.nn.functional``).

Most are ops under PyTorch's name; go to :mod:`tinytorch.ops` for their mathematics. What stands here is short:
functions composed of several ops, and in-place variants.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.autograd.inplace import change_in_place
from tinytorch.dtypes import int64
from tinytorch.ops.activation import (
    celu,
    elu,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu6,
    rrelu,
    selu,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)  # fmt: skip
from tinytorch.ops.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.attention import scaled_dot_product_attention
from tinytorch.ops.checks import refuse, refuse_half
from tinytorch.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinytorch.ops.ctc import ctc_loss
from tinytorch.ops.distance import cosine_similarity, normalize, pairwise_distance
from tinytorch.ops.embedding import embedding, embedding_bag
from tinytorch.ops.fold import channel_shuffle, pixel_shuffle, pixel_unshuffle
from tinytorch.ops.fold import col2im as fold
from tinytorch.ops.fold import im2col as unfold
from tinytorch.ops.fractional_pool import fractional_max_pool2d, fractional_max_pool3d
from tinytorch.ops.glu import glu
from tinytorch.ops.grid_sample import affine_grid, grid_sample
from tinytorch.ops.interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from tinytorch.ops.layer_norm import group_norm, layer_norm, rms_norm
from tinytorch.ops.linalg import linear
from tinytorch.ops.linear_cross_entropy import linear_cross_entropy
from tinytorch.ops.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tinytorch.ops.loss_likelihood import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)  # fmt: skip
from tinytorch.ops.loss_margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)  # fmt: skip
from tinytorch.ops.lp_pool import lp_pool1d, lp_pool2d, lp_pool3d
from tinytorch.ops.matrix_products import bilinear
from tinytorch.ops.multi_head_attention import multi_head_attention_forward
from tinytorch.ops.norm import batch_norm, instance_norm
from tinytorch.ops.pad import pad
from tinytorch.ops.pairs import pdist
from tinytorch.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from tinytorch.ops.random import alpha_dropout, feature_alpha_dropout
from tinytorch.ops.softmax import cross_entropy, nll_loss
from tinytorch.ops.stacking import one_hot
from tinytorch.ops.unary import sigmoid, tanh
from tinytorch.ops.unpool import max_unpool1d, max_unpool2d, max_unpool3d
from tinytorch.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "affine_grid", "alpha_dropout", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "celu", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag",
    "feature_alpha_dropout", "fold", "fractional_max_pool2d", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d", "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample",
    "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "leaky_relu_", "linear", "linear_cross_entropy", "local_response_norm", "log_softmax", "logsigmoid",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices",
    "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d",
    "max_unpool3d", "mish", "mse_loss", "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "native_channel_shuffle", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6",
    "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu",
    "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "threshold_", "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ activations


@checks_arguments
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``, written over ``input`` if ``inplace``."""
    return change_in_place(input, ops.relu) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """``relu(input, inplace=True)``."""
    return relu(input, inplace=True)


def selu_(input: Tensor) -> Tensor:
    """``selu(input, inplace=True)``."""
    return selu(input, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``celu(input, alpha, inplace=True)``."""
    return celu(input, alpha, inplace=True)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """``rrelu(input, ..., inplace=True)``."""
    return rrelu(input, lower, upper, training, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``leaky_relu(input, inplace=True)``."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``elu(input, inplace=True)``."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``hardtanh(input, inplace=True)``."""
    return hardtanh(input, min_val, max_val, inplace=True)


@checks_arguments
def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """``threshold(input, inplace=True)``."""
    return change_in_place(input, ops.threshold, threshold, value)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``exp(x) / Σ exp(x)`` along ``dim``: positive numbers that sum to 1. Without ``dim`` the first dimension of 0-,
    1- and 3-dimensional tensors, else the second.
    """
    return ops.softmax(input, _implicit_dim("softmax", input) if dim is None else dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of :func:`softmax`, without its rounding and overflow."""
    return ops.log_softmax(input, _implicit_dim("log_softmax", input) if dim is None else dim, dtype)


@checks_arguments
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-x)`` along ``dim``."""
    return softmax(-input, _implicit_dim("softmin", input) if dim is None else dim, dtype=dtype)


def _implicit_dim(name: str, input: Tensor) -> int:
    """PyTorch's old choice where ``dim`` is not given, and its warning."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if input.dim() in (0, 1, 3) else 1


@checks_arguments
def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A differentiable draw from a categorical distribution: softmax of (logits + Gumbel noise) / tau.

    ``hard``: one-hot in value, with the gradient of the soft draw. Source: Jang et al. 2016.
    """
    noise = -ops.exponential_(ops.empty_like(logits)).log()
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    winner = soft.detach().max(dim, keepdim=True)[1]
    one = ops.zeros_like(logits).detach()
    np.put_along_axis(one._array, winner._array, 1.0, axis=dim)
    return one - soft.detach() + soft


# ------------------------------------------------------------------------------------------ dropout


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element is 0 with probability ``p``, else divided by 1 - p; the identity unless ``training``."""
    return ops.dropout(input, p, training, inplace)


def _dropout_channels(
    name: str, ndims: tuple[int, int], input: Tensor, p: float, training: bool, inplace: bool
) -> Tensor:
    """Dropout of whole channels, of a batch (N, C, ...) or of one sample (C, ...)."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if input.dim() not in ndims:
        wrong = f"{name}: Expected {ndims[0]}D or {ndims[1]}D input, but received a {input.dim()}D input"
        if name == "dropout1d":
            raise RuntimeError(wrong)
        warnings.warn(f"{wrong}, which is deprecated", stacklevel=3)
    if input.dim() == ndims[1]:
        return ops.feature_dropout(input, p, training, inplace)
    if inplace:
        return change_in_place(input, lambda x: ops.feature_dropout(x.unsqueeze(0), p, training).squeeze(0))
    return ops.feature_dropout(input.unsqueeze(0), p, training).squeeze(0)


@checks_arguments
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, L) or (C, L) are 0 with probability ``p``."""
    return _dropout_channels("dropout1d", (2, 3), input, p, training, inplace)


@checks_arguments
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, H, W) are 0 with probability ``p``."""
    return ops.feature_dropout(input, p, training, inplace)


@checks_arguments
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, D, H, W) or (C, D, H, W) are 0 with probability ``p``."""
    return _dropout_channels("dropout3d", (4, 5), input, p, training, inplace)


# ------------------------------------------------------------------------------------------ pooling, with places


@checks_arguments
def max_pool1d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``max_pool1d(..., return_indices=True)``."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


@checks_arguments
def max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``max_pool2d(..., return_indices=True)``."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


@checks_arguments
def max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``max_pool3d(..., return_indices=True)``."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


@checks_arguments
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool1d(..., return_indices=True)``."""
    return adaptive_max_pool1d(input, output_size, return_indices=True)


@checks_arguments
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool2d(..., return_indices=True)``."""
    return adaptive_max_pool2d(input, output_size, return_indices=True)


@checks_arguments
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool3d(..., return_indices=True)``."""
    return adaptive_max_pool3d(input, output_size, return_indices=True)


@checks_arguments
def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``fractional_max_pool2d(..., return_indices=True)``."""
    return fractional_max_pool2d(input, kernel_size, output_size, output_ratio, True, _random_samples)


@checks_arguments
def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """``fractional_max_pool3d(..., return_indices=True)``."""
    return fractional_max_pool3d(input, kernel_size, output_size, output_ratio, True, _random_samples)


# ------------------------------------------------------------------------------------------ channels


@checks_arguments
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """:func:`conv1d` with time first: (T, N, C) and weight (K, C, O) give (T', N, O)."""
    y = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return y.permute(2, 0, 1)


native_channel_shuffle = channel_shuffle


@checks_arguments
def local_response_norm(input: Tensor, size: int, alpha: Number = 1e-4, beta: Number = 0.75, k: Number = 1.0) -> Tensor:
    """``x / (k + alpha · mean of x² over ``size`` neighbouring channels)^beta`` (Krizhevsky et al. 2012)."""
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    refuse("bc" if input.dtype == int64 else "bciu", "local_response_norm", input)
    if input.dim() > 3:
        refuse_half("avg_pool3d_out_frame", input)
    around_channels = [0, 0] * (input.dim() - 2) + [size // 2, (size - 1) // 2]
    squares = pad(input * input, around_channels)
    total = squares.narrow(1, 0, input.shape[1])
    for offset in range(1, size):
        total = total + squares.narrow(1, offset, input.shape[1])
    if input.dtype == int64:  # the mean of integers is an integer
        return input / (total // size * alpha + k) ** beta
    return input / (total * (alpha / size) + k) ** beta


def __getattr__(name: str) -> Any:
    from tinytorch.missing import elsewhere

    return elsewhere(__name__, name, "tinytorch.nn.functional_parts")
