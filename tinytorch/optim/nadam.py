"""NAdam: Adam that looks one step ahead. Next: :mod:`tinytorch.optim.radam`.

What is different from :mod:`~tinytorch.optim.adam`: Nesterov's idea (see :mod:`~tinytorch.optim.sgd`). The
step uses the gradient at hand together with the mean as it will weigh in the *next* step. The share mu of the
mean grows from about beta1/2 to beta1 as t grows (Dozat, 2016,
https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)::

    mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
    m, v  as Adam's;   scale = sqrt(v / (1 - beta2^t)) + eps
    p <- p - lr * (1 - mu(t)) / (1 - mu(1)...mu(t)) * g / scale - lr * mu(t+1) / (1 - mu(1)...mu(t+1)) * m / scale
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["NAdam"]


def nadam_update(
    p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, *, lr: float, beta1: float, beta2: float, eps: float,
    weight_decay: float, decoupled: bool, maximize: bool, step: float, grad_share: float, mean_share: float,
) -> None:  # fmt: skip
    """Change ``p`` and the running means ``m``, ``v``, in place; the shares are the two fractions with mu above."""
    if decoupled and weight_decay:
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0.0 if decoupled else weight_decay, maximize)
    m += (1 - beta1) * (g - m)
    v *= beta2
    v += (1 - beta2) * g * g
    scale = sqrt(v / (1 - beta2**step)) + eps
    p -= lr * grad_share * g / scale
    p -= lr * mean_share * m / scale


class NAdam(Optimizer):
    """Adam with Nesterov momentum (``torch.optim.NAdam``). Arguments as for :class:`Adam`, and:

    ``momentum_decay``: how fast the momentum reaches beta1; ``decoupled_weight_decay``: as :class:`AdamW`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "exp_avg", "exp_avg_sq", mu_product=1.0)
        step, beta1, decay = count_step(state), group["betas"][0], group["momentum_decay"]
        mu, mu_next = (beta1 * (1.0 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1))
        product = state["mu_product"].mul_(mu)
        product = product.clone() if group["differentiable"] else product.item()
        apply_formula(
            nadam_update, param, group, state["exp_avg"], state["exp_avg_sq"],
            beta1=beta1, beta2=group["betas"][1], decoupled=group["decoupled_weight_decay"], step=step,
            grad_share=(1.0 - mu) / (1.0 - product), mean_share=mu_next / (1.0 - product * mu_next),
        )  # fmt: skip
