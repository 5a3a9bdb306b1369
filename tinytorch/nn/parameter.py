"""Parameter: a tensor that a module learns; Buffer: one that it merely carries along.

Both are ordinary tensors. What makes them special is only that :class:`~tinytorch.nn.Module` notices when one is
assigned to an attribute, and keeps it where ``parameters()``, ``state_dict()`` and the optimizers find it. Results
of ops on parameters are plain tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import default_numpy_dtype
from tinytorch.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor to be learned (``torch.nn.Parameter``).

    Shares memory with ``data`` (an empty tensor if None), and is always a leaf: ``Parameter(x * 2)`` starts a new
    history. Raises RuntimeError for integers unless ``requires_grad=False``.

    >>> import tinytorch
    >>> tinytorch.nn.Parameter(tinytorch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        parameter = object.__new__(cls)
        _share(parameter, data)
        parameter.requires_grad = requires_grad
        return parameter

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter with the same values and no gradient."""
        if id(self) not in memo:
            memo[id(self)] = self._rebuild(type(self), self._array.copy(order="K"), self._requires_grad)
        return memo[id(self)]

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that belongs to a module's state and is not learned (``torch.nn.Buffer``).

    Assigning one to a module's attribute registers it; ``persistent=False`` leaves it out of ``state_dict()``.
    """

    persistent: bool = True

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        buffer = object.__new__(cls)
        _share(buffer, data)
        buffer.requires_grad = data is not None and data.requires_grad
        buffer.persistent = persistent
        return buffer


def _share(tensor: Tensor, data: Tensor | None) -> None:
    """Let ``tensor`` be another name for the memory of ``data``, outside its graph."""
    if data is None:
        tensor._array = np.empty(0, default_numpy_dtype())
        return
    if not isinstance(data, Tensor):
        raise TypeError(f"{type(tensor).__name__} data has to be a Tensor, but got {type(data).__name__}")
    tensor._array, tensor._memory = data._array, data._shared_memory()
