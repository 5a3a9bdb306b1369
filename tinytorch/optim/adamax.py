"""Adamax: Adam with the largest gradient in place of the root mean square.

Next: :mod:`tinytorch.optim.nadam`.

What is different from :mod:`~tinytorch.optim.adam`: sqrt(mean of g^2) is a 2-norm over time; Adamax takes the
infinity norm, which needs no root and no correction for the start at zero (Kingma and Ba, 2014, section 7.1,
https://arxiv.org/abs/1412.6980)::

    m <- m + (1 - beta1) * (g - m)
    u <- max(beta2 * u, |g| + eps)
    p <- p - lr / (1 - beta1^t) * m / u
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, raise_to
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["Adamax"]


def adamax_update(
    p: np.ndarray, g: np.ndarray, m: np.ndarray, u: np.ndarray, *, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float, maximize: bool, step: float,
) -> None:  # fmt: skip
    """Change ``p``, the running mean ``m`` and the decaying maximum ``u`` by the gradient ``g``, in place."""
    g = direction(p, g, weight_decay, maximize)
    m += (1 - beta1) * (g - m)
    u *= beta2
    raise_to(u, abs(g) + eps)
    p -= lr / (1 - beta1**step) * m / u


class Adamax(Optimizer):
    """Adam with an infinity norm (``torch.optim.Adamax``). Arguments as for :class:`Adam`."""

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "exp_avg", "exp_inf")
        apply_formula(
            adamax_update, param, group, state["exp_avg"], state["exp_inf"],
            beta1=group["betas"][0], beta2=group["betas"][1], step=count_step(state),
        )  # fmt: skip
