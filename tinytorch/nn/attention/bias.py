"""Causal masks for attention where queries and keys differ in number (``torch.nn.attention.bias``).

The two corners from which the diagonal may start::

    upper left      lower right
    1 0 0 0         1 1 0 0
    1 1 0 0         1 1 1 0
    1 1 1 0         1 1 1 1

The first is that of ``is_causal=True``; the second lets the last query see everything, as in generation with a cache.
"""

from __future__ import annotations

import enum
import warnings

from tinytorch import ops
from tinytorch.dtypes import bool_
from tinytorch.tensor import Tensor

__all__ = ["CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """The corner."""

    UPPER_LEFT, LOWER_RIGHT = 1, 2


def CausalBias(variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> Tensor:
    """The mask (seq_len_q, seq_len_kv), True where attention is allowed; in PyTorch a subclass of Tensor.

    Warns of the lower right corner with more queries than keys: the first see nothing.
    """
    if variant is CausalVariant.LOWER_RIGHT and seq_len_q > seq_len_kv:
        warnings.warn(
            "Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!", stacklevel=3
        )
    offset = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
    return ops.tril(ops.ones(seq_len_q, seq_len_kv, dtype=bool_), offset)


def causal_upper_left(*size: int) -> Tensor:
    """Query i sees keys 0 to i."""
    return CausalBias(CausalVariant.UPPER_LEFT, *_two(size))


def causal_lower_right(*size: int) -> Tensor:
    """The last query sees all keys, each one before it one less."""
    return CausalBias(CausalVariant.LOWER_RIGHT, *_two(size))


def _two(size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise RuntimeError("causal_upper_left only supports 2D tensors")
    return size[0], size[1]
