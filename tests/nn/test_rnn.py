"""Recurrent layers and cells: weights, outputs, gradients, second derivatives and errors as PyTorch's."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import equal_tensors
from tests.nn.layers import assert_same_error, assert_same_state, both, build, compare_modules
from tinytorch.autograd import gradcheck
from tinytorch.ops import rnn
from tinytorch.ops.rnn import gru_sequence, lstm_sequence, rnn_sequence

#: Compared here, by layer, to the second derivative.
COMPARED = ["RNNSequence", "LSTMSequence", "GRUSequence"]

RNG = np.random.default_rng(7)


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


class WithState:
    """Calls a layer with its state as separate arguments, for ``compare_modules``."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return getattr(self.module, name)

    def __call__(self, x, *states):
        return self.module(x, states if len(states) > 1 else states[0])


LAYERS = [
    "nn.RNN(3, 4, {})",
    "nn.RNN(3, 4, nonlinearity='relu', num_layers=2, {})",
    "nn.LSTM(3, 4, {})",
    "nn.LSTM(3, 4, 2, bidirectional=True, {})",
    "nn.LSTM(3, 4, 2, bias=False, proj_size=2, {})",
    "nn.LSTM(3, 4, 2, bidirectional=True, proj_size=3, batch_first=True, {})",
    "nn.GRU(3, 4, {})",
    "nn.GRU(3, 4, 2, bidirectional=True, batch_first=True, {})",
    "nn.GRU(3, 4, bias=False, {})",
]


@pytest.mark.parametrize("text", LAYERS)
def test_layers_in_float64_to_the_second_derivative(text):
    ours, theirs = build(text.format("dtype=T.float64"))
    assert_same_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    compare_modules(ours, theirs, normal(5, 2, 3))
    count = ours.num_layers * (2 if ours.bidirectional else 1)
    batch = 5 if ours.batch_first else 2
    states = [normal(count, batch, ours.proj_size or 4)]
    if ours.mode == "LSTM":
        states.append(normal(count, batch, 4))
    compare_modules(WithState(ours), WithState(theirs), normal(5, 2, 3), *states)
    compare_modules(ours, theirs, normal(6, 3), second=False)  # one sequence, no batch
    compare_modules(ours, theirs, normal(1, 1, 3), second=False)


@pytest.mark.parametrize("text", ["nn.RNN(5, 7, 2)", "nn.LSTM(5, 7, 2, bidirectional=True)", "nn.GRU(5, 7, 2)"])
def test_layers_in_float32(text):
    ours, theirs = build(text)
    assert_same_state(ours, theirs)
    compare_modules(ours, theirs, normal(9, 4, 5, dtype="float32"), second=False)


@pytest.mark.parametrize(
    "text",
    [
        "nn.RNN(3, 4, 3, dropout=0.5)",
        "nn.LSTM(3, 4, 3, dropout=0.4, bidirectional=True, batch_first=True)",
        "nn.GRU(3, 4, 2, dropout=0.3)",
    ],
)
def test_dropout_between_layers_has_the_same_random_numbers(text):
    def outputs(T):
        layer = eval(text, {"nn": T.nn})
        x = T.linspace(-1, 1, 5 * 2 * 3).reshape(5, 2, 3)
        return layer(x)[0], layer.eval()(x)[0]

    for ours, theirs in zip(*both(outputs), strict=True):
        equal_tensors("output", ours, theirs, looser=5)


class Packed:
    """A layer on a packed sequence made of a padded one; returns padded tensors."""

    def __init__(self, module, library, lengths, batch_first=False):
        self.module, self.rnn = module, library.nn.utils.rnn
        self.lengths, self.batch_first = lengths, batch_first

    def __getattr__(self, name):
        return getattr(self.module, name)

    def __call__(self, x, *states):
        packed = self.rnn.pack_padded_sequence(x, self.lengths, self.batch_first, enforce_sorted=False)
        output, last = self.module(packed, (states if len(states) > 1 else states[0]) if states else None)
        padded, lengths = self.rnn.pad_packed_sequence(output, self.batch_first, -1.0, total_length=6)
        return padded, lengths, last


@pytest.mark.parametrize(
    "text",
    [
        "nn.RNN(3, 4, dtype=T.float64)",
        "nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2, dtype=T.float64)",
        "nn.GRU(3, 4, 2, bidirectional=True, dtype=T.float64)",
    ],
)
@pytest.mark.parametrize("lengths", [[5, 3, 1], [2, 5, 4]])
def test_packed_sequences(text, lengths):
    ours, theirs = build(text)
    ours, theirs = Packed(ours, tinytorch, lengths), Packed(theirs, torch, lengths)
    compare_modules(ours, theirs, normal(5, 3, 3))
    count = ours.num_layers * (2 if ours.bidirectional else 1)
    states = [normal(count, 3, ours.proj_size or 4)] + ([normal(count, 3, 4)] if ours.mode == "LSTM" else [])
    compare_modules(ours, theirs, normal(5, 3, 3), *states, second=False)


@pytest.mark.parametrize(
    "text",
    [
        "nn.RNNCell(3, 4, dtype=T.float64)",
        "nn.RNNCell(3, 4, nonlinearity='relu', bias=False, dtype=T.float64)",
        "nn.LSTMCell(3, 4, dtype=T.float64)",
        "nn.GRUCell(3, 4, dtype=T.float64)",
        "nn.GRUCell(3, 4, bias=False, dtype=T.float64)",
    ],
)
def test_cells(text):
    ours, theirs = build(text)
    assert_same_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    compare_modules(ours, theirs, normal(2, 3))
    compare_modules(ours, theirs, normal(3))
    n_states = 2 if "LSTM" in text else 1
    compare_modules(WithState(ours), WithState(theirs), normal(2, 3), *[normal(2, 4) for _ in range(n_states)])
    compare_modules(WithState(ours), WithState(theirs), normal(3), *[normal(4) for _ in range(n_states)])


@pytest.mark.parametrize("chunk", [1, 30, rnn.CHUNK])
def test_first_derivative_of_the_loop_on_arrays_equals_the_recorded_one(chunk, monkeypatch):
    """Without ``create_graph`` backward is a loop on arrays, in chunks; with it, the formula in Tensor ops."""
    monkeypatch.setattr(rnn, "CHUNK", chunk)
    T = tinytorch
    make = lambda *shape: T.tensor(normal(*shape)).requires_grad_()  # noqa: E731
    sizes = [3, 3, 2, 1]
    cases = [
        (lambda *x: rnn_sequence(*x, "relu", sizes, True), (make(9, 4), make(3, 4), make(4, 4))),
        (lambda *x: rnn_sequence(*x, "tanh", sizes), (make(9, 4), make(3, 4), make(4, 4))),
        (lambda *x: lstm_sequence(*x, sizes, True), (make(9, 8), make(3, 3), make(3, 2), make(8, 3), make(3, 2))),
        (lambda *x: lstm_sequence(*x, None, sizes), (make(9, 8), make(3, 2), make(3, 2), make(8, 2))),
        (lambda *x: gru_sequence(*x, sizes), (make(9, 6), make(3, 2), make(6, 2), make(6))),
        (lambda *x: gru_sequence(*x, sizes, True), (make(9, 6), make(3, 2), make(6, 2), make(6))),
    ]
    for function, inputs in cases:
        outputs = function(*inputs)
        cotangents = [T.tensor(normal(*output.shape)) for output in outputs]
        recorded = T.autograd.grad(outputs, inputs, cotangents, create_graph=True)
        plain = T.autograd.grad(outputs, inputs, cotangents)
        for a, b in zip(recorded, plain, strict=True):
            assert a.requires_grad and not b.requires_grad
            np.testing.assert_allclose(a.detach().numpy(), b.numpy(), 1e-12, 1e-14)
        if chunk == rnn.CHUNK:
            assert gradcheck(function, inputs)


def test_second_derivative_when_one_input_was_computed_from_another():
    def run(T):
        w = T.linspace(-1, 1, 16, dtype=T.float64).reshape(4, 4).requires_grad_()
        cell = T.nn.RNN(4, 4, dtype=T.float64)
        y = cell(w.unsqueeze(1), (w * 2)[:1].unsqueeze(0))[0]
        (g,) = T.autograd.grad((y * y * y).sum(), w, create_graph=True)
        return (g, *T.autograd.grad((g * g).sum(), w))

    for ours, theirs in zip(*both(run), strict=True):
        equal_tensors("gradient", ours, theirs)


def test_training_steps_coincide_with_pytorch():
    def train(T):
        model = T.nn.LSTM(4, 6, 2, batch_first=True)
        head = T.nn.Linear(6, 2)
        optimizer = T.optim.Adam([*model.parameters(), *head.parameters()], lr=0.01)
        x, y = T.randn(8, 5, 4), T.randint(0, 2, (8,))
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(head(model(x)[0][:, -1]), y)
            loss.backward()
            T.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            losses.append(loss.item())
        return losses

    ours, theirs = both(train)
    np.testing.assert_allclose(ours, theirs, 1e-4)


def test_changing_the_output_in_place_is_noticed():
    layer = tinytorch.nn.GRU(2, 3)
    output = layer.forward(tinytorch.ones(4, 1, 2))[0]
    twice = output * 1.0
    twice.mul_(2)
    twice.sum().backward()  # a copy may change
    gates = tinytorch.ones(2, 3, requires_grad=True)
    y = rnn_sequence(gates, tinytorch.zeros(2, 3), tinytorch.eye(3), "tanh", [2])[0]
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_copies_pickles_and_all_weights():
    ours, theirs = build("nn.GRU(2, 3, 2, bidirectional=True)")
    assert [[tuple(w.shape) for w in ws] for ws in ours.all_weights] == [
        [tuple(w.shape) for w in ws] for ws in theirs.all_weights
    ]
    ours.flatten_parameters()
    x = tinytorch.ones(3, 2)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        np.testing.assert_array_equal(other(x)[0].detach().numpy(), ours(x)[0].detach().numpy())
    assert ours.double()(x.double())[0].dtype == tinytorch.float64


@pytest.mark.parametrize(
    "function",
    [
        lambda T: T.nn.LSTM(5, 4, proj_size=4),
        lambda T: T.nn.LSTM(5, 4, proj_size=-1),
        lambda T: T.nn.GRU(5, 4, proj_size=2),
        lambda T: T.nn.RNN(5, 4, proj_size=2),
        lambda T: T.nn.RNN(5, 4, nonlinearity="x"),
        lambda T: T.nn.RNNBase("LST", 5, 4),
        lambda T: T.nn.RNNBase("LSTM", 5, 4)(T.ones(2, 5)),
        lambda T: T.nn.LSTM(5.0, 4),
        lambda T: T.nn.LSTM(5, 0),
        lambda T: T.nn.LSTM(0, 4),
        lambda T: T.nn.LSTM(5, 4, 0),
        lambda T: T.nn.LSTM(5, 4, bias=1),
        lambda T: T.nn.LSTM(5, 4, batch_first=None),
        lambda T: T.nn.LSTM(5, 4, dropout=1.5),
        lambda T: T.nn.LSTM(5, 4)(T.ones(0, 2, 5)),
        lambda T: T.nn.LSTM(5, 4)(T.ones(5)),
        lambda T: T.nn.RNN(5, 4)(T.ones(5)),
        lambda T: T.nn.GRU(5, 4)(T.ones(2, 2, 4)),
        lambda T: T.nn.GRU(5, 4)(T.ones(2, 2, 5).double()),
        lambda T: T.nn.GRU(5, 4)(T.ones(2, 3, 5), T.ones(1, 2, 4)),
        lambda T: T.nn.GRU(5, 4)(T.ones(2, 3, 5), T.ones(2, 4)),
        lambda T: T.nn.GRU(5, 4)(T.ones(2, 5), T.ones(1, 2, 4)),
        lambda T: T.nn.LSTM(5, 4)(T.ones(2, 3, 5), (T.ones(1, 3, 4), T.ones(1, 4))),
        lambda T: T.nn.LSTM(5, 4)(T.ones(2, 5), (T.ones(1, 4), T.ones(1, 1, 4))),
        lambda T: T.nn.LSTM(5, 4, proj_size=2)(T.ones(3, 2, 5), (T.ones(1, 2, 4), T.ones(1, 2, 4))),
        lambda T: T.nn.LSTM(5, 4, proj_size=2)(T.ones(3, 2, 5), (T.ones(1, 2, 2), T.ones(1, 2, 2))),
        lambda T: T.nn.LSTMCell(5, 4)(T.ones(2, 6)),
        lambda T: T.nn.LSTMCell(5, 4)(T.ones(2, 5), (T.ones(2, 4), T.ones(3, 4))),
        lambda T: T.nn.LSTMCell(5, 4)(T.ones(2, 5), (T.ones(2, 4), T.ones(1, 2, 4))),
        lambda T: T.nn.GRUCell(5, 4)(T.ones(2, 5), T.ones(2, 3)),
        lambda T: T.nn.GRUCell(5, 4)(T.ones(1, 2, 5)),
        lambda T: T.nn.RNNCell(5, 4)(T.ones(2, 5), T.ones(1, 1, 4)),
        lambda T: T.nn.RNNCell(5, 4, True, "x")(T.ones(2, 5)),
        lambda T: T.nn.utils.rnn.pack_padded_sequence(T.ones(4, 3, 5), [4, 3]),
        lambda T: T.nn.utils.rnn.pack_padded_sequence(T.ones(4, 3, 5), [4, 3, 0]),
        lambda T: T.nn.utils.rnn.pack_padded_sequence(T.ones(4, 3, 5), [3, 4, 1]),
        lambda T: T.nn.utils.rnn.pack_padded_sequence(T.ones(4, 3, 5), T.tensor([[4, 3, 1]])),
        lambda T: T.nn.utils.rnn.pack_padded_sequence(T.ones(0, 3, 5), [4, 3, 1]),
        lambda T: T.nn.utils.rnn.pad_sequence([]),
        lambda T: T.nn.utils.rnn.pad_sequence(5),
        lambda T: T.nn.utils.rnn.pad_sequence([T.ones(2)], padding_side="x"),
        lambda T: T.nn.utils.rnn.pad_packed_sequence(T.nn.utils.rnn.pack_sequence([T.ones(3)]), total_length=2),
    ],
)
def test_errors(function):
    assert_same_error(function)


def test_helpers_for_sequences():
    def run(T):
        rnn = T.nn.utils.rnn
        a, b, c = T.arange(3.0), T.arange(2.0) + 10, T.arange(4.0) + 20
        packed = rnn.pack_sequence([a, b, c], enforce_sorted=False)
        padded = rnn.pad_sequence([a, b, c], padding_value=-1)
        return [
            *packed, packed.double().data, *rnn.unpack_sequence(packed), padded,
            rnn.pad_sequence([a, b, c], batch_first=True, padding_side="left"),
            *rnn.unpad_sequence(padded.clone(), T.tensor([3, 2, 4])),
            *rnn.pad_packed_sequence(packed, batch_first=True, padding_value=9),
            *rnn.pack_padded_sequence(padded, T.tensor([3, 2, 2]))[:2],
        ]  # fmt: skip

    ours, theirs = both(run)
    for our, their in zip(ours, theirs, strict=True):
        equal_tensors("value", our, their)


def test_a_length_beyond_the_padding_is_refused():
    """PyTorch reads past the end here."""
    with pytest.raises(RuntimeError, match="at most 4"):
        tinytorch.nn.utils.rnn.pack_padded_sequence(tinytorch.ones(4, 2), [5, 4])


def test_other_weights_may_stand_in_for_the_parameters():
    def run(T):
        model = T.nn.LSTM(3, 4, 2)
        x = T.randn(5, 2, 3)
        before = model(x)[0]
        model._flat_weights = [2 * weight for weight in model._flat_weights]
        loss = model(x)[0].pow(2).sum()
        gradients = T.autograd.grad(loss, list(model.parameters()), create_graph=True)
        return [before, loss, *gradients], len(list(model.parameters())), [g.stride() for g in gradients]

    ours, theirs = both(run)
    assert ours[1:] == theirs[1:]
    for mine, other in zip(ours[0], theirs[0], strict=True):
        equal_tensors("result", mine, other, looser=5)
