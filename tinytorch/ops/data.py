"""Data becomes an array: numbers, nested sequences, NumPy arrays and tensors, in the dtype that PyTorch would infer."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS, INEXACT, default_numpy_dtype, dtype_of_number, from_numpy_dtype, promote_numpy
from tinytorch.storage import TypedStorage, UntypedStorage
from tinytorch.tensor import Tensor

__all__ = ["array_from_data"]


def array_from_data(data: Any, numpy_dtype: np.dtype[Any] | None) -> np.ndarray:
    """A new NumPy array with ``data``, in ``numpy_dtype`` or in the dtype that PyTorch would give it."""
    if isinstance(data, Tensor):
        data = data._array
    if isinstance(data, (TypedStorage, UntypedStorage)):
        data = elements(data, numpy_dtype)
    if isinstance(data, bytearray):  # NumPy would take it for an array of bytes
        data = list(data)
    if isinstance(data, (np.ndarray, np.generic)):
        if any(stride < 0 for stride in data.strides):
            raise ValueError(
                "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
                "currently supported. (You can probably work around this by making a copy of your array with "
                "array.copy().)"
            )
        array = np.array(data, order="C")
        if array.dtype.byteorder == ">" or not array.dtype.isnative:
            raise ValueError(
                "given numpy array has byte order different from the native byte order. Conversion between byte "
                "orders is currently not supported."
            )
        from_numpy_dtype(array.dtype)  # refuses object, text, dates
        return array if numpy_dtype is None else array.astype(numpy_dtype, copy=False)
    array = _array_from_sequence(data, numpy_dtype)
    if numpy_dtype is None:
        numpy_dtype = _inferred_dtype(data, array)
    elif array.dtype.kind == "c" and numpy_dtype.kind not in "cb":
        raise TypeError("must be real number, not complex")
    elif numpy_dtype.kind in "iu" and array.dtype.kind in "if":
        _check_range(array, numpy_dtype)
    return array.astype(numpy_dtype, copy=False)


def elements(storage: TypedStorage | UntypedStorage, numpy_dtype: np.dtype[Any] | None) -> np.ndarray:
    """What a storage holds: bytes as numbers of any dtype, elements as they are; RuntimeError for another dtype."""
    row = storage._row
    if numpy_dtype is None or row.dtype == numpy_dtype:
        return row
    if isinstance(storage, TypedStorage):
        raise RuntimeError(f"Expected a Storage of type {numpy_dtype} or an UntypedStorage, but got type {row.dtype}")
    return row.view(numpy_dtype)


def _check_range(array: np.ndarray, dtype: np.dtype[Any]) -> None:
    """RuntimeError for numbers that an integer dtype cannot hold; negative ones wrap around in unsigned types."""
    largest = int(np.iinfo(dtype).max)
    lowest = -largest if dtype.kind == "u" else int(np.iinfo(dtype).min)
    if not ((array >= lowest) & (array <= largest)).all():
        raise RuntimeError(f"value cannot be converted to type {dtype} without overflow")


def _array_from_sequence(data: Any, numpy_dtype: np.dtype[Any] | None) -> np.ndarray:
    plain = _without_tensors(data, numpy_dtype)
    try:
        array = np.array(plain)
    except ValueError:
        raise ValueError("expected sequence of equal lengths at every dimension") from None
    except OverflowError as error:
        raise ValueError(f"Overflow when unpacking long long: {error}") from None
    if array.dtype.kind in "OUSV":
        if array.dtype.kind == "O" and _holds_only_ints(array):
            if numpy_dtype is not None and numpy_dtype.kind in INEXACT:
                return array.astype(numpy_dtype)
            raise ValueError("Overflow when unpacking long long")
        odd = _odd_element(plain)
        if isinstance(odd, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(odd).__name__}'")
        kind = RuntimeError if numpy_dtype is None else TypeError
        raise kind(f"Could not infer dtype of {type(odd).__name__}")
    if array.dtype == np.uint64 and (
        numpy_dtype is None or numpy_dtype.kind not in INEXACT
    ):  # NumPy's answer to ints over 2**63 - 1
        raise ValueError("Overflow when unpacking long long")
    return array


def _without_tensors(data: Any, dtype: np.dtype[Any] | None, beside: Any = None) -> Any:
    """Nested sequences with tensors replaced by their arrays, so that NumPy does not iterate over them.

    A tensor of one element stands for a number, however many dimensions it has, unless it is ``beside`` a sequence.
    One of several elements would be a stack: TypeError if whole numbers are wanted, else ValueError.
    """
    if isinstance(data, Tensor):
        array = data._array
        if array.size != 1:
            whole = (array.dtype if dtype is None else dtype).kind in "iu"
            raise (TypeError if whole else ValueError)(
                "only one element tensors can be converted to Python scalars; join tensors by stack()"
            )
        return array if isinstance(beside, (list, tuple)) else array.reshape(())
    if isinstance(data, (list, tuple, range)):
        if _NUMBERS.issuperset(map(type, data)):  # a call for each of them would take longer than all the rest
            return list(data)
        return [_without_tensors(item, dtype, data[0]) for item in data]
    return data


_NUMBERS = frozenset((bool, int, float, complex))


def _holds_only_ints(array: np.ndarray) -> bool:
    return all(isinstance(item, int) for item in array.flat)


def _odd_element(data: Any) -> Any:
    """What in nested lists is no number."""
    while isinstance(data, list) and data:
        data = next((item for item in data if not isinstance(item, (int, float, bool, complex))), data[0])
    return data


def _inferred_dtype(data: Any, array: np.ndarray) -> np.dtype[Any]:
    """The dtype to which the dtypes of all elements are promoted: a Python number has the default one of its kind."""
    kinds = _element_types(data)
    if not kinds <= _NUMBERS:
        return functools.reduce(promote_numpy, {_dtype_of(leaf) for leaf in _leaves(data)})
    if array.dtype.kind in FLOATS or (array.size == 0 and not isinstance(data, range)):
        return default_numpy_dtype()
    return dtype_of_number(1j) if array.dtype.kind == "c" else array.dtype


def _element_types(data: Any) -> set[type]:
    """The classes of what stands in nested sequences."""
    if not isinstance(data, (list, tuple)):
        return set() if isinstance(data, range) else {type(data)}
    kinds = set(map(type, data))
    if not any(issubclass(kind, (list, tuple, range)) for kind in kinds):
        return kinds
    return set().union(*map(_element_types, data))


def _dtype_of(leaf: Any) -> np.dtype[Any]:
    return leaf.dtype if isinstance(leaf, (np.ndarray, np.generic)) else dtype_of_number(leaf)


def _leaves(data: Any) -> Iterator[Any]:
    """What stands in nested sequences: numbers, and tensors as arrays."""
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _leaves(item)
    else:
        yield data._array if isinstance(data, Tensor) else data
