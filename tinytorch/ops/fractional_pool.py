"""Fractional max pooling: windows at pseudo-random places, so that an image may shrink by any factor, such as 1.4.

Of ``out`` windows of length k in a row of n places, window i begins at

    floor((i + u)·a) - floor(u·a)        a = (n - k) / (out - 1)

with one random u in [0, 1) per channel; the last one ends at the end of the row. The steps are a rounded down or up,
in an order that depends on u (Graham 2014).
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinytorch.ops.adaptive_pool import last_nan_or_first_maximum
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_dims, refuse
from tinytorch.ops.pool_arguments import Sizes, sizes
from tinytorch.tensor import Tensor

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]


@checks_arguments
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling of (N, C, H, W) or (C, H, W) to any smaller size (``torch.nn.functional.fractional_max_pool2d``).

    Args:
        output_size: (H', W') or an int; or instead
        output_ratio: the size as a share of the input's, each in (0, 1).
        _random_samples: (N, C, 2) numbers in [0, 1) that place the windows; drawn if None.

    Returns:
        (N, C, H', W'), with ``return_indices`` also where each maximum stood, ``h·W + w``.

    Raises:
        ValueError: neither a size nor a ratio. RuntimeError: wrong rank, windows that do not fit.
    """
    return _fractional(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


@checks_arguments
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """:func:`fractional_max_pool2d` of volumes (N, C, D, H, W) or (C, D, H, W)."""
    return _fractional(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def _fractional(
    name: str, dims: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool,
    samples: Tensor | None,
) -> Any:  # fmt: skip
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    refuse("c", name, input)
    shape = input._array.shape
    kernel = sizes(name, "kernel_size", kernel_size, dims)
    if output_size is None:
        ratios = tuple(output_ratio) if isinstance(output_ratio, Iterable) else (output_ratio,) * dims
        if not all(isinstance(ratio, (numbers.Real, Tensor)) for ratio in ratios):
            raise TypeError(f"{name}(): argument 'output_ratio' must be float or tuple of floats, not {output_ratio}")
        if len(ratios) < dims:
            raise IndexError(f"{name}(): argument 'output_ratio' needs {dims} numbers, but has {len(ratios)}")
        check_dims(input, *range(-dims, 0))
        output_size = [int(n * ratio) for n, ratio in zip(shape[-dims:], ratios, strict=True)]
    out = sizes(name, "output_size", output_size, dims)
    for what, value in (("kernel_size", kernel_size), ("output_size", output_size)):
        if isinstance(value, (tuple, list)) and len(value) != dims:
            raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of {dims} Ints")
    _check(name, dims, input, kernel, out)
    batch = input if len(shape) == dims + 2 else input.unsqueeze(0)
    n, c, *size = batch._array.shape
    if samples is None:
        samples = ops.rand(n, c, dims, dtype=input.dtype)
    elif samples.dim() != 3 or samples.shape[0] < n or samples.shape[1:] != (c, dims):
        raise RuntimeError(f"Expect _random_samples of shape {[n, c, dims]}, but got {list(samples.shape)}")
    if samples._array.dtype != input._array.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    places = Tensor._wrap(_winners(batch._array, samples._array[:n], kernel, out))
    y = ops.gather(batch.reshape(n, c, math.prod(size)), 2, places).reshape(n, c, *out)
    indices = places.reshape(n, c, *out)
    if batch is not input:
        y, indices = y.squeeze(0), indices.squeeze(0)
    return (y, indices) if return_indices else y


def _winners(x: np.ndarray, samples: np.ndarray, kernel: Sizes, out: Sizes) -> np.ndarray:
    """The flat place of each window's maximum: (N, C, number of windows)."""
    n, c, *size = x.shape
    dims = len(size)
    places: Any = 0
    for axis in range(dims):
        # PyTorch's images take their samples in the order (x, y), its volumes in the order (z, y, x)
        sample = samples[:, :, 1 - axis if dims == 2 else axis]
        seen = _starts(sample, size[axis], kernel[axis], out[axis])[..., None] + np.arange(kernel[axis])
        shape = [n, c] + [1] * (2 * dims)
        shape[2 + axis], shape[2 + dims + axis] = out[axis], kernel[axis]
        places = places * size[axis] + seen.reshape(shape)
    places = places.reshape(n, c, math.prod(out), math.prod(kernel))
    flat = places.reshape(n, c, math.prod(out) * math.prod(kernel))
    windows = np.take_along_axis(x.reshape(n, c, math.prod(size)), flat, axis=2).reshape(places.shape)
    winner = last_nan_or_first_maximum(windows)
    return np.take_along_axis(places, winner[..., None], axis=3)[..., 0]


def _starts(sample: np.ndarray, size: int, kernel: int, out: int) -> np.ndarray:
    """Where the windows begin along one dimension: (N, C, out)."""
    starts = np.full((*sample.shape, out), size - kernel, np.int64)
    if out > 1:
        step = sample.dtype.type((size - kernel) / (out - 1))
        numbers = np.arange(out - 1, dtype=sample.dtype)
        starts[..., :-1] = ((numbers + sample[..., None]) * step).astype(np.int64)
        starts[..., :-1] -= (sample * step).astype(np.int64)[..., None]
    return starts


def _check(name: str, dims: int, input: Tensor, kernel: Sizes, out: Sizes) -> None:
    check_dims(input, 0, -dims - 1)
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[-dims - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, of which only the batch may be empty, but got: "
            f"{list(shape)}"
        )
    if min(kernel) <= 0 or min(out) < 0:
        raise RuntimeError(
            f"{name}(): kernel_size must be positive and output_size not negative, but got {kernel} and {out}"
        )
    for n, k, o in zip(shape[-dims:], kernel, out, strict=True):
        if o + k - 1 > n:
            raise RuntimeError(f"{name}(): pool size {k} too large relative to input size {n} for {o} outputs")


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
