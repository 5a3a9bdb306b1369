"""Chapter 11, part 2. SGD: step against the gradient, with or without momentum.

After: tinytorch/optim/optimizer.py
Next: tinytorch/optim/adagrad.py

Goal: gradient descent, and the momentum that smooths it.

Plain gradient descent moves each parameter against its gradient::

    p <- p - lr * g

In a narrow valley that zigzags: the gradient points across the valley rather than along it. *Momentum*
averages the gradients of many steps in a buffer b; the parts across cancel, the parts along add up (Polyak,
1964)::

    b <- momentum * b + (1 - dampening) * g         (the first time b <- g)
    p <- p - lr * b

*Nesterov* looks one step ahead and uses g + momentum * b in place of b (Sutskever et al., 2013,
http://proceedings.mlr.press/v28/sutskever13.html). *Weight decay* adds the gradient of weight_decay/2 * |p|^2
to g.

What PyTorch does. The same results for each option; ``foreach`` and ``fused`` choose among its implementations, of
which there is one here.

Pitfalls. Here, as in PyTorch, lr multiplies the buffer when it is *used*; in Sutskever et al. it multiplies g when it
is *stored*. A change of lr acts on all of the remembered gradients at once here.

Exercises. How far does a constant gradient g carry p in one step, in the end, with momentum 0.9? (Sum the geometric
series.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.optim.blocks import direction
from tinytorch.optim.formula import apply_formula
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative
from tinytorch.optim.sparse_gradients import update_as_dense
from tinytorch.tensor import Tensor

__all__ = ["SGD"]


def sgd_update(
    p: np.ndarray, g: np.ndarray, b: np.ndarray | None, *, lr: float, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, maximize: bool, first: bool,
) -> None:  # fmt: skip
    """Change the parameter ``p`` and its buffer ``b`` (None: no momentum) by the gradient ``g``, in place."""
    g = direction(p, g, weight_decay, maximize)
    if b is not None:
        if first:
            b[...] = g if isinstance(g, np.ndarray) else g.detach()  # PyTorch does not record the start
        else:
            b *= momentum
            b += (1 - dampening) * g if dampening else g
        g = g + momentum * b if nesterov else b
    p -= lr * g


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with (Nesterov) momentum (``torch.optim.SGD``).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        momentum: share of the buffer that survives a step.
        dampening: share of each gradient that is kept out of the buffer.
        weight_decay: strength of the pull towards zero.
        nesterov: look ahead; needs a momentum and no dampening.
        maximize: climb instead of descend.
        foreach, fused: accepted; there is one implementation.

    Raises ValueError for negative options.

    >>> import tinytorch
    >>> p = tinytorch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _update_sparse(self, param: Tensor, group: dict[str, Any]) -> None:
        update_as_dense(self, param, group)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        buffer, first = None, False
        if group["momentum"] != 0:
            state = self.state[param]
            first = state.get("momentum_buffer") is None
            if first:
                state["momentum_buffer"] = Tensor._wrap(np.empty_like(param._array))
            buffer = state["momentum_buffer"]
        apply_formula(sgd_update, param, group, buffer, first=first)  # and the group's lr, momentum...
