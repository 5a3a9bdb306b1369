"""Max unpooling: each number back to the place where max pooling found it, zeros elsewhere.

The places are the indices that ``max_pool(..., return_indices=True)`` gave: flat positions in one channel's image.
Putting numbers at places is a scatter, and its derivative picks them up again.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import refuse
from tinytorch.ops.dims import ints_from
from tinytorch.ops.pool_arguments import Sizes
from tinytorch.tensor import Tensor

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


@checks_arguments
def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Undo :func:`max_pool1d` of (N, C, L) or (C, L), see :func:`max_unpool2d`."""
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@checks_arguments
def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Undo :func:`max_pool2d`: (N, C, H', W') or (C, H', W') to the larger images, zeros where no maximum was.

    Args:
        indices: from ``max_pool2d(..., return_indices=True)``; int64, of the input's shape.
        kernel_size, stride, padding: as they were in the pooling.
        output_size: which of the sizes that pool to the same comes back; by default
            ``(H' - 1)·stride - 2·padding + KH``.

    Raises:
        ValueError: an output size that could not have pooled to the input. RuntimeError: indices of another shape or
            dtype, or outside the image.
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@checks_arguments
def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Undo :func:`max_pool3d` of (N, C, D, H, W) or (C, D, H, W), see :func:`max_unpool2d`."""
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _unpool(
    name: str, dims: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    kernel = _numbers(name, "kernel_size", kernel_size, dims)
    if stride is None:
        stride = kernel
    step, pad = (
        _numbers(name, what, value if isinstance(value, Iterable) else (value,) * dims, len(kernel))
        for what, value in (("stride", stride), ("padding", padding))
    )
    if dims == 3:  # only here are they more than a range for the output size
        step, pad = ints_from(name, "stride", step), ints_from(name, "padding", pad)
    shape = input._array.shape
    if len(shape) < len(kernel):
        raise IndexError(f"{name}(): input has too few dimensions: {list(shape)}")
    last = shape[len(shape) - len(kernel) :]
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(last, kernel, step, pad, strict=False)]
    out = _output_size(name, len(kernel), usual, step, output_size)
    if len(out) != dims:
        raise RuntimeError(f"{name}(): there should be exactly {dims} elements in output_size, but got {out}")
    refuse("biuc", name, input)
    _check(name, dims, input, indices)
    size = math.prod(out)
    index = indices.reshape(*shape[:-dims], math.prod(shape[-dims:]))
    places = index._array
    if places.size and (places.min() < 0 or places.max() >= size):
        wrong = places[(places < 0) | (places >= size)].flat[0]
        raise RuntimeError(
            f"Found an invalid max index: {wrong} (output volumes are of size {'x'.join(map(str, out))})"
        )
    zeros = Tensor._wrap(np.zeros((*shape[:-dims], size), input._array.dtype))
    return ops.scatter(zeros, -1, index, input.reshape(places.shape)).reshape(*shape[:-dims], *out)


def _numbers(name: str, what: str, value: Any, dims: int) -> tuple[float, ...]:
    """One number for each dimension. They only say which output sizes are possible, so they need not be ints."""
    values = tuple(value) if isinstance(value, Iterable) else (value,) * dims
    for number in values:
        if not isinstance(number, numbers.Real):
            raise TypeError(f"{name}(): argument '{what}' must be int or tuple of ints, not {type(number).__name__}")
    if what != "kernel_size" and len(values) < dims:
        raise IndexError(f"{name}(): argument '{what}' needs {dims} numbers, but has {len(values)}")
    return values if what == "kernel_size" else values[:dims]


def _output_size(name: str, dims: int, usual: Sequence[float], stride: Sequence[float], given: Any) -> Sizes:
    """The size asked for, if it could have pooled to the input."""
    if given is None:
        return ints_from(name, "output_size", usual)
    wanted = ints_from(name, "output_size", given)
    if len(wanted) == dims + 2:
        wanted = wanted[2:]
    if len(wanted) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(wanted)}'"
        )
    for axis, (n, u, s) in enumerate(zip(wanted, usual, stride, strict=True)):
        if not u - s < n < u + s:
            raise ValueError(f'invalid output_size "{wanted}" (dim {axis} must be between {u - s} and {u + s})')
    return wanted


def _check(name: str, dims: int, input: Tensor, indices: Tensor) -> None:
    shape = input._array.shape
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to {name} should be a {dims + 1}d or {dims + 2}d Tensor, but got a tensor with {len(shape)} "
            "dimensions."
        )
    if indices._array.shape != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got indices tensor "
            f"with shape: {list(indices.shape)}"
        )
    if 0 in shape[1:]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got {list(shape)}"
        )


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
