"""``torch.lstm``, ``torch.gru_cell`` and their kin beside PyTorch's, on the weights of PyTorch's own layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch


def _over(library: Any, tensors: Any) -> list[Any]:
    return [library.from_numpy(tensor.detach().numpy().copy()).requires_grad_() for tensor in tensors]


def _agree(call: Any, inputs: list[Any]) -> None:
    results = []
    for library in (torch, tinytorch):
        leaves = _over(library, inputs)
        output = call(library, leaves)
        output = output if isinstance(output, tuple) else (output,)
        sum((each * library.arange(each.numel()).reshape(each.shape)).sum() for each in output).backward()
        results.append([t.detach().numpy() for t in output] + [leaf.grad.numpy() for leaf in leaves])
    for mine, theirs in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_layers(name: str) -> None:
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(name, torch.nn.RNN)
    torch.manual_seed(0)
    for layers, biases, both, batch_first in ((1, True, False, False), (2, False, True, True), (2, True, True, False)):
        weights = list(kind(3, 4, layers, bias=biases, bidirectional=both).parameters())
        x, state = torch.randn(5, 2, 3), torch.randn(layers * (1 + both), 5 if batch_first else 2, 4)
        tail = (biases, layers, 0.0, True, both)

        def whole(library: Any, leaves: Any, tail: Any = tail, batch_first: bool = batch_first) -> Any:
            x, h, c, *params = leaves
            return getattr(library, name)(x, (h, c) if name == "lstm" else h + 0 * c, params, *tail, batch_first)

        def packed(library: Any, leaves: Any, tail: Any = tail) -> Any:
            x, h, c, *params = leaves
            states = (h, c) if name == "lstm" else h + 0 * c
            return getattr(library, name)(x[0], library.tensor([2, 1]), states, params, *tail)

        _agree(whole, [x, state, state / 2, *weights])
        if not batch_first:
            _agree(packed, [torch.randn(1, 3, 3), state, state / 2, *weights])
    for library in (torch, tinytorch):
        layer = library.nn.LSTM(3, 4, 2, bidirectional=True)
        assert all(a is b for a, b in zip(layer._flat_weights, layer.parameters(), strict=True))
        with pytest.raises((RuntimeError, IndexError)):
            library.lstm(
                library.ones(1, 1, 1),
                (library.ones(1, 1, 1),) * 2,
                [library.ones(4, 1)] * 3,
                True,
                1,
                0.0,
                True,
                False,
                False,
            )


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_cells(name: str) -> None:
    rows = {"lstm": 4, "gru": 3}.get(name, 1) * 4
    torch.manual_seed(0)
    x, h, w_ih, w_hh, b = (torch.randn(*shape) for shape in ((2, 3), (2, 4), (rows, 3), (rows, 4), (rows,)))

    def cell(library: Any, leaves: Any) -> Any:
        x, h, c, *weights = leaves
        return getattr(library, f"{name}_cell")(x, (h, c) if name == "lstm" else h + 0 * c, *weights)

    _agree(cell, [x, h, h / 2, w_ih, w_hh])
    _agree(cell, [x, h, h / 2, w_ih, w_hh, b, b / 2])
