"""Attention: every query takes a weighted mean of the values, with weights from how well its key fits.

For queries Q (L, d), keys K (S, d) and values V (S, e)::

    scores    A = Q Kᵀ / √d              (L, S)     √d keeps the variance of a sum of d products at 1
    weights   P = softmax(A)             (L, S)     each row sums to 1
    result    P V                        (L, e)

A mask takes pairs out: where attention is not allowed, the score is -inf and so the weight 0.

Source: Vaswani et al. 2017, "Attention Is All You Need"; ``F.scaled_dot_product_attention``.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import type_name
from tinytorch.ops.half import rounded_once
from tinytorch.tensor import Tensor

__all__ = ["scaled_dot_product_attention"]


@checks_arguments
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
        attn_mask: broadcast to (..., L, S); True where attention is allowed, or floats that are added to the scores.
            A query that may attend to nothing gets 0.
        dropout_p: of the weights; also in evaluation, so pass 0 there.
        is_causal: position i attends to positions 0 to i.
        scale: instead of 1/√d.
        enable_gqa: (..., H, L, d) queries share fewer heads of keys and values; their number divides H.

    Raises:
        RuntimeError: dtypes or shapes that do not fit, a dropout probability outside [0, 1]; both kinds of mask at
            once, unless the arguments have 4 dimensions and there is no dropout (as in PyTorch's fast kernel).
    """
    _check(query, key, value, attn_mask, dropout_p)
    return _attention(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)


@rounded_once
def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float, is_causal: bool,
    scale: float | None, enable_gqa: bool,
) -> Tensor:  # fmt: skip
    """Of arguments that fit."""
    if enable_gqa:
        key, value = _repeat_heads(query, key), _repeat_heads(query, value)
    scale = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    scores = (query * scale).matmul(key.transpose(-2, -1))
    if is_causal:
        if attn_mask is not None and (query.dim() != 4 or dropout_p or query.shape[-1] != value.shape[-1]):
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True (but for "
                "4-dimensional arguments without dropout)"
            )
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
    nothing = np.asarray(np.isneginf(scores._array).all(-1, keepdims=True))
    if not nothing.any():
        return ops.softmax(scores, -1)
    mask = Tensor._wrap(nothing)
    return ops.where(mask, 0.0, ops.softmax(ops.where(mask, 0.0, scores), -1))


_C_NAMES = {
    "float32": "float",
    "float64": "double",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "int64": "long int",
    "int32": "int",
}


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
    if q.dtype.kind not in FLOATS:
        raise RuntimeError(f"expected scalar type Float but found {type_name(query)}")
    if attn_mask is not None and attn_mask._array.ndim < 2:
        raise IndexError(f"scaled_dot_product_attention: attn_mask needs 2 dimensions or more, not {attn_mask.dim()}")
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


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
