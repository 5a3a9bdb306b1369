"""``t_``, ``transpose_``, ``squeeze_``, ``unsqueeze_``, ``resize_``: the tensor itself gets another shape; its memory
stays as it is.

To autograd the tensor is from now on the view that the out-of-place op makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd import inplace
from tinytorch.ops.dims import sizes_from
from tinytorch.ops.shape import squeeze, t, transpose, unsqueeze
from tinytorch.tensor import Tensor

__all__ = ["resize_", "squeeze_", "t_", "transpose_", "unsqueeze_"]


def _become_view(x: Tensor, op: Callable[..., Tensor], *args: Any) -> Tensor:
    """Let ``x`` be ``op(x, *args)``, seen through the same object."""
    if x.requires_grad:
        inplace.check_differentiable_target(x)
    view = op(x._alias(), *args)
    x._array, x._edge, x._requires_grad = view._array, view._edge, view._requires_grad
    x._bump_version()
    x._seen_version = x._version
    return x


def t_(input: Tensor) -> Tensor:
    """Transpose a matrix in place."""
    return _become_view(input, t)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions in place."""
    return _become_view(input, transpose, dim0, dim1)


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """Drop dimensions of size 1 in place."""
    return _become_view(input, squeeze, dim)


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1 in place."""
    return _become_view(input, unsqueeze, dim)


def resize_(input: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Another size for the same memory, row by row (``torch.Tensor.resize_``): fewer elements show its beginning, and
    for more it is moved to a larger place, where the new elements are not set to anything.

    Raises RuntimeError for a tensor that requires grad, or a negative size.
    """
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = sizes_from(sizes)
    if any(size < 0 for size in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    count, array = math.prod(shape), input._array
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel(order="K")
    if count > flat.size:
        larger = np.empty(count, array.dtype)
        larger[: flat.size] = flat
        flat = larger
    input._array = flat[:count].reshape(shape)
    return input
