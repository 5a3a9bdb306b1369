"""Adaptive pooling: the size of the result is given, and the windows follow from it.

Output o of an image of ``size`` places pooled to ``out`` sees the places from ``floor(o·size / out)`` up to
``ceil((o + 1)·size / out)``: windows of nearly equal length that cover everything and may overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import avg_pool as kernels
from tinytorch.ops.pool_arguments import Pair, one_size
from tinytorch.tensor import Tensor

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d"]


class AdaptiveAvgPool2d(Primitive):
    """The mean of each window: (N, C, H, W) to (N, C, \\*out_size)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, out_size: Pair) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return kernels.adaptive_avg_pool2d(x, out_size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return AdaptiveAvgPool2dInput.apply(grad, shape=shape)

    @classmethod
    def name(cls) -> str:
        return "AdaptiveAvgPool2DBackward0"


class AdaptiveAvgPool2dInput(Primitive):
    """Each number spread evenly over its window: the transpose of :class:`AdaptiveAvgPool2d`."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(y.shape)
        return kernels.adaptive_avg_pool2d_input(y, shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y_shape,) = ctx.intermediates
        return AdaptiveAvgPool2d.apply(grad, out_size=y_shape[2:])

    @classmethod
    def name(cls) -> str:
        return "AdaptiveAvgPool2DBackwardBackward0"


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean over windows that cover the image, ``output_size`` of them
    (``torch.nn.functional.adaptive_avg_pool2d``).

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: an int, or (H', W') in which None keeps a size.
    """
    images, out_size = _checked("adaptive_avg_pool2d", input, output_size, may_lack_channels=True)
    y = AdaptiveAvgPool2d.apply(images, out_size=out_size)
    return y.squeeze(0) if input._array.ndim == 3 else y


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean over windows that cover the row: (N, C, L) or (C, L) to so many numbers."""
    size = _checked_row("adaptive_avg_pool1d", input, output_size)
    return adaptive_avg_pool2d(input.unsqueeze(-2), (1, size)).squeeze(-2)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum over windows that cover the image; arguments as :func:`adaptive_avg_pool2d`.

    With ``return_indices`` a pair: the maxima, and their places ``h·W + w``, int64.
    """
    images, out_size = _checked("adaptive_max_pool2d", input, output_size)
    n, c, height, width = images._array.shape
    places = _winning_places(images._array, out_size)
    flat_places = Tensor._wrap(places.reshape(n, c, out_size[0] * out_size[1]))
    flat = ops.gather(images.reshape(n, c, height * width), 2, flat_places)
    y, indices = flat.reshape(n, c, *out_size), Tensor._wrap(places)
    if input._array.ndim == 3:
        y, indices = y.squeeze(0), indices.squeeze(0)
    return (y, indices) if return_indices else y


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum over windows that cover the row: (N, C, L) or (C, L) to so many numbers."""
    size = _checked_row("adaptive_max_pool1d", input, output_size)
    y, indices = adaptive_max_pool2d(input.unsqueeze(-2), (1, size), return_indices=True)
    y, indices = y.squeeze(-2), indices.squeeze(-2)
    return (y, indices) if return_indices else y


def _winning_places(x: np.ndarray, out_size: Pair) -> np.ndarray:
    """For each window the flat place h·W + w of its first maximum: (N, C, H', W')."""
    n, c, height, width = x.shape
    places = np.empty((n, c, *out_size), np.int64)
    columns = kernels.adaptive_windows(width, out_size[1])
    for i, (top, bottom) in enumerate(kernels.adaptive_windows(height, out_size[0])):
        for j, (left, right) in enumerate(columns):
            window = x[:, :, top:bottom, left:right].reshape(n, c, (bottom - top) * (right - left))
            h, w = np.divmod(_last_nan_or_first_maximum(window), right - left)
            places[:, :, i, j] = (top + h) * width + left + w
    return places


def _last_nan_or_first_maximum(window: np.ndarray) -> np.ndarray:
    """As PyTorch's comparison ``value > best or isnan(value)`` picks it."""
    first = window.argmax(-1)
    isnan = np.isnan(window)
    last_nan = window.shape[-1] - 1 - isnan[..., ::-1].argmax(-1)
    return np.where(isnan.any(-1), last_nan, first)


def _checked(function: str, input: Any, output_size: Any, may_lack_channels: bool = False) -> tuple[Tensor, Pair]:
    """``input`` as (N, C, H, W), and the output size as two ints."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{function}(): argument 'input' must be Tensor, not {type(input).__name__}")
    shape = input._array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{function}(): Expected 3D or 4D tensor, but got {list(shape)}")
    for dim in range(-2 if may_lack_channels else -3, 0):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{function}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {len(shape) + dim} being empty"
            )
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f"\"{function}\" not implemented for '{input.type()[6:-6]}'")
    sizes = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != 2:
        raise RuntimeError(f"{function}: output_size must be 2")
    height, width = (
        present if size is None else one_size(function, "output_size", size)
        for size, present in zip(sizes, shape[-2:], strict=True)
    )
    if height < 0 or width < 0:
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0 but received {{{height}, {width}}}"
        )
    return (input if len(shape) == 4 else input.unsqueeze(0)), (height, width)


def _checked_row(function: str, input: Any, output_size: Any) -> int:
    if not isinstance(input, Tensor):
        raise TypeError(f"{function}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input._array.ndim}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {function})"
        )
    return one_size(function, "output_size", output_size)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
