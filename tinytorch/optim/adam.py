"""Chapter 11, part 5. Adam: RMSprop with momentum, and both means corrected for their start.

After: tinytorch/optim/rmsprop.py
Next: tinytorch/optim/adamw.py

Goal: join momentum and step sizes of their own, with both means corrected.

What is new compared with :mod:`~tinytorch.optim.rmsprop`: a running mean m of the gradient itself takes the gradient's
place (the momentum of :mod:`~tinytorch.optim.sgd`), and both means are corrected for having started at zero. Scaling
the loss by 1000 changes almost nothing (Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980)::

    m <- m + (1 - beta1) * (g - m)
    v <- beta2 * v + (1 - beta2) * g * g
    p <- p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

Where do the powers come from? Both means start at zero, so in early steps they are too small. Write out m
after t steps of the same gradient g: (1 - beta1) * (1 + beta1 + ... + beta1^(t-1)) * g = (1 - beta1^t) * g.
Dividing by 1 - beta1^t corrects that.

*AMSGrad* divides by the largest v so far, so that step sizes never grow again (Reddi et al., 2018,
https://openreview.net/forum?id=ryQu7f-RZ).

What PyTorch does. The same order of operations, so that float32 results agree to rounding.

Pitfalls. ``eps`` stands outside the root, and after the correction of v; libraries differ there.

Exercises. How long is the very first step, whatever the gradient?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, raise_to, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas, check_not_negative, count_step, start_state
from tinytorch.tensor import Tensor

__all__ = ["Adam"]


def adam_update(
    p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, v_max: np.ndarray | None, *, lr: float, beta1: float,
    beta2: float, eps: float, weight_decay: float, decoupled: bool, maximize: bool, step: float,
) -> None:  # fmt: skip
    """Change the parameter ``p`` and the running means ``m``, ``v`` (and ``v_max``) by the gradient ``g``, in place."""
    if decoupled and weight_decay:  # AdamW
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0.0 if decoupled else weight_decay, maximize)
    m += (1 - beta1) * (g - m)
    v *= beta2
    v += (1 - beta2) * g * g
    if v_max is not None:
        raise_to(v_max, v)
        v = v_max
    step_size = lr / (1 - beta1**step)
    p -= step_size * m / (sqrt(v) / (1 - beta2**step) ** 0.5 + eps)


class Adam(Optimizer):
    """Adaptive moment estimation (``torch.optim.Adam``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate: about the size of a step of each number.
        betas: how much of the running means of gradient and squared gradient survives a step.
        eps: keeps the division away from zero.
        weight_decay: strength of the pull towards zero.
        amsgrad: divide by the largest running mean of squares so far.
        maximize: climb instead of descend.
        decoupled_weight_decay: as :class:`AdamW`.
        foreach, fused: accepted; there is one implementation.

    Raises ValueError for negative options and betas outside [0, 1).
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if foreach and not capturable:
            for name, value in {"lr": lr, "betas[0]": betas[0], "betas[1]": betas[1]}.items():
                if isinstance(value, Tensor):
                    raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        if {type(beta) for beta in betas} != {float} and not all(isinstance(beta, Tensor) for beta in betas):
            raise ValueError("betas must be either both floats or both Tensors")
        defaults = {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            largest = ["max_exp_avg_sq"] if group["amsgrad"] else []
            start_state(state, param, "exp_avg", "exp_avg_sq", *largest)
        step: Any = count_step(state)
        if group["differentiable"]:  # PyTorch computes with the counter then, in its precision
            step = state["step"].clone()
        apply_formula(
            adam_update, param, group, state["exp_avg"], state["exp_avg_sq"],
            state["max_exp_avg_sq"] if group["amsgrad"] else None, beta1=group["betas"][0], beta2=group["betas"][1],
            decoupled=group["decoupled_weight_decay"], step=step,
        )  # fmt: skip
