"""What optimizers written after PyTorch's own import from ``torch.optim.optimizer`` besides ``Optimizer``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import enable_grad, no_grad
from tinytorch.tensor import Tensor

__all__ = ["_default_to_fused_or_foreach", "_get_value", "_stack_if_compiling",
           "_use_grad_for_differentiable", "_view_as_real"]  # fmt: skip


def _use_grad_for_differentiable(step: Callable[..., Any]) -> Callable[..., Any]:
    """Run ``step`` without recording, unless the optimizer has ``differentiable=True``."""

    @functools.wraps(step)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        with enable_grad() if self.defaults.get("differentiable") else no_grad():
            return step(self, *args, **kwargs)

    return wrapper


def _get_value(x: Any) -> Any:
    """A tensor's number; a number as it is."""
    return x.item() if isinstance(x, Tensor) else x


def _stack_if_compiling(x: Any) -> Any:
    """``x``: nothing is being compiled."""
    return x


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """Whether to choose the fused and the foreach variant when neither was asked for: no."""
    return False, False


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Replace complex tensors in the lists by real views of them."""
    for i, param in enumerate(params):
        if param.is_complex():
            params[i] = ops.view_as_real(param)
            for values in state_and_grads:
                values[i] = ops.view_as_real(values[i])
