"""The functions behind the layers, without state: parameters are arguments (``torch.nn.functional``).

Most are ops under PyTorch's name; go to :mod:`tinytorch.ops` for their mathematics. What stands here is short:
functions composed of several ops, and in-place variants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.autograd.inplace import change_in_place
from tinytorch.autograd.modes import no_grad
from tinytorch.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
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
from tinytorch.ops.attention import scaled_dot_product_attention
from tinytorch.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinytorch.ops.distance import cosine_similarity, normalize, pairwise_distance
from tinytorch.ops.fold import channel_shuffle, pixel_shuffle, pixel_unshuffle
from tinytorch.ops.fold import col2im as fold
from tinytorch.ops.fold import im2col as unfold
from tinytorch.ops.fractional_pool import fractional_max_pool2d, fractional_max_pool3d
from tinytorch.ops.grid_sample import affine_grid, grid_sample
from tinytorch.ops.interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from tinytorch.ops.layer_norm import group_norm, layer_norm, rms_norm
from tinytorch.ops.linalg import linear
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
from tinytorch.ops.multi_head_attention import multi_head_attention_forward
from tinytorch.ops.norm import batch_norm, instance_norm
from tinytorch.ops.pad import pad
from tinytorch.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from tinytorch.ops.random import alpha_dropout
from tinytorch.ops.softmax import cross_entropy, log_softmax, nll_loss, softmax
from tinytorch.ops.stacking import one_hot
from tinytorch.ops.unary import sigmoid, tanh
from tinytorch.ops.unpool import max_unpool1d, max_unpool2d, max_unpool3d
from tinytorch.ops.vector_norms import pdist
from tinytorch.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm",
    "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "channel_shuffle", "conv1d",
    "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss",
    "cosine_similarity", "cross_entropy", "dropout", "dropout1d", "dropout2d", "dropout3d", "elu", "elu_",
    "embedding", "fold", "fractional_max_pool2d", "fractional_max_pool3d", "gaussian_nll_loss", "gelu", "glu",
    "grid_sample", "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "leaky_relu_", "linear", "local_response_norm", "log_softmax", "logsigmoid", "lp_pool1d",
    "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d",
    "max_unpool2d", "max_unpool3d", "mish", "mse_loss", "multi_head_attention_forward", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6",
    "relu_", "rms_norm", "rrelu", "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss",
    "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
    "threshold_", "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold", "upsample",
    "upsample_bilinear", "upsample_nearest",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``, written over ``input`` if ``inplace``."""
    return change_in_place(input, ops.relu) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """``relu(input, inplace=True)``."""
    return relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``leaky_relu(input, inplace=True)``."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``elu(input, inplace=True)``."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``hardtanh(input, inplace=True)``."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """``threshold(input, inplace=True)``."""
    return change_in_place(input, ops.threshold, threshold, value)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-x)`` along ``dim``."""
    return softmax(-input, dim, dtype=dtype)


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
        raise RuntimeError(f"{name}: Expected {ndims[0]}D or {ndims[1]}D input, but received a {input.dim()}D input")
    if input.dim() == ndims[1]:
        return ops.feature_dropout(input, p, training, inplace)
    if inplace:
        return change_in_place(input, lambda x: ops.feature_dropout(x.unsqueeze(0), p, training).squeeze(0))
    return ops.feature_dropout(input.unsqueeze(0), p, training).squeeze(0)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, L) or (C, L) are 0 with probability ``p``."""
    return _dropout_channels("dropout1d", (2, 3), input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, H, W) are 0 with probability ``p``."""
    return ops.feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, D, H, W) or (C, D, H, W) are 0 with probability ``p``."""
    return _dropout_channels("dropout3d", (4, 5), input, p, training, inplace)


# ------------------------------------------------------------------------------------------ tables and products


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight`` (num_embeddings, dim) by index: integers (...) give (..., dim).

    The row ``padding_idx`` gets no gradient. With ``max_norm`` the rows looked up are first scaled down to that
    norm, in place. Raises IndexError for an index outside the table, NotImplementedError for sparse or
    frequency-scaled gradients.
    """
    if sparse or scale_grad_by_freq:
        asked = "sparse" if sparse else "scale_grad_by_freq"
        raise NotImplementedError(f"embedding: {asked}=True is not supported; gradients are dense. Use {asked}=False.")
    if input._array.dtype.kind != "i":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input.type()} instead (while checking arguments for embedding)"
        )
    rows = weight._array.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if input._array.size and (input._array.min() < 0 or input._array.max() >= rows):
        raise IndexError("index out of range in self")
    if max_norm is not None:
        _limit_norms(weight, input._array, max_norm, norm_type)
    looked_up = ops.index_select(weight, 0, input.reshape(-1)).reshape(*input.shape, weight._array.shape[1])
    if padding_idx is None or not weight.requires_grad:
        return looked_up
    is_padding = Tensor._wrap((input._array == padding_idx)[..., None])
    return ops.where(is_padding, looked_up.detach(), looked_up)


def _limit_norms(weight: Tensor, indices: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, those of the rows at ``indices`` whose norm is larger than ``max_norm``."""
    used = np.unique(indices)
    norms = np.linalg.norm(weight._array[used], norm_type, axis=1)
    too_long = norms > max_norm
    if too_long.any():
        factors = (max_norm / (norms[too_long] + 1e-7)).astype(weight._array.dtype)
        with no_grad():
            weight[Tensor._wrap(used[too_long])] = Tensor._wrap(weight._array[used[too_long]] * factors[:, None])


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y_k = Σ_ij x1_i A_kij x2_j + b_k``: (..., i), (..., j), (k, i, j), (k,) give (..., k)."""
    n_out, n_in1, n_in2 = weight._array.shape
    by_first = input1.matmul(weight.permute(1, 0, 2).reshape(n_in1, n_out * n_in2))
    table = by_first.reshape(*input1.shape[:-1], n_out, n_in2)
    product = (table * input2.unsqueeze(-2)).sum(-1)
    return product if bias is None else product + bias


# ------------------------------------------------------------------------------------------ channels


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``x / (k + alpha · mean of x² over ``size`` neighbouring channels)^beta`` (Krizhevsky et al. 2012)."""
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    around_channels = [0, 0] * (input.dim() - 2) + [size // 2, (size - 1) // 2]
    squares = pad(input * input, around_channels)
    total = squares.narrow(1, 0, input.shape[1])
    for offset in range(1, size):
        total = total + squares.narrow(1, offset, input.shape[1])
    return input / (total * (alpha / size) + k) ** beta


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
