"""Steps on the sparse gradients of embeddings, for optimizers that need no formula of their own for them."""

from __future__ import annotations

from typing import Any

from tinytorch.optim.optimizer import Optimizer
from tinytorch.tensor import Tensor

__all__ = ["update_as_dense"]


def update_as_dense(optimizer: Optimizer, param: Tensor, group: dict[str, Any]) -> None:
    """A step on a sparse gradient for methods that leave elements without gradient where they are, or as momentum says.

    Raises RuntimeError where a weight decay would move them.
    """
    if group["weight_decay"] != 0:
        raise RuntimeError("weight_decay option is not compatible with sparse gradients")
    gradient: Any = param._grad
    try:
        param._grad = gradient.to_dense()
        optimizer._update(param, group)
    finally:
        param._grad = gradient
