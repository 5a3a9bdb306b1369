"""Attention with scores and masks as functions of positions, and causal masks, beside PyTorch's."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import equal_tensors

RNG = np.random.default_rng(0)
QUERY = RNG.normal(size=(2, 4, 6, 8)).astype(np.float32)
KEY, VALUE = (RNG.normal(size=(2, 2, 7, 8)).astype(np.float32) for _ in range(2))


def part(T: Any, name: str) -> Any:
    return importlib.import_module(f"{T.__name__}.nn.attention.{name}")


def equal(program: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that it is not compiled
        for i, (ours, theirs) in enumerate(zip(program(tinytorch), program(torch), strict=True)):
            equal_tensors(f"result {i}", ours, theirs)


def test_scores_and_masks() -> None:
    def program(T: Any) -> Any:
        F = part(T, "flex_attention")
        q, k, v = (T.tensor(x) for x in (QUERY, KEY, VALUE))
        slope, document = T.arange(4.0) * 0.1, T.tensor([0, 0, 1, 1, 2, 2, 2])

        def relative(score: Any, b: Any, h: Any, i: Any, j: Any) -> Any:
            return score + slope[h] * (i - j)

        def same_document(b: Any, h: Any, i: Any, j: Any) -> Any:  # the first query may attend to nothing
            return (document[i] == document[j]) & (j > 1)

        mask = F.create_block_mask(same_document, None, None, 6, 7, device="cpu")
        plain = F.flex_attention(q, q, q)
        scored = F.flex_attention(q, k, v, score_mod=relative, enable_gqa=True)
        masked = F.flex_attention(q, k, v, score_mod=relative, block_mask=mask, enable_gqa=True, scale=0.5)
        cut = F.create_block_mask(lambda b, h, i, j: i >= j, None, None, 9, 8, device="cpu")._adjust(6, 7)
        last, aux = F.flex_attention(q, k, v, None, cut, enable_gqa=True, return_aux=F.AuxRequest(lse=True))
        return [plain, scored, masked, F.flex_attention(q, q, q, return_lse=True)[1], last, aux.lse]

    equal(program)


def test_block_masks() -> None:
    def program(T: Any) -> Any:
        F = part(T, "flex_attention")

        def causal(b: Any, h: Any, i: Any, j: Any) -> Any:
            return i >= j

        def near(b: Any, h: Any, i: Any, j: Any) -> Any:
            return i - j < 140

        found = []
        for mod, b, h in ((causal, 1, 1), (F.and_masks(causal, near), 2, 3), (F.or_masks(near, F.noop_mask), None, 2)):
            block = F.create_block_mask(mod, b, h, 300, 500, device="cpu")
            assert block.shape == (b or 1, h or 1, 300, 500) and block.seq_lengths == (300, 500)
            found += [block.kv_num_blocks, block.kv_indices, block.full_kv_num_blocks, block.full_kv_indices]
            found += [block.to_dense(), T.tensor(block.sparsity())]
        found.append(F.create_mask(causal, None, None, 3, 4, device="cpu"))
        found.append(F.create_mask(lambda s, b, h, i, j: T.where(i < j, s, -float("inf")), 1, 2, 3, 3, device="cpu"))
        masks = [part(T, "bias").causal_lower_right(3, 5), part(T, "bias").causal_upper_left(3, 5)]
        return [*found, *[mask._materialize() if T is torch else mask for mask in masks]]

    equal(program)


def test_gradients_are_those_of_attention() -> None:
    F = part(tinytorch, "flex_attention")
    q, k, v = (tinytorch.tensor(x[:, :2], requires_grad=True) for x in (QUERY, KEY, VALUE))
    block = F.create_block_mask(lambda b, h, i, j: i >= j, None, None, 6, 7)
    ours = tinytorch.autograd.grad(F.flex_attention(q, k, v, block_mask=block).sin().sum(), (q, k, v))
    theirs = tinytorch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).sin().sum()
    for got, expected in zip(ours, tinytorch.autograd.grad(theirs, (q, k, v)), strict=True):
        assert tinytorch.allclose(got, expected, atol=1e-6)


def test_largest_scores() -> None:
    F = part(tinytorch, "flex_attention")
    q = tinytorch.tensor(QUERY)
    _, aux = F.flex_attention(q, q, q, scale=1.0, return_aux=F.AuxRequest(max_scores=True))
    assert aux.lse is None and tinytorch.equal(aux.max_scores, (q @ q.mT).amax(-1))
    with pytest.raises(ValueError, match="both"):
        F.flex_attention(q, q, q, return_lse=True, return_aux=F.AuxRequest())


def test_what_does_not_fit() -> None:
    F = part(tinytorch, "flex_attention")
    q, k, v = (tinytorch.tensor(x) for x in (QUERY, KEY, VALUE))
    block = F.create_block_mask(F.noop_mask, None, None, 3, 3)
    for arguments, text in (
        ((q[0], k, v), "4D"), ((q, k, v), "enable_gqa"), ((q, q[..., :4], q), "E=8 and E=4"), ((q, q, q, None, block), "block_mask"),
        ((q[:, :, :2], q, q, None, block), "block_mask"), ((q[:, :, :2], q[:, :, :3], q[:, :, :3], None, block), "q_len=2"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            F.flex_attention(*arguments)
    for T in (torch, tinytorch):
        with pytest.warns(UserWarning, match="seq_len_q > seq_len_kv"):
            part(T, "bias").causal_lower_right(5, 3)
