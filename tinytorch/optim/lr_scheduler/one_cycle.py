"""OneCycleLR: up to a large learning rate, then down to almost nothing.

(After: :mod:`~tinytorch.optim.lr_scheduler.momentum`.)

A short run with one high peak of the learning rate often trains as well as a long one with a small learning
rate (Smith and Topin, Super-Convergence, 2017, https://arxiv.org/abs/1708.07120)::

            max_lr
            ╱ ╲                      lr starts at max_lr / div_factor, peaks after the share pct_start of total_steps,
          ╱     ╲                    ends at (max_lr / div_factor) / final_div_factor
        ╱         ╲
      ╱             ╲                momentum mirrors it: max_momentum, base_momentum, max_momentum

``scheduler.step()`` is called after every *batch*, not every epoch.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from tinytorch.optim.lr_scheduler.base import LRScheduler, check_optimizer, per_group
from tinytorch.optim.lr_scheduler.momentum import init_momentums, set_momentum
from tinytorch.optim.optimizer import Optimizer

__all__ = ["OneCycleLR"]


class _Phase(NamedTuple):
    """A stretch of the schedule: when it ends, and the names in ``param_groups`` of the values it goes from and to."""

    end_step: float
    start_lr: str
    end_lr: str
    start_momentum: str
    end_momentum: str


class OneCycleLR(LRScheduler):
    """One rise and fall of the learning rate, the reverse of momentum (``torch.optim.lr_scheduler.OneCycleLR``).

    Args:
        optimizer: whose groups to set.
        max_lr: the peak, for all groups or a list with one for each.
        total_steps: steps in all; or give ``epochs`` and ``steps_per_epoch``.
        pct_start: share of the steps that rise.
        anneal_strategy: the shape of rise and fall, ``"cos"`` or ``"linear"``.
        cycle_momentum: move momentum, or ``betas[0]``, between ``max_momentum`` and ``base_momentum`` too.
        div_factor: the peak over the first learning rate.
        final_div_factor: the first learning rate over the last.
        three_phase: come down to the first learning rate in the same time as up, then fall on.

    Raises ValueError for options out of range, and by :meth:`step` after ``total_steps``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.total_steps = _count_steps(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = [phase._asdict() for phase in _phases(self.total_steps, pct_start, three_phase)]
        peaks = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = init_momentums(optimizer, base_momentum, max_momentum, last_epoch)[2]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start, phase = self._running_phase(step)
        done = (step - start) / (phase["end_step"] - start)
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], done))
            if self.cycle_momentum:
                momentum = self._anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], done)
                set_momentum(group, momentum, self.use_beta1)
        return lrs

    def _running_phase(self, step: int) -> tuple[float, dict[str, Any]]:
        """The phase that holds ``step``, and where it started."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if step <= phase["end_step"]:
                return start, phase
            start = phase["end_step"]
        return start, self._schedule_phases[-1]

    def _anneal(self, start: Any, end: Any, done: float) -> Any:
        """From ``start`` (done = 0) to ``end`` (done = 1), along half a cosine or a line."""
        if self._anneal_func_type == "linear":
            return (end - start) * done + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)


def _count_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        _check_positive("total_steps", total_steps)
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    _check_positive("epochs", epochs)
    _check_positive("steps_per_epoch", steps_per_epoch)
    return epochs * steps_per_epoch


def _check_positive(name: str, value: int) -> None:
    if value <= 0 or not isinstance(value, int):
        raise ValueError(f"Expected positive integer {name}, but got {value}")


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[_Phase]:
    rise = _Phase(float(pct_start * total_steps) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    last = total_steps - 1
    if not three_phase:
        return [rise, _Phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    fall_end = float(2 * pct_start * total_steps) - 2
    return [
        rise,
        _Phase(fall_end, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
        _Phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
    ]
