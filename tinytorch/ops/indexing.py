"""Chapter 5. Indexing and changes in place.

After: tinytorch/ops/shape.py
Next: tinytorch/ops/gather.py

Goal: pick elements, put them back, and see that each is the other's derivative.

The idea. *Basic* indexing (integers, slices, None, Ellipsis) gives a view. *Advanced* indexing (tensors of integers or
bools, lists) picks copies. Picking is a linear map y = P x with one 1 in each row of P; its derivative is Pᵀ, which
puts each gradient where its element came from, and *adds* where several came from one place.

>>> import tinytorch
>>> x = tinytorch.tensor([10.0, 20.0, 30.0], requires_grad=True)
>>> x[[0, 2, 2]]
tensor([10., 30., 30.], grad_fn=<IndexBackward0>)
>>> x[[0, 2, 2]].sum().backward()
>>> x.grad                                       # element 2 was picked twice, element 1 never
tensor([1., 0., 2.])

The derivation. y_k = x_{i(k)}, so ∂L/∂x_j = Σ_k grad_k [i(k) = j]: :func:`add_at`. The pairs that follow from it::

    BasicIndex   <->  PutInZeros          a view, and zeros with the gradient in that place
    Index        <->  IndexAdd            several picks of one element: their gradients add up

What PyTorch does. The same pairs, and the same results for duplicate indices in ``index_put_`` without accumulate:
which one wins is undefined there; here the last.

Pitfalls. ``array[index] += grad`` in NumPy adds each place *once*, however often it stands in the index: the classical
bug of this chapter. ``x[0]`` is a view, ``x[[0]]`` is a copy: writing to one changes x, to the other it does not.

Exercises. What would ``x.grad`` be for ``x[x > 15].sum()``? Write ``one_hot(classes, 3)`` with one line of indexing.
Answers: ``python -m tinytorch.learn answers 5``; more: ``python -m tinytorch.learn start --chapter 5``.
Check: ``python -m pytest tests/ops/test_cases.py tests/ops/test_scatter.py tests/autograd/test_views.py``.

"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd import inplace
from tinytorch.autograd.modes import state
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.autograd.watching import watchers
from tinytorch.dtypes import FLOATS
from tinytorch.kernels.layout import same_order_copy
from tinytorch.kernels.memory import zeros
from tinytorch.kernels.picking import reduce_rows, sums_by_row, take
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import check_all_tensors
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.index_arguments import (
    broadcast_ndim,
    check_same_dtype,
    consumed_dims,
    explained,
    tensors_in,
    two_steps,
    unified,
    without_leading_ones,
)
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.out import accepts_exact_out, accepts_separate_out
from tinytorch.tensor import Tensor

__all__ = [
    "argwhere",
    "basic_index",
    "getitem",
    "index_put",
    "index_select",
    "nonzero",
    "setitem",
]  # fmt: skip


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

    def name(self) -> str:
        """PyTorch takes the parts of an index one after the other; the last that changes anything is its node."""
        for part in reversed(self.attributes["index"]):
            if part is None:
                return "UnsqueezeBackward0"
            if isinstance(part, slice):
                if part != slice(None):
                    return "SliceBackward0"
            elif part is not Ellipsis:
                return "SelectBackward0"
        return "AliasBackward0"


class PutInZeros(Primitive):
    """Zeros of ``shape`` with x at ``index``: the transpose of :class:`BasicIndex`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
        whole = zeros(shape, x.dtype)
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
        if not x.flags.c_contiguous:
            return x[index]
        if isinstance(index, tuple) and _picks_along_one_dim(index):
            return take(x, index[-1], len(index) - 1)  # the same, up to four times as fast
        return np.ascontiguousarray(x[index])  # NumPy lays the dimensions of the arrays outermost in memory

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return IndexAdd.apply(grad, index=ctx.attributes["index"], shape=shape)


def _picks_along_one_dim(index: tuple[Any, ...]) -> bool:
    """Whether an index is an integer array after full slices."""
    if not index or not isinstance(index[-1], np.ndarray) or index[-1].dtype.kind not in "iu":
        return False
    return all(isinstance(item, slice) and item == slice(None) for item in index[:-1])


def _shape_of_rows(shape: tuple[int, ...], index: Any) -> tuple[int, ...] | None:
    """The shape of what row numbers pick along one dimension; None for any other index."""
    if type(index) is not tuple or not _picks_along_one_dim(index) or (len(index) > 1 and index[-1].ndim != 1):
        return None
    return (*shape[: len(index) - 1], *index[-1].shape, *shape[len(index) :])


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
        y = same_order_copy(x)
        if accumulate:
            combine_at(np.add, y, index, value)
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
        return RuntimeError(
            f"shape mismatch: value tensor of shape {list(arrays[1].shape)} cannot be broadcast to the indexing result "
            f"of a tensor of shape {list(arrays[0].shape)}: {error}"
        )


def add_at(shape: tuple[int, ...], index: Any, values: np.ndarray) -> np.ndarray:
    """Zeros of ``shape`` with ``values`` added at ``index``; repeated positions add up.

    ``np.add.at``, in the last line, says that of any index. It visits one number after the other, and is several times
    as fast for one flat index as for rows or for several arrays; the most frequent indices are brought to that form.
    """
    whole = zeros(shape, values.dtype)
    if not shape:
        return whole + values.sum(dtype=values.dtype)
    items = index if isinstance(index, tuple) else (index,)
    whole_dims = [item for item in items[:-1] if isinstance(item, slice) and item == slice(None)]
    if whole_dims and len(whole_dims) == len(items) - 1 and getattr(items[-1], "ndim", 0) == 1:
        dim = len(items) - 1  # rows, once that dimension is the first
        turned = add_at((shape[dim], *shape[:dim], *shape[dim + 1 :]), items[-1:], np.moveaxis(values, dim, 0))
        return np.moveaxis(turned, 0, dim)
    kinds = {item.dtype.kind if isinstance(item, np.ndarray) else "" for item in items}
    if kinds == {"b"} and len(items) == 1:
        whole[items] = values  # a mask picks nothing twice
    elif kinds <= {"i", "u"} and items:  # of the first dimensions: the rows of an embedding, say
        width = math.prod(shape[len(items) :])
        if width >= 16:
            rows, sums = _sums_by_row(shape, items, values)
            whole.reshape(-1, width)[rows] = sums
        else:
            np.add.at(whole.reshape(-1), _flat_positions(shape, items), values.reshape(-1))
    else:
        np.add.at(whole, index, values)
    return whole


def combine_at(ufunc: np.ufunc, y: np.ndarray, index: Any, values: np.ndarray) -> None:
    """``y[index] = ufunc(y[index], values)`` with each position as often as it is named: ``ufunc.at``, in the last
    line, or a faster way to it.
    """
    arrays = index if type(index) is tuple and all(isinstance(item, np.ndarray) for item in index) else ()
    if y.ndim > 1 and values.shape == _shape_of_rows(y.shape, index):
        dim = len(index) - 1
        width = math.prod(y.shape[1:])
        if ufunc is np.add and dim == 0 and width >= 16 and y.flags.c_contiguous:
            rows, sums = _sums_by_row(y.shape, index, values)
            y.reshape(-1, width)[rows] += sums
        elif ufunc is np.add:
            y += add_at(y.shape, index, values)
        else:
            reduce_rows(ufunc, np.moveaxis(y, dim, 0), index[-1], np.moveaxis(values, dim, 0))
    elif arrays and len(arrays) == y.ndim and y.flags.c_contiguous and all(a.dtype.kind in "iu" for a in arrays):
        if len(arrays) > 1 or values.shape != arrays[0].shape:
            values = np.broadcast_to(values, np.broadcast(*arrays).shape)
        ufunc.at(y.reshape(-1), _row_numbers(y.shape, arrays), values.reshape(-1))
    else:
        ufunc.at(y, index, values)


def _flat_positions(shape: tuple[int, ...], arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Where in flat row-major memory the elements lie that integer arrays for the first dimensions pick."""
    width = math.prod(shape[len(arrays) :])
    return (_row_numbers(shape, arrays)[:, None] * width + np.arange(width)).reshape(-1)


def _sums_by_row(shape: tuple[int, ...], arrays: tuple[np.ndarray, ...], values: np.ndarray) -> Any:
    """The rows that integer arrays for the first dimensions pick, each once, and for each the sum of its values."""
    rows = _row_numbers(shape, arrays)
    if not rows.size:
        return rows, 0
    values = np.ascontiguousarray(values.reshape(rows.size, -1))
    return sums_by_row(rows, values, math.prod(shape[: len(arrays)]))


def _row_numbers(shape: tuple[int, ...], arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Which rows they pick, if the first dimensions are made one."""
    rows: Any = None
    for size, array in zip(shape, arrays, strict=False):
        if array.size and np.minimum.reduce(array, axis=None) < 0:
            array = np.where(array < 0, array + size, array)
        rows = array.astype(np.int64, copy=False) if rows is None else rows * size + array
    return rows.reshape(-1)


def basic_index(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """``input[index]`` for an index without arrays: a view."""
    return BasicIndex.apply(input, index=index)


def getitem(input: Tensor, index: Any) -> Tensor:
    """``input[index]``. IndexError for indices out of range, of the wrong number or of the wrong dtype."""
    # one integer is by far the most frequent
    basic, picks = ((index,), None) if type(index) is int and input._array.ndim else two_steps(input, index)
    try:
        if basic is not None:
            input = BasicIndex.apply(input, index=basic)
        if picks is None:
            return input
        result = Index.apply(input, index=picks)
        return result if result._edge is None else relying_on(result, *tensors_in(index))
    except (IndexError, OverflowError) as error:
        raise explained(input, error, index) from None


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value``, recorded when ``input`` or ``value`` require grad."""
    basic, picks = two_steps(input, index)
    try:
        if picks is None and _written_directly(input, basic, value):
            return
        if not isinstance(value, Tensor):
            value = Tensor._wrap(np.asarray(value)) if isinstance(value, np.ndarray) else _number_like(input, value)
        region = input if basic is None else BasicIndex.apply(input, index=basic)
        if picks is None:
            value = without_leading_ones(value, region._array.ndim)
            inplace.change_in_place(region, ops.copy, value)
        else:
            ndim = sum(1 for item in picks if item is None or isinstance(item, slice))
            check_same_dtype(region, value, picks)
            value = without_leading_ones(
                value, ndim + broadcast_ndim(picks) + region._array.ndim - consumed_dims(picks)
            )
            inplace.change_in_place(region, _put, picks, tensors_in(index), value)
    except (IndexError, OverflowError) as error:
        raise explained(input, error, index) from None


def _written_directly(input: Tensor, index: Any, value: Any) -> bool:
    """Write a number to a region of floats that nobody differentiates; False where that does not apply."""
    if type(value) not in (float, int) or input._array.dtype.kind not in FLOATS or index is None or watchers:
        return False
    if state.grad_enabled and (input.requires_grad or input._view_obstacle is not None):
        return False
    inplace.check_writable(input)
    input._array[index] = value
    input._bump_version()
    return True


def _number_like(input: Tensor, value: Any) -> Tensor:
    if isinstance(value, (int, float, bool, complex, np.generic)):
        if isinstance(value, complex):
            check_convertible(value, input._array.dtype)
        return Tensor._wrap(np.asarray(value).astype(input._array.dtype))
    raise TypeError(f"can't assign a {type(value).__name__} to a {input.type()}")


def _put(input: Tensor, index: tuple[Any, ...], made_of: Sequence[Tensor], values: Tensor) -> Tensor:
    """``input`` with ``values`` at ``index`` (NumPy's form), as a new tensor."""
    result = IndexPut.apply(input, cast(values, input._array.dtype), index=index, accumulate=False)
    return relying_on(result, *made_of)


@checks_arguments
def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with ``values`` at ``indices``, one tensor for each of the first dimensions, as a new tensor;
    ``accumulate`` adds instead.

    RuntimeError for values of another dtype, or of more dimensions than ``input[indices]`` has.
    """
    check_all_tensors(indices, 1)
    if not indices:
        raise RuntimeError("index_put(): indices must name at least one dimension")
    check_same_dtype(input, values, ())
    picks = unified(tuple(indices))
    consumed = consumed_dims(picks)
    if consumed > input._array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input._array.ndim} (got {consumed})")
    ndim = broadcast_ndim(picks) + input._array.ndim - consumed
    if values._array.ndim > ndim:
        input[picks]  # an IndexError comes first
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"{ndim} dimensions"
        )
    return relying_on(IndexPut.apply(input, values, index=picks, accumulate=accumulate), *indices)


@accepts_separate_out
@accepts_axis
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The positions ``index`` (1-d) along ``dim``."""
    if index._array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index._array.dtype not in (np.int32, np.int64):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim] if input._array.ndim else 1
    if input._array.ndim == 0 and index._array.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index._array.size} value(s)")
    if index._array.size and (index._array.min() < 0 or index._array.max() >= size):
        if not size and input._array.ndim > 1:
            raise RuntimeError("index_select(): self indexing axis dim should be positive")
        raise IndexError("index out of range in self")
    if input._array.ndim == 0:
        return input.reshape(1)[index.reshape(-1)].reshape(())
    rows = Index.apply(input, index=(slice(None),) * dim + (index._array.reshape(-1),))
    return known_as(relying_on(rows, index), "IndexSelectBackward0")


@accepts_exact_out
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Any = None) -> Any:
    """Where the elements are non-zero: a matrix with one row per element, or one index tensor per dimension."""
    if as_tuple:
        return tuple(Tensor._wrap(i) for i in np.nonzero(np.atleast_1d(input._array)))
    return Tensor._wrap(np.argwhere(input._array))


def argwhere(input: Tensor) -> Tensor:
    """Where the elements are non-zero, one row per element."""
    return nonzero(input)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
