"""CyclicLR: up and down between two learning rates, again and again.

(After: :mod:`~tinytorch.optim.lr_scheduler.momentum`.)

::

    max_lr   ╱╲    ╱╲          Smith, 2015, https://arxiv.org/abs/1506.01186
            ╱  ╲  ╱  ╲         ``triangular``: always as high; ``triangular2``: half as high each time;
    base_lr╱    ╲╱    ╲        ``exp_range``: the height shrinks by gamma each step

``scheduler.step()`` is called after every *batch*.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any, Literal

from tinytorch.optim.lr_scheduler.base import LRScheduler, check_optimizer, per_group, set_group_value
from tinytorch.optim.lr_scheduler.momentum import init_momentums, set_momentum
from tinytorch.optim.optimizer import Optimizer

__all__ = ["CyclicLR"]


class CyclicLR(LRScheduler):
    """Cycles between ``base_lr`` and ``max_lr`` (``torch.optim.lr_scheduler.CyclicLR``).

    Args:
        optimizer: whose groups to set.
        base_lr, max_lr: the bounds, for all groups or lists with one for each.
        step_size_up, step_size_down: steps of the rise and of the fall (by default as many).
        mode: ``"triangular"``, ``"triangular2"`` or ``"exp_range"``.
        gamma: for ``"exp_range"``.
        scale_fn: in place of ``mode``: a function that gives the share of the height.
        scale_mode: what ``scale_fn`` is a function of: the number of the ``"cycle"`` or of ``"iterations"``.
        cycle_momentum: move momentum, or ``betas[0]``, the other way between ``max_momentum`` and
            ``base_momentum``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_group_value(group, "lr", lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums, self.use_beta1 = init_momentums(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle as a share of the full one; ``x`` is the cycle, from 1, or the iteration."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / (2.0 ** (x - 1)) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle  # position in the cycle, from 0 to 1
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scaled = cycle if self.scale_mode == "cycle" else self.last_epoch

        def between(start: Any, span: Any) -> Any:
            return start + span * height * self.scale_fn(scaled)

        lrs = [between(low, high - low) for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                set_momentum(group, between(high, -(high - low)), self.use_beta1)
        return lrs

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        fn = state["_scale_fn_custom"]  # functions are not saved, callable objects by their attributes
        state["_scale_fn_custom"] = None if fn is None or isinstance(fn, types.FunctionType) else fn.__dict__.copy()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        attributes = state_dict["_scale_fn_custom"]
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if attributes is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(attributes)
