"""The Transformer's layers: weights, results, gradients, second derivatives and errors as PyTorch's."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import tinytorch
from tests.compare import equal_tensors
from tests.nn.layers import assert_same_error, assert_same_state, both, build, compare_modules

RNG = np.random.default_rng(13)


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


@pytest.fixture(autouse=True)
def composite():
    """PyTorch's fused attention has no second derivative."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")


class Call:
    """Calls a module with options made by ``options(T)``."""

    def __init__(self, module, library, options):
        self.module, self.library, self.options = module, library, options

    def __getattr__(self, name):
        return getattr(self.module, name)

    def __call__(self, *inputs):
        return self.module(*inputs, **self.options(self.library))


def causal(T, size, boolean=False):
    mask = T.nn.Transformer.generate_square_subsequent_mask(size, dtype=T.float64)
    return mask < 0 if boolean else mask


PADDING = [[False, False, False, True], [False, False, True, True]]
ENCODER = "nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, {}), 2, nn.LayerNorm(6, dtype=T.float64))"
DECODER = "nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, {}), 2)"
X, Y = normal(4, 2, 6), normal(3, 2, 6)

CASES = {
    "encoder layer": ("nn.TransformerEncoderLayer(6, 2, 8, 0.0, {})", lambda T: {}, (X,)),
    "norm first": ("nn.TransformerEncoderLayer(6, 2, 8, 0.0, 'gelu', norm_first=True, {})", lambda T: {"src_mask": causal(T, 4)}, (X,)),
    "no bias": ("nn.TransformerEncoderLayer(6, 3, 8, 0.0, bias=False, batch_first=True, activation=T.tanh, {})", lambda T: {"src_mask": causal(T, 2), "is_causal": True}, (X,)),
    "padding": ("nn.TransformerEncoderLayer(6, 2, 8, 0.0, {})", lambda T: {"src_key_padding_mask": T.tensor(PADDING), "src_mask": causal(T, 4, True)}, (X,)),
    "unbatched": ("nn.TransformerEncoderLayer(6, 2, 8, 0.0, layer_norm_eps=0.1, {})", lambda T: {}, (normal(3, 6),)),
    "decoder layer": ("nn.TransformerDecoderLayer(6, 2, 8, 0.0, {})", lambda T: {}, (Y, X)),
    "decoder layer, norm first": ("nn.TransformerDecoderLayer(6, 2, 8, 0.0, 'gelu', norm_first=True, bias=False, {})", lambda T: {"tgt_mask": causal(T, 3), "tgt_is_causal": True, "memory_key_padding_mask": T.tensor(PADDING)}, (Y, X)),
    "encoder": (ENCODER, lambda T: {"mask": causal(T, 4)}, (X,)),
    "encoder, bool mask": (ENCODER, lambda T: {"mask": causal(T, 4, True), "src_key_padding_mask": T.tensor(PADDING)}, (X,)),
    "encoder, no causal mask": (ENCODER, lambda T: {"mask": T.eye(4, dtype=T.float64)}, (X,)),
    "decoder": (DECODER, lambda T: {"tgt_mask": causal(T, 3), "memory_mask": T.eye(3, 4).bool()}, (Y, X)),
    "transformer": ("nn.Transformer(6, 2, 1, 1, 8, {})", lambda T: {"tgt_mask": causal(T, 3)}, (X, Y)),
    "transformer, padding": ("nn.Transformer(6, 2, 1, 2, 8, batch_first=True, norm_first=True, activation='gelu', {})", lambda T: {"src_key_padding_mask": T.tensor(PADDING), "memory_key_padding_mask": T.tensor(PADDING), "tgt_mask": causal(T, 3, True)}, (X.swapaxes(0, 1), Y.swapaxes(0, 1))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_in_evaluation_to_the_second_derivative(name):
    text, options, inputs = CASES[name]
    ours, theirs = build(text.format("dtype=T.float64"))
    assert_same_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    inputs = [np.ascontiguousarray(x) for x in inputs]
    compare_modules(Call(ours.eval(), tinytorch, options), Call(theirs.eval(), torch, options), *inputs)


@pytest.mark.parametrize(
    "text",
    [
        "nn.TransformerEncoderLayer(6, 2, 8)",
        "nn.Transformer(6, 2, 2, 1, 8)",
        "nn.Transformer(6, 3, 1, 1, 8, 0.4, norm_first=True, batch_first=True)",
    ],
)
def test_training_with_dropout_has_the_same_random_numbers(text):
    def run(T):
        model = eval(text, {"nn": T.nn})
        x = T.randn(3, 3, 6)
        y = model(x) if "Layer" in text else model(x, x)
        (y * T.randn(3, 3, 6)).sum().backward()
        return [y, *[p.grad for p in model.parameters()]]

    for ours, theirs in zip(*both(run), strict=True):
        equal_tensors("result", ours, theirs, looser=25)


def test_training_steps_coincide_with_pytorch():
    def train(T):
        model = T.nn.TransformerEncoder(T.nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2)
        head = T.nn.Linear(8, 3)
        optimizer = T.optim.AdamW([*model.parameters(), *head.parameters()], lr=0.01)
        x, y = T.randn(6, 5, 8), T.randint(0, 3, (6,))
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(head(model(x).mean(1)), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    ours, theirs = both(train)
    np.testing.assert_allclose(ours, theirs, 1e-4)


ENCODERS = {
    "plain": {}, "two norms": {"norm_first": True}, "time first": {"batch_first": False}, "one head": {"nhead": 1},
    "gelu": {"activation": "gelu"}, "silu": {"activation": "silu"}, "without bias": {"bias": False},
}  # fmt: skip
PADDINGS = {
    "at the ends": [[0, 0, 0, 1, 1], [0, 0, 0, 0, 1]],
    "of all": [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1]],
    "within": [[0, 1, 0, 1, 1], [0, 0, 0, 0, 1]],
}


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("how", ["inference", "training", "recorded", "nested off", "fast path off"])
def test_padded_positions_are_zero_where_pytorch_skips_them(kind, padding, how):
    def run(T):
        options = {
            "d_model": 8,
            "nhead": 2,
            "dim_feedforward": 16,
            "batch_first": True,
            "dropout": 0.0,
            **ENCODERS[kind],
        }
        if options.get("activation") == "silu":
            options["activation"] = T.nn.functional.silu
        layer = T.nn.TransformerEncoderLayer(**options)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = T.nn.TransformerEncoder(layer, 2, T.nn.LayerNorm(8), enable_nested_tensor=how != "nested off")
        model.train(how == "training")
        x = T.randn(2, 5, 8).transpose(0, 0 if options["batch_first"] else 1)
        before = T.backends.mha.get_fastpath_enabled()
        T.backends.mha.set_fastpath_enabled(how != "fast path off")
        try:
            with warnings.catch_warnings(), T.set_grad_enabled(how in ("training", "recorded")):
                warnings.simplefilter("ignore")  # PyTorch's nested tensors are a prototype
                y = model(x, src_key_padding_mask=T.tensor(PADDINGS[padding], dtype=T.bool))
        finally:
            T.backends.mha.set_fastpath_enabled(before)
        return y.detach(), [str(warning.message) for warning in caught]

    (ours, our_words), (theirs, their_words) = both(run)
    assert our_words == their_words
    equal_tensors("result", ours, theirs, looser=5)


def test_custom_encoder_and_copies():
    def run(T):
        model = T.nn.Transformer(4, 2, custom_encoder=T.nn.Identity(), num_decoder_layers=2, dim_feedforward=8).eval()
        assert not any(
            a is b
            for a, b in zip(model.decoder.layers[0].parameters(), model.decoder.layers[1].parameters(), strict=True)
        )
        x = T.ones(3, 1, 4)
        return copy.deepcopy(model).decoder(x, x), T.nn.Transformer.generate_square_subsequent_mask(4)

    for ours, theirs in zip(*both(run), strict=True):
        equal_tensors("result", ours, theirs)


@pytest.mark.parametrize(
    "function",
    [
        lambda T: T.nn.TransformerEncoderLayer(8, 2, 16, activation="x"),
        lambda T: T.nn.TransformerDecoderLayer(8, 3),
        lambda T: T.nn.Transformer(8, 2, 1, 1, 16)(T.ones(3, 2, 8), T.ones(3, 1, 8)),
        lambda T: T.nn.Transformer(8, 2, 1, 1, 16)(T.ones(3, 2, 7), T.ones(3, 2, 8)),
        lambda T: T.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)(T.ones(3, 2, 8), T.ones(2, 2, 8)),
        lambda T: T.nn.TransformerEncoderLayer(8, 2)(T.ones(3, 2, 8), T.ones(3, 3).long()),
        lambda T: T.nn.TransformerEncoderLayer(8, 2)(T.ones(3, 2, 8), is_causal=True),
    ],
)
def test_errors(function):
    assert_same_error(function)
