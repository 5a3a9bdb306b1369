"""ASGD: gradient descent, and the average of the path. Next: :mod:`tinytorch.optim.lbfgs`.

What is different from :mod:`~tinytorch.optim.sgd`: the step size eta shrinks by a fixed law, and from step t0
on the mean ``ax`` of all parameters passed through is kept in the state. The mean converges faster than the
path (Polyak and Juditsky, 1992)::

    p <- p * (1 - lambd * eta) - eta * g
    ax <- ax + mu * (p - ax)                    mu = 1 / max(1, t - t0)
    eta <- lr / (1 + lambd * lr * t)^alpha

Pitfall: ``ax`` is in ``optimizer.state``; the parameters themselves are not averaged.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["ASGD"]


def asgd_update(
    p: np.ndarray, g: np.ndarray, ax: np.ndarray, *, eta: float, mu: float, lambd: float, weight_decay: float,
    maximize: bool,
) -> None:  # fmt: skip
    """Change ``p`` by the gradient ``g``, and the average ``ax`` by the new ``p``, in place."""
    g = direction(p, g, weight_decay, maximize)
    p *= 1 - lambd * eta
    p -= eta * g
    if mu == 1:
        ax[...] = p
    else:
        ax += mu * (p - ax)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (``torch.optim.ASGD``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: the first step size.
        lambd: strength of the decay, of parameters and of step sizes.
        alpha: power of the decay of step sizes.
        t0: the step at which averaging starts.
        weight_decay: strength of the pull towards zero.
        maximize: climb instead of descend.
        foreach: accepted; there is one implementation.

    Raises ValueError for a negative lr or weight_decay.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state, lr, lambd = self.state[param], group["lr"], group["lambd"]
        if not state:
            start_state(state, param, "ax", eta=lr, mu=1.0)
        step = count_step(state)
        mu = state["mu"].clone() if group["differentiable"] else state["mu"].item()
        apply_formula(asgd_update, param, group, state["ax"], eta=state["eta"].item(), mu=mu)
        state["eta"].fill_(lr / (1 + lambd * lr * step) ** group["alpha"])
        state["mu"].fill_(1 / max(1, step - group["t0"]))
