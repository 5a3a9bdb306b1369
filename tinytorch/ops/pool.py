"""Chapter 14. Pooling.

After: tinytorch/ops/conv.py
Next: tinytorch/kernels/pool.py

Goal: make each window of an image one number, its maximum or its mean, and send gradients back.

The idea. *Max pooling* lets the largest value through, and sends the gradient back to where that value stood. Which
place won is decided in the forward; from then on, both directions only copy numbers between places:
:class:`MaxPoolScatter` puts gradients to the winners, :class:`MaxPoolGather` picks the winners' values out of an array.
Each is the other's derivative. *Average pooling* is linear: its derivative is its transpose, which spreads a gradient
over the window that it came from (:class:`AvgPool2d`, :class:`AvgPool2dInput`).

The derivation. y = max_k x_k = x_w for the winner w, so ∂y/∂x_k = [k = w]. y = Σ_k x_k / n gives ∂y/∂x_k = 1/n.

>>> import tinytorch
>>> x = tinytorch.tensor([[[1.0, 5.0, 2.0, 2.0]]], requires_grad=True)
>>> max_pool1d(x, 2).sum().backward()
>>> x.grad                                       # of two equal values the first wins
tensor([[[0., 1., 1., 0.]]])

The kernels work for any number of dimensions; the classes for volumes only bear another name. One-dimensional pooling
is pooling of images of height 1, as in PyTorch.

What PyTorch does. It keeps the winner's index (8 bytes an output); here one byte, its place in the window.

Pitfalls. Where windows overlap, one pixel may win several times, and its gradients add up. With ``ceil_mode`` or
padding the average's n may count zeros (``count_include_pad``) or not.

Exercises. Which second derivative has max pooling by x? What is MaxPoolGather for, then? Write average pooling as a
convolution. Answers: ``python -m tinytorch.learn answers 14``; more: ``python -m tinytorch.learn start --chapter 14``.
Check: ``python -m pytest tests/kernels/test_pool.py tests/ops/test_pool.py``.

"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import avg_pool as avg_kernels
from tinytorch.kernels import pool as kernels
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_dims, refuse, refuse_complex, refuse_half
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.pool_arguments import (
    Sizes,
    check_image,
    check_row,
    check_window,
    one_size,
    pooled_size,
    sizes,
    squeezed_result,
)
from tinytorch.tensor import Tensor

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "is_omitted", "max_pool1d", "max_pool2d", "max_pool3d"]


class Window(NamedTuple):
    """How a window looks and moves."""

    kernel_size: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes


NO_WINNERS = np.empty(0, np.uint8)
"""Nobody asks where the maxima stood."""


class MaxPool2d(Primitive):
    """(N, C, H, W) to (y, indices), both (N, C, H', W'); ``indices`` are flat places h·W + w, or the kernel's own
    record of the winners."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, window: Window, out_size: Sizes, indices: bool) -> Any:
        refuse_complex("max_pool2d", x)
        if not (indices or ctx.needs_input_grad[0]) and kernels.lies_within(x.shape, *window, out_size):
            return kernels.max_values(x, window.kernel_size, window.stride, window.dilation, out_size), NO_WINNERS
        y, winner = kernels.max_pool(x, *window, out_size)
        ctx.save_intermediates(x.shape, winner)
        places = kernels.winner_to_indices(winner, *window, x.shape[2:]) if indices else winner
        ctx.mark_non_differentiable(places)
        ctx.set_materialize_grads(False)
        return y, places

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Tensor:
        shape, winner = ctx.intermediates
        return MaxPoolScatter.apply(grad, winner=winner, shape=shape, window=ctx.attributes["window"])

    known_name = "MaxPool2DWithIndicesBackward0"


class MaxPool3d(MaxPool2d):
    """:class:`MaxPool2d` of volumes (N, C, D, H, W)."""

    known_name = "MaxPool3DWithIndicesBackward0"


class MaxPoolScatter(Primitive):
    """Zeros of ``shape`` with each number at its window's winner; numbers that meet add up."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, winner: np.ndarray, shape: tuple[int, ...], window: Window) -> np.ndarray:
        return kernels.max_pool_scatter(y, winner, shape, *window)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return MaxPoolGather.apply(grad, winner=ctx.attributes["winner"], window=ctx.attributes["window"])


class MaxPoolGather(Primitive):
    """The values at the winners: the transpose of :class:`MaxPoolScatter`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, winner: np.ndarray, window: Window) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return kernels.max_pool_gather(x, winner, *window)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        winner, window = ctx.attributes["winner"], ctx.attributes["window"]
        return MaxPoolScatter.apply(grad, winner=winner, shape=shape, window=window)


class AvgPool2d(Primitive):
    """The mean of each window: (N, C, H, W) to (N, C, H', W')."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, window: Window, out_size: Sizes, count_include_pad: bool, divisor: int | None
    ) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        if x.dtype.kind == "i":  # whole numbers stay whole, rounded towards 0
            exact = avg_kernels.avg_pool(x.astype(np.float64), *window[:3], out_size, count_include_pad, divisor)
            return np.trunc(exact).astype(x.dtype)
        return avg_kernels.avg_pool(x, *window[:3], out_size, count_include_pad, divisor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        options = {key: ctx.attributes[key] for key in ("window", "count_include_pad", "divisor")}
        return AvgPool2dInput.apply(grad, shape=shape, **options)

    known_name = "AvgPool2DBackward0"


class AvgPool3d(AvgPool2d):
    """:class:`AvgPool2d` of volumes (N, C, D, H, W)."""

    known_name = "AvgPool3DBackward0"


class AvgPool2dInput(Primitive):
    """Each number spread evenly over its window: the transpose of :class:`AvgPool2d`."""

    @staticmethod
    def forward(
        ctx: Any, y: np.ndarray, shape: tuple[int, ...], window: Window, count_include_pad: bool, divisor: int | None
    ) -> np.ndarray:
        ctx.save_intermediates(y.shape)
        return avg_kernels.avg_pool_input(y, shape, *window[:3], count_include_pad, divisor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y_shape,) = ctx.intermediates
        options = {key: ctx.attributes[key] for key in ("window", "count_include_pad", "divisor")}
        return AvgPool2d.apply(grad, out_size=y_shape[2:], **options)

    known_name = "AvgPool2DBackwardBackward0"


# ------------------------------------------------------------------------------------------ public functions


@checks_arguments
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window (``torch.nn.functional.max_pool2d``). Ties go to the first; nan beats everything.

    Args:
        input: (N, C, H, W), or (C, H, W) for a single image.
        kernel_size: the window; an int or one per dimension, as the next three.
        stride: how far the window moves; the kernel size by default.
        padding: at most half of the kernel, on each side; it never wins.
        dilation: distance of neighbouring places in a window.
        ceil_mode: allow a last window that hangs over the far edge.
        return_indices: also return where each maximum stood, ``h·W + w``, int64.

    Returns:
        (N, C, H', W') with ``H' = (H + 2·padding - dilation·(KH - 1) - 1) / stride + 1``, rounded down or up; or
        a pair of it and the indices.

    Raises:
        RuntimeError: wrong rank, padding too large, output too small. NotImplementedError: bool input.
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@checks_arguments
def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W); else as :func:`max_pool2d`."""
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    name: str, dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    return_indices: bool,
) -> Any:  # fmt: skip
    window = _window(name, dims, kernel_size, stride, padding, dilation)
    images = check_image(name, input, dims)
    check_window(*window)
    out_size = pooled_size(images._array.shape, *window, ceil_mode)
    primitive = MaxPool2d if dims == 2 else MaxPool3d
    y, indices = primitive.apply(images, window=window, out_size=out_size, indices=bool(return_indices))
    if input._array.ndim == dims + 1:
        y, indices = squeezed_result(y, 0), squeezed_result(indices, 0)
    return (y, indices) if return_indices else y


def _window(name: str, dims: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> Window:
    return Window(
        sizes(name, "kernel_size", kernel_size, dims),
        sizes(name, "stride", kernel_size if is_omitted(stride) else stride, dims),
        sizes(name, "padding", padding, dims),
        sizes(name, "dilation", dilation, dims),
    )


@accepts_exact_out
def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of each window (``torch.nn.functional.avg_pool2d``). Arguments as :func:`max_pool2d`, and:

    Args:
        count_include_pad: count padding as zeros; otherwise divide by the number of places inside the image.
        divisor_override: divide the sum by this instead.
    """
    check_dims(input, -3)
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@accepts_exact_out
def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); else as :func:`avg_pool2d`."""
    return _avg_pool(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _avg_pool(
    name: str, dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None,
) -> Tensor:  # fmt: skip
    window = _window(name, dims, kernel_size, stride, padding)
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    images = check_image(name, input, dims, averaging=True)
    if dims == 3:
        refuse_half("avg_pool3d", input)
    check_window(*window)
    if dims == 3 and any(k > n for k, n in zip(window[0], images._array.shape[2:], strict=True)):
        raise RuntimeError(
            "input image (T: {} H: {} W: {}) smaller than kernel size (kT: {} kH: {} kW: {})".format(
                *images._array.shape[2:], *window[0]
            )
        )
    out_size = pooled_size(images._array.shape, *window, ceil_mode)
    primitive = AvgPool2d if dims == 2 else AvgPool3d
    y = primitive.apply(
        images, window=window, out_size=out_size, count_include_pad=bool(count_include_pad), divisor=divisor
    )
    return squeezed_result(y, 0) if input._array.ndim == dims + 1 else y


@checks_arguments
def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of (N, C, L) or (C, L); else as :func:`max_pool2d`."""
    if not return_indices:
        refuse("iu", "max_pool1d", input)
    rows = check_row("max_pool1d", input)
    kernel = one_size("max_pool1d", "kernel_size", kernel_size)
    step = kernel if is_omitted(stride) else one_size("max_pool1d", "stride", stride)
    pad, gap = one_size("max_pool1d", "padding", padding), one_size("max_pool1d", "dilation", dilation)
    y, indices = max_pool2d(rows, (1, kernel), (1, step), (0, pad), (1, gap), ceil_mode, return_indices=True)
    y, indices = squeezed_result(y, -2), squeezed_result(indices, -2)
    return (y, indices) if return_indices else y


@checks_arguments
def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (N, C, L) or (C, L); else as :func:`avg_pool2d`."""
    rows = check_row("avg_pool1d", input)
    kernel = one_size("avg_pool1d", "kernel_size", kernel_size)
    step = kernel if is_omitted(stride) else one_size("avg_pool1d", "stride", stride)
    pad = one_size("avg_pool1d", "padding", padding)
    return squeezed_result(avg_pool2d(rows, (1, kernel), (1, step), (0, pad), ceil_mode, count_include_pad), -2)


def is_omitted(stride: Any) -> bool:
    """PyTorch takes None and an empty list for "the same as the kernel size"."""
    return stride is None or (isinstance(stride, (tuple, list)) and len(stride) == 0)
