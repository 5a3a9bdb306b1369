"""Chapter 11, part 6. AdamW: Adam whose weight decay does not pass through the running means.

After: tinytorch/optim/adam.py
Next: tinytorch/utils/data/dataset.py

Goal: decay weights apart from the gradient.

What is new compared with :mod:`~tinytorch.optim.adam`: one line. :class:`Adam` adds weight_decay * p to the
gradient, where it is divided by sqrt(v) like everything else: numbers with large gradients are decayed less.
AdamW shrinks the parameter itself, all numbers alike, before the step (Loshchilov and Hutter, 2017,
https://arxiv.org/abs/1711.05101)::

    p <- p * (1 - lr * weight_decay)
    p <- p - (Adam's step)

What PyTorch does. The same: AdamW is Adam with ``decoupled_weight_decay``.

Pitfalls. The default ``weight_decay`` is 0.01 here and 0 in :class:`Adam`.

Exercises. While the gradient is zero, how does a large p change under AdamW with weight_decay 0.5, and how a small one?
And under Adam with the same weight_decay?

Outside the chapters the series goes on with :mod:`tinytorch.optim.adadelta` and those named there.
"""

from __future__ import annotations

from typing import Any

from tinytorch.optim.adam import Adam
from tinytorch.optim.optimizer import ParamsT
from tinytorch.tensor import Tensor

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with decoupled weight decay (``torch.optim.AdamW``). Arguments as for :class:`Adam`."""

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # also when the state was saved by an Adam
            group["decoupled_weight_decay"] = True
