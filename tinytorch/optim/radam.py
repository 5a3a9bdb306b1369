"""RAdam: Adam that does not trust its squares too early. Next: :mod:`tinytorch.optim.rprop`.

What is different from :mod:`~tinytorch.optim.adam`: in the first steps v is a mean of very few squares and
1/sqrt(v) varies wildly, which is why Adam is often warmed up. RAdam counts how many squares v is worth,
rho(t), and as long as these are 5 or fewer makes plain momentum steps; then it shrinks Adam's step by the
factor r that makes its variance constant (Liu et al., 2019, https://arxiv.org/abs/1908.03265)::

    rho_inf = 2 / (1 - beta2) - 1          rho(t) = rho_inf - 2 t beta2^t / (1 - beta2^t)
    r = sqrt((rho(t) - 4) (rho(t) - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho(t)))
    p <- p - lr * m / (1 - beta1^t)                                                    while rho(t) <= 5
    p <- p - lr * m / (1 - beta1^t) * r * sqrt(1 - beta2^t) / (sqrt(v) + eps)          later
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["RAdam"]


def radam_update(
    p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, *, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float, decoupled: bool, maximize: bool, step: float, rectify: float | None,
) -> None:  # fmt: skip
    """Change ``p`` and the running means ``m``, ``v``, in place; ``rectify`` is the factor r, None while rho <= 5."""
    if decoupled and weight_decay:
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0.0 if decoupled else weight_decay, maximize)
    m += (1 - beta1) * (g - m)
    v *= beta2
    v += (1 - beta2) * g * g
    change = m / (1 - beta1**step) * lr
    if rectify is not None:
        change = change * ((1 - beta2**step) ** 0.5 / (sqrt(v) + eps)) * rectify
    p -= change


def rectification(beta2: float, step: float) -> float | None:
    """The factor r of the module's text after ``step`` steps; None as long as rho(t) is at most 5.

    >>> [rectification(0.999, step) is None for step in (1, 5, 6)]
    [True, True, False]
    """
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    if rho <= 5.0:
        return None
    return ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5


class RAdam(Optimizer):
    """Adam with rectified variance (``torch.optim.RAdam``). Arguments as for :class:`Adam`.

    ``decoupled_weight_decay``: as :class:`AdamW`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "exp_avg", "exp_avg_sq")
        step, beta2 = count_step(state), group["betas"][1]
        apply_formula(
            radam_update, param, group, state["exp_avg"], state["exp_avg_sq"],
            beta1=group["betas"][0], beta2=beta2, decoupled=group["decoupled_weight_decay"], step=step,
            rectify=rectification(beta2, step),
        )  # fmt: skip
