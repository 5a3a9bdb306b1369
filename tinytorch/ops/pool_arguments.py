"""Reading and checking the arguments of pooling (PyTorch's ``aten/src/ATen/native/Pool.h``)."""

from __future__ import annotations

from typing import Any

from tinytorch.kernels.pool import pool_output_size
from tinytorch.tensor import Tensor

__all__ = ["Pair", "check_image", "check_row", "check_window", "one_size", "pair", "pooled_size"]

Pair = tuple[int, int]


def _ints(function: str, name: str, value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    for item in values:
        if isinstance(item, (bool, float)) or not hasattr(item, "__index__"):
            raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {type(item).__name__}")
    return tuple(item.__index__() for item in values)


def pair(function: str, name: str, value: Any) -> Pair:
    """Two ints, from an int or a sequence of 1 or 2."""
    values = _ints(function, name, value)
    if len(values) not in (1, 2):
        omitted = "be omitted, " if name == "stride" else "be "
        raise RuntimeError(f"{function}: {name} must either {omitted}a single int, or a tuple of two ints")
    return values[0], values[-1]


def one_size(function: str, name: str, value: Any) -> int:
    """One int, from an int or a sequence of 1."""
    values = _ints(function, name, value)
    if len(values) != 1:
        raise RuntimeError(f"{function}() argument '{name}' should contain one int (got {len(values)})")
    return values[0]


def check_image(function: str, input: Any, averaging: bool = False) -> Tensor:
    """``input`` as (N, C, H, W); only the batch may be empty. No means of integers but int64."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{function}(): argument 'input' must be Tensor, not {type(input).__name__}")
    shape = input._array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{list(shape)}"
        )
    dtype = input._array.dtype
    if dtype.kind not in "fiu" or (averaging and dtype.kind != "f" and dtype.name != "int64"):
        raise NotImplementedError(f"\"{function}\" not implemented for '{input.type()[6:-6]}'")
    return input if len(shape) == 4 else input.unsqueeze(0)


def check_row(function: str, input: Any) -> Tensor:
    """(N, C, L) or (C, L) as images of height 1."""
    if not isinstance(input, Tensor):
        raise TypeError(f"{function}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            f"{function}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    return input.unsqueeze(-2)


def check_window(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1)) -> None:
    """The numbers themselves."""
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kH: {kernel[0]} kW: {kernel[1]}")
    if min(stride) <= 0:
        raise RuntimeError("stride should not be zero" if 0 in stride else f"stride must be positive, but got {stride}")
    if min(dilation) <= 0:
        raise RuntimeError(
            f"dilation should be greater than zero, but got dilationH: {dilation[0]} dilationW: {dilation[1]}"
        )
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > k // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )


def pooled_size(
    shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Pair:
    """How many windows fit in each direction; RuntimeError when none does."""
    height, width = (
        pool_output_size(size, k, s, p, d, ceil_mode)
        for size, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    if height < 1 or width < 1:
        channels = shape[1]
        raise RuntimeError(
            f"Given input size: ({channels}x{shape[2]}x{shape[3]}). Calculated output size: "
            f"({channels}x{height}x{width}). Output size is too small"
        )
    return height, width
