"""Adafactor: Adam's second moment from one row and one column. Next: :mod:`tinytorch.optim.muon`.

What is different from :mod:`~tinytorch.optim.adam`: for a matrix of n x m numbers Adam remembers n x m mean squares.
Adafactor (Shazeer and Stern, 2018, https://arxiv.org/abs/1804.04235) remembers the mean of each row and of each
column, n + m numbers, and takes the matrix of rank one that they determine::

    r <- mean of rows of g * g,  c <- mean of columns          (running means, with weight t ** beta2_decay)
    v  = r c / mean(r)                                         (vectors keep their own v)
    u  = g / sqrt(v)
    p <- p - min(lr, 1 / sqrt(t)) * max(eps2, rms(p)) * u / max(1, rms(u) / d)

The step is relative to the size of the parameters, ``rms(p)``, and an update that is unusually large is clipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.optimizer import Optimizer, ParamsT, check_at_least_zero, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam with a factored second moment and relative steps (``torch.optim.Adafactor``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: the largest relative step.
        beta2_decay: the running means forget with weight ``1 - t ** beta2_decay``; not positive.
        eps: (smallest root of the second moment, by default the dtype's epsilon; smallest size of the parameters).
        d: updates whose root mean square is over ``d`` are scaled down to it.
        weight_decay: strength of the pull towards zero, apart from the gradient as in AdamW.
        foreach: accepted; there is one implementation.
        maximize: climb instead of descend.

    Raises ValueError for options out of their range, RuntimeError for complex parameters.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_at_least_zero(lr=lr)
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        check_at_least_zero(epsilon1=eps[0] or 0.0, epsilon2=eps[1])
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_at_least_zero(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        p, g, state = param._array, param.grad._array, self.state[param]  # type: ignore[union-attr]
        if p.dtype.kind == "c":
            raise RuntimeError("Adafactor does not support complex parameters")
        if not state:
            self._start(param)
        step, lr, (eps1, eps2) = count_step(state), float(group["lr"]), group["eps"]
        eps1 = float(np.finfo(p.dtype).eps) if eps1 is None else eps1
        if group["maximize"]:
            g = -g
        relative_step = max(eps2, _root_mean_square(p)) * min(lr, step**-0.5)
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        v = np.maximum(_second_moment(state, g, step ** group["beta2_decay"], eps1), eps1 * eps1)
        u = g / np.sqrt(v)
        p -= (relative_step / max(1.0, _root_mean_square(u) / group["d"])) * u

    def _start(self, param: Tensor) -> None:
        state, shape = self.state[param], param._array.shape
        if len(shape) < 2:
            start_state(state, param, "variance")
            return
        start_state(state, param)
        state["row_var"] = Tensor._wrap(np.zeros((*shape[:-1], 1), param._array.dtype))
        state["col_var"] = Tensor._wrap(np.zeros((*shape[:-2], 1, shape[-1]), param._array.dtype))


def _second_moment(state: dict[str, Any], g: np.ndarray, weight: float, eps1: float) -> np.ndarray:
    """Let the running means take in ``g * g`` with ``weight``; the estimate of it for each element."""
    square = g * g
    if "variance" in state:
        variance = state["variance"]._array
        variance += weight * (square - variance)
        return variance
    row, column = state["row_var"]._array, state["col_var"]._array
    row += weight * (square.mean(-1, keepdims=True) - row)
    column += weight * (square.mean(-2, keepdims=True) - column)
    return row * column / np.maximum(row.mean(-2, keepdims=True), eps1)


def _root_mean_square(x: np.ndarray) -> float:
    return float(np.linalg.norm(x.ravel())) / x.size**0.5
