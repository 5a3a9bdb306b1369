"""Attention with several heads: each attends with projections of its own, side by side on parts of the features.

    q, k, v = x W_qᵀ, y W_kᵀ, z W_vᵀ      each split into H heads of d = E / H features
    head_h  = attention(q_h, k_h, v_h)     :mod:`tinytorch.ops.attention`
    output  = concatenated heads · W_oᵀ    mixes what the heads found

Source: Vaswani et al. 2017; ``F.multi_head_attention_forward``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from tinytorch import ops
from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.attention import scaled_dot_product_attention
from tinytorch.tensor import Tensor

__all__ = ["canonical_mask", "multi_head_attention_forward"]


def canonical_mask(
    mask: Tensor | None, name: str, dtype: Any, other: Tensor | None = None, other_name: str = ""
) -> Tensor | None:
    """A mask as floats to be added to the scores. Booleans here are True where attention is *not* allowed.

    AssertionError for integers; a warning if the other mask is of another dtype.
    """
    if mask is None:
        return None
    kind = mask._array.dtype.kind
    if kind not in "bfV":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=4,
        )
    return mask if kind in "fV" else ops.zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What :class:`tinytorch.nn.MultiheadAttention` computes; see there. Queries (L, N, E), keys and values (S, N,
    ...)."""
    _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if static_k is not None or static_v is not None:
        raise NotImplementedError(
            "multi_head_attention_forward: static_k and static_v are not supported; call "
            "scaled_dot_product_attention with them"
        )
    batched = query.dim() == 3
    if not batched:
        query, key, value = _unsqueezed(query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    projections = separate if use_separate_proj_weight else in_proj_weight
    q, k, v = _projections(query, key, value, projections, in_proj_bias)
    causal = is_causal and key_padding_mask is None and not need_weights
    mask = None if causal else _merged_mask(query, key, num_heads, attn_mask, key_padding_mask)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v must both be set, or neither")
    if bias_k is not None and bias_v is not None:
        n = query.shape[1]
        k, v = ops.cat([k, bias_k.repeat(1, n, 1)]), ops.cat([v, bias_v.repeat(1, n, 1)])
    if add_zero_attn:
        zeros = ops.zeros(1, *k.shape[1:], dtype=k.dtype)
        k, v = ops.cat([k, zeros]), ops.cat([v, zeros])
    if mask is not None and k.shape[0] > mask.shape[-1]:
        mask = ops.pad(mask, (0, k.shape[0] - mask.shape[-1]))  # what was added may be attended to
    q, k, v = (_split_heads(x, num_heads) for x in (q, k, v))
    heads, weights = _attend(q, k, v, mask, dropout_p if training else 0.0, causal, need_weights)
    if weights is not None:
        weights = weights.mean(1) if average_attn_weights else weights
        weights = weights if batched else weights.squeeze(0)
    output = ops.linear(heads.permute(2, 0, 1, 3).reshape(query.shape), out_proj_weight, out_proj_bias)
    return (output if batched else output.squeeze(1)), weights


def _unsqueezed(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """With a batch dimension; what was one tensor stays one, so that it is projected in one product."""
    q = query.unsqueeze(1)
    k = q if key is query else key.unsqueeze(1)
    return q, k, k if value is key else value.unsqueeze(1)


def _projections(query: Tensor, key: Tensor, value: Tensor, weights: Any, bias: Tensor | None) -> tuple[Tensor, ...]:
    """Queries, keys and values from the inputs; in one product where all three are projected from one tensor."""
    if not isinstance(weights, tuple):
        if not isinstance(weights, Tensor):
            raise wrong_argument("multi_head_attention_forward", "in_proj_weight", 6, weights)
        if query is key and key is value:
            return tuple(ops.linear(query, weights, bias).chunk(3, -1))
        weights = weights.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    if len(weights) != 3 or len(biases) != 3:
        raise ValueError(
            f"multi_head_attention_forward(): in_proj_weight and in_proj_bias must be of 3 equal parts, for query, key "
            f"and value, but have {len(weights)} and {len(biases)}"
        )
    inputs = zip((query, key, value), weights, biases, strict=True)
    return tuple([ops.linear(x, weight, b) for x, weight, b in inputs])


def _attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, causal: bool, need_weights: bool
) -> tuple[Tensor, Tensor | None]:
    """What all heads found, (N, heads, L, d), and the weights if they are wanted."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, mask, dropout_p, causal), None
    scores = (q * math.sqrt(1.0 / q.shape[-1])).matmul(k.transpose(-2, -1))
    weights = ops.dropout(ops.softmax(scores if mask is None else scores + mask, -1), dropout_p)
    return weights.matmul(v), weights


def _split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(S, N, heads · d) to (N, heads, S, d)."""
    return x.reshape(*x.shape[:2], num_heads, x.shape[2] // num_heads).permute(1, 2, 0, 3)


def _merged_mask(
    query: Tensor, key: Tensor, num_heads: int, attn_mask: Tensor | None, padding: Tensor | None
) -> Tensor | None:
    """Both masks as one, added to scores (N, heads, L, S)."""
    length, n, _ = query.shape
    sources = key.shape[0]
    padding = canonical_mask(padding, "key_padding_mask", query.dtype, attn_mask, "attn_mask")
    mask = canonical_mask(attn_mask, "attn_mask", query.dtype)
    if mask is not None:
        expected = (length, sources) if mask.dim() == 2 else (n * num_heads, length, sources)
        if mask.shape != expected:
            raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}.")
        mask = mask.reshape(*((1, 1) if mask.dim() == 2 else (n, num_heads)), length, sources)
    if padding is None:
        return mask
    for i, (found, expected_size) in enumerate(zip(padding.shape, (n, sources), strict=True)):
        if found != expected_size:
            raise AssertionError(f"Expected key_padded_mask.shape[{i}] to be {expected_size}, but got {found}")
    padding = padding.reshape(n, 1, 1, sources)
    return padding if mask is None else mask + padding


# ------------------------------------------------------------------------------------------ checks


def _check_dims(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, attn_mask: Tensor | None, num_heads: int
) -> None:
    """AssertionError unless everything has a batch dimension, or nothing has."""
    ndim = query.dim()
    if ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor")
    kind = f"For {'batched (3-D)' if ndim == 3 else 'unbatched (2-D)'} `query`, expected"
    if key.dim() != ndim or value.dim() != ndim:
        raise AssertionError(
            f"{kind} `key` and `value` to be {ndim}-D but found {key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != ndim - 1:
        raise AssertionError(
            f"{kind} `key_padding_mask` to be `None` or {ndim - 1}-D but found {padding.dim()}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"{kind} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor instead"
        )
    if ndim == 2 and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if attn_mask.shape != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")


def _check_sizes(query: Tensor, key: Tensor, value: Tensor, embed_dim: int, num_heads: int, separate: bool) -> None:
    if not (isinstance(num_heads, (float, Tensor)) or hasattr(num_heads, "__index__")):
        raise wrong_argument("multi_head_attention_forward", "num_heads", 5, num_heads, "int")
    if query.shape[2] != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {query.shape[2]}")
    if embed_dim % num_heads:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    if not separate and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if key.shape[1] != query.shape[1]:
        raise RuntimeError(f"the batch size of query ({query.shape[1]}) and that of key ({key.shape[1]}) are different")
