"""Chapter 11, part 3. Adagrad: a step size of its own for each number.

After: tinytorch/optim/sgd.py
Next: tinytorch/optim/rmsprop.py

Goal: let a number that seldom has a gradient take larger steps than one that always has.

What is new compared with :mod:`~tinytorch.optim.sgd`: the squares of all gradients so far are added up, number by
number, and the step is divided by the root of the sum. A number with small gradients then moves as fast as one with
large ones, and a rare feature, whose gradient is mostly zero, keeps large steps (Duchi et al., 2011,
https://jmlr.org/papers/v12/duchi11a.html)::

    s <- s + g * g
    p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

What PyTorch does. The same, with the initial value of s as an option.

Pitfalls. The sum s only grows, so steps only get smaller, whether or not the minimum has been reached.

Exercises. With g = 1 in every step and lr = 1, how far has p moved after 100 steps, about? Does it ever stop?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula, sqrt
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative, count_step, start_state
from tinytorch.optim.sparse_gradients import update_as_dense
from tinytorch.tensor import Tensor

__all__ = ["Adagrad"]


def adagrad_update(
    p: np.ndarray, g: np.ndarray, s: np.ndarray, *, lr: float, eps: float, weight_decay: float, maximize: bool
) -> None:
    """Change ``p`` and the sum of squares ``s`` by the gradient ``g``, in place."""
    g = direction(p, g, weight_decay, maximize)
    s += g * g
    p -= lr * g / (sqrt(s) + eps)


class Adagrad(Optimizer):
    """Gradient over the root of the sum of its squares (``torch.optim.Adagrad``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        lr_decay: how fast the learning rate itself shrinks.
        weight_decay: strength of the pull towards zero.
        initial_accumulator_value: where the sum of squares starts.
        eps: keeps the division away from zero.
        maximize: climb instead of descend.
        foreach, fused: accepted; there is one implementation.

    Raises ValueError for negative options.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(
            lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )  # fmt: skip
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:  # PyTorch makes this state now, not at the first step
            for param in group["params"]:
                self._start(param)

    def _start(self, param: Tensor) -> None:
        state, value = self.state[param], self.defaults["initial_accumulator_value"]
        start_state(state, param, "sum")
        state["sum"]._array[...] = complex(value, value) if param._array.dtype.kind == "c" else value

    def _update_sparse(self, param: Tensor, group: dict[str, Any]) -> None:
        update_as_dense(self, param, group)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:  # of a group that was added later
            self._start(param)
        step = count_step(state)
        decayed = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        apply_formula(adagrad_update, param, group, state["sum"], lr=decayed)
