"""SparseAdam: Adam for the sparse gradients of embeddings, lazily: a row's averages wait until it is looked up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas, zeros_like_param
from tinytorch.tensor import Tensor

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Changes only the rows that have a gradient, and only their averages (``torch.optim.SparseAdam``).

    A step on a dense gradient raises RuntimeError. Options are checked (ValueError).

    >>> from tinytorch import nn, tensor
    >>> words = nn.Embedding(100, 8, sparse=True)
    >>> optimizer = SparseAdam(words.parameters())
    >>> words(tensor([3, 14, 3])).sum().backward()
    >>> words.weight.grad.coalesce().indices()
    tensor([[ 3, 14]])
    >>> optimizer.step()
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if not float(lr) > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        self._refuse("Sparse params at indices {}: SparseAdam requires dense parameter tensors", lambda p: p.is_sparse)
        self._refuse(
            "Complex params at indices {}: SparseAdam does not support complex parameters", lambda p: p.is_complex()
        )

    def _refuse(self, message: str, wrong: Callable[[Tensor], bool]) -> None:
        places = [
            [number, position]
            for number, group in enumerate(self.param_groups)
            for position, param in enumerate(group["params"])
            if wrong(param)
        ]
        if places:
            raise ValueError(message.format(places))

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")

    def _update_sparse(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            state["step"] = 0
            state["exp_avg"], state["exp_avg_sq"] = zeros_like_param(param), zeros_like_param(param)
        state["step"] = int(state["step"]) + 1  # a plain number, as PyTorch keeps it here
        gradient: Any = param._grad.coalesce()  # type: ignore[union-attr]
        rows, g = tuple(gradient.indices()._array), gradient.values()._array
        if not g.size:
            return
        g = -g if group["maximize"] else g
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"]._array, state["exp_avg_sq"]._array
        mean[rows] += (1 - beta1) * (g - mean[rows])
        square[rows] += (1 - beta2) * (g * g - square[rows])
        correction = math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
        step = mean[rows] / (np.sqrt(square[rows]) + group["eps"])
        param._array[rows] -= (float(group["lr"]) * correction * step).astype(g.dtype, copy=False)
