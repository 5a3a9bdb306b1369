"""Attention, alone and as a layer: weights, results, gradients, second derivatives and errors as PyTorch's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import tinytorch
from tests.compare import compare, compare_errors, equal_tensors
from tests.nn.layers import assert_same_error, assert_same_state, both, build, compare_modules

#: Compared here through nn.MultiheadAttention.
COMPARED = ["multi_head_attention_forward"]

RNG = np.random.default_rng(11)


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


@pytest.fixture(autouse=True)
def composite():
    """PyTorch's fused attention has no second derivative."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


def attention(T, *args, **kwargs):
    return T.nn.functional.scaled_dot_product_attention(*args, **kwargs)


MASK = [[True, False, True], [True, True, True], [False, False, False], [False, True, False]]

CASES = {
    "plain": (lambda T, q, k, v: attention(T, q, k, v), normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6)),
    "matrices": (lambda T, q, k, v: attention(T, q, k, v, scale=0.3), normal(3, 4), normal(5, 4), normal(5, 6)),
    "causal": (lambda T, q, k, v: attention(T, q, k, v, is_causal=True), normal(2, 2, 4, 3), normal(2, 2, 4, 3), normal(2, 2, 4, 3)),
    "causal, fewer keys": (lambda T, q, k, v: attention(T, q, k, v, is_causal=True), normal(4, 3), normal(2, 3), normal(2, 3)),
    "mask with an empty row": (lambda T, q, k, v: attention(T, q, k, v, T.tensor(MASK)), normal(2, 4, 2), normal(2, 3, 2), normal(2, 3, 2)),
    "float mask with an empty row": (lambda T, q, k, v: attention(T, q, k, v, T.zeros(4, 3, dtype=T.float64).masked_fill(~T.tensor(MASK), -math.inf)), normal(2, 4, 2), normal(2, 3, 2), normal(2, 3, 2)),
    "mask with a gradient": (lambda T, q, k, v, m: attention(T, q, k, v, m), normal(2, 4, 2), normal(2, 3, 2), normal(2, 3, 2), normal(4, 3)),
    "float32 mask": (lambda T, q, k, v: attention(T, q, k, v, T.ones(4, 3).tril()), normal(4, 2), normal(3, 2), normal(3, 2)),
    "shared heads": (lambda T, q, k, v: attention(T, q, k, v, enable_gqa=True), normal(2, 4, 3, 2), normal(2, 2, 5, 2), normal(2, 2, 5, 2)),
    "broadcast batch": (lambda T, q, k, v: attention(T, q, k, v), normal(2, 3, 4), normal(5, 4), normal(5, 6)),
    "float32": (lambda T, q, k, v: attention(T, q, k, v, T.tensor(MASK)), normal(2, 4, 2, dtype="float32"), normal(2, 3, 2, dtype="float32"), normal(2, 3, 2, dtype="float32")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_scaled_dot_product_attention(name):
    compare(*CASES[name])


def test_attention_dropout_has_the_same_random_numbers():
    def run(T):
        q = T.randn(2, 2, 5, 4)
        return attention(T, q, q, q, dropout_p=0.4)

    equal_tensors("result", *both(run))


ERRORS = [
    lambda T, q: attention(T, q, q, q, T.ones(3, 3).bool(), is_causal=True),
    lambda T, q: attention(T, q, q, q.float()),
    lambda T, q: attention(T, q[0], q, q),
    lambda T, q: attention(T, q.long(), q.long(), q.long()),
    lambda T, q: attention(T, q, q, q, dropout_p=1.5),
    lambda T, q: attention(T, q, q, q, T.zeros(3, 3).long()),
    lambda T, q: attention(T, q.float(), q.float(), q.float(), T.zeros(3, 3).double()),
    lambda T, q: attention(T, q, q, q, T.ones(3, 2).bool()),
    lambda T, q: attention(T, q, q[:, :1], q),
    lambda T, q: attention(T, T.ones(1, 4, 3, 2), T.ones(1, 3, 3, 2), T.ones(1, 3, 3, 2), enable_gqa=True),
]


@pytest.mark.parametrize("function", ERRORS)
def test_attention_errors(function):
    compare_errors(function, normal(3, 2))


# ------------------------------------------------------------------------------------------ the layer


class Call:
    """Calls a layer with one tensor for queries, keys and values, or two, or three, and options made by ``options(T)``."""

    def __init__(self, module, library, options):
        self.module, self.library, self.options = module, library, options

    def __getattr__(self, name):
        return getattr(self.module, name)

    def __call__(self, *inputs):
        q, k, v = (inputs + inputs[-1:] * 2)[:3]
        result = self.module(q, k, v, **self.options(self.library))
        return [value for value in result if value is not None]


SELF, CROSS = (normal(4, 2, 6),), (normal(4, 2, 6), normal(3, 2, 6))
PADDING = [[False, False, True], [False, True, True]]

LAYERS = {
    "self": ("nn.MultiheadAttention(6, 2, {})", lambda T: {}, SELF),
    "batch_first": ("nn.MultiheadAttention(6, 3, batch_first=True, {})", lambda T: {"average_attn_weights": False}, SELF),
    "unbatched": ("nn.MultiheadAttention(6, 3, batch_first=True, {})", lambda T: {}, (normal(4, 6),)),
    "unbatched, masks": ("nn.MultiheadAttention(6, 3, {})", lambda T: {"need_weights": False, "attn_mask": T.ones(3, 4, 4).triu(1).bool(), "key_padding_mask": T.tensor([False, False, True, True])}, (normal(4, 6),)),
    "no weights": ("nn.MultiheadAttention(6, 2, bias=False, {})", lambda T: {"need_weights": False}, CROSS),
    "causal": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"need_weights": False, "is_causal": True, "attn_mask": T.ones(4, 4).triu(1).bool()}, SELF),
    "causal, weights": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"is_causal": True, "attn_mask": T.ones(4, 4).triu(1).bool()}, SELF),
    "padding": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"key_padding_mask": T.tensor(PADDING)}, CROSS),
    "padding, no weights": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"key_padding_mask": T.tensor(PADDING), "need_weights": False}, CROSS),
    "padding and mask": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"key_padding_mask": T.tensor(PADDING), "attn_mask": T.linspace(0, 1, 48, dtype=T.float64).reshape(4, 4, 3) > 0.9, "need_weights": False}, CROSS),
    "float masks": ("nn.MultiheadAttention(6, 2, {})", lambda T: {"key_padding_mask": T.linspace(0, 1, 6, dtype=T.float64).reshape(2, 3), "attn_mask": T.linspace(0, 1, 12, dtype=T.float64).reshape(4, 3)}, CROSS),
    "other sizes": ("nn.MultiheadAttention(6, 2, kdim=3, vdim=5, {})", lambda T: {}, (normal(4, 2, 6), normal(3, 2, 3), normal(3, 2, 5))),
    "other sizes, no bias": ("nn.MultiheadAttention(6, 2, kdim=3, batch_first=True, bias=False, {})", lambda T: {}, (normal(2, 4, 6), normal(2, 3, 3), normal(2, 3, 6))),
    "bias_kv": ("nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, {})", lambda T: {"key_padding_mask": T.tensor(PADDING), "attn_mask": T.eye(4, 3).bool()}, CROSS),
    "bias_kv, no weights": ("nn.MultiheadAttention(6, 2, add_bias_kv=True, {})", lambda T: {"attn_mask": T.eye(4, 3).bool(), "need_weights": False}, CROSS),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_multihead_attention(name):
    text, options, inputs = LAYERS[name]
    ours, theirs = build(text.format("dtype=T.float64"))
    assert_same_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    compare_modules(Call(ours, tinytorch, options), Call(theirs, torch, options), *inputs)


def test_multihead_attention_in_float32_and_evaluation():
    ours, theirs = build("nn.MultiheadAttention(6, 2, dropout=0.5).eval()")
    options = lambda T: {}  # noqa: E731
    compare_modules(
        Call(ours, tinytorch, options), Call(theirs, torch, options), normal(4, 2, 6, dtype="float32"), second=False
    )


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_of_the_weights_has_the_same_random_numbers(need_weights):
    def run(T):
        layer = T.nn.MultiheadAttention(6, 2, dropout=0.4)
        x = T.randn(5, 3, 6)
        return [value for value in layer(x, x, x, need_weights=need_weights) if value is not None]

    for ours, theirs in zip(*both(run), strict=True):
        equal_tensors("result", ours, theirs)


def call(T, *shapes, layer=(6, 2), **options):
    return T.nn.MultiheadAttention(*layer)(*[T.ones(*shape) for shape in shapes], **options)


@pytest.mark.parametrize(
    "function",
    [
        lambda T: T.nn.MultiheadAttention(8, 3),
        lambda T: T.nn.MultiheadAttention(0, 3),
        lambda T: call(T, (4, 2, 6), (4, 6), (4, 6)),
        lambda T: call(T, (4, 6), (4, 2, 6), (4, 6)),
        lambda T: call(T, (6,), (4, 6), (4, 6)),
        lambda T: call(T, (4, 2, 6), (3, 2, 6), (4, 2, 6)),
        lambda T: call(T, (4, 2, 4), (4, 2, 4), (4, 2, 4)),
        lambda T: call(T, *[(4, 2, 6)] * 3, key_padding_mask=T.zeros(2, 3).bool()),
        lambda T: call(T, *[(4, 2, 6)] * 3, key_padding_mask=T.zeros(3, 4).bool()),
        lambda T: call(T, *[(4, 2, 6)] * 3, key_padding_mask=T.zeros(4).bool()),
        lambda T: call(T, *[(4, 6)] * 3, key_padding_mask=T.zeros(1, 4).bool()),
        lambda T: call(T, *[(4, 2, 6)] * 3, attn_mask=T.zeros(3, 4)),
        lambda T: call(T, *[(4, 2, 6)] * 3, attn_mask=T.zeros(3, 4, 4)),
        lambda T: call(T, *[(4, 2, 6)] * 3, attn_mask=T.zeros(4)),
        lambda T: call(T, *[(4, 2, 6)] * 3, attn_mask=T.zeros(4, 4).long()),
        lambda T: call(T, *[(4, 6)] * 3, attn_mask=T.zeros(1, 4, 4)),
        lambda T: call(T, *[(4, 2, 6)] * 3, is_causal=True),
    ],
)
def test_errors(function):
    assert_same_error(function)


def test_what_is_refused_says_so():
    x, w = tinytorch.ones(3, 1, 4), tinytorch.ones(4, 4)
    with pytest.raises(NotImplementedError, match="static_k"):
        tinytorch.nn.functional.multi_head_attention_forward(
            x, x, x, 4, 1, tinytorch.ones(12, 4), None, None, None, False, 0.0, w, None, static_k=x
        )
    with pytest.raises(RuntimeError, match="batch size of query"):
        tinytorch.nn.MultiheadAttention(4, 1)(x, tinytorch.ones(3, 2, 4), tinytorch.ones(3, 2, 4))
