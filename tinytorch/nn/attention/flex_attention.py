"""Attention with scores and masks of one's own, as functions of the positions (``torch.nn.attention.flex_attention``).

A ``score_mod(score, b, h, q, kv)`` says what becomes of the score of query q and key kv in head h of sample b, a
``mask_mod(b, h, q, kv)`` whether the two may meet at all::

    def relative(score, b, h, q, kv):
        return score + (q - kv)

    flex_attention(query, key, value, score_mod=relative)

PyTorch calls them for single numbers, compiled into its kernel. Here they are called once, with tensors that broadcast
to (B, H, L, S): written for numbers they work for these, too, and gradients flow through them.

>>> import tinytorch as torch
>>> q = torch.ones(1, 1, 3, 4)
>>> block_mask = create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 3, 3)
>>> flex_attention(q, q, torch.arange(3.0).reshape(1, 1, 3, 1), block_mask=block_mask).flatten()
tensor([0.0000, 0.5000, 1.0000])
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tinytorch import ops
from tinytorch.dtypes import bool_, int32
from tinytorch.tensor import Tensor

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

#: PyTorch's kernel skips blocks of so many queries and keys at once; programs import the number.
_DEFAULT_SPARSE_BLOCK_SIZE = 128

MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Everything may be attended to."""
    return ops.ones(1, dtype=bool_)


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """Where all of them allow it."""

    def mask(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        allowed = ops.ones(1, dtype=bool_)
        for mask_mod in mask_mods:
            allowed = allowed & mask_mod(b, h, q, kv)
        return allowed

    return mask


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """Where any of them allows it."""

    def mask(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        allowed = ops.zeros(1, dtype=bool_)
        for mask_mod in mask_mods:
            allowed = allowed | mask_mod(b, h, q, kv)
        return allowed

    return mask


def _positions(*sizes: int) -> list[Tensor]:
    """Sample, head, query and key numbers, each along its own dimension of (B, H, L, S)."""
    return [
        ops.arange(size, dtype=int32).reshape([size if d == axis else 1 for d in range(4)])
        for axis, size in enumerate(sizes)
    ]


def create_mask(
    mod_fn: ScoreMod | MaskMod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """The whole mask (B, H, Q_LEN, KV_LEN) of a ``mask_mod``, or where a ``score_mod`` leaves 0 above -inf."""
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    positions = _positions(*shape)
    if len(inspect.signature(mod_fn).parameters) == 5:
        scores = mod_fn(ops.zeros(shape, device=device), *positions)
        return ops.expand(scores != -math.inf, shape)
    return ops.expand(mod_fn(*positions), shape)


class BlockMask:
    """A mask, and what is in its blocks: in each row of blocks ``kv_num_blocks`` are held in part, with whose numbers
    ``kv_indices`` begins, and ``full_kv_num_blocks`` are full (``full_kv_indices``). Made by
    :func:`create_block_mask`.
    """

    def __init__(self, mask: Tensor, mask_mod: MaskMod, block_size: tuple[int, int]) -> None:
        self.mask_mod, self.BLOCK_SIZE = mask_mod, block_size
        self.shape = tuple(mask.shape)
        self.seq_lengths = (mask.shape[-2], mask.shape[-1])
        self._mask = mask
        counts = _block_sums(mask, block_size)
        full = counts == block_size[0] * block_size[1]
        self._held = counts > 0
        self.kv_num_blocks, self.kv_indices = _listed(self._held & ~full)
        self.full_kv_num_blocks, self.full_kv_indices = _listed(full)

    def to_dense(self) -> Tensor:
        """1 for every block that holds something, (B, H, rows of blocks, columns of blocks)."""
        return self._held.to(int32)

    def numel(self) -> int:
        """The number of pairs."""
        return math.prod(self.shape)

    def sparsity(self) -> float:
        """The share of pairs in empty blocks, in percent. (Blocks reach beyond the ends, so it may be negative.)"""
        blocks = int(self.kv_num_blocks.sum()) + int(self.full_kv_num_blocks.sum())
        return 100 * (1 - blocks * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to(self, device: Any) -> BlockMask:
        """Itself; RuntimeError for another device than the CPU."""
        self._mask.to(device)
        return self

    def _adjust(self, new_q_len: int, new_kv_len: int) -> BlockMask:
        """Its upper left corner, for shorter sequences."""
        return BlockMask(self._mask[:, :, :new_q_len, :new_kv_len], self.mask_mod, self.BLOCK_SIZE)

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def _block_sums(mask: Tensor, block_size: tuple[int, int]) -> Tensor:
    """How many pairs of each block are allowed."""
    rows, columns = block_size
    b, h, q, kv = mask.shape
    padded = ops.constant_pad_nd(mask.to(int32), (0, -kv % columns, 0, -q % rows))
    return padded.reshape(b, h, -1, rows, padded.shape[-1] // columns, columns).sum((3, 5))


def _listed(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of a row are True, and the numbers of all its blocks, these first."""
    numbers = ops.argsort(blocks.to(int32), dim=-1, descending=True, stable=True)
    return blocks.sum(-1).to(int32), numbers.to(int32)


def create_block_mask(
    mask_mod: MaskMod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = 128, _compile: bool = False,
) -> BlockMask:  # fmt: skip
    """The mask of ``mask_mod`` for :func:`flex_attention`; ``B`` or ``H`` None: the same for all samples, or heads."""
    block_size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    return BlockMask(create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device), mask_mod, block_size)


class AuxRequest(NamedTuple):
    """What :func:`flex_attention` is to return besides its result: see :class:`AuxOutput`."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """For every query, (B, H, L): log Σ exp of its scores, and the largest; None for what was not requested."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def flex_attention(
    query: Tensor, key: Tensor, value: Tensor, score_mod: ScoreMod | None = None, block_mask: BlockMask | None = None,
    scale: float | None = None, enable_gqa: bool = False, return_lse: bool = False, kernel_options: Any = None, *,
    return_aux: AuxRequest | None = None,
) -> Any:  # fmt: skip
    """Attention of (B, H, L, E), (B, H, S, E), (B, H, S, E_v) to (B, H, L, E_v), with scores and masks as the module's
    text says. A query that may attend to nothing gets 0.

    Args:
        scale: of the scores, before ``score_mod``; 1/√E by default.
        enable_gqa: keys and values may have fewer heads, a divisor of H.
        return_lse: PyTorch's older form of ``return_aux=AuxRequest(lse=True)``: the second result is a tensor.
        kernel_options: of PyTorch's kernels; there are none to choose from.
        return_aux: return a second result, an :class:`AuxOutput`.

    Raises:
        ValueError: shapes that do not fit, both ``return_lse`` and ``return_aux``.
    """
    if return_lse and return_aux is not None:
        raise ValueError("Cannot specify both return_lse and return_aux. Use return_aux=AuxRequest(lse=True) alone.")
    _check(query, key, value, block_mask, enable_gqa)
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = (query @ key.mT) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    positions = _positions(*scores.shape)
    if score_mod is not None:
        scores = ops.expand(score_mod(scores, *positions), scores.shape)
    if block_mask is not None:
        scores = scores.masked_fill(~block_mask._mask, -math.inf)
    nothing = (scores == -math.inf).all(-1, keepdim=True)
    weights = ops.softmax(scores.masked_fill(nothing, 0.0), -1).masked_fill(nothing, 0.0)
    result = (weights @ value).to(query.dtype)
    if return_lse:
        return result, scores.logsumexp(-1)
    if return_aux is None:
        return result
    lse = scores.logsumexp(-1) if return_aux.lse else None
    return result, AuxOutput(lse, scores.amax(-1) if return_aux.max_scores else None)


def _check(query: Tensor, key: Tensor, value: Tensor, block_mask: BlockMask | None, enable_gqa: bool) -> None:
    if not query.dim() == key.dim() == value.dim() == 4:
        raise ValueError("Expected query, key and value to be 4D tensors")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"Expect query and key/value to have the same embedding dimension but got E={query.shape[-1]} and "
            f"E={key.shape[-1]}."
        )
    if query.shape[0] != key.shape[0] != 1:
        raise ValueError(f"Expect query and key/value to have the same batch size, got {query.shape} and {key.shape}")
    heads, shared = query.shape[1], key.shape[1]
    if heads != shared and not enable_gqa:
        raise ValueError(f"Expect query and key/value to have the same number of heads, got {heads} and {shared}. "
                         "Try setting enable_gqa=True for GQA.")  # fmt: skip
    if heads % shared:
        raise ValueError(f"Expect number of query heads to be a multiple of kv heads for GQA, got {heads} and {shared}")
    if block_mask is not None and (query.shape[-2], key.shape[-2]) != block_mask.seq_lengths:
        raise ValueError(
            f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={query.shape[-2]} and "
            f"kv_len={key.shape[-2]}: create one of that size, or cut a larger one, block_mask._adjust(q_len, kv_len)."
        )
