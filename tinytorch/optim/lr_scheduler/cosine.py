"""CosineAnnealingLR and CosineAnnealingWarmRestarts: down along half a cosine.

(After: :mod:`~tinytorch.optim.lr_scheduler.curves`.)

Slow at first, fast in the middle, slow at the end (Loshchilov and Hutter, SGDR, 2016,
https://arxiv.org/abs/1608.03983)::

    lr(t) = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T)) / 2

CosineAnnealingLR comes back up the same way after T = ``T_max``. CosineAnnealingWarmRestarts jumps to the top
after T_0 epochs and starts another descent, ``T_mult`` times as long.
"""

from __future__ import annotations

import math
from typing import Any

from tinytorch.optim.lr_scheduler.base import LRScheduler, group_values
from tinytorch.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine down to ``eta_min`` in ``T_max`` epochs (``torch.optim.lr_scheduler.CosineAnnealingLR``).

    Recursively: lr(t) - eta_min = (lr(t-1) - eta_min) * (1 + cos(pi t/T)) / (1 + cos(pi (t-1)/T)). At the
    bottom that is 0/0; there the learning rate is raised by the first step of the way up instead.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        groups, epoch, bottom = self.optimizer.param_groups, self.last_epoch, self.eta_min
        if self._is_initial:
            return group_values(self.optimizer, "lr")
        if self._step_count == 1 and epoch > 0:
            return self._from_base(epoch * math.pi / self.T_max)
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            rise = 1 - math.cos(math.pi / self.T_max)
            pairs = zip(self.base_lrs, groups, strict=True)
            return [group["lr"] + (base_lr - bottom) * rise / 2 for base_lr, group in pairs]
        now, before = (1 + math.cos(math.pi * t / self.T_max) for t in (epoch, epoch - 1))
        return [now / before * (group["lr"] - bottom) + bottom for group in groups]

    def _get_closed_form_lr(self) -> list[Any]:
        return self._from_base(math.pi * self.last_epoch / self.T_max)

    def _from_base(self, angle: float) -> list[Any]:
        bottom = self.eta_min
        return [bottom + (base_lr - bottom) * (1 + math.cos(angle)) / 2 for base_lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosines of T_0, T_0 * T_mult, T_0 * T_mult^2... epochs.

    ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``.

    ``step(epoch)`` takes fractions too: ``step(epoch + batch / batches)``. ``T_i`` is the length of the
    running descent, ``T_cur`` the position in it. Raises ValueError unless ``T_0`` is a positive and
    ``T_mult`` a positive integer.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        bottom, factor = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [bottom + (base_lr - bottom) * factor / 2 for base_lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to ``epoch``, whole or not. Raises ValueError if it is negative."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur = self.T_cur % self.T_i
                self.T_i = self.T_i * self.T_mult
        else:
            self._jump_to(epoch)
        self.last_epoch = math.floor(epoch)
        self._set_lrs(self.get_lr)

    def _jump_to(self, epoch: float) -> None:
        """Find the descent of ``epoch``: after n of them T_0 * (T_mult^n - 1) / (T_mult - 1) epochs are over."""
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
