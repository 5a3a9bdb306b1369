"""The Transformer: an encoder and a decoder, stacks of the layers in :mod:`tinytorch.nn.modules.transformer_layers`.

PyTorch has a second implementation of the encoder for inference (no gradients, batch_first, even number of heads...),
which skips padding and leaves zeros there. Here padded positions are computed like all others, and then set to zero
under the same conditions: a mean over all positions is PyTorch's.

Source: Vaswani et al. 2017; ``torch.nn.Transformer``.
"""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.backends import mha
from tinytorch.dtypes import FLOATS
from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.container import ModuleList
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.normalization import LayerNorm
from tinytorch.nn.modules.transformer_layers import Activation, TransformerDecoderLayer, TransformerEncoderLayer
from tinytorch.ops.multi_head_attention import canonical_mask
from tinytorch.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def _get_clones(module: Module, N: int) -> ModuleList:
    """Layers that start from the same weights, as PyTorch's do."""
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


def _generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
    """(sz, sz): 0 where j <= i, else -inf."""
    return ops.triu(ops.full((sz, sz), -math.inf, dtype=dtype, device=device), 1)


def _get_seq_len(src: Tensor, batch_first: bool) -> int | None:
    """How long the sequences are."""
    return src.shape[1] if src.dim() == 3 and batch_first else src.shape[0]


def _detect_is_causal_mask(mask: Tensor | None, is_causal: bool | None = None, size: int | None = None) -> bool:
    """The hint if there is one; else whether ``mask`` is the causal one of this size (by default of its own)."""
    if is_causal is not None or mask is None:
        return is_causal is True
    if mask._array.dtype.kind not in FLOATS:
        return False
    causal = _generate_square_subsequent_mask(mask.shape[-2] if size is None else size, dtype=mask.dtype)
    return mask.shape == causal.shape and bool((mask == causal).all())


class TransformerEncoder(Module):
    """``num_layers`` copies of ``encoder_layer``, one after another, then ``norm``.

    With ``enable_nested_tensor``, and if layers and arguments are such that PyTorch would skip padding in inference
    (warns if the layers are not), results at padded positions are zero there. ``mask_check``: accepted; sequences
    with padding elsewhere than at their ends are never treated so.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        obstacle = _why_padding_is_computed(encoder_layer)
        if enable_nested_tensor and obstacle:
            self.use_nested_tensor = False
            warnings.warn(
                f"enable_nested_tensor is True, but self.use_nested_tensor is False because {obstacle}", stacklevel=2
            )

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """``is_causal`` None: found out from the mask."""
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, mask, "mask")
        mask = canonical_mask(mask, "mask", src.dtype)
        causal = _detect_is_causal_mask(mask, is_causal, _get_seq_len(src, self.layers[0].self_attn.batch_first))
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if padding is not None and mask is None and self._skips_padding(src, padding):
            x = x.masked_fill((padding != 0).unsqueeze(-1), 0.0)
        return x if self.norm is None else self.norm(x)

    def _skips_padding(self, src: Tensor, padding: Tensor) -> bool:
        """Whether PyTorch would leave zeros where ``padding`` (N, L) is not 0: in inference, padded at the ends."""
        first = self.layers[0]
        if not self.use_nested_tensor or first.training or src.dim() != 3 or not mha.get_fastpath_enabled():
            return False
        if is_grad_enabled() and any(tensor.requires_grad for tensor in (src, *first.parameters())):
            return False
        padded = padding._array != 0
        return bool((padded[:, 1:] >= padded[:, :-1]).all())


def _why_padding_is_computed(layer: Module) -> str:
    """Why PyTorch never skips the padding for such layers, in its words; empty if it does."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention, hint = layer.self_attn, "(use batch_first for better inference performance)"
    obstacles = {
        "norm_first was True": layer.norm_first,
        f"self_attn.batch_first was not True{hint}": not attention.batch_first,
        "self_attn._qkv_same_embed_dim was not True": not attention._qkv_same_embed_dim,
        "self_attn was passed bias=False": attention.in_proj_bias is None,
        "activation_relu_or_gelu was not True": not layer.activation_relu_or_gelu,
        "norm1.eps was not equal to encoder_layer.norm2.eps": layer.norm1.eps != layer.norm2.eps,
        "self_attn.num_heads is odd": attention.num_heads % 2 == 1,
    }
    return next((f"encoder_layer.{text}" for text, holds in obstacles.items() if holds), "")


class TransformerDecoder(Module):
    """``num_layers`` copies of ``decoder_layer``, one after another, then ``norm``."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """``tgt_is_causal`` None: found out from the mask."""
        length = _get_seq_len(tgt, self.layers[0].self_attn.batch_first)
        causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal, length)
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder, and a decoder that attends to its result: (S, N, d_model) and (T, N, d_model) to (T, N, d_model).

    ``custom_encoder`` and ``custom_decoder`` replace them; the other arguments are those of the layers.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        arguments = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        new: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(*arguments, **new)
            norm = LayerNorm(d_model, layer_norm_eps, **new)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*arguments, **new)
            norm = LayerNorm(d_model, layer_norm_eps, **new)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """RuntimeError if batches or features do not fit."""
        batch_dim = 0 if self.batch_first else 1
        if src.dim() == 3 and src.shape[batch_dim] != tgt.shape[batch_dim]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): 0 where position i may attend to j <= i, else -inf.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return _generate_square_subsequent_mask(sz, device, dtype)


def __getattr__(name: str) -> Any:
    from tinytorch.nn.modules.places import found_elsewhere

    return found_elsewhere(__name__, name)
