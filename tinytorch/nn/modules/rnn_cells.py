"""One time step of a recurrent layer, for loops written by hand. The formulas stand in :mod:`tinytorch.ops.rnn`."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.autograd.node import known_as
from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.ops.rnn import gru_sequence, lstm_sequence, rnn_sequence
from tinytorch.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """Parameters ``weight_ih`` (chunks · hidden_size, input_size), ``weight_hh`` (chunks · hidden_size, hidden_size)
    and the biases of both, at first uniform in ±1/√hidden_size."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows, new = num_chunks * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(ops.empty(rows, input_size, **new))
        self.weight_hh = Parameter(ops.empty(rows, hidden_size, **new))
        self.register_parameter("bias_ih", Parameter(ops.empty(rows, **new)) if bias else None)
        self.register_parameter("bias_hh", Parameter(ops.empty(rows, **new)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _batched(self, input: Tensor, *states: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Input (N, input_size) and states (N, hidden_size), zeros where None; of one sample, N = 1."""
        unbatched = input.dim() == 1
        input = input.unsqueeze(0) if unbatched else input
        batch = input.shape[0]
        if input.shape[1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[1]} expected {self.input_size}")
        complete = []
        for i, given in enumerate(states):
            if given is None:
                given = ops.zeros(batch, self.hidden_size, dtype=input.dtype)
            elif unbatched:
                given = given.unsqueeze(0)
            if given.shape[0] != batch:
                raise RuntimeError(f"Input batch size {batch} doesn't match hidden{i} batch size {given.shape[0]}")
            if given.shape[-1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {given.shape[-1]}, expected {self.hidden_size}"
                )
            complete.append(given)
        return input, complete

    def _gates(self, input: Tensor, both_biases: bool = True) -> Tensor:
        bias = self.bias_ih
        if both_biases and self.bias_hh is not None:
            bias = self.bias_ih + self.bias_hh
        return F.linear(input, self.weight_ih, bias)


def _check_dims(cell: str, what: str, tensor: Tensor) -> None:
    if tensor.dim() not in (1, 2):
        raise ValueError(f"{cell}: Expected {what} to be 1D or 2D, got {tensor.dim()}D instead")


class RNNCell(RNNCellBase):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu: (N, input_size) or (input_size,) to (N, hidden_size)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        _check_dims("RNNCell", "input", input)
        if hx is not None:
            _check_dims("RNNCell", "hidden", hx)
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        x, (h,) = self._batched(input, hx)
        h = rnn_sequence(self._gates(x), h, self.weight_hh, self.nonlinearity, [x.shape[0]])[1]
        known_as(h, f"{self.nonlinearity.title()}Backward0")
        return h if input.dim() == 2 else h.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of an :class:`~tinytorch.nn.LSTM`: input and (h, c) to the new (h, c)."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        _check_dims("LSTMCell", "input", input)
        for i, state in enumerate(() if hx is None else hx):
            _check_dims("LSTMCell", f"hx[{i}]", state)
        x, (h, c) = self._batched(input, *((None, None) if hx is None else hx))
        _, h, c = lstm_sequence(self._gates(x), h, c, self.weight_hh, None, [x.shape[0]])
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a :class:`~tinytorch.nn.GRU`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        _check_dims("GRUCell", "input", input)
        if hx is not None:
            _check_dims("GRUCell", "hidden", hx)
        x, (h,) = self._batched(input, hx)
        gates = self._gates(x, both_biases=False)
        h = known_as(gru_sequence(gates, h, self.weight_hh, self.bias_hh, [x.shape[0]])[1], "AddBackward0")
        return h if input.dim() == 2 else h.squeeze(0)
