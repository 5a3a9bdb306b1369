"""Rprop: only the sign of the gradient counts. Next: :mod:`tinytorch.optim.asgd`.

Each number has a step size of its own. It grows while the gradient keeps its sign and shrinks when the sign
changes, which means that a minimum was jumped over; then this one step is left out (Riedmiller and Braun,
1993)::

    s = eta_plus if g * g_before > 0,  eta_minus if g * g_before < 0,  else 1
    size <- clip(size * s, smallest, largest)
    g <- 0 where the sign changed
    p <- p - sign(g) * size

For full batches only: with mini-batches signs change by chance. That problem led to
:mod:`~tinytorch.optim.rmsprop`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, clip, sign
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["Rprop"]


def rprop_update(
    p: np.ndarray, g: np.ndarray, g_before: np.ndarray, size: np.ndarray, *, eta_minus: float, eta_plus: float,
    smallest: float, largest: float, maximize: bool,
) -> None:  # fmt: skip
    """Change ``p``, the gradient before ``g_before`` and the step sizes ``size``, in place."""
    g = direction(p, g, 0.0, maximize)
    factor = sign(g * (0 + g_before))  # a copy: autograd may save it, and g_before changes below
    turned = factor < 0
    factor[factor > 0] = eta_plus
    factor[turned] = eta_minus
    factor[factor == 0] = 1
    size *= factor
    clip(size, smallest, largest)
    g_before[...] = g
    g_before[turned] = 0
    p -= sign(g_before) * size


class Rprop(Optimizer):
    """Resilient backpropagation (``torch.optim.Rprop``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: the first step size.
        etas: factors when the sign changes and when it stays.
        step_sizes: smallest and largest step size.
        maximize: climb instead of descend.
        foreach: accepted; there is one implementation.

    Raises ValueError for a negative lr and unless 0 < etas[0] < 1 < etas[1].
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "prev", "step_size")
            lr = float(group["lr"])
            state["step_size"]._array[...] = complex(lr, lr) if param._array.dtype.kind == "c" else lr
        count_step(state)
        (eta_minus, eta_plus), (smallest, largest) = group["etas"], group["step_sizes"]
        apply_formula(
            rprop_update, param, group, state["prev"], state["step_size"],
            eta_minus=eta_minus, eta_plus=eta_plus, smallest=smallest, largest=largest,
        )  # fmt: skip
