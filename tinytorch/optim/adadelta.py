"""Adadelta: steps in the parameters' own units. Next: :mod:`tinytorch.optim.adamax`.

What is different from :mod:`~tinytorch.optim.rmsprop`: g / sqrt(v) has no unit, so there lr must carry the
parameter's. Adadelta multiplies by the root of the running mean square u of its own past *changes*, and can
do with lr = 1 (Zeiler, 2012, https://arxiv.org/abs/1212.5701)::

    v <- rho * v + (1 - rho) * g * g
    change = sqrt(u + eps) / sqrt(v + eps) * g
    u <- rho * u + (1 - rho) * change * change
    p <- p - lr * change

``eps`` does more here than elsewhere: u starts at zero, so it alone makes the first step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["Adadelta"]


def adadelta_update(
    p: np.ndarray, g: np.ndarray, v: np.ndarray, u: np.ndarray, *, lr: float, rho: float, eps: float,
    weight_decay: float, maximize: bool,
) -> None:  # fmt: skip
    """Change ``p``, and the running means of squares of gradients ``v`` and of changes ``u``, in place."""
    g = direction(p, g, weight_decay, maximize)
    v *= rho
    v += (1 - rho) * g * g
    change = sqrt(u + eps) / sqrt(v + eps) * g
    u *= rho
    u += (1 - rho) * change * change
    p -= lr * change


class Adadelta(Optimizer):
    """Steps scaled by the root mean square of past steps (``torch.optim.Adadelta``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: factor of the change.
        rho: how much of the running means survives a step.
        eps: added inside both roots.
        weight_decay: strength of the pull towards zero.
        maximize: climb instead of descend.
        foreach: accepted; there is one implementation.

    Raises ValueError for negative options and for rho over 1.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "square_avg", "acc_delta")
        count_step(state)
        apply_formula(adadelta_update, param, group, state["square_avg"], state["acc_delta"])
