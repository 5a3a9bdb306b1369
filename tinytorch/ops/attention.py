"""Attention: every query takes a weighted mean of the values, with weights from how well its key fits.

For queries Q (L, d), keys K (S, d) and values V (S, e)::

    scores    A = Q Kᵀ / √d              (L, S)     √d keeps the variance of a sum of d products at 1
    weights   P = softmax(A)             (L, S)     each row sums to 1
    result    P V                        (L, e)

A mask takes pairs out: where attention is not allowed, the score is -inf and so the weight 0. Several heads do this side by
side on parts of the features, each with projections of its own; an output projection mixes what they found.

Source: Vaswani et al. 2017, "Attention Is All You Need"; ``F.scaled_dot_product_attention``,
``F.multi_head_attention_forward``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinytorch.tensor import Tensor

__all__ = ["canonical_mask", "multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(Q Kᵀ / √d) V``: (..., L, d), (..., S, d), (..., S, e) give (..., L, e).

    Args:
        attn_mask: broadcast to (..., L, S); True where attention is allowed, or floats that are added to the scores. A query
            that may attend to nothing gets 0.
        dropout_p: of the weights; also in evaluation, so pass 0 there.
        is_causal: position i attends to positions 0 to i.
        scale: instead of 1/√d.
        enable_gqa: (..., H, L, d) queries share fewer heads of keys and values; their number divides H.

    Raises:
        RuntimeError: dtypes or shapes that do not fit, or a dropout probability outside [0, 1].
    """
    _check(query, key, value, attn_mask, dropout_p)
    if enable_gqa:
        key, value = _repeat_heads(query, key), _repeat_heads(query, value)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * scale).matmul(key.transpose(-2, -1))
    if is_causal:
        earlier = np.tril(np.ones((query.shape[-2], key.shape[-2]), bool))
        scores = ops.where(Tensor._wrap(earlier), scores, -math.inf)
    if attn_mask is None:
        weights = ops.softmax(scores, -1)
    else:
        if attn_mask._array.dtype.kind == "b":
            scores = ops.where(attn_mask, scores, -math.inf)
        else:
            scores = scores + attn_mask.to(scores.dtype)
        weights = _safe_softmax(scores)
    return ops.dropout(weights, dropout_p, dropout_p > 0).matmul(value)


def _safe_softmax(scores: Tensor) -> Tensor:
    """Softmax in which a row of -inf gives 0, not nan; nor does its gradient."""
    nothing = np.isneginf(scores._array).all(-1, keepdims=True)
    if not nothing.any():
        return ops.softmax(scores, -1)
    mask = Tensor._wrap(nothing)
    return ops.where(mask, 0.0, ops.softmax(ops.where(mask, 0.0, scores), -1))


_C_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long int", "int32": "int"}


def _check(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float) -> None:
    q, k, v = query._array, key._array, value._array
    names = [_C_NAMES.get(str(x.dtype), str(x.dtype)) for x in (q, k, v)]
    if not q.dtype == k.dtype == v.dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {names[0]} key.dtype: "
            f"{names[1]} and value.dtype: {names[2]} instead."
        )
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            f"Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {q.ndim} key.dim: "
            f"{k.ndim} and value.dim: {v.ndim} instead."
        )
    if q.dtype.kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {query.type()[6:-6]}")
    if attn_mask is not None:
        mask_dtype = attn_mask._array.dtype
        if mask_dtype not in (np.bool_, np.float32, q.dtype):
            name = _C_NAMES.get(str(mask_dtype), str(mask_dtype))
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{name} and  query.dtype: {names[0]} instead."
            )
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")


def _repeat_heads(query: Tensor, shared: Tensor) -> Tensor:
    heads, groups = query.shape[-3], shared.shape[-3]
    if heads % groups:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
    return shared if heads == groups else shared.repeat_interleave(heads // groups, -3)


# ------------------------------------------------------------------------------------------ many heads


def canonical_mask(
    mask: Tensor | None, name: str, dtype: Any, other: Tensor | None = None, other_name: str = ""
) -> Tensor | None:
    """A mask as floats to be added to the scores. Booleans here are True where attention is *not* allowed.

    AssertionError for integers; a warning if the other mask is of another dtype.
    """
    if mask is None:
        return None
    kind = mask._array.dtype.kind
    if kind not in "bf":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    return mask if kind == "f" else ops.zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)


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
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What :class:`tinytorch.nn.MultiheadAttention` computes; see there. Queries (L, N, E), keys and values (S, N, ...)."""
    check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    batched = query.dim() == 3
    if not batched:
        query, key, value = _unsqueezed(query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        weights = in_proj_weight
    q, k, v = _projections(query, key, value, weights, in_proj_bias)
    causal = is_causal and key_padding_mask is None and not need_weights
    mask = None if causal else _merged_mask(query, key, num_heads, attn_mask, key_padding_mask)
    if bias_k is not None and bias_v is not None:
        n = query.shape[1]
        k, v = ops.cat([k, bias_k.repeat(1, n, 1)]), ops.cat([v, bias_v.repeat(1, n, 1)])
    if add_zero_attn:
        zeros = ops.zeros(1, *k.shape[1:], dtype=k.dtype)
        k, v = ops.cat([k, zeros]), ops.cat([v, zeros])
    if mask is not None and k.shape[0] > mask.shape[-1]:
        mask = ops.pad(mask, (0, k.shape[0] - mask.shape[-1]))  # what was added may be attended to
    q, k, v = (_split_heads(x, num_heads) for x in (q, k, v))
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        scores = (q * math.sqrt(1.0 / q.shape[-1])).matmul(k.transpose(-2, -1))
        weights = ops.softmax(scores if mask is None else scores + mask, -1)
        weights = ops.dropout(weights, dropout_p)
        heads = weights.matmul(v)
        weights = weights.mean(1) if average_attn_weights else weights
        weights = weights if batched else weights.squeeze(0)
    else:
        heads, weights = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal), None
    output = ops.linear(heads.permute(2, 0, 1, 3).reshape(query.shape), out_proj_weight, out_proj_bias)
    return (output if batched else output.squeeze(1)), weights


def _unsqueezed(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """With a batch dimension; what was one tensor stays one, so that it is projected in one product."""
    q = query.unsqueeze(1)
    k = q if key is query else key.unsqueeze(1)
    return q, k, k if value is key else value.unsqueeze(1)


def _projections(
    query: Tensor, key: Tensor, value: Tensor, weights: Any, bias: Tensor | None
) -> tuple[Tensor, ...]:
    """Queries, keys and values from the inputs; in one product where all three are projected from one tensor."""
    if isinstance(weights, Tensor):
        if query is key and key is value:
            return tuple(ops.linear(query, weights, bias).chunk(3, -1))
        weights = weights.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    inputs = zip((query, key, value), weights, biases, strict=True)
    return tuple([ops.linear(x, weight, b) for x, weight, b in inputs])


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
            raise RuntimeError(
                f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}."
            )
        mask = mask.reshape(*((1, 1) if mask.dim() == 2 else (n, num_heads)), length, sources)
    if padding is None:
        return mask
    if padding.shape != (n, sources):
        wrong, right = (padding.shape[0], n) if padding.shape[0] != n else (padding.shape[1], sources)
        raise AssertionError(f"Expected key_padded_mask.shape[{int(wrong == padding.shape[1] and right == sources)}] to be {right}, but got {wrong}")
    padding = padding.reshape(n, 1, 1, sources)
    return padding if mask is None else mask + padding
