"""Reading and checking the arguments of pooling (PyTorch's ``aten/src/ATen/native/Pool.h``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.kernels.pool import pool_output_size
from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.dims import ints_from
from tinytorch.tensor import Tensor

__all__ = ["Sizes", "check_image", "check_row", "check_window", "one_size", "pooled_size", "sizes", "squeezed_result"]

Sizes = tuple[int, ...]


def sizes(function: str, name: str, value: Any, dims: int) -> Sizes:
    """One int for each of ``dims`` dimensions, from an int or a sequence of 1 or ``dims``."""
    values = ints_from(function, name, value, single=True)
    if len(values) not in (1, dims):
        omitted, count = "be omitted, " if name == "stride" else "be ", {2: "two", 3: "three"}[dims]
        raise RuntimeError(f"{function}: {name} must either {omitted}a single int, or a tuple of {count} ints")
    return values if len(values) == dims else values * dims


def one_size(function: str, name: str, value: Any) -> int:
    """One int, from an int or a sequence of 1."""
    values = ints_from(function, name, value, single=True)
    if len(values) != 1:
        raise RuntimeError(f"{function}() argument '{name}' should contain one int (got {len(values)})")
    return values[0]


def check_image(function: str, input: Any, dims: int, averaging: bool = False) -> Tensor:
    """``input`` as (N, C, ...); only the batch may be empty. No means of integers but int64."""
    if not isinstance(input, Tensor):
        raise wrong_argument(function, "input", None, input)
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[-dims - 1 :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got:{list(shape)}"
        )
    dtype = input._array.dtype
    if dtype.kind not in "fViu" or (averaging and dtype.kind not in FLOATS and dtype.name != "int64"):
        raise not_implemented(function, input)
    return input if len(shape) == dims + 2 else input.unsqueeze(0)


def check_row(function: str, input: Any) -> Tensor:
    """(N, C, L) or (C, L) as images of height 1."""
    if not isinstance(input, Tensor):
        raise wrong_argument(function, "input", None, input)
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            f"{function}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    return input.unsqueeze(-2)


def check_window(kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> None:
    """The numbers themselves."""
    if max(*kernel, *stride, *padding, *dilation) >= 2**31:
        raise RuntimeError("pooling: value cannot be converted to type int without overflow")
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got {_named('k', kernel)}")
    if min(stride) <= 0:
        raise RuntimeError("stride should not be zero" if 0 in stride else f"stride must be positive, but got {stride}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {_named('dilation', dilation)}")
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > k // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )


def _named(name: str, values: Sizes) -> str:
    """``kT: 1 kH: 2 kW: 3``"""
    return " ".join(f"{name}{axis}: {value}" for axis, value in zip("THW"[-len(values) :], values, strict=True))


def pooled_size(shape: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool) -> Sizes:
    """How many windows fit in each direction; RuntimeError when none does."""
    out = tuple(
        pool_output_size(size, k, s, p, d, ceil_mode)
        for size, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    if min(out) < 1:
        before, after = ("x".join(map(str, (shape[1], *some))) for some in (shape[2:], out))
        raise RuntimeError(f"Given input size: ({before}). Calculated output size: ({after}). Output size is too small")
    return out


def squeezed_result(result: Tensor, dim: int) -> Tensor:
    """A result without the dimension of size 1 that its op added to the input; no view of what anybody else has."""
    memory = result._memory  # there is one already if a node relies on it, as on the indices of a pooling
    squeezed = result.squeeze(dim)
    squeezed._base, squeezed._memory, squeezed._view_obstacle = None, memory, None
    if squeezed._array.ndim == 4 and memory is None:  # a volume, which lies as C,H,W,D without its batch
        squeezed._array = np.ascontiguousarray(squeezed._array)
    return squeezed
