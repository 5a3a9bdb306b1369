"""``Variable``, from the time when a tensor did not take part in autograd by itself."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["Variable"]


class _OfTensors(type):
    def __instancecheck__(cls, value: Any) -> bool:
        from tinytorch.tensor import Tensor

        return isinstance(value, Tensor)


class Variable(metaclass=_OfTensors):
    """``Variable(tensor)`` is a new leaf over the same memory, so no gradient flows back to ``tensor``; every tensor is
    an instance.

    >>> import tinytorch
    >>> x = tinytorch.ones(2, requires_grad=True)
    >>> Variable(x * 2).requires_grad, isinstance(x, Variable)
    (False, True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        from tinytorch.tensor import Tensor

        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        leaf = data.detach()
        return leaf.requires_grad_() if requires_grad else leaf
