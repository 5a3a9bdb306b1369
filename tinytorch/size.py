"""Size: the shape of a tensor. A tuple that prints as PyTorch prints it.

>>> Size([2, 3])
torch.Size([2, 3])
>>> Size([2, 3]).numel()
6
>>> Size([2, 3])[1:]
torch.Size([3])
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

__all__ = ["Size"]


class Size(tuple):
    """The shape of a tensor: a tuple of ints."""

    __slots__ = ()
    __module__ = "tinytorch"  # as users know it, and as type(x.shape) prints

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        """From ints, and tensors and NumPy numbers that are some; TypeError for anything else."""
        return tuple.__new__(cls, map(operator.index, sizes))

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def numel(self) -> int:
        """The number of elements: the product of the sizes."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other))) if isinstance(other, (tuple, list)) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)
