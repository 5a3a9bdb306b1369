"""``t_``, ``transpose_``, ``squeeze_``, ``unsqueeze_``, ``as_strided_``: the tensor itself gets another shape; its
memory stays as it is.

To autograd the tensor is from now on the view that the out-of-place op makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.autograd import inplace
from tinytorch.ops.arguments import NOT_GIVEN
from tinytorch.ops.rearrange import as_strided
from tinytorch.ops.shape import squeeze, t, transpose, unsqueeze
from tinytorch.tensor import Tensor

__all__ = ["as_strided_", "squeeze_", "t_", "transpose_", "unsqueeze_"]


def _become_view(x: Tensor, op: Callable[..., Tensor], *args: Any) -> Tensor:
    """Let ``x`` be ``op(x, *args)``, seen through the same object."""
    if x.requires_grad:
        inplace.check_differentiable_target(x)
    view = op(x._alias(), *args)
    x._array, x._edge, x._requires_grad = view._array, view._edge, view._requires_grad
    x._bump_version()
    x._seen_version = x._version
    return x


def as_strided_(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Other sizes, strides and offset over the same memory, in place."""
    return _become_view(input, as_strided, size, stride, storage_offset)


def t_(input: Tensor) -> Tensor:
    """Transpose a matrix in place."""
    return _become_view(input, t)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions in place."""
    return _become_view(input, transpose, dim0, dim1)


def squeeze_(input: Tensor, dim: Any = NOT_GIVEN) -> Tensor:
    """Drop dimensions of size 1 in place."""
    return _become_view(input, squeeze, dim)


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1 in place."""
    return _become_view(input, unsqueeze, dim)
