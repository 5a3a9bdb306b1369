"""The momentum of an optimizer, for schedulers that let it fall while the learning rate rises, and back.

(After: :mod:`~tinytorch.optim.lr_scheduler.base`. Next: :mod:`~tinytorch.optim.lr_scheduler.one_cycle`.)

What plays the part of momentum is ``group["momentum"]`` for SGD and RMSprop and the first of
``group["betas"]`` for Adam's family.
"""

from __future__ import annotations

from typing import Any

from tinytorch.optim.lr_scheduler.base import per_group
from tinytorch.optim.optimizer import Optimizer

__all__ = ["init_momentums", "set_momentum", "uses_beta1"]


def uses_beta1(optimizer: Optimizer) -> bool:
    """Whether momentum is ``betas[0]``. Raises ValueError for an optimizer that has neither."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    return "betas" in optimizer.defaults


def set_momentum(group: dict[str, Any], value: float, use_beta1: bool) -> None:
    """Set a group's momentum."""
    if use_beta1:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def init_momentums(optimizer: Optimizer, base: Any, maximum: Any, last_epoch: int) -> tuple[list[Any], list[Any], bool]:
    """Begin at the largest momentum. Returns for each group base and largest momentum, and :func:`uses_beta1`."""
    use_beta1 = uses_beta1(optimizer)
    maxima = per_group("max_momentum", optimizer, maximum)
    bases = per_group("base_momentum", optimizer, base)
    if last_epoch == -1:
        for group, top, bottom in zip(optimizer.param_groups, maxima, bases, strict=True):
            set_momentum(group, top, use_beta1)
            group["max_momentum"], group["base_momentum"] = top, bottom
    return bases, maxima, use_beta1
