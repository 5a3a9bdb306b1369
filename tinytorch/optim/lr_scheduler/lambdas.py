"""LambdaLR and MultiplicativeLR: the schedule is any function of the epoch.

(After: :mod:`~tinytorch.optim.lr_scheduler.base`.)

::

    LambdaLR             lr = base_lr * f(epoch)          f gives the factor
    MultiplicativeLR     lr = lr      * f(epoch)          f gives the factor from one epoch to the next
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from tinytorch.optim.lr_scheduler.base import LRScheduler, group_values
from tinytorch.optim.optimizer import Optimizer

__all__ = ["LambdaLR", "MultiplicativeLR"]

LRLambda = Callable[[int], float]


class LambdaLR(LRScheduler):
    """``base_lr * lr_lambda(epoch)`` (``torch.optim.lr_scheduler.LambdaLR``).

    ``lr_lambda``: one function of the epoch for all groups, or a list with one for each; ValueError for
    another number. Functions are not part of ``state_dict()``; objects with ``__call__`` are saved by their
    attributes.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: LRLambda | list[LRLambda], last_epoch: int = -1) -> None:
        count = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * count
        if len(lr_lambda) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas: list[LRLambda] = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        return [base_lr * f(self.last_epoch) for f, base_lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        others = {key: value for key, value in state_dict.items() if key != "lr_lambdas"}
        super().load_state_dict(others)
        for f, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            if attributes is not None:
                f.__dict__.update(attributes)


class MultiplicativeLR(LambdaLR):
    """``lr * lr_lambda(epoch)`` (``torch.optim.lr_scheduler.MultiplicativeLR``). TypeError for what is not callable."""

    def __init__(self, optimizer: Optimizer, lr_lambda: LRLambda | list[LRLambda], last_epoch: int = -1) -> None:
        for f in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(f):
                raise TypeError(f"lr_lambda should be a function, but got {type(f).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        if self._is_initial:
            return group_values(self.optimizer, "lr")
        groups = self.optimizer.param_groups
        return [group["lr"] * f(self.last_epoch) for f, group in zip(self.lr_lambdas, groups, strict=True)]
