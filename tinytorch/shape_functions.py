"""``torch.reshape`` and its kin as functions, with the arguments checked.

As methods they are among the cheapest ops there are, and know that they have a tensor: ``x.reshape(2, 3)`` calls
:mod:`tinytorch.ops.shape` as it is. A function may be given anything. And where methods take sizes one by one,
PyTorch's functions want them in a tuple: ``torch.reshape(x, (2, 3))``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinytorch import ops
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.dims import ints_from
from tinytorch.tensor import Tensor

__all__ = ["flatten", "permute", "ravel", "reshape", "swapaxes", "swapdims", "t", "transpose"]


@checks_arguments
def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements under another shape; one size may be -1. A view where possible, else a copy."""
    return ops.reshape(input, ints_from("reshape", "shape", shape))


@checks_arguments
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return ops.ravel(input)


@checks_arguments
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` (included) joined into one."""
    return ops.flatten(input, start_dim, end_dim)


@checks_arguments
def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """Dimensions in the given order."""
    return ops.permute(input, ints_from("permute", "dims", dims))


@checks_arguments
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    return ops.transpose(input, dim0, dim1)


@checks_arguments
def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and scalars as they are."""
    return ops.t(input)


@checks_arguments
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """:func:`transpose` with NumPy's names."""
    return ops.transpose(input, axis0, axis1)


swapdims = transpose
