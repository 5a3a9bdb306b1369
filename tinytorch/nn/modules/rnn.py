"""Recurrent layers: a state that is carried along a sequence. The formulas stand in :mod:`tinytorch.ops.rnn`.

Layer k reads the outputs of layer k - 1. A bidirectional layer runs a second set of weights from the end to the
start, and puts both outputs side by side.
"""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

from tinytorch import ops
from tinytorch.autograd.node import known_as
from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.nn.utils.rnn import PackedSequence
from tinytorch.ops.rnn import gru_sequence, lstm_sequence, rnn_sequence
from tinytorch.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """What RNN, LSTM and GRU share (``torch.nn.RNNBase``).

    Args:
        num_layers: how many layers are stacked.
        batch_first: sequences are (N, L, features), not (L, N, features); states are (layers, N, ...) in both cases.
        dropout: of the outputs of all layers but the last.
        bidirectional: a second direction, from the end.
        proj_size: LSTM only: h is projected to this size.

    Parameters of layer k, at first uniform in ±1/√hidden_size: ``weight_ih_lk`` (gates · hidden_size, features),
    ``weight_hh_lk`` (gates · hidden_size, hidden_size), ``bias_ih_lk``, ``bias_hh_lk``, and ``weight_hr_lk``
    (proj_size, hidden_size); those of the second direction end in ``_reverse``.

    Input: (L, N, input_size), (L, input_size), or a PackedSequence; and the first state, (layers · directions, N,
    hidden_size), zeros by default. Output: h of the last layer at all times, (L, N, directions · hidden_size); and
    the last state of every layer.
    """

    _stand_ins: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_arguments(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse") if bidirectional else ("",):
                self._add_weights(layer, suffix, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _add_weights(self, layer: int, suffix: str, new: dict[str, Any]) -> None:
        """The parameters of one layer in one direction."""
        rows, state_size = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        features = self.input_size if layer == 0 else state_size * (2 if self.bidirectional else 1)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, features), "weight_hh": (rows, state_size)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = [f"{name}_l{layer}{suffix}" for name in shapes]
        for name, shape in zip(names, shapes.values(), strict=True):
            self.register_parameter(name, Parameter(ops.empty(*shape, **new)))
        self._all_weights.append(names)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        """The names of :attr:`_flat_weights`."""
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        """The parameters one after the other, as :func:`tinytorch.lstm` takes them.

        Libraries for meta-learning set others in their place, functions of the parameters; these stay registered.
        """
        return [self._weight(name) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: list[Any]) -> None:
        self._stand_ins = dict(zip(self._flat_weights_names, weights, strict=True))

    def _weight(self, name: str) -> Any:
        """What to compute with under this name."""
        return self._stand_ins.get(name, getattr(self, name))

    def flatten_parameters(self) -> None:
        """Nothing: in PyTorch it lays the weights side by side for cuDNN."""

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text

    # ------------------------------------------------------------------------------------ running

    def _state_sizes(self) -> list[int]:
        """The width of each tensor of the state."""
        return [self.hidden_size]

    def _direction(
        self, x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor], batch_sizes: list[int], reverse: bool
    ) -> tuple[Tensor, ...]:
        """One layer in one direction: its output and last states."""
        raise NotImplementedError

    def _run(self, input: Any, states: tuple[Tensor, ...] | None) -> tuple[Any, tuple[Tensor, ...]]:
        """The output, shaped as the input, and the last states."""
        if isinstance(input, PackedSequence):
            return self._run_packed(input, states)
        dim, name = input.dim(), type(self).__name__
        if dim not in (2, 3):
            got = f"{dim}D tensor" if name == "RNN" else f"{dim}D"
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {got} instead")
        if states is not None:
            _check_state_dims(states, batched=dim == 3)
        x = input
        if dim == 2:
            x = input.unsqueeze(1)
            states = None if states is None else tuple([state.unsqueeze(1) for state in states])
        elif self.batch_first:
            x = input.transpose(0, 1)
        length, batch, features = x.shape
        self._check_input(x, 3)
        states = self._complete(states, x, batch)
        if length == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        y, last = self._layers(x.reshape(length * batch, features), states, [batch] * length)
        if dim == 2:
            return y, tuple([state.squeeze(1) for state in last])
        last_op = "MkldnnRnnLayerBackward0" if name == "LSTM" else "StackBackward0"
        y = known_as(y.reshape(length, batch, y.shape[1]), "CatBackward0" if self.bidirectional else last_op)
        return (y.transpose(0, 1) if self.batch_first else y), last

    def _run_packed(self, input: PackedSequence, states: Any) -> tuple[PackedSequence, tuple[Tensor, ...]]:
        x, batch_sizes, sorted_indices, unsorted_indices = input
        sizes = batch_sizes.tolist()
        if states is not None and sorted_indices is not None:
            states = tuple([state.index_select(1, sorted_indices) for state in states])
        self._check_input(x, 2)
        y, last = self._layers(x, self._complete(states, x, sizes[0]), sizes)
        if unsorted_indices is not None:
            last = tuple([state.index_select(1, unsorted_indices) for state in last])
        return PackedSequence(y, batch_sizes, sorted_indices, unsorted_indices), last

    def _layers(
        self, x: Tensor, states: tuple[Tensor, ...], batch_sizes: list[int]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """All layers; x is (rows, features), the rows of time 0 first."""
        directions = 2 if self.bidirectional else 1
        first = list(zip(*[state.unbind(0) for state in states], strict=True))
        last = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                index = layer * directions + direction
                weights = {name.split("_l")[0]: self._weight(name) for name in self._all_weights[index]}
                y, *after = self._direction(x, first[index], weights, batch_sizes, direction == 1)
                outputs.append(y)
                last.append(after)
            x = outputs[0] if directions == 1 else ops.cat(outputs, 1)
            if layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, tuple([ops.stack(list(states)) for states in zip(*last, strict=True)])

    # ------------------------------------------------------------------------------------ checks

    def _check_input(self, x: Tensor, ndim: int) -> None:
        weight = getattr(self, self._all_weights[0][0])
        if x.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({x.dtype})"
            )
        if x.dim() != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {x.dim()}")
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )

    def _complete(self, states: tuple[Tensor, ...] | None, x: Tensor, batch: int) -> tuple[Tensor, ...]:
        """The first states, checked; zeros if there are none."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = self._state_sizes()
        if states is None:
            return tuple([ops.zeros(count, batch, size, dtype=x.dtype) for size in sizes])
        for i, (state, size) in enumerate(zip(states, sizes, strict=True)):
            if state.shape != (count, batch, size):
                which = "" if len(sizes) == 1 else f"[{i}]"
                raise RuntimeError(f"Expected hidden{which} size {(count, batch, size)}, got {list(state.shape)}")
        return states


def _check_state_dims(states: tuple[Tensor, ...], batched: bool) -> None:
    dims = [state.dim() for state in states]
    expected = 3 if batched else 2
    if all(dim == expected for dim in dims):
        return
    kind = f"For {'batched 3-D' if batched else 'unbatched 2-D'} input, hx"
    if len(dims) == 1:
        raise RuntimeError(f"{kind} should also be {expected}-D but got {dims[0]}-D tensor")
    raise RuntimeError(f"{kind} and cx should also be {expected}-D but got ({dims[0]}-D, {dims[1]}-D) tensors")


def _check_arguments(
    input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool, dropout: float, proj_size: int
) -> None:
    if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _both_biases(weights: dict[str, Tensor]) -> Tensor | None:
    """Where the biases are only ever added, their sum can go into the product for all time steps."""
    return weights["bias_ih"] + weights["bias_hh"] if "bias_ih" in weights else None


# ------------------------------------------------------------------------------------------ the layers


class RNN(RNNBase):
    """``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)`` (Elman 1990); ``nonlinearity="relu"`` for relu."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h

    def _direction(
        self, x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor], batch_sizes: list[int], reverse: bool
    ) -> tuple[Tensor, ...]:
        gates = F.linear(x, weights["weight_ih"], _both_biases(weights))
        return rnn_sequence(gates, states[0], weights["weight_hh"], self.nonlinearity, batch_sizes, reverse)


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): the state is a pair (h, c)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        output, (h, c) = self._run(input, None if hx is None else (hx[0], hx[1]))
        return output, (h, c)

    def _state_sizes(self) -> list[int]:
        return [self.proj_size or self.hidden_size, self.hidden_size]

    def _direction(
        self, x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor], batch_sizes: list[int], reverse: bool
    ) -> tuple[Tensor, ...]:
        gates = F.linear(x, weights["weight_ih"], _both_biases(weights))
        h, c = states
        return lstm_sequence(gates, h, c, weights["weight_hh"], weights.get("weight_hr"), batch_sizes, reverse)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al. 2014), with the reset gate after the matrix product, as in PyTorch and
    cuDNN."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h

    def _direction(
        self, x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor], batch_sizes: list[int], reverse: bool
    ) -> tuple[Tensor, ...]:
        gates = F.linear(x, weights["weight_ih"], weights.get("bias_ih"))
        return gru_sequence(gates, states[0], weights["weight_hh"], weights.get("bias_hh"), batch_sizes, reverse)


def __getattr__(name: str) -> Any:
    from tinytorch.nn.modules.places import found_elsewhere

    return found_elsewhere(__name__, name)
