"""Names with an underscore in front that public programs use all the same: ``torch._assert`` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.dtypes import int64
from tinytorch.ops.random_gamma import sample_dirichlet as _sample_dirichlet
from tinytorch.ops.random_gamma import standard_gamma as _standard_gamma
from tinytorch.ops.vector_norms import norm_except_dim
from tinytorch.tensor import Tensor

__all__ = ["_assert", "_assert_async", "_cast_Long", "_check", "_sample_dirichlet", "_shape_as_tensor",
           "_standard_gamma", "_weight_norm"]  # fmt: skip


def _assert(condition: Any, message: str) -> None:
    """AssertionError with ``message`` unless ``condition``."""
    assert condition, message


def _assert_async(condition: Any, message: str = "Expected Tensor with single nonzero value, but got zero") -> None:
    """RuntimeError with ``message`` unless ``condition``, at once."""
    if not condition:
        raise RuntimeError(message)


def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """RuntimeError unless ``cond``; ``message()`` is its text."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise RuntimeError(message() if message is not None else "Expected cond to be True, but got False.")


def _cast_Long(input: Tensor, non_blocking: bool = False) -> Tensor:
    """``input`` as int64."""
    return input.to(int64)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as a tensor of int64."""
    return ops.tensor(list(self.shape), dtype=int64)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """``g · v / |v|``, with the norm over all dimensions but ``dim``."""
    return v * (g / norm_except_dim(v, 2, dim))
