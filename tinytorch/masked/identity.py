"""How a mask works here: a masked-out element is replaced by the value that changes nothing.

0 changes no sum, 1 no product, -∞ no maximum and no softmax. So a masked function is the ordinary one, applied to
``where(mask, input, identity)``, and the derivative of ``where`` keeps gradients from what is masked out.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.dtypes import INEXACT
from tinytorch.ops.dims import one_dim
from tinytorch.tensor import Tensor

__all__ = ["all_dims", "canonical_mask", "filled", "highest", "lowest", "reduced", "result_mask"]


def canonical_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bools in the shape of ``input``. IndexError if it has more dimensions, RuntimeError if it differs."""
    if mask._array.ndim > input._array.ndim:
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    return ops.broadcast_to(mask, input.shape).bool()


def filled(input: Tensor, mask: Tensor | None, identity: float) -> Tensor:
    """``input`` with ``identity`` where the mask is False."""
    if mask is None:
        return input
    return ops.where(canonical_mask(input, mask), input, Tensor._wrap(np.asarray(identity, input._array.dtype)))


def lowest(input: Tensor) -> float:
    """The smallest value of a dtype: the identity of a maximum."""
    return _limit(input, -math.inf)


def highest(input: Tensor) -> float:
    """The largest value of a dtype: the identity of a minimum."""
    return _limit(input, math.inf)


def _limit(input: Tensor, infinity: float) -> float:
    kind = input._array.dtype.kind
    if kind in INEXACT:
        return infinity
    if kind in "iu":
        limits = np.iinfo(input._array.dtype)
        return limits.min if infinity < 0 else limits.max
    raise NotImplementedError(f"a maximum or minimum has no identity for {input.dtype} input")


def all_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """``dim`` as a tuple in rising order; None and () mean every dimension. RuntimeError if one is given twice.

    As in PyTorch's Python: True is 1, and a whole number that is no ``int`` (a tensor, one of NumPy's) is refused.
    """
    if dim is None or (isinstance(dim, tuple) and not dim):
        return tuple(range(ndim))
    if not isinstance(dim, (int, Collection)) or isinstance(dim, Tensor):
        raise TypeError(f"argument 'dim' must be int or tuple of ints, not {type(dim).__name__}")
    dims: list[int] = []
    for d in (dim,) if isinstance(dim, int) else dim:
        place = one_dim(int(d) if isinstance(d, bool) else d, ndim)
        if place in dims:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        dims.append(place)
    return tuple(sorted(dims))


def result_mask(op: Any, input: Tensor, *args: Any, mask: Tensor, **kwargs: Any) -> Tensor:
    """Which results of the masked function ``op`` are made of any element at all (``torch.masked._output_mask``)."""
    shown = canonical_mask(input, mask)
    if op.__module__.endswith("normalizations"):
        return shown
    if op.__name__ == "norm":
        args = args[1:]  # ord
    dims = all_dims(args[0] if args else kwargs.get("dim"), input._array.ndim)
    return Tensor._wrap(reduced(np.any, shown._array, dims, bool(kwargs.get("keepdim", False))))


def reduced(function: Any, array: np.ndarray, dims: tuple[int, ...], keepdim: bool, **options: Any) -> np.ndarray:
    """A NumPy reduction, to which () means no dimensions, not all; and to PyTorch a number has a dimension 0, too."""
    axis = (dims or None) if array.ndim else ()
    return np.asarray(function(array, axis=axis, keepdims=keepdim, **options))
