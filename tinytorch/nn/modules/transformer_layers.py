"""The layers of a Transformer: attention and a small network for each position, around which the input flows on.

    encoder layer   x = norm(x + self_attention(x))                     norm_first: x = x + self_attention(norm(x))
                    x = norm(x + feedforward(x))
    decoder layer   the same, with  x = norm(x + attention(x, memory))  between the two

where ``feedforward(x) = W_2 dropout(activation(W_1 x))``, and every sublayer's result goes through dropout.

Source: Vaswani et al. 2017; Xiong et al. 2020 (norm_first); ``torch.nn.TransformerEncoderLayer``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.nn import functional as F
from tinytorch.nn.modules.activation import GELU, ReLU
from tinytorch.nn.modules.attention import MultiheadAttention
from tinytorch.nn.modules.dropout import Dropout
from tinytorch.nn.modules.linear import Linear
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.normalization import LayerNorm
from tinytorch.ops.multi_head_attention import canonical_mask
from tinytorch.tensor import Tensor

__all__ = ["Activation", "TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Tensor], Tensor]


def _get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _attend(
    attention: MultiheadAttention, dropout: Module, x: Tensor, memory: Tensor, mask: Tensor | None,
    padding: Tensor | None, is_causal: bool,
) -> Tensor:  # fmt: skip
    """Attention from x to ``memory``, then dropout.

    PyTorch draws dropout's random numbers in the order in which its input lies in memory, and what attention returns
    lies there as (L, N, d_model) even if ``batch_first``. So that the same seed drops the same elements, dropout
    works on that.
    """
    y = attention(x, memory, memory, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)[0]
    if attention.batch_first and y.dim() == 3:
        return dropout(y.transpose(0, 1)).transpose(0, 1)
    return dropout(y)


class TransformerEncoderLayer(Module):
    """Self-attention and feedforward: (L, N, d_model), (N, L, d_model) if ``batch_first``, or (L, d_model), to the
    same.

    Args:
        nhead: number of heads. dim_feedforward: width of the feedforward network. activation: "relu", "gelu" or a
            function.
        norm_first: normalize what goes into a sublayer, not what comes out of the sum.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        new: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **new)
        self.linear1 = Linear(d_model, dim_feedforward, **new)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **new)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, **new)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, **new)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation = _get_activation_fn(activation) if isinstance(activation, str) else activation
        self.activation_relu_or_gelu = 0
        if activation is F.relu or isinstance(activation, ReLU):
            self.activation_relu_or_gelu = 1
        elif activation is F.gelu or isinstance(activation, GELU):
            self.activation_relu_or_gelu = 2

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Masks as for :class:`MultiheadAttention`."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, src_mask, "src_mask")
        mask = canonical_mask(src_mask, "src_mask", src.dtype)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, mask, padding, is_causal))
        return self.norm2(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        """Self-attention."""
        return _attend(self.self_attn, self.dropout1, x, x, attn_mask, key_padding_mask, is_causal)

    def _ff_block(self, x: Tensor) -> Tensor:
        """Feedforward."""
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to the encoder's result (``memory``), and feedforward. Arguments as the encoder
    layer's."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        new: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **new)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **new)
        self.linear1 = Linear(d_model, dim_feedforward, **new)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **new)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, **new)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, **new)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, **new)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _get_activation_fn(activation) if isinstance(activation, str) else activation

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Masks as for :class:`MultiheadAttention`; ``tgt_``: of self-attention, ``memory_``: of that to the memory."""
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        x = tgt
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        return self.norm3(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        """Self-attention."""
        return _attend(self.self_attn, self.dropout1, x, x, attn_mask, key_padding_mask, is_causal)

    def _mha_block(
        self, x: Tensor, mem: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """Attention to the memory."""
        return _attend(self.multihead_attn, self.dropout2, x, mem, attn_mask, key_padding_mask, is_causal)

    def _ff_block(self, x: Tensor) -> Tensor:
        """Feedforward."""
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
