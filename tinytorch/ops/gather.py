"""Chapter 5, part 2. Picking along one dimension: gather, and scatter_add, its transpose.

After: tinytorch/ops/indexing.py
Next: tinytorch/autograd/inplace.py

Goal: pick another element in every row, and bring the gradients back to where they were.

``x[index]`` picks whole rows. :func:`gather` picks by an index that is as large as the result: along the dimension
``dim`` it says where to look, and in all others an element looks at its own position::

    y[i][j] = x[index[i][j]][j]   for dim 0          y[i][j] = x[i][index[i][j]]   for dim 1

The derivation is that of the part before: a linear map with one 1 in each row. So the pair :class:`Gather` and
:class:`ScatterAdd` are transposes of each other, and each is the derivative of the other.

>>> import tinytorch
>>> scores = tinytorch.tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0]], requires_grad=True)
>>> right = tinytorch.tensor([[1], [2]])         # the right class of each row
>>> gather(scores, 1, right)
tensor([[5.],
        [3.]], grad_fn=<GatherBackward0>)
>>> gather(scores, 1, right).sum().backward()
>>> scores.grad
tensor([[0., 1., 0.],
        [0., 0., 1.]])

What PyTorch does. The same; its ``scatter_add`` is the transpose, too.

Pitfalls. The index has as many dimensions as x, and does not broadcast: (N,) classes need ``unsqueeze(1)``.

Exercises. Sort each row of a matrix, given ``x.argsort(1)``. What is the gradient of the result for x?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.kernels.memory import empty, zeros
from tinytorch.kernels.picking import all_between, places_along
from tinytorch.ops.checks import check_dims
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.indexing import Index, add_at
from tinytorch.ops.out import accepts_separate_out
from tinytorch.tensor import Tensor

__all__ = ["gather", "scatter_add_along", "take_along_dim"]


class Gather(Primitive):
    """y[i][j] = x[index[i][j]][j] along ``dim`` 0, and likewise along others."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        if not index.size or not x.ndim:
            return np.full(index.shape, x if index.size else 0, x.dtype)
        if not x.flags.c_contiguous:
            return x[along(index, dim, x.shape)]
        places = places_along(index, dim, x.shape)
        return x.take(places, out=empty(index.shape, x.dtype), mode="wrap")  # the index is checked: no second look

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return ScatterAdd.apply(grad, dim=ctx.attributes["dim"], index=ctx.attributes["index"], shape=shape)


class ScatterAdd(Primitive):
    """Zeros of ``shape`` with x added at ``index`` along ``dim``: the transpose of :class:`Gather`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if not index.size:
            return zeros(shape, x.dtype)
        if not shape or not index.ndim:
            return add_at(shape, along(index, dim, shape), x)
        whole = zeros(shape, x.dtype)
        places = places_along(index, dim, shape)
        if index.shape[dim] == 1:  # nothing is picked twice
            whole.reshape(-1)[places] = x
        else:
            np.add.at(whole.reshape(-1), places.reshape(-1), x.reshape(-1))
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Gather.apply(grad, dim=ctx.attributes["dim"], index=ctx.attributes["index"])


def along(index: np.ndarray, dim: int, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """NumPy's index for "index along ``dim``, and each other dimension at its own position"."""
    if not shape:
        return ()
    return tuple(
        index if d == dim else np.arange(size).reshape([-1 if i == d else 1 for i in range(index.ndim)])
        for d, size in enumerate(index.shape)
    )


def rows_of_expanded(index: np.ndarray, dim: int, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """NumPy's index for whole rows along ``dim``, if ``index`` says the same everywhere else; None if it does not.

    Graph networks write ``scatter_add(0, rows[:, None].expand_as(messages), messages)`` for sums of whole rows, and
    an expanded tensor tells by its strides.
    """
    if index.ndim < 2 or index.flags.c_contiguous:
        return None
    for d, (size, whole, stride) in enumerate(zip(index.shape, shape, index.strides, strict=True)):
        if d != dim and (size != whole or (stride and size > 1)):
            return None
    once = index[tuple(slice(None) if d == dim else 0 for d in range(index.ndim))]
    return (*(slice(None),) * dim, once)


def _checked_gather(name: str, input: Tensor, dim: int, index: Tensor) -> int:
    if not index._array.size:  # nothing is picked, whatever the shapes
        return one_dim(dim, input._array.ndim)
    if index._array.dtype.kind != "i" or index._array.dtype.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}")
    dim = one_dim(dim, input._array.ndim)
    if max(index._array.ndim, 1) != max(input._array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as input tensor, in {name}()")
    for d, (a, b) in enumerate(zip(index._array.shape, input._array.shape, strict=False)):
        if d != dim and a > b:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}"
            )
    size = input._array.shape[dim] if input._array.ndim else 1
    if not all_between(index._array, size):
        low, high = index._array.min(), index._array.max()
        bad = low if low < 0 else high
        raise RuntimeError(f"index {bad} is out of bounds for dimension {dim} with size {size}")
    return dim


@accepts_separate_out
@accepts_axis
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None) -> Tensor:
    """Elements picked along ``dim``: ``out[i][j] = input[index[i][j]][j]`` for dim 0; the result has index's shape.

    ``torch.gather``. RuntimeError for an index of another rank or dtype than int32 and int64, one that is larger than
    ``input`` in a dimension other than ``dim``, or one that is out of range.
    """
    dim = _checked_gather("gather", input, dim, index)
    rows = rows_of_expanded(index._array, dim, input._array.shape) if index._array.size else None
    if rows is not None:
        return known_as(relying_on(Index.apply(input, index=rows), index), "GatherBackward0")
    return relying_on(Gather.apply(input, dim=dim, index=index._array), index)


def scatter_add_along(source: Tensor, index: Tensor, dim: int, shape: tuple[int, ...]) -> Tensor:
    """Zeros of ``shape`` with ``source`` added at ``index`` along ``dim``: the transpose of :func:`gather`."""
    return ScatterAdd.apply(source, dim=dim, index=index._array, shape=shape)


@accepts_separate_out
@accepts_axis
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """As :func:`gather`, but ``input`` and ``indices`` broadcast in all other dimensions, and an index counts from the
    end where it is negative (modulo the size, as in PyTorch). Without ``dim``: a gather from the flattened tensor.

    Raises RuntimeError for indices that are not int64, or that have not as many dimensions as ``input``.
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if indices._array.ndim != input._array.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices"
        )
    check_dims(input, dim)
    dim = one_dim(dim, input._array.ndim)
    size, picks = input._array.shape[dim], indices._array.shape[dim]
    before_and_after = [[*t._array.shape[:dim], 1, *t._array.shape[dim + 1 :]] for t in (input, indices)]
    shape = list(ops.broadcast_shapes(*before_and_after))
    sources, places = ([*shape[:dim], n, *shape[dim + 1 :]] for n in (size, picks))
    return gather(input.expand(sources), dim, ops.remainder(indices, size).expand(places))


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
