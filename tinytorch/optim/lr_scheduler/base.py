"""LRScheduler: change the learning rate as training goes on. (After: :mod:`tinytorch.optim.optimizer`.)

A scheduler writes ``group["lr"]`` of an optimizer's groups, once for each call of its ``step()``::

    for epoch in range(epochs):
        for x, y in loader:
            ...
            optimizer.step()
        scheduler.step()          # after optimizer.step(): the first epoch runs with the first learning rate

``get_lr()`` says the learning rates for epoch ``self.last_epoch``. Most schedulers compute them
*recursively*, from the value that is in the group now, not from the epoch alone: then two schedulers may act
on one optimizer and a learning rate that was changed by hand stays changed. The closed form, where there is
one, serves ``step(epoch)`` and jumps.

The constructor makes the first step, to epoch 0. It notes each group's learning rate as
``group["initial_lr"]``; these are ``base_lrs``.
"""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.optim.optimizer import Optimizer
from tinytorch.tensor import Tensor

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "check_optimizer", "group_values", "per_group",
           "set_group_value"]  # fmt: skip

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)
_ORDER_WARNING = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in "
    "PyTorch skipping the first value of the learning rate schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class LRScheduler:
    """Base of the schedulers (``torch.optim.lr_scheduler.LRScheduler``). A subclass defines :meth:`get_lr`.

    Args:
        optimizer: whose groups' learning rates to set.
        last_epoch: -1 to begin; the number of the epoch before, to go on with an optimizer that was loaded.

    Raises TypeError for what is no optimizer, and KeyError when asked to go on but groups have no
    ``"initial_lr"``.
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False  # the constructor's own step

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] when resuming scheduler with "
                    "last_epoch >= 0.\nThis typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly loaded the "
                    "optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs: list[Any] = group_values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The learning rates for epoch ``self.last_epoch``. For schedulers; users want :meth:`get_last_lr`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """The learning rate of each group that the last step set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch (or, deprecated, to ``epoch``) and set its learning rates."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(_ORDER_WARNING, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        compute = self.get_lr
        if epoch is not None:
            compute = getattr(self, "_get_closed_form_lr", compute)
        self._set_lrs(compute)

    def _set_lrs(self, compute: Any) -> None:
        self._get_lr_called_within_step = True
        try:
            values = compute()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_group_value(group, "lr", lr)
        self._last_lr = group_values(self.optimizer, "lr")

    def _warn_outside_step(self) -> None:
        """``get_lr`` of a recursive scheduler, called by hand, would give the value after the current one."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Every attribute but the optimizer; what :meth:`load_state_dict` of an equal scheduler needs to go on."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave. The learning rates themselves are in the optimizer's state."""
        self.__dict__.update(state_dict)


def check_optimizer(optimizer: Any) -> None:
    """TypeError for what is no optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def group_values(optimizer: Optimizer, key: str) -> list[Any]:
    """``group[key]`` of every group; tensors are copied."""
    return [_copy(group[key]) for group in optimizer.param_groups]


def set_group_value(group: dict[str, Any], key: str, value: Any) -> None:
    """``group[key] = value``; where a tensor is, it is filled instead, so that it stays the same tensor."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value.item() if isinstance(value, Tensor) else value)
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group. Raises ValueError if ``value`` is a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [_copy(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {count}."
        )
    return [_copy(item) for item in value]


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
