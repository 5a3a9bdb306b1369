"""Multi-head attention as a layer. The formulas stand in :mod:`tinytorch.ops.multi_head_attention`."""

from __future__ import annotations

from typing import Any

from tinytorch import ops
from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.linear import Linear
from tinytorch.nn.modules.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.tensor import Tensor

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear under the name that PyTorch prints for it here."""


class MultiheadAttention(Module):
    """``Concat(head_1, ..., head_H) W_oᵀ + b_o`` with ``head_h = attention(Q W_qᵀ, K W_kᵀ, V W_vᵀ)`` (Vaswani et al.
    2017).

    Args:
        embed_dim: features of queries and of the result; ``num_heads`` divides it.
        dropout: of the attention weights, in training.
        add_bias_kv: one more key and value, learned.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: features of keys and values if they are not ``embed_dim``.
        batch_first: (N, L, features) instead of (L, N, features).

    Parameters: ``in_proj_weight`` (3 · embed_dim, embed_dim), or ``q_proj_weight``, ``k_proj_weight``,
    ``v_proj_weight`` if kdim or vdim differ; ``in_proj_bias``, ``out_proj``, ``bias_k`` and ``bias_v``.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.add_zero_attn = add_zero_attn
        new = {"device": device, "dtype": dtype}
        self._add_projections(bias, new)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(ops.empty(1, 1, embed_dim, **new)) if add_bias_kv else None)
        self._reset_parameters()

    def _add_projections(self, bias: bool, new: dict[str, Any]) -> None:
        size, same = self.embed_dim, self._qkv_same_embed_dim
        widths = {"q_proj_weight": size, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for name, width in widths.items():
            self.register_parameter(name, None if same else Parameter(ops.empty(size, width, **new)))
        self.register_parameter("in_proj_weight", Parameter(ops.empty(3 * size, size, **new)) if same else None)
        self.register_parameter("in_proj_bias", Parameter(ops.empty(3 * size, **new)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(size, size, bias=bias, **new)

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Queries (L, N, E), keys (S, N, kdim) and values (S, N, vdim), or all without N, give (L, N, E) and the
        weights.

        Args:
            key_padding_mask: (N, S); True at keys that nobody may attend to, or floats that are added to the scores.
            attn_mask: (L, S) or (N · num_heads, L, S); True where attention is not allowed, or floats.
            need_weights: False gives None for the weights.
            average_attn_weights: weights (N, L, S), the mean of the heads; else (N, num_heads, L, S).
            is_causal: a hint that ``attn_mask`` is the causal one.
        """
        batched_first = self.batch_first and query.dim() == 3
        if batched_first:
            first = query.transpose(1, 0)
            second = first if key is query else key.transpose(1, 0)
            value = second if value is key else value.transpose(1, 0)
            query, key = first, second
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (output.transpose(1, 0) if batched_first else output), weights
