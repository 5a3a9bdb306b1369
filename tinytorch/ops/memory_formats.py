"""Memory formats: in which order a tensor's dimensions lie in memory. Values, shapes and gradients do not depend on it.

``contiguous_format`` is row-major; ``channels_last`` keeps the channels of (N, C, H, W) innermost, and
``channels_last_3d`` those of (N, C, D, H, W); ``preserve_format`` keeps the order that there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.tensor import Tensor

__all__ = ["in_format", "is_in_format", "laid_out"]

#: The rank that a format is for, and the order of dimensions from the outermost in memory to the innermost.
_ORDERS = {"channels_last": (4, (0, 2, 3, 1)), "channels_last_3d": (5, (0, 2, 3, 4, 1))}


def _name(memory_format: Any) -> str:
    name = str(memory_format).removeprefix("torch.")
    if not name.endswith("_format") and name not in _ORDERS:
        raise TypeError(f"argument 'memory_format' must be torch.memory_format, not {type(memory_format).__name__}")
    return name


def _order(memory_format: Any, ndim: int) -> tuple[int, ...] | None:
    """Dimensions from outermost to innermost; None for ``preserve_format``."""
    name = _name(memory_format)
    if name == "preserve_format":
        return None
    if name == "contiguous_format":
        return tuple(range(ndim))
    if name not in _ORDERS:
        raise RuntimeError(f"Unsupported memory format {memory_format}")
    rank, order = _ORDERS[name]
    if ndim != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {name} format")
    return order


def is_in_format(input: Tensor, memory_format: Any) -> bool:
    """Whether the memory is in that order, without gaps."""
    array = input._array
    name = _name(memory_format)
    if name in _ORDERS and array.ndim != _ORDERS[name][0]:
        return False
    order = _order(memory_format, array.ndim)
    if order is None:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return array.transpose(order).flags.c_contiguous


def in_format(input: Tensor, memory_format: Any) -> Tensor:
    """The tensor itself if its memory is in that order, else a copy that is."""
    order = _order(memory_format, input._array.ndim)
    if order is None or input._array.transpose(order).flags.c_contiguous:
        return input
    return laid_out(input.clone(), memory_format)


def laid_out(new: Tensor, memory_format: Any) -> Tensor:
    """A tensor that nobody else has seen yet, its memory brought into that order; None keeps the order, too."""
    order = None if memory_format is None else _order(memory_format, new._array.ndim)
    if order is not None and not new.is_meta and not new._array.transpose(order).flags.c_contiguous:
        back = tuple(sorted(range(len(order)), key=order.__getitem__))
        new._array = np.ascontiguousarray(new._array.transpose(order)).transpose(back)
        new._shared_memory()  # so that nobody moves it into another order
    return new
