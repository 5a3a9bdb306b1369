"""Chapter 13, part 4. Convolution: one small kernel slides over the image, and each output is a dot product with what
lies under it.

After: tinytorch/kernels/conv.py
Next: tinytorch/ops/pool.py

Goal: make graph nodes of the kernels: three ops, each the derivative of the others.

::

    y[n, o, h, w] = bias[o] + Σ_{c,i,j} weight[o, c, i, j] · x[n, c, row, column]

    row = h·stride - padding + i·dilation        column = w·stride - padding + j·dilation

y is linear in x and linear in the weight, so both gradients are again sums of products over the same triples (input
pixel, kernel tap, output pixel). That makes three functions, each of which is linear in its two arguments::

    Conv2d        x, weight -> y          which outputs does a pixel feed?
    Conv2dInput   y, weight -> x          the same, walked backward: also called the transposed convolution
    Conv2dWeight  x, y      -> weight     how often did input and output move together, tap by tap?

The backward of each is written with the other two, so the family is closed and every order of derivative exists.
Volumes (N, C, D, H, W) go the same way with one dimension more; one-dimensional convolutions are images of height 1.
(Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".)

What PyTorch does. The same arguments, ``padding='same'`` and ``groups`` included; double backward by
``_convolution_double_backward``, one long function.

Pitfalls. Off by one: an image of 28 with kernel 3 needs padding 1 to stay 28, with kernel 5 padding 2, with kernel 4
no padding that is equal on both sides does it.

Exercises. Derive ∂L/∂bias. How large are images of 28 behind a 3x3 kernel with stride 2? Which two sizes does that
stride make one?
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.deferred import later
from tinytorch.autograd.modes import is_grad_enabled, state
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import conv_volume as kernels
from tinytorch.kernels.channel_sums import sum_per_channel
from tinytorch.kernels.conv import in_place
from tinytorch.kernels.conv_small import SMALL, is_small
from tinytorch.kernels.layout import is_chwn, to_chwn
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.conv_arguments import (
    check_bias,
    check_convolution,
    check_kernel_fits,
    check_numbers,
    check_tensors,
    named_padding,
    per_dimension,
    transposed_size,
)
from tinytorch.ops.indexing import PutInZeros
from tinytorch.ops.pool_arguments import squeezed_result
from tinytorch.tensor import Tensor

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]

Sizes = tuple[int, ...]


class Convolution(Primitive):
    """What the three have in common: the name PyTorch prints, and how the window moves."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    known_name = "ConvolutionBackward0"

    def geometry(self) -> dict[str, Any]:
        """``stride``, ``padding``, ``dilation`` and ``groups`` of this node."""
        return {key: self.attributes[key] for key in ("stride", "padding", "dilation", "groups")}


class Conv2d(Convolution):
    """(N, C, H, W) and weight (O, C/groups, KH, KW) give y (N, O, H', W')."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None,
        stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    ) -> np.ndarray:  # fmt: skip
        need_x, need_weight, _ = ctx.needs_input_grad[:3]
        ctx.save_for_backward(x if need_weight else None, weight if need_x else None)
        # images that have to be copied to the kernels' memory order are kept so for the gradient of the weight as well
        small = x.size * math.prod(weight.shape[2:]) <= SMALL
        stays = x.ndim != 4 or small or is_chwn(x) or in_place(x, weight.shape, (stride, padding, dilation, groups))
        copied = None if stays else to_chwn(x)
        keep = copied is not None and need_weight and state.saved_tensors_hooks is None
        ctx.save_intermediates(x.shape, weight.shape, copied if keep else None)
        return kernels.conv(x if copied is None else copied, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any, Any]:
        x, weight = ctx.saved_tensors
        x_shape, weight_shape, copied = ctx.intermediates
        need_x, need_weight, need_bias = ctx.needs_input_grad
        geometry = ctx.geometry()
        if not is_grad_enabled():  # nobody differentiates again: copies need not be recorded
            x, grad = x if copied is None else Tensor._wrap(copied), _batch_last(grad, weight_shape, geometry)
            if need_x and need_weight:
                both = kernels.conv_gradients(x._array, grad._array, weight._array, **geometry)
                if both is not None:
                    gx, gw = map(Tensor._wrap, both)
                    return gx, gw, SumPerChannel.apply(grad) if need_bias else None
        grad_weight = None
        if need_weight:  # first: another thread may compute it while this one does the rest
            how = {"weight_shape": weight_shape, **geometry}
            grad_weight = later(ctx, 1, _microseconds(grad, weight_shape), lambda: Conv2dWeight.apply(x, grad, **how))
        return (
            Conv2dInput.apply(grad, weight, None, input_shape=x_shape, **geometry) if need_x else None,
            grad_weight,
            SumPerChannel.apply(grad) if need_bias else None,
        )


class Conv2dInput(Convolution):
    """y (N, O, H', W') and weight (O, C/groups, KH, KW) give x of ``input_shape``: every output pixel hands its value
    back to the pixels that it was made of, each time multiplied by the weight that joined them."""

    @staticmethod
    def forward(
        ctx: Any, y: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, input_shape: tuple[int, ...],
        stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    ) -> np.ndarray:  # fmt: skip
        need_y, need_weight, _ = ctx.needs_input_grad[:3]
        ctx.save_for_backward(y if need_weight else None, weight if need_y else None)
        ctx.save_intermediates(y.shape, weight.shape)
        return kernels.conv_input(y, weight, input_shape, stride, padding, dilation, groups, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any, Any]:
        y, weight = ctx.saved_tensors
        y_shape, weight_shape = ctx.intermediates
        need_y, need_weight, need_bias = ctx.needs_input_grad
        geometry = ctx.geometry()
        if not is_grad_enabled():
            grad = _batch_last(grad, weight_shape, geometry)
        grad_weight = None
        if need_weight:  # first: another thread may compute it while this one does the rest
            how = {"weight_shape": weight_shape, **geometry}
            grad_weight = later(ctx, 1, _microseconds(y, weight_shape), lambda: Conv2dWeight.apply(grad, y, **how))
        return (
            _convolved_to(y_shape, grad, weight, geometry) if need_y else None,
            grad_weight,
            SumPerChannel.apply(grad) if need_bias else None,
        )


class Conv2dWeight(Convolution):
    """x (N, C, H, W) and y (N, O, H', W') give a weight of ``weight_shape``."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, y: np.ndarray, weight_shape: tuple[int, ...],
        stride: Sizes, padding: Sizes, dilation: Sizes, groups: int,
    ) -> np.ndarray:  # fmt: skip
        need_x, need_y = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_y else None, y if need_x else None)
        ctx.save_intermediates(x.shape, y.shape)
        return kernels.conv_weight(x, y, weight_shape, stride, padding, dilation, groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        x, y = ctx.saved_tensors
        x_shape, y_shape = ctx.intermediates
        need_x, need_y = ctx.needs_input_grad
        geometry = ctx.geometry()
        return (
            Conv2dInput.apply(y, grad, None, input_shape=x_shape, **geometry) if need_x else None,
            _convolved_to(y_shape, x, grad, geometry) if need_y else None,
        )


class SumPerChannel(Primitive):
    """Σ over all dimensions but the second: the gradient of a bias, which was added everywhere in its channel."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return sum_per_channel(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return grad.reshape(-1, *[1] * (len(shape) - 2)).expand(shape)


def _microseconds(y: Tensor, weight_shape: Sizes) -> float:
    """How long Conv2dWeight takes."""
    return y._array.size * math.prod(weight_shape[1:]) / 60e3


def _batch_last(grad: Tensor, weight_shape: Sizes, geometry: dict[str, Any]) -> Tensor:
    """`grad` in the kernels' memory order, copied once for all that read it. The copy is not recorded."""
    how = tuple(geometry.values())
    n, _, *image = grad._array.shape
    small = is_small(weight_shape, n * math.prod(image), geometry["groups"])
    if grad._array.ndim != 4 or small or in_place(grad._array, weight_shape, how):
        return grad
    return Tensor._wrap(to_chwn(grad._array))


def _convolved_to(y_shape: tuple[int, ...], x: Tensor, weight: Tensor, geometry: dict[str, Any]) -> Tensor:
    """Conv2d, of which only ``y_shape`` is wanted: an output padding as large as the stride leaves room for more."""
    y = Conv2d.apply(x, weight, None, **geometry)
    return y if y._array.shape == y_shape else y[(..., *map(slice, y_shape[2:]))]


# ------------------------------------------------------------------------------------------ public functions


@checks_arguments
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Two-dimensional convolution (``torch.nn.functional.conv2d``).

    Args:
        input: (N, C, H, W), or (C, H, W) for a single image.
        weight: (O, C / groups, KH, KW), of the same dtype.
        bias: (O,) or None.
        stride: how far the kernel moves; an int or one per dimension, as the next two.
        padding: zeros added on each side; or 'valid' (none), or 'same' (so many that the size stays; stride 1 only).
        dilation: distance of neighbouring kernel taps.
        groups: input and output channels are cut into so many groups that do not see each other.

    Returns:
        (N, O, H', W') with ``H' = (H + 2·padding - dilation·(KH - 1) - 1) // stride + 1``.

    Raises:
        RuntimeError: shapes or dtypes that do not fit, a kernel larger than the padded image, numbers out of range.
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@checks_arguments
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """One-dimensional convolution: (N, C, L) or (C, L), weight (O, C / groups, K); else as :func:`conv2d`."""
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@checks_arguments
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of volumes: (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, KD, KH, KW); else as
    :func:`conv2d`."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@checks_arguments
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution: the gradient of :func:`conv2d` for its input, as a layer
    (``torch.nn.functional.conv_transpose2d``).

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (C, O / groups, KH, KW): a convolution from O to C channels, walked backward.
        bias: (O,) or None.
        output_padding: rows and columns added at the far side. Images of ``stride`` different sizes are convolved to
            the same size; this says which one comes back.

    Returns:
        (N, O, H', W') with ``H' = (H - 1)·stride - 2·padding + dilation·(KH - 1) + output_padding + 1``.

    Raises:
        RuntimeError: as :func:`conv2d`; an output padding not smaller than both stride and dilation; an empty output.
    """
    return _convolve_transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@checks_arguments
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """One-dimensional transposed convolution: (N, C, L) or (C, L), weight (C, O / groups, K); else as
    :func:`conv_transpose2d`."""
    return _convolve_transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@checks_arguments
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution of volumes: (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, KD, KH, KW); else as
    :func:`conv_transpose2d`."""
    return _convolve_transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _convolve(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    check_tensors(name, dims, input, weight, bias)
    x = input if input._array.ndim == dims + 2 else input.unsqueeze(0)
    stride = per_dimension(name, "stride", stride, dims)
    dilation = per_dimension(name, "dilation", dilation, dims)
    kernel = weight._array.shape[2:]
    extra = (0,) * dims
    if isinstance(padding, str):
        padding, extra = named_padding(padding, kernel, stride, dilation)
    padding = per_dimension(name, "padding", padding, dims)
    check_numbers(stride, padding, dilation, (0,) * dims, groups)
    check_convolution(x, weight, groups, transposed=False)
    check_bias(weight, bias, weight._array.shape[0], transposed=False)
    if any(extra):
        x = _padded_at_end(x, extra)
    check_kernel_fits(x._array.shape[2:], kernel, padding, dilation)
    y = Conv2d.apply(
        _as_image(x), _as_image(weight), bias,
        stride=_at_least_two(stride, 1), padding=_at_least_two(padding, 0), dilation=_at_least_two(dilation, 1),
        groups=groups,
    )  # fmt: skip
    return known_as(_as_given(y, dims, input), "ConvolutionBackward0")


def _convolve_transposed(
    name: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    check_tensors(name, dims, input, weight, bias)
    if input._array.dtype.kind in "iu" and input._array.dtype != np.int64:
        raise not_implemented(f"slow_{name}_out_cpu", input)
    x = input if input._array.ndim == dims + 2 else input.unsqueeze(0)
    stride = per_dimension(name, "stride", stride, dims)
    padding = per_dimension(name, "padding", padding, dims)
    output_padding = per_dimension(name, "output_padding", output_padding, dims)
    dilation = per_dimension(name, "dilation", dilation, dims)
    check_numbers(stride, padding, dilation, output_padding, groups)
    check_convolution(x, weight, groups, transposed=True)
    channels = weight._array.shape[1] * groups
    check_bias(weight, bias, channels, transposed=True)
    size = transposed_size(x._array.shape[2:], weight._array.shape[2:], stride, padding, output_padding, dilation)
    y = Conv2dInput.apply(
        _as_image(x), _as_image(weight), bias, input_shape=(x._array.shape[0], channels, *_at_least_two(size, 1)),
        stride=_at_least_two(stride, 1), padding=_at_least_two(padding, 0), dilation=_at_least_two(dilation, 1),
        groups=groups,
    )  # fmt: skip
    return _as_given(y, dims, input)


def _padded_at_end(x: Tensor, extra: tuple[int, ...]) -> Tensor:
    """Zeros at the far side of the last dimensions: an even kernel under 'same' needs one more there."""
    size = x._array.shape[2:]
    shape = (*x._array.shape[:2], *[s + e for s, e in zip(size, extra, strict=True)])
    return PutInZeros.apply(x, index=(..., *[slice(s) for s in size]), shape=shape)


def _at_least_two(values: Sizes, first: int) -> Sizes:
    """The numbers per dimension; a one-dimensional convolution has height 1."""
    return (first, *values) if len(values) == 1 else values


def _as_image(tensor: Tensor) -> Tensor:
    return tensor if tensor._array.ndim >= 4 else tensor.unsqueeze(2)


def _as_given(y: Tensor, dims: int, input: Tensor) -> Tensor:
    """The result without the dimensions that were added to the input."""
    if dims == 1:
        y = squeezed_result(y, 2)
    return y if input._array.ndim == dims + 2 else squeezed_result(y, 0)
