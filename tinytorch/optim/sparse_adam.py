"""SparseAdam: Adam for sparse gradients, of which there are none here."""

from __future__ import annotations

from typing import Any

from tinytorch.optim.optimizer import Optimizer, ParamsT, check_betas
from tinytorch.tensor import Tensor

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Changes only the rows that have a gradient (``torch.optim.SparseAdam``).

    As in PyTorch, a step on a dense gradient raises RuntimeError. All gradients are dense here, also those of
    embeddings: use Adam. Options are checked (ValueError).
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
        places = [
            [number, position]
            for number, group in enumerate(self.param_groups)
            for position, param in enumerate(group["params"])
            if param.is_complex()
        ]
        if places:
            raise ValueError(f"Complex params at indices {places}: SparseAdam does not support complex parameters")

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
