"""Indexing: picking elements, and putting them back.

*Basic* indexing (integers, slices, None, Ellipsis) gives a view. *Advanced* indexing (tensors of integers or bools, lists) picks
copies. Picking and adding-at are transposes of each other: an element that was picked three times
receives the sum of three gradients.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from tinytorch.autograd import inplace
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.broadcast import cast
from tinytorch.ops.dims import one_dim
from tinytorch.tensor import Tensor

__all__ = ["basic_index", "getitem", "setitem", "index_put", "gather", "scatter_add_along", "nonzero", "argwhere",
           "index_select", "take_along_dim"]  # fmt: skip


class BasicIndex(Primitive):
    """y = x[index] as a view; backward, the gradient is put into zeros at the same place."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: Any) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        # An index made of integers alone would give a scalar without memory; the Ellipsis keeps it a view.
        return x[(*index, ...)] if Ellipsis not in index else x[index]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return PutInZeros.apply(grad, index=ctx.attributes["index"], shape=shape)

    @classmethod
    def name(cls) -> str:
        return "SliceBackward0"


class PutInZeros(Primitive):
    """Zeros of ``shape`` with x at ``index``: the transpose of :class:`BasicIndex`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
        whole = np.zeros(shape, x.dtype)
        whole[index] = x
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return basic_index(grad, ctx.attributes["index"])


class Index(Primitive):
    """y = x[index] with arrays in the index: copies of the picked elements."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: Any) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return x[index]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return IndexAdd.apply(grad, index=ctx.attributes["index"], shape=shape)


class IndexAdd(Primitive):
    """Zeros of ``shape`` with x added at ``index``, once per time it was picked: the transpose of :class:`Index`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
        return add_at(shape, index, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Index.apply(grad, index=ctx.attributes["index"])


class IndexPut(Primitive):
    """x with ``value`` at ``index``: those elements of x receive no gradient, the value receives theirs."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: np.ndarray, index: Any, accumulate: bool) -> np.ndarray:
        y = x.copy(order="K")
        if accumulate:
            np.add.at(y, index, value)
        else:
            y[index] = value
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        index = ctx.attributes["index"]
        need_x, need_value = ctx.needs_input_grad
        grad_x = grad
        if need_x and not ctx.attributes["accumulate"]:
            zero = Tensor._wrap(np.zeros((), grad._array.dtype))
            grad_x = IndexPut.apply(grad, zero, index=index, accumulate=False)
        return grad_x if need_x else None, Index.apply(grad, index=index) if need_value else None


    @classmethod
    def explain(cls, error: ValueError, *arrays: Any) -> Exception:
        return RuntimeError(f"shape mismatch: value tensor of shape {list(arrays[1].shape)} cannot be broadcast to indexing "
                            f"result of a tensor of shape {list(arrays[0].shape)}: {error}")  # fmt: skip


class Gather(Primitive):
    """y[i][j] = x[index[i][j]][j] along ``dim`` 0, and likewise along others."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return x[_along(index, dim, x.shape)]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return ScatterAdd.apply(grad, dim=ctx.attributes["dim"], index=ctx.attributes["index"], shape=shape)


class ScatterAdd(Primitive):
    """Zeros of ``shape`` with x added at ``index`` along ``dim``: the transpose of :class:`Gather`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if index.ndim and index.shape[dim] == 1:  # nothing is picked twice
            whole = np.zeros(shape, x.dtype)
            whole[_along(index, dim, shape)] = x
            return whole
        return add_at(shape, _along(index, dim, shape), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Gather.apply(grad, dim=ctx.attributes["dim"], index=ctx.attributes["index"])


def _along(index: np.ndarray, dim: int, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """NumPy's index for "index along ``dim``, and each other dimension at its own position"."""
    if not shape:
        return ()
    return tuple(
        index if d == dim else np.arange(size).reshape([-1 if i == d else 1 for i in range(index.ndim)])
        for d, size in enumerate(index.shape)
    )


def add_at(shape: tuple[int, ...], index: Any, values: np.ndarray) -> np.ndarray:
    """Zeros of ``shape`` with ``values`` added at ``index``; repeated positions add up.

    ``np.add.at`` is several times faster for one flat index than for rows or for several arrays. So where integer arrays index
    the first dimensions (the rows of an embedding, a gather), the positions in flat memory are worked out first.
    """
    whole = np.zeros(shape, values.dtype)
    if not shape:
        return whole + values.sum(dtype=values.dtype)
    items = index if isinstance(index, tuple) else (index,)
    kinds = {item.dtype.kind if isinstance(item, np.ndarray) else "" for item in items}
    if kinds == {"b"} and len(items) == 1:
        whole[items] = values  # a mask picks nothing twice
    elif kinds <= {"i", "u"} and items:
        np.add.at(whole.reshape(-1), _flat_positions(shape, items), values.reshape(-1))
    else:
        np.add.at(whole, index, values)
    return whole


def _flat_positions(shape: tuple[int, ...], arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Where in flat row-major memory the elements lie that integer arrays for the first dimensions pick."""
    rows = np.zeros((), np.int64)
    for size, array in zip(shape, arrays, strict=False):
        rows = rows * size + np.where(array < 0, array + size, array)
    width = math.prod(shape[len(arrays) :])
    return (rows.reshape(-1, 1) * width + np.arange(width)).reshape(-1)


def basic_index(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """``input[index]`` for an index without arrays: a view."""
    return BasicIndex.apply(input, index=index)


def getitem(input: Tensor, index: Any) -> Tensor:
    """``input[index]``. IndexError for indices out of range, of the wrong number or of the wrong dtype."""
    basic, picks = _normalized(input, index)
    try:
        if basic is not None:
            input = BasicIndex.apply(input, index=basic)
        return input if picks is None else Index.apply(input, index=picks)
    except IndexError as error:
        raise _explain(input, error) from None


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value``, recorded when ``input`` or ``value`` require grad."""
    basic, picks = _normalized(input, index)
    if not isinstance(value, Tensor):
        value = Tensor._wrap(np.asarray(value)) if isinstance(value, np.ndarray) else _number_like(input, value)
    try:
        region = input if basic is None else BasicIndex.apply(input, index=basic)
        if picks is None:
            value = _without_leading_ones(value, region._array.ndim)
            inplace.change_in_place(region, ops.copy, value)
        else:
            ndim = sum(1 for item in picks if item is None or isinstance(item, slice))
            value = _without_leading_ones(value, ndim + _broadcast_ndim(picks) + region._array.ndim - _consumed(picks))
            inplace.change_in_place(region, index_put, picks, value)
    except IndexError as error:
        raise _explain(input, error) from None


def _number_like(input: Tensor, value: Any) -> Tensor:
    if isinstance(value, (int, float, bool, complex, np.generic)):
        return Tensor._wrap(np.asarray(value).astype(input._array.dtype))
    raise TypeError(f"can't assign a {type(value).__name__} to a {input.type()}")


def _without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    """PyTorch lets an assigned value have more dimensions than the place, if they are of size 1 and in front."""
    shape = value._array.shape
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    return value.reshape(shape[extra:]) if extra else value


def _broadcast_ndim(picks: tuple[Any, ...]) -> int:
    """How many dimensions the arrays of an index become together."""
    arrays = [item for item in picks if isinstance(item, np.ndarray)]
    return max(1 if array.dtype.kind == "b" and array.ndim else array.ndim for array in arrays) if arrays else 0


def index_put(input: Tensor, index: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with ``values`` at ``index`` (NumPy form), as a new tensor; ``accumulate`` adds instead."""
    if isinstance(index, (tuple, list)) and any(isinstance(item, Tensor) for item in index):
        index = _unified(tuple(index))
    return IndexPut.apply(input, cast(values, input._array.dtype), index=index, accumulate=accumulate)


def _normalized(input: Tensor, index: Any) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """The index in two steps, either of which may be None: a basic one (a view), then one of slices and arrays (a copy).

    Most indices need one step. An integer beside an array takes two, because NumPy would count the integer as an array, and
    ``x[0, :, [1, 2]]`` would come out transposed.
    """
    items = _unified(index)
    ndim = input._array.ndim
    counted = _consumed(items)
    if counted > ndim:
        if ndim == 0 and not any(isinstance(item, np.ndarray) for item in items):
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
                "0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    if not any(isinstance(item, np.ndarray) for item in items):
        return items, None
    if not any(isinstance(item, int) for item in items):
        return None, items
    if Ellipsis in [item for item in items if not isinstance(item, np.ndarray)]:
        where = next(i for i, item in enumerate(items) if item is Ellipsis)
        items = (*items[:where], *[slice(None)] * (ndim - counted), *items[where + 1 :])
    basic: list[Any] = []
    picks: list[Any] = []
    for item in items:
        if not isinstance(item, np.ndarray):
            basic.append(item)
            picks += [] if isinstance(item, int) else [slice(None)]
        else:
            basic += [slice(None)] * (item.ndim if item.dtype.kind == "b" else 1)
            picks.append(item)
    return tuple(basic), tuple(picks)


def _consumed(items: tuple[Any, ...]) -> int:
    """How many dimensions of the tensor an index speaks of: a mask as many as it has, None and Ellipsis none."""
    return sum(
        item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else item is not None and item is not Ellipsis
        for item in items
    )


def _unified(index: Any) -> tuple[Any, ...]:
    """The index as a tuple of ints, slices, None, Ellipsis and arrays; tensors and lists become arrays."""
    if type(index) is list and _means_tuple(index):
        index = tuple(index)
    result: list[Any] = []
    for item in index if type(index) is tuple else (index,):
        if item is None or item is Ellipsis:
            result.append(item)
        elif isinstance(item, slice):
            result.append(_checked_slice(item))
        elif isinstance(item, (bool, np.bool_)):
            result.append(np.asarray(item))
        elif isinstance(item, (int, np.integer)):
            result.append(int(item))
        else:
            array = _index_array(item)
            result.append(int(array) if array.ndim == 0 and array.dtype.kind in "iu" else array)
    return tuple(result)


def _means_tuple(index: list[Any]) -> bool:
    """PyTorch (2.13 still) reads a short list that holds sequences, slices or tensors as if it were a tuple."""
    return len(index) < 32 and any(
        item is None or item is Ellipsis or isinstance(item, (list, tuple, slice, range, Tensor)) for item in index
    )


def _checked_slice(item: slice) -> slice:
    parts = [part if part is None else part.__index__() for part in (item.start, item.stop, item.step)]
    if parts[2] is not None and parts[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*parts)


def _index_array(item: Any) -> np.ndarray:
    if isinstance(item, Tensor):
        array = item._array
    elif isinstance(item, (list, tuple, range, np.ndarray)):
        array = ops.array_from_data(item, None)
        if array.size == 0 and array.dtype.kind == "f":
            array = array.astype(np.int64)
    else:
        raise (TypeError if isinstance(item, str) else IndexError)(
            f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(item).__name__})"
        )
    if array.dtype == np.uint8:
        return array.astype(bool)
    if array.dtype.kind not in "ib":
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, and this one is {array.dtype}"
        )
    return array


def _explain(input: Tensor, error: IndexError) -> IndexError:
    text = str(error)
    mask = re.match(r"boolean index did not match .* along axis (\d+); size of axis is \d+ but size of .* is (\d+)", text)
    if mask is not None:
        return IndexError(
            f"The shape of the mask [{mask[2]}] at index {mask[1]} does not match the shape of the indexed tensor "
            f"{list(input._array.shape)} at index {mask[1]}"
        )
    text = text.replace("is out of bounds for axis", "is out of bounds for dimension")
    return IndexError(f"{text} (tensor of shape {list(input._array.shape)})")


def _checked_gather(name: str, input: Tensor, dim: int, index: Tensor) -> int:
    if index._array.dtype.kind not in "i" or index._array.dtype.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}")
    dim = one_dim(dim, input._array.ndim)
    if builtin_max(index._array.ndim, 1) != builtin_max(input._array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as input tensor, in {name}()")
    for d, (a, b) in enumerate(zip(index._array.shape, input._array.shape, strict=False)):
        if d != dim and a > b:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}"
            )
    size = input._array.shape[dim] if input._array.ndim else 1
    if index._array.size and not (0 <= index._array.min() and index._array.max() < size):
        bad = index._array.max() if index._array.min() >= 0 else index._array.min()
        raise RuntimeError(f"index {bad} is out of bounds for dimension {dim} with size {size}")
    return dim


builtin_max = max


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements picked along ``dim``: ``out[i][j] = input[index[i][j]][j]`` for dim 0; the result has index's shape."""
    dim = _checked_gather("gather", input, dim, index)
    return Gather.apply(input, dim=dim, index=index._array)


def scatter_add_along(source: Tensor, index: Tensor, dim: int, shape: tuple[int, ...]) -> Tensor:
    """Zeros of ``shape`` with ``source`` added at ``index`` along ``dim``: the transpose of :func:`gather`."""
    return ScatterAdd.apply(source, dim=dim, index=index._array, shape=shape)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As :func:`gather`, with broadcasting; without ``dim`` from the flattened tensor."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    dim = one_dim(dim, input._array.ndim)
    shape = list(ops.broadcast_shapes([1 if i == dim else s for i, s in enumerate(input._array.shape)],
                                      [1 if i == dim else s for i, s in enumerate(indices._array.shape)]))  # fmt: skip
    shape[dim] = input._array.shape[dim]
    wide = input.expand(shape)
    shape[dim] = indices._array.shape[dim]
    return gather(wide, dim, indices.expand(shape))


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The positions ``index`` (1-d) along ``dim``."""
    if index._array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index._array.dtype not in (np.int32, np.int64):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim] if input._array.ndim else 1
    if index._array.size and not (0 <= index._array.min() and index._array.max() < size):
        raise IndexError("index out of range in self")
    if input._array.ndim == 0:
        return input.reshape(1)[index.reshape(-1)].reshape(())
    return Index.apply(input, index=(slice(None),) * dim + (index._array.reshape(-1),))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where the elements are non-zero: a matrix with one row per element, or one index tensor per dimension."""
    if as_tuple:
        return tuple(Tensor._wrap(i) for i in np.nonzero(np.atleast_1d(input._array)))
    return Tensor._wrap(np.argwhere(input._array))


def argwhere(input: Tensor) -> Tensor:
    """Where the elements are non-zero, one row per element."""
    return nonzero(input)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
