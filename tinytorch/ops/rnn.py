"""Recurrence: one layer in one direction over all time steps, as a single op.

The products of the inputs with their weights do not depend on the state, so they are done before, for all time steps
in one matrix product: ``gates = X W_ihᵀ + b``. What is left here is the loop over time. With σ the logistic function::

    RNN     h' = tanh(gates + h W_hhᵀ)                              or max(0, ...)
    LSTM    i, f, g, o = gates + h W_hhᵀ                            four parts of H columns each
            c' = σ(f) c + σ(i) tanh(g)
            h' = σ(o) tanh(c')                                      projected: h' W_hrᵀ
    GRU     a, b, m = gates;  p, q, s = h W_hhᵀ + b_hh
            r, z = σ(a + p), σ(b + q)
            n = tanh(m + r s)
            h' = (1 - z) n + z h = n + z (h - n)

Rows of a batch may end at different times. Then ``gates`` holds only rows that exist (a packed sequence):
``batch_sizes[t]`` rows of time 0, then of time 1, ..., longest sequences first. Step t changes the first
``batch_sizes[t]`` rows of the state; the others keep theirs. A full batch is the case in which all sizes are equal.

Backward walks the steps in the opposite order. Slopes, which do not depend on the incoming gradient, are computed for
many steps at once (:func:`_chunks`), and the gradient of W_hh is one matrix product after the loop. If the gradient is
to be differentiated again, the formula above is run in Tensor ops (the ``*_step`` functions) and the engine does the
rest.

Sources: Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014; Sak et al. 2014 (projections); ``torch.nn.LSTM``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.memory import aligned, empty
from tinytorch.kernels.products import matmul
from tinytorch.ops.checks import type_name
from tinytorch.ops.fused import as_tensors, recorded_gradients
from tinytorch.tensor import Tensor

__all__ = ["gru_sequence", "lstm_sequence", "rnn_sequence"]

Steps = list[tuple[slice, int]]
CHUNK = 1 << 16
"""Numbers that are computed for several steps at once, a quarter of a megabyte: the second-level cache holds more."""


def _steps(batch_sizes: Sequence[int], reverse: bool) -> Steps:
    """For each step, in the order of the walk: its rows among all, and their number."""
    steps, start = [], 0
    for size in batch_sizes:
        steps.append((slice(start, start + size), size))
        start += size
    return steps[::-1] if reverse else steps


def _chunks(steps: Steps, width: int) -> Iterator[tuple[slice, Steps]]:
    """The steps in groups of a few, each with its rows among all: what is computed for the rows of a group together,
    ``width`` numbers in each, stays in the cache until the steps have used it.
    """
    start = 0
    while start < len(steps):
        end, count = start, 0
        while end < len(steps) and count * width < CHUNK:
            count += steps[end][1]
            end += 1
        first, last = sorted((steps[start][0], steps[end - 1][0]), key=lambda rows: rows.start)
        yield slice(first.start, last.stop), steps[start:end]
        start = end


def _transposed(weight: np.ndarray, steps: int) -> np.ndarray:
    """The factor of every step's product; copied where there are several, as rows that lie in one piece are faster."""
    if steps == 1:
        return weight.T
    rows = aligned(weight.shape[::-1], weight.dtype)
    np.copyto(rows, weight.T)
    return rows


def _states_before(first: np.ndarray, after: np.ndarray, steps: Steps) -> np.ndarray:
    """The state that each step found, in the rows of that step, from the states that the steps left."""
    before = np.empty((after.shape[0], first.shape[1]), first.dtype)
    state = first.copy()
    for rows, n in steps:
        before[rows] = state[:n]
        state[:n] = after[rows]
    return before


def _sigmoid(x: np.ndarray) -> None:
    """σ(x) = 1 / (1 + e^-x), over x. Where e^-x overflows, 1 / (1 + inf) = 0 is right."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def _differentiable_backward(
    ctx: Any, step: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Any], n_states: int, grads: Sequence[Any]
) -> tuple[Any, ...]:
    """The gradients of a primitive as a recorded computation, row-major as those that are not recorded."""
    found = recorded_gradients(
        lambda *views: _run(step, views, n_states, ctx.attributes), inputs, ctx.needs_input_grad, grads
    )
    return tuple([None if gradient is None else gradient.contiguous() for gradient in found])


def _run(
    step: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Any], n_states: int, attributes: Any
) -> list[Tensor]:
    """All time steps in Tensor ops: [output, final states...]."""
    gates, states, weights = inputs[0], list(inputs[1 : 1 + n_states]), inputs[1 + n_states :]
    steps = _steps(attributes["batch_sizes"], attributes["reverse"])
    outputs = []
    for rows, n in steps:
        new = step(gates[rows], *[state[:n] for state in states], *weights, **attributes)
        states = [ops.cat([value, state[n:]]) for value, state in zip(new, states, strict=True)]
        outputs.append(new[0])
    return [ops.cat(outputs[::-1] if attributes["reverse"] else outputs), *states]


# ------------------------------------------------------------------------------------------ plain


def rnn_step(gates: Tensor, h: Tensor, w_hh: Tensor, nonlinearity: str, **_: Any) -> tuple[Tensor, ...]:
    """One step in Tensor ops."""
    x = gates + h.matmul(w_hh.t())
    return (x.tanh() if nonlinearity == "tanh" else ops.relu(x),)


class RNNSequence(Primitive):
    """gates (rows, H), h (N, H), w_hh (H, H) give output (rows, H) and the final h."""

    @staticmethod
    def forward(
        ctx: Any, gates: np.ndarray, h0: np.ndarray, w_hh: np.ndarray,
        nonlinearity: str, batch_sizes: Sequence[int], reverse: bool,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        output, h, weight = np.empty_like(gates, order="C"), h0.copy(), _transposed(w_hh, len(batch_sizes))
        for rows, n in _steps(batch_sizes, reverse):
            x = matmul(h[:n], weight, out=output[rows])
            x += gates[rows]
            h[:n] = np.tanh(x, out=x) if nonlinearity == "tanh" else np.maximum(x, x.dtype.type(0), out=x)
        ctx.save_for_backward(gates, h0, w_hh, output)
        return output, h

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor, grad_h: Tensor) -> tuple[Any, ...]:
        gates, h0, w_hh, output = ctx.saved_tensors
        if is_grad_enabled():
            return _differentiable_backward(ctx, rnn_step, (gates, h0, w_hh), 1, (grad_output, grad_h))
        steps = _steps(ctx.attributes["batch_sizes"], ctx.attributes["reverse"])
        y, weight, upper = output._array, w_hh._array, grad_output._array
        slope = 1 - y * y if ctx.attributes["nonlinearity"] == "tanh" else (y > 0).astype(y.dtype)
        dx, dh = np.empty_like(slope), grad_h._array.copy()
        for rows, n in steps[::-1]:
            np.multiply(dh[:n] + upper[rows], slope[rows], out=dx[rows])
            matmul(dx[rows], weight, out=dh[:n])
        dw = matmul(dx.T, _states_before(h0._array, y, steps)) if ctx.needs_input_grad[2] else None
        return as_tensors((dx, dh, dw))


# ------------------------------------------------------------------------------------------ LSTM


def lstm_step(gates: Tensor, h: Tensor, c: Tensor, w_hh: Tensor, w_hr: Tensor | None, **_: Any) -> tuple[Tensor, ...]:
    """One step in Tensor ops."""
    i, f, g, o = (gates + h.matmul(w_hh.t())).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if w_hr is None else h.matmul(w_hr.t())), c


class LSTMSequence(Primitive):
    """gates (rows, 4 H), h (N, P), c (N, H), w_hh (4 H, P), w_hr (P, H) or None (then P = H) give output (rows, P) and
    the final h and c."""

    @staticmethod
    def forward(
        ctx: Any, gates: np.ndarray, h0: np.ndarray, c0: np.ndarray, w_hh: np.ndarray, w_hr: np.ndarray | None,
        batch_sizes: Sequence[int], reverse: bool,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        rows_in_all, size = gates.shape[0], c0.shape[1]
        active = np.empty_like(gates, order="C")  # σ(i), σ(f), tanh(g), σ(o)
        cells = np.empty((rows_in_all, size), gates.dtype)
        output = np.empty((rows_in_all, h0.shape[1]), gates.dtype)
        h, c, weight = h0.copy(), c0.copy(), _transposed(w_hh, len(batch_sizes))
        scale = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], gates.dtype), size)
        shift = 1 - scale
        for rows, n in _steps(batch_sizes, reverse):
            x = matmul(h[:n], weight, out=active[rows])
            x += gates[rows]
            x *= scale  # σ(x) = tanh(x / 2) / 2 + 1 / 2, so one tanh does for all four gates
            np.tanh(x, out=x)
            x *= scale
            x += shift
            i, f, g, o = (x[:, k * size : (k + 1) * size] for k in range(4))
            new_c = np.multiply(f, c[:n], out=cells[rows])
            new_c += i * g
            c[:n] = new_c
            new_h = np.tanh(new_c)
            new_h *= o
            h[:n] = output[rows] = new_h if w_hr is None else new_h @ w_hr.T
        ctx.save_for_backward(gates, h0, c0, w_hh, w_hr, output)
        ctx.save_intermediates(active, cells)
        return output, h, c

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor, grad_h: Tensor, grad_c: Tensor) -> tuple[Any, ...]:
        gates, h0, c0, w_hh, w_hr, output = ctx.saved_tensors
        if is_grad_enabled():
            inputs, grads = (gates, h0, c0, w_hh, w_hr), (grad_output, grad_h, grad_c)
            return _differentiable_backward(ctx, lstm_step, inputs, 2, grads)
        active, cells = ctx.intermediates
        steps = _steps(ctx.attributes["batch_sizes"], ctx.attributes["reverse"])
        dx, dh, dc, unprojected = _lstm_walk(
            active, cells, _states_before(c0._array, cells, steps), w_hh._array,
            None if w_hr is None else w_hr._array,
            grad_output._array, grad_h._array, grad_c._array, steps,
        )  # fmt: skip
        dw_hh = matmul(dx.T, _states_before(h0._array, output._array, steps)) if ctx.needs_input_grad[3] else None
        dw_hr = None
        if w_hr is not None:
            size = cells.shape[1]
            dw_hr = unprojected.T @ (active[:, 3 * size :] * np.tanh(cells))
        return as_tensors((dx, dh, dc, dw_hh, dw_hr))


def _lstm_walk(
    active: np.ndarray, cells: np.ndarray, cells_before: np.ndarray, w_hh: np.ndarray, w_hr: np.ndarray | None,
    upper: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray, steps: Steps,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Gradients of gates, first h and first c; and, for the projection, of every step's output.

    ``∂c'/∂`` of the gates i, f, g and ``∂h/∂o``, σ and tanh included, are put into the four parts of ``dx``, and
    multiplied there by the gradients of c' and h.
    """
    size = cells.shape[1]
    dx, outer = empty((len(cells), 4, size), cells.dtype), upper if w_hr is None else np.empty_like(upper)
    dh, dc = grad_h.copy(), grad_c.copy()
    for part, chunk in _chunks(steps[::-1], 4 * size):
        i, f, g, o = (active[part, k * size : (k + 1) * size] for k in range(4))
        tanh_c = np.tanh(cells[part])
        np.multiply(g * i, 1 - i, out=dx[part, 0])
        np.multiply(cells_before[part] * f, 1 - f, out=dx[part, 1])
        np.multiply(i, 1 - g * g, out=dx[part, 2])
        np.multiply(tanh_c * o, 1 - o, out=dx[part, 3])
        through_tanh = o * (1 - tanh_c * tanh_c)
        for rows, n in chunk:
            here = slice(rows.start - part.start, rows.stop - part.start)
            dh_now = dh[:n] + upper[rows]
            if w_hr is not None:
                outer[rows] = dh_now
                dh_now = dh_now @ w_hr
            dc_now, dx_now = dc[:n], dx[rows]
            dc_now += dh_now * through_tanh[here]
            dx_now[:, :3] *= dc_now[:, None]
            dx_now[:, 3] *= dh_now
            dc_now *= f[here]
            matmul(dx_now.reshape(n, 4 * size), w_hh, out=dh[:n])
    return dx.reshape(-1, 4 * size), dh, dc, outer


# ------------------------------------------------------------------------------------------ GRU


def gru_step(gates: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None, **_: Any) -> tuple[Tensor, ...]:
    """One step in Tensor ops."""
    a, b, m = gates.chunk(3, 1)
    p, q, s = ops.linear(h, w_hh, b_hh).chunk(3, 1)
    z = (b + q).sigmoid()
    n = (m + (a + p).sigmoid() * s).tanh()
    return (n + z * (h - n),)


class GRUSequence(Primitive):
    """gates (rows, 3 H), h (N, H), w_hh (3 H, H), b_hh (3 H,) or None give output (rows, H) and the final h."""

    @staticmethod
    def forward(
        ctx: Any, gates: np.ndarray, h0: np.ndarray, w_hh: np.ndarray, b_hh: np.ndarray | None,
        batch_sizes: Sequence[int], reverse: bool,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        size = h0.shape[1]
        active = gates.copy(order="C")  # r, z, n
        hidden = np.empty((gates.shape[0], size), gates.dtype)  # s
        output, h, weight = np.empty_like(hidden), h0.copy(), _transposed(w_hh, len(batch_sizes))
        for rows, n in _steps(batch_sizes, reverse):
            product = matmul(h[:n], weight)
            if b_hh is not None:
                product += b_hh
            r_and_z, new = active[rows, : 2 * size], active[rows, 2 * size :]
            r_and_z += product[:, : 2 * size]
            _sigmoid(r_and_z)
            hidden[rows] = s = product[:, 2 * size :]
            new += r_and_z[:, :size] * s
            np.tanh(new, out=new)
            y = np.subtract(h[:n], new, out=output[rows])
            y *= r_and_z[:, size:]
            y += new
            h[:n] = y
        ctx.save_for_backward(gates, h0, w_hh, b_hh, output)
        ctx.save_intermediates(active, hidden)
        return output, h

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor, grad_h: Tensor) -> tuple[Any, ...]:
        gates, h0, w_hh, b_hh, output = ctx.saved_tensors
        if is_grad_enabled():
            return _differentiable_backward(ctx, gru_step, (gates, h0, w_hh, b_hh), 1, (grad_output, grad_h))
        active, s = ctx.intermediates
        steps = _steps(ctx.attributes["batch_sizes"], ctx.attributes["reverse"])
        before, size, upper = _states_before(h0._array, output._array, steps), s.shape[1], grad_output._array
        product, dm = (empty((len(s), *parts, size), s.dtype) for parts in ((3,), ()))
        dh = grad_h._array.copy()
        for part, chunk in _chunks(steps[::-1], 3 * size):
            r, z, new = (active[part, k * size : (k + 1) * size] for k in range(3))
            to_m = np.multiply(1 - z, 1 - new * new, out=dm[part])  # ∂h'/∂m; ∂h'/∂s is r times that
            np.multiply(to_m * s[part], r * (1 - r), out=product[part, 0])
            np.multiply(before[part] - new, z * (1 - z), out=product[part, 1])
            np.multiply(to_m, r, out=product[part, 2])
            for rows, n in chunk:
                dh_now = dh[:n] + upper[rows]
                product[rows] *= dh_now[:, None]
                dm[rows] *= dh_now
                matmul(product[rows].reshape(n, 3 * size), w_hh._array, out=dh[:n])
                dh[:n] += dh_now * z[rows.start - part.start : rows.stop - part.start]
        d_product = product.reshape(-1, 3 * size)
        dx = np.concatenate([d_product[:, : 2 * size], dm], axis=1)
        db_hh = None if b_hh is None else d_product.sum(0)
        dw_hh = matmul(d_product.T, before) if ctx.needs_input_grad[2] else None
        return as_tensors((dx, dh, dw_hh, db_hh))


# ------------------------------------------------------------------------------------------ functions


def _check_dtypes(gates: Tensor, *others: Tensor | None) -> None:
    for other in others:
        if other is not None and other._array.dtype != gates._array.dtype:
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {type_name(other)} and {type_name(gates)}"
            )


def rnn_sequence(
    gates: Tensor, h: Tensor, w_hh: Tensor, nonlinearity: str, batch_sizes: Sequence[int], reverse: bool = False
) -> tuple[Tensor, ...]:
    """A plain recurrence ("tanh" or "relu"); returns the output of all steps and the final state.

    RuntimeError if dtypes differ.
    """
    _check_dtypes(gates, h, w_hh)
    return RNNSequence.apply(gates, h, w_hh, nonlinearity=nonlinearity, batch_sizes=tuple(batch_sizes), reverse=reverse)


def lstm_sequence(
    gates: Tensor, h: Tensor, c: Tensor, w_hh: Tensor, w_hr: Tensor | None,
    batch_sizes: Sequence[int], reverse: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A long short-term memory; returns the output of all steps, the final h and the final c."""
    _check_dtypes(gates, h, c, w_hh, w_hr)
    return LSTMSequence.apply(gates, h, c, w_hh, w_hr, batch_sizes=tuple(batch_sizes), reverse=reverse)


def gru_sequence(
    gates: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None, batch_sizes: Sequence[int], reverse: bool = False
) -> tuple[Tensor, ...]:
    """Gated recurrent units; returns the output of all steps and the final state."""
    _check_dtypes(gates, h, w_hh, b_hh)
    return GRUSequence.apply(gates, h, w_hh, b_hh, batch_sizes=tuple(batch_sizes), reverse=reverse)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
