"""Tensors in parts on several machines (``torch.distributed.tensor``): no tensor is one, and libraries ask."""

from __future__ import annotations

from typing import Any

from tinytorch.tensor import Tensor
from tinytorch.torch_function import disabled_torch_function

__all__ = ["DTensor"]


class DTensor(Tensor):
    """``isinstance(x, DTensor)`` is False for every tensor. Making one raises NotImplementedError."""

    __torch_function__ = disabled_torch_function  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("tinytorch trains in one process: a tensor is in one piece")
