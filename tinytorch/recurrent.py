"""Recurrent layers and cells as functions of their weights: ``torch.lstm``, ``torch.gru_cell`` and their kin.

Each puts the weights it is given into the layer of :mod:`tinytorch.nn` and runs that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinytorch.dtypes import int64
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.rnn import GRU, LSTM, RNN
from tinytorch.nn.modules.rnn_cells import GRUCell, LSTMCell, RNNCell
from tinytorch.nn.utils.rnn import PackedSequence
from tinytorch.tensor import Tensor

__all__ = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell"]

_GATES: dict[type, int] = {GRU: 3, LSTM: 4, RNN: 1}


def lstm(input: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
    """``lstm(input, (h, c), params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``.

    Or, for a packed sequence, ``lstm(data, batch_sizes, (h, c), params, ..., bidirectional)``. ``params`` are the
    weights of :class:`~tinytorch.nn.LSTM` layer after layer. Returns the outputs, the last h and the last c.
    """
    output, (h, c) = _run(LSTM, "", input, args)
    return output, h, c


def gru(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """As :func:`lstm`, with a state ``h``; returns the outputs and the last h."""
    return _run(GRU, "", input, args)


def rnn_tanh(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """As :func:`gru`, for ``RNN(nonlinearity="tanh")``."""
    return _run(RNN, "tanh", input, args)


def rnn_relu(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """As :func:`gru`, for ``RNN(nonlinearity="relu")``."""
    return _run(RNN, "relu", input, args)


def _run(kind: type, nonlinearity: str, input: Tensor, args: tuple[Any, ...]) -> Any:
    packed = isinstance(args[0], Tensor) and args[0].dtype is int64
    batch_sizes, args = (args[0], args[1:]) if packed else (None, args)
    hx, params, has_biases, num_layers, dropout, train, bidirectional = args[:7]
    layer = _layer(kind, params, has_biases, num_layers, bidirectional)
    layer.nonlinearity, layer.dropout, layer.training = nonlinearity, dropout, bool(train)
    layer.batch_first = not packed and bool(args[7])
    if batch_sizes is None:
        return layer(input, hx)
    output, last = layer(PackedSequence(input, batch_sizes), hx)
    return output.data, last


def _layer(kind: type, params: Sequence[Tensor], has_biases: bool, num_layers: int, bidirectional: bool) -> Any:
    """A layer with these weights; its own would be drawn at random, so it does not run ``__init__``."""
    layer: Any = object.__new__(kind)
    Module.__init__(layer)
    parts = num_layers * (2 if bidirectional else 1)
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if has_biases else [])]
    if len(params) == parts * (len(names) + 1):
        names.append("weight_hr")
    if len(params) != parts * len(names):
        raise RuntimeError(f"expected {parts * len(names)} weights, {len(names)} for each layer, got {len(params)}")
    layer.input_size, layer.hidden_size = params[0].shape[1], params[0].shape[0] // _GATES[kind]
    layer.num_layers, layer.bidirectional, layer.bias = num_layers, bidirectional, has_biases
    layer.proj_size = params[1].shape[1] if "weight_hr" in names else 0
    layer._all_weights = []
    for part in range(parts):
        suffix = f"_l{part // 2}{'_reverse' * (part % 2)}" if bidirectional else f"_l{part}"
        layer._all_weights.append([name + suffix for name in names])
        for name, weight in zip(layer._all_weights[-1], params[part * len(names) :], strict=False):
            setattr(layer, name, weight)
    return layer


def _cell(
    kind: type, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None, nonlinearity: str = ""
) -> Any:
    cell: Any = object.__new__(kind)
    Module.__init__(cell)
    cell.input_size, cell.hidden_size, cell.nonlinearity = w_ih.shape[1], w_hh.shape[1], nonlinearity
    cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh, cell.bias = w_ih, w_hh, b_ih, b_hh, b_ih is not None
    return cell


def lstm_cell(
    input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM: the new ``(h, c)``."""
    return _cell(LSTMCell, w_ih, w_hh, b_ih, b_hh)(input, tuple(hx))


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a GRU: the new h."""
    return _cell(GRUCell, w_ih, w_hh, b_ih, b_hh)(input, hx)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of an RNN with tanh: the new h."""
    return _cell(RNNCell, w_ih, w_hh, b_ih, b_hh, "tanh")(input, hx)


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of an RNN with relu: the new h."""
    return _cell(RNNCell, w_ih, w_hh, b_ih, b_hh, "relu")(input, hx)
