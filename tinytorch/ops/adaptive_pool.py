"""Adaptive pooling: the size of the result is given, and the windows follow from it.

Output o of an image of ``size`` places pooled to ``out`` sees the places from ``floor(o·size / out)`` up to
``ceil((o + 1)·size / out)``: windows of nearly equal length that cover everything and may overlap.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import avg_pool as kernels
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.pool_arguments import Sizes, one_size, squeezed_result
from tinytorch.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "last_nan_or_first_maximum",
]  # fmt: skip


class AdaptiveAvgPool2d(Primitive):
    """The mean of each window: (N, C, H, W) to (N, C, \\*out_size)."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, out_size: Sizes) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return kernels.adaptive_avg_pool(x, out_size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return AdaptiveAvgPool2dInput.apply(grad, shape=shape)

    known_name = "AdaptiveAvgPool2DBackward0"


class AdaptiveAvgPool3d(AdaptiveAvgPool2d):
    """:class:`AdaptiveAvgPool2d` of volumes (N, C, D, H, W)."""

    known_name = "AdaptiveAvgPool3DBackward0"


class AdaptiveAvgPool2dInput(Primitive):
    """Each number spread evenly over its window: the transpose of :class:`AdaptiveAvgPool2d`."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(y.shape)
        return kernels.adaptive_avg_pool_input(y, shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y_shape,) = ctx.intermediates
        return AdaptiveAvgPool2d.apply(grad, out_size=y_shape[2:])

    known_name = "AdaptiveAvgPool2DBackwardBackward0"


@checks_arguments
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean over windows that cover the image, ``output_size`` of them
    (``torch.nn.functional.adaptive_avg_pool2d``).

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: an int, or (H', W') in which None keeps a size.
    """
    images, out_size = _checked("adaptive_avg_pool2d", 2, input, output_size, may_lack_channels=True)
    y = AdaptiveAvgPool2d.apply(images, out_size=out_size)
    return squeezed_result(y, 0) if input._array.ndim == 3 else y


@checks_arguments
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """:func:`adaptive_avg_pool2d` of volumes: (N, C, D, H, W) or (C, D, H, W)."""
    images, out_size = _checked("adaptive_avg_pool3d", 3, input, output_size, may_lack_channels=True)
    y = AdaptiveAvgPool3d.apply(images, out_size=out_size)
    return squeezed_result(y, 0) if input._array.ndim == 4 else y


@checks_arguments
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean over windows that cover the row: (N, C, L) or (C, L) to so many numbers."""
    size = _checked_row("adaptive_avg_pool1d", input, output_size)
    return squeezed_result(adaptive_avg_pool2d(input.unsqueeze(-2), (1, size)), -2)


@checks_arguments
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum over windows that cover the image; arguments as :func:`adaptive_avg_pool2d`.

    With ``return_indices`` a pair: the maxima, and their places ``h·W + w``, int64.
    """
    return _adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)


@checks_arguments
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """:func:`adaptive_max_pool2d` of volumes: (N, C, D, H, W) or (C, D, H, W)."""
    return _adaptive_max_pool("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _adaptive_max_pool(name: str, dims: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    images, out_size = _checked(name, dims, input, output_size)
    n, c, *size = images._array.shape
    places = _winning_places(images._array, out_size)
    indices = Tensor._wrap(places)
    flat = ops.gather(images.reshape(n, c, math.prod(size)), 2, indices.reshape(n, c, math.prod(out_size)))
    y = flat.reshape(n, c, *out_size)
    if input._array.ndim == dims + 1:
        y, indices = squeezed_result(y, 0), squeezed_result(indices, 0)
    return (y, indices) if return_indices else y


@checks_arguments
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum over windows that cover the row: (N, C, L) or (C, L) to so many numbers."""
    size = _checked_row("adaptive_max_pool1d", input, output_size)
    y, indices = adaptive_max_pool2d(input.unsqueeze(-2), (1, size), return_indices=True)
    y, indices = squeezed_result(y, -2), squeezed_result(indices, -2)
    return (y, indices) if return_indices else y


def _winning_places(x: np.ndarray, out_size: Sizes) -> np.ndarray:
    """For each window the flat place h·W + w of its first maximum: (N, C, H', W')."""
    n, c, *size = x.shape
    places = np.empty((n, c, *out_size), np.int64)
    numbers = np.arange(math.prod(size)).reshape(size)
    windows = [enumerate(kernels.adaptive_windows(*one)) for one in zip(size, out_size, strict=True)]
    for window in itertools.product(*windows):
        out: Any = (..., *[o for o, _ in window])
        seen: Any = (..., *[slice(*ends) for _, ends in window])
        here = numbers[seen]
        winner = last_nan_or_first_maximum(x[seen].reshape(n, c, here.size))
        places[out] = here.ravel()[winner]
    return places


def last_nan_or_first_maximum(window: np.ndarray) -> np.ndarray:
    """As PyTorch's comparison ``value > best or isnan(value)`` picks it."""
    first = window.argmax(-1)
    isnan = np.isnan(window)
    last_nan = window.shape[-1] - 1 - isnan[..., ::-1].argmax(-1)
    return np.where(isnan.any(-1), last_nan, first)


def _checked(
    function: str, dims: int, input: Any, output_size: Any, may_lack_channels: bool = False
) -> tuple[Tensor, Sizes]:
    """``input`` as (N, C, ...), and the output size as so many ints."""
    if not isinstance(input, Tensor):
        raise wrong_argument(function, "input", None, input)
    shape = input._array.shape
    if isinstance(output_size, (tuple, list)) and len(shape) <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(f"{function}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(shape)}")
    for dim in range(-dims if may_lack_channels or len(shape) == dims + 1 else -dims - 1, 0):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{function}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(shape)} with dimension {len(shape) + dim} being empty"
            )
    if input._array.dtype.kind not in FLOATS:
        raise not_implemented(function, input)
    wanted = (output_size,) * dims if isinstance(output_size, int) else tuple(output_size)
    if any(size is not None and not hasattr(size, "__index__") for size in wanted):
        raise wrong_argument(function, "output_size", 2, output_size, "tuple of ints")
    if len(wanted) != dims:
        raise RuntimeError(f"{function}: output_size must be {dims}")
    out_size = tuple(
        present if size is None else one_size(function, "output_size", size)
        for size, present in zip(wanted, shape[-dims:], strict=True)
    )
    if min(out_size) < 0:
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{', '.join(map(str, out_size))}}}"
        )
    return (input if len(shape) == dims + 2 else input.unsqueeze(0)), out_size


def _checked_row(function: str, input: Any, output_size: Any) -> int:
    if not isinstance(input, Tensor):
        raise wrong_argument(function, "input", None, input)
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input._array.ndim}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {function})"
        )
    return one_size(function, "output_size", output_size)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
