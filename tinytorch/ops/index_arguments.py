"""Reading an index: what may stand between brackets, brought to ints, slices, None, Ellipsis and arrays that NumPy
understands."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.ops.checks import type_name
from tinytorch.tensor import Tensor

__all__ = [
    "broadcast_ndim",
    "check_same_dtype",
    "consumed_dims",
    "explained",
    "tensors_in",
    "two_steps",
    "unified",
    "without_leading_ones",
]


def without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    """PyTorch lets an assigned value have more dimensions than the place, if they are of size 1 and in front."""
    shape = value._array.shape
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    return value.reshape(shape[extra:]) if extra else value


def broadcast_ndim(picks: tuple[Any, ...]) -> int:
    """How many dimensions the arrays of an index become together."""
    arrays = [item for item in picks if isinstance(item, np.ndarray)]
    return max(1 if array.dtype.kind == "b" and array.ndim else array.ndim for array in arrays) if arrays else 0


def check_same_dtype(region: Tensor, value: Tensor, picks: tuple[Any, ...]) -> None:
    """RuntimeError for values of another dtype; one value for a mask is converted, as numbers are."""
    same = value._array.dtype == region._array.dtype
    if not same and not (value._array.size == 1 and len(picks) == 1 and picks[0].dtype.kind == "b"):
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {type_name(region)} for the destination "
            f"and {type_name(value)} for the source."
        )


def two_steps(input: Tensor, index: Any) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """The index in two steps, either of which may be None: a basic one (a view), then one of slices and arrays (a
    copy).

    Most indices need one step. An integer beside an array takes two, because NumPy would count the integer as an
    array, and ``x[0, :, [1, 2]]`` would come out transposed.
    """
    items = unified(index)
    ndim = input._array.ndim
    counted = consumed_dims(items)
    arrays = [item for item in items if type(item) is np.ndarray]
    if counted > ndim:
        if ndim == 0 and not arrays:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    if not arrays:
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


def consumed_dims(items: tuple[Any, ...]) -> int:
    """How many dimensions of the tensor an index speaks of: a mask as many as it has, None and Ellipsis none."""
    count = 0
    for item in items:
        if item is not None and item is not Ellipsis:
            count += item.ndim if type(item) is np.ndarray and item.dtype.kind == "b" else 1
    return count


def unified(index: Any) -> tuple[Any, ...]:
    """The index as a tuple of ints, slices, None, Ellipsis and arrays; tensors and lists become arrays."""
    if type(index) is list and _means_tuple(index):
        index = tuple(index)
    if type(index) is tuple and len(index) > 1 and index[-1] is Ellipsis and any(i is Ellipsis for i in index[:-1]):
        index = index[:-1]  # a second Ellipsis in the end stands for no dimension
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
        item is None or item is Ellipsis or isinstance(item, (list, tuple, slice, range, np.ndarray, Tensor))
        for item in index
    )


def _checked_slice(item: slice) -> slice:
    parts = [part if part is None else operator.index(part) for part in (item.start, item.stop, item.step)]
    if parts[2] is not None and parts[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*parts)


def _index_array(item: Any) -> np.ndarray:
    if isinstance(item, Tensor):
        array = item._array
        if array.dtype.kind == "i" and array.itemsize < 4:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    elif isinstance(item, (list, tuple, range, np.ndarray)):
        array = _whole_numbers(ops.array_from_data(item, None), isinstance(item, np.ndarray))
    else:
        raise (TypeError if isinstance(item, (str, bytes)) else IndexError)(
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


def tensors_in(index: Any) -> Sequence[Tensor]:
    """The tensors whose numbers an index is made of."""
    if isinstance(index, Tensor):
        return (index,)
    return [item for item in (index if isinstance(index, (tuple, list)) else (index,)) if isinstance(item, Tensor)]


def _whole_numbers(array: np.ndarray, was_array: bool) -> np.ndarray:
    """What is no tensor becomes one of int64, unless it holds bools or bytes: fractions are cut off, as in PyTorch.

    Python's numbers are looked at (RuntimeError for nan, TypeError for complex ones), those of arrays are not.
    """
    if array.dtype.kind in "bi" or array.dtype == np.uint8:
        return array
    if not was_array:
        if array.dtype.kind == "c":
            raise TypeError("tensors used as indices hold whole numbers, but this list has complex ones")
        if array.size and not (np.abs(array) < 2.0**63).all():
            raise RuntimeError(f"value cannot be converted to type int64 without overflow: an index list has {array}")
    with np.errstate(invalid="ignore"):
        return array.real.astype(np.int64)


def explained(input: Tensor, error: Exception, index: Any) -> Exception:
    """NumPy's error for an index in PyTorch's words, with the tensor's shape; ValueError for ints beyond 64 bits."""
    text = str(error)
    for item in index if isinstance(index, (tuple, list)) else (index,):
        if type(item) is int and not -(2**63) <= item < 2**63:
            return ValueError(f"Overflow when unpacking long long: the index {item} has more than 64 bits")
    mask = re.match(
        r"boolean index did not match .* along axis (\d+); size of axis is \d+ but size of .* is (\d+)", text
    )
    if mask is not None:
        return IndexError(
            f"The shape of the mask [{mask[2]}] at index {mask[1]} does not match the shape of the indexed tensor "
            f"{list(input._array.shape)} at index {mask[1]}"
        )
    text = text.replace("is out of bounds for axis", "is out of bounds for dimension")
    return IndexError(f"{text} (tensor of shape {list(input._array.shape)})")


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
