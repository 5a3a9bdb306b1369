"""Tensors given by their place in memory: made with any strides, or with such a region replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as numpy_as_strided

from tinytorch.autograd.inplace import Geometry, StridedPut
from tinytorch.dtypes import default_numpy_dtype, to_numpy_dtype
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast, expand
from tinytorch.ops.checks import check_options
from tinytorch.ops.creation import finish
from tinytorch.ops.dims import ints_from
from tinytorch.ops.out import accepts_out
from tinytorch.ops.rearrange import as_strided
from tinytorch.tensor import Tensor

__all__ = ["as_strided_scatter", "empty_permuted", "empty_strided"]


@accepts_out
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """``input`` with ``src`` in the region that ``as_strided(input, size, stride, storage_offset)`` shows."""
    region = as_strided(input.detach(), size, stride, storage_offset)._array
    source = expand(src, region.shape) if src._array.shape != region.shape else src
    geometry = Geometry.of(region, input._array)
    extent = 1 + sum((n - 1) * s for n, s in zip(geometry.base_shape, geometry.base_strides, strict=True) if n)
    end = geometry.offset + sum((n - 1) * s for n, s in zip(geometry.shape, geometry.strides, strict=True))
    if region.size and not (geometry.offset >= 0 and end < extent):
        raise RuntimeError(
            "as_strided_scatter: the region lies in memory that the input does not show; apply it to the tensor that "
            "the input is a view of"
        )
    return StridedPut.apply(input, cast(source, input._array.dtype), geometry=geometry)


@checks_arguments
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """An unset tensor with the given sizes and strides (counted in elements)."""
    check_options("empty_strided", options)
    shape, strides = ints_from("empty_strided", "size", size), ints_from("empty_strided", "stride", stride)
    if len(shape) != len(strides):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(strides)})"
        )
    if any(n < 0 for n in (*shape, *strides)):
        raise RuntimeError(f"empty_strided: sizes and strides must not be negative, got {shape} and {strides}")
    numpy_dtype = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    count = 0 if 0 in shape else 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    memory = np.empty(count, numpy_dtype)
    array = numpy_as_strided(memory, shape, tuple(s * numpy_dtype.itemsize for s in strides))
    result = finish(array, requires_grad, device)
    result._shared_memory()  # so that nobody moves it into another order
    return result


@checks_arguments
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    **options: Any,
) -> Tensor:  # fmt: skip
    """An unset tensor without gaps whose dimensions lie in memory in the order ``physical_layout``."""
    check_options("empty_permuted", options)
    shape, order = (
        ints_from("empty_permuted", "size", size),
        ints_from("empty_permuted", "physical_layout", physical_layout),
    )
    if len(shape) != len(order):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    if sorted(order) != list(range(len(shape))):
        twice = [d for d in order if order.count(d) > 1]
        what = f"Duplicate dim not allowed: {twice[0]}" if twice else f"Dimension out of range: {order}"
        raise RuntimeError(f"empty_permuted: {what}")
    strides, step = [0] * len(shape), 1
    for d in reversed(order):
        strides[d] = step
        step *= max(shape[d], 1)
    return empty_strided(shape, strides, dtype=dtype, device=device, requires_grad=requires_grad)
