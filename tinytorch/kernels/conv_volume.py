"""Convolution of volumes: the taps along depth become channels, and what is left is a convolution of images.

(After: `conv`. Next: `tinytorch.ops.conv`, which calls these for images and volumes alike.)

    y[o, d, h, w] = sum over c, k of (weight[o, c, k] slid over x[c, d * stride + k * dilation - padding])[h, w]

So slice d of the result is a two-dimensional convolution of KD input slices with C channels each: C * KD channels.
`_gather` lays these channels side by side, for all output slices at once, as a batch of N * D' images. It is linear;
its adjoint `_spread` adds the channels back to the slices that they came from, which turns the gradient of the image
convolution for its input into that of the volume convolution.

Every function takes images (N, C, H, W) as well, and then is the one of `conv`, or of `conv_small` where there is
little to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.kernels import conv as images
from tinytorch.kernels import conv_small
from tinytorch.kernels.layout import Array
from tinytorch.kernels.memory import empty
from tinytorch.kernels.windows import count_outputs, tap

Sizes = tuple[int, ...]


def conv(
    x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """x (N, C, D, H, W), weight (O, C / groups, KD, KH, KW) -> y (N, O, D', H', W')."""
    if x.ndim == 4:
        out_h, out_w = map(count_outputs, x.shape[2:], weight.shape[2:], stride, padding, dilation)
        how: Any = (stride, padding, dilation, groups)
        if conv_small.is_small(weight.shape, len(x) * out_h * out_w, groups):
            return conv_small.convolve(x, weight, bias, (out_h, out_w), *how)
        return images.conv2d(x, weight, bias, *how)
    depth = count_outputs(x.shape[2], weight.shape[2], stride[0], padding[0], dilation[0])
    slices = _gather(x, weight.shape[2], depth, stride[0], padding[0], dilation[0])
    y = images.conv2d(slices, _as_image_weight(weight), bias, stride[1:], padding[1:], dilation[1:], groups)  # type: ignore[arg-type]
    return _as_volumes(y, depth)


def conv_input(
    grad: Array, weight: Array, input_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    bias: Array | None = None,
) -> Array:  # fmt: skip
    """The gradient of `conv` for its input, and the transposed convolution."""
    if grad.ndim == 4:
        how: Any = (stride, padding, dilation, groups, bias)
        pixels = len(grad) * grad.shape[2] * grad.shape[3]
        if conv_small.spread_is_small(weight.shape, pixels, groups, stride):
            return conv_small.input_gradient(grad, weight, input_shape, *how)
        return images.conv2d_input(grad, weight, input_shape, *how)
    slices = _as_images(grad)
    channels = input_shape[1] * weight.shape[2]
    gx = images.conv2d_input(
        slices, _as_image_weight(weight), (len(slices), channels, *input_shape[3:]),
        stride[1:], padding[1:], dilation[1:], groups,  # type: ignore[arg-type]
    )  # fmt: skip
    volume = _spread(gx, input_shape, weight.shape[2], grad.shape[2], stride[0], padding[0], dilation[0])
    if bias is not None:
        volume += bias.reshape(-1, 1, 1, 1)
    return volume


def conv_gradients(
    x: Array, grad: Array, weight: Array, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> tuple[Array, Array] | None:
    """`conv_input` and `conv_weight`, where both together are faster, else None."""
    if x.ndim != 4 or conv_small.is_small(weight.shape, len(grad) * grad.shape[2] * grad.shape[3], groups):
        return None
    how: Any = (stride, padding, dilation, groups)
    return images.conv2d_gradients(x, grad, weight, *how)


def conv_weight(
    x: Array, grad: Array, weight_shape: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """The gradient of `conv` for its weight."""
    if x.ndim == 4:
        how: Any = (stride, padding, dilation, groups)
        if conv_small.is_small(weight_shape, len(grad) * grad.shape[2] * grad.shape[3], groups):
            return conv_small.weight_gradient(x, grad, weight_shape, *how)
        return images.conv2d_weight(x, grad, weight_shape, *how)
    out, channels, kernel, *rest = weight_shape
    slices = _gather(x, kernel, grad.shape[2], stride[0], padding[0], dilation[0])
    gw = images.conv2d_weight(
        slices, _as_images(grad), (out, channels * kernel, *rest), stride[1:], padding[1:], dilation[1:], groups  # type: ignore[arg-type]
    )  # fmt: skip
    return gw.reshape(weight_shape)


def _gather(x: Array, kernel: int, depth: int, stride: int, padding: int, dilation: int) -> Array:
    """(N, C, D, H, W) to (D' * N, C * KD, H, W): with each output slice, the input slices under its taps."""
    n, c, size, h, w = x.shape
    columns = empty((c, kernel, h, w, depth, n), x.dtype)
    source = x.transpose(1, 3, 4, 2, 0)
    for k in range(kernel):
        served, seen = tap(k * dilation - padding, stride, depth, size)
        columns[:, k, :, :, : served.start] = 0
        columns[:, k, :, :, served.stop :] = 0
        columns[:, k, :, :, served] = source[:, :, :, seen]
    return columns.reshape(c * kernel, h, w, depth * n).transpose(3, 0, 1, 2)


def _spread(
    slices: Array, shape: Sizes, kernel: int, depth: int, stride: int, padding: int, dilation: int
) -> Array:  # fmt: skip
    """The adjoint of `_gather`: (D' * N, C * KD, H, W) to ``shape`` (N, C, D, H, W)."""
    n, c, size, h, w = shape
    columns = slices.transpose(1, 2, 3, 0).reshape(c, kernel, h, w, depth, n)
    volume = np.zeros((c, h, w, size, n), slices.dtype)
    for k in range(kernel):
        served, seen = tap(k * dilation - padding, stride, depth, size)
        volume[:, :, :, seen] += columns[:, k, :, :, served]
    return volume.transpose(4, 0, 3, 1, 2)


def _as_images(volumes: Array) -> Array:
    """(N, C, D, H, W) to (D * N, C, H, W): a view if depth and batch lie behind the image in memory."""
    n, c, depth, h, w = volumes.shape
    return volumes.transpose(1, 3, 4, 2, 0).reshape(c, h, w, depth * n).transpose(3, 0, 1, 2)


def _as_volumes(slices: Array, depth: int) -> Array:
    """The inverse of `_as_images`."""
    many, c, h, w = slices.shape
    return slices.transpose(1, 2, 3, 0).reshape(c, h, w, depth, many // max(depth, 1)).transpose(4, 0, 3, 1, 2)


def _as_image_weight(weight: Array) -> Array:
    out, channels, kernel, *rest = weight.shape
    return weight.reshape(out, channels * kernel, *rest)
