"""The parts of ``torch.nn.functional`` with an underscore in front, on which programs build attention of their own.

They are found there too: ``from torch.nn.functional import _in_projection_packed``.
"""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.nn import _reduction as _Reduction
from tinytorch.nn import grad
from tinytorch.nn.modules.utils import _pair, _single, _triple
from tinytorch.ops.linalg import linear
from tinytorch.ops.multi_head_attention import _check_dims, _projections, canonical_mask
from tinytorch.overrides import (
    handle_torch_function,
    has_torch_function,
    has_torch_function_unary,
    has_torch_function_variadic,
)
from tinytorch.tensor import Tensor

__all__ = ["_Reduction", "_canonical_mask", "_get_softmax_dim", "_in_projection", "_in_projection_packed",
           "_mha_shape_check", "_none_or_dtype", "_pair", "_single", "_triple", "_verify_batch_size", "grad",
           "handle_torch_function", "has_torch_function", "has_torch_function_unary",
           "has_torch_function_variadic"]  # fmt: skip


def _in_projection_packed(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None) -> list[Tensor]:
    """Queries, keys and values; ``w`` (3 E, E) holds the three matrices one below the other."""
    return list(_projections(q, k, v, w, b))


def _in_projection(
    q: Tensor, k: Tensor, v: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, b_q: Tensor | None = None,
    b_k: Tensor | None = None, b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Queries, keys and values, by three matrices."""
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _canonical_mask(
    mask: Tensor | None, mask_name: str, other_type: Any, other_name: str, target_type: Any, check_other: bool = True
) -> Tensor | None:
    """A mask of truth values (True: not attended) as numbers to be added, 0 and -inf."""
    if check_other and mask is not None and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=2,
        )
    return canonical_mask(mask, mask_name, target_type)


def _none_or_dtype(input: Tensor | None) -> Any:
    """The tensor's dtype; None for None."""
    if input is not None and not isinstance(input, Tensor):
        raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")
    return None if input is None else input.dtype


def _mha_shape_check(
    query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None, attn_mask: Tensor | None, num_heads: int
) -> bool:
    """Whether the inputs of attention are a batch; AssertionError where some are and some are not."""
    _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    return query.dim() == 3


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dimension that a softmax without ``dim`` takes."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _verify_batch_size(size: list[int]) -> None:
    """ValueError where batch norm would have one number for a channel."""
    count = size[0]
    for length in size[2:]:
        count *= length
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")
