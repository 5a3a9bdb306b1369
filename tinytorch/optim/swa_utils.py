"""Averages of a model's weights over training: SWA and EMA (``torch.optim.swa_utils``).

The average of the weights along the path of an optimizer lies in a flatter region than its end, and generalizes better
(Izmailov et al. 2018). :class:`AveragedModel` keeps the average, :func:`update_bn` computes its batch-norm statistics,
:class:`SWALR` leads the learning rate to the constant one that the path is walked with.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.nn.modules.batchnorm import _BatchNorm
from tinytorch.nn.modules.module import Module
from tinytorch.optim.lr_scheduler.base import LRScheduler, per_group
from tinytorch.optim.optimizer import Optimizer
from tinytorch.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: ``decay * average + (1 - decay) * new``. ValueError unless 0 <= decay <= 1."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean of all: ``average + (new - average) / (n + 1)``."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """The exponential moving average of a list of tensors, in place."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_params: Any, current_params: Any, _: Any) -> None:
        for average, new in zip(ema_params, current_params, strict=True):
            if average.dtype.is_floating_point or average.dtype.is_complex:
                average.lerp_(new, 1 - decay)
            else:
                average.copy_(average * decay + new * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """The mean of all, for a list of tensors, in place."""

    @no_grad()
    def swa_update(averaged_params: Any, current_params: Any, num_averaged: Any) -> None:
        for average, new in zip(averaged_params, current_params, strict=True):
            if average.dtype.is_floating_point or average.dtype.is_complex:
                average.lerp_(new, 1 / (num_averaged + 1))
            else:
                average.add_((new - average) / (num_averaged + 1))

    return swa_update


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel(Module):
    """A copy of ``model`` whose parameters are averages of the model's, taken at each :meth:`update_parameters`.

    Args:
        avg_fn: ``avg_fn(average, new, count) -> average`` for one parameter; by default the mean of all.
        multi_avg_fn: the same for lists, in place.
        use_buffers: average the buffers too, instead of copying them.

    Its output is that of the copy. ``n_averaged`` counts the updates.
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", ops.tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's output."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's parameters into the average."""
        averages, new = self._averaged(self.module), self._averaged(model)
        with no_grad():
            if self.n_averaged == 0:
                for average, value in zip(averages, new, strict=True):
                    average.copy_(value)
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn(averages, new, self.n_averaged)
            else:
                average_of = self.avg_fn or get_swa_avg_fn()
                for average, value in zip(averages, new, strict=True):
                    average.copy_(average_of(average, value, self.n_averaged))
            if not self.use_buffers:
                for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
                    average.copy_(value)
        self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        """The tensors that are averaged, outside their graphs."""
        members = [*model.parameters(), *(model.buffers() if self.use_buffers else ())]
        return [member.detach() for member in members]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch-norm layers anew, in one pass over ``loader``.

    Batches that are lists or tuples give their first element to the model.
    """
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over all batches
    for batch in loader:
        inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From wherever the learning rates are to ``swa_lr`` within ``anneal_epochs`` steps, then constant.

    ``anneal_strategy``: ``"cos"`` or ``"linear"``. ValueError for another strategy, or negative epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for lr, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How much of the way is done after ``step`` steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        """From the learning rates now: undo the part of the way that was done, then go the new part."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
