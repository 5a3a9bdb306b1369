"""Chapter 11, part 4. RMSprop: Adagrad that forgets.

After: tinytorch/optim/adagrad.py
Next: tinytorch/optim/adam.py

Goal: forget old gradients, so that steps can grow again.

What is new compared with :mod:`~tinytorch.optim.adagrad`: a running *mean* of the squares in place of their sum, so old
gradients fade and steps can grow again (Hinton's lecture 6e, 2012)::

    v <- alpha * v + (1 - alpha) * g * g
    p <- p - lr * g / (sqrt(v) + eps)                      without momentum
    b <- momentum * b + g / (sqrt(v) + eps)                with momentum, of the *scaled* gradient:
    p <- p - lr * b

``centered`` subtracts the square of the running mean of g from v, which makes it an estimate of the variance
(Graves, 2013, https://arxiv.org/abs/1308.0850).

What PyTorch does. The same: ``alpha`` is 0.99, and eps stands outside the root (TensorFlow has it inside).

Pitfalls. The mean v starts at zero and is not corrected for that, so the first steps are about 1 / sqrt(1 - alpha) = 10
times as long as later ones.

Exercises. How much of v is made of the last 100 squares, with alpha = 0.99? And which alpha forgets in ten steps?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative, count_step, start_state, zeros_like_param
from tinytorch.tensor import Tensor

__all__ = ["RMSprop"]


def rmsprop_update(
    p: np.ndarray, g: np.ndarray, v: np.ndarray, mean: np.ndarray | None, b: np.ndarray | None, *, lr: float,
    alpha: float, eps: float, weight_decay: float, momentum: float, maximize: bool,
) -> None:  # fmt: skip
    """Change ``p``, ``v``, the mean of gradients (None: not centered) and the buffer ``b`` (None: no momentum)."""
    g = direction(p, g, weight_decay, maximize)
    v *= alpha
    v += (1 - alpha) * g * g
    if mean is not None:
        mean += (1 - alpha) * (g - mean)
        v = v - mean * mean
    scale = sqrt(v) + eps
    if b is None:
        p -= lr * g / scale
    else:
        b *= momentum
        b += g / scale
        p -= lr * b


class RMSprop(Optimizer):
    """Gradient over the root of its running mean square (``torch.optim.RMSprop``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        alpha: how much of the running mean of squares survives a step.
        eps: keeps the division away from zero.
        weight_decay: strength of the pull towards zero.
        momentum: share of the buffer of scaled gradients that survives a step.
        centered: divide by an estimate of the standard deviation.
        maximize: climb instead of descend.
        foreach: accepted; there is one implementation.

    Raises ValueError for negative options.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            start_state(state, param, "square_avg")
            if group["momentum"] > 0:
                state["momentum_buffer"] = zeros_like_param(param)
            if group["centered"]:
                state["grad_avg"] = zeros_like_param(param)
        count_step(state)
        apply_formula(
            rmsprop_update, param, group, state["square_avg"], state["grad_avg"] if group["centered"] else None,
            state["momentum_buffer"] if group["momentum"] > 0 else None,
        )  # fmt: skip
