"""``apply_``, ``map_``, ``map2_``: a Python function called for every element. Slow, and not recorded by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd import inplace
from tinytorch.tensor import Tensor

__all__ = ["apply_", "map2_", "map_"]


def _call_each(name: str, input: Tensor, function: Callable[..., Any], *others: Tensor) -> Tensor:
    for other in others:
        if not isinstance(other, Tensor):
            raise TypeError(f"{name}(): expected Tensors, but got {type(other).__name__}")
    if any(tensor.requires_grad for tensor in (input, *others)):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    inplace.check_writable(input)
    arrays = [np.broadcast_to(other._array, input._array.shape) for other in others]
    results = [function(*values) for values in zip(input._array.flat, *[a.flat for a in arrays], strict=True)]
    input._array[...] = np.array(results, dtype=object).astype(input._array.dtype).reshape(input._array.shape)
    input._bump_version()
    return input


def apply_(input: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace every element x by ``callable(x)``."""
    return _call_each("apply_", input, lambda x: callable(x.item()))


def map_(input: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace every element x by ``callable(x, y)``, with y from ``tensor``, which may broadcast."""
    return _call_each("map_", input, lambda x, y: callable(x.item(), y.item()), tensor)


def map2_(input: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replace every element a by ``callable(a, b, c)``, with b from ``x`` and c from ``y``, which may broadcast."""
    return _call_each("map2_", input, lambda a, b, c: callable(a.item(), b.item(), c.item()), x, y)
