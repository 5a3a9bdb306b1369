"""Positions of elements as numbers: a fixed number of non-zeros, and flat indices as coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_tensor
from tinytorch.ops.dims import ints_from
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = ["nonzero_static", "unravel_index"]


@accepts_out
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1, out: Tensor | None = None) -> Tensor:
    """The first ``size`` rows of :func:`tinytorch.nonzero`; if there are fewer, rows of ``fill_value`` follow.

    Its shape does not depend on the data: (size, ndim). RuntimeError for a negative size.
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = np.argwhere(input._array)[:size]
    result = np.full((size, input._array.ndim), fill_value, np.int64)
    result[: len(found)] = found
    return Tensor._wrap(result)


@checks_arguments
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates, one tensor for each dimension of ``shape``, of elements that are numbered in rows.

    >>> import tinytorch
    >>> tinytorch.unravel_index(tinytorch.tensor([3, 7]), (4, 5))
    (tensor([0, 1]), tensor([3, 2]))
    """
    check_tensor("unravel_index", "indices", 1, indices)
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, Tensor) or (isinstance(shape, (tuple, list)) and any(isinstance(n, Tensor) for n in shape)):
        raise TypeError("expected 'shape' to be int or sequence of ints, but got tensors")
    sizes = ints_from("unravel_index", "shape", shape, single=True)
    if 0 in sizes and indices._array.size:
        raise RuntimeError(f"unravel_index: there are no elements in shape {list(sizes)}")
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    steps = [int(np.prod(sizes[i + 1 :], dtype=object)) for i in range(len(sizes))]
    numbers = indices._array.astype(np.int64)
    return tuple(Tensor._wrap(np.asarray(numbers // step % size)) for size, step in zip(sizes, steps, strict=True))
