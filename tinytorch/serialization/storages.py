"""Storages read from a file, and views of them.

In the pickle of a checkpoint stands "storage 3, of 1000 numbers of type FloatStorage" and "a tensor of
10 x 100, from number 0 of it, with strides 100 and 1". Both are claims of a file that anybody may have made.
The first is checked against the bytes that are there before memory is taken for them, the second against the
storage.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import CPU, device
from tinytorch.serialization.archive import ArchiveReader, damaged

__all__ = ["Storage", "StorageLoader", "StorageType", "view_of_storage"]

#: PyTorch's names of storages. Later dtypes have none: their storages are "untyped" bytes.
STORAGE_NAMES = {
    dtypes.float64: "DoubleStorage", dtypes.float32: "FloatStorage", dtypes.float16: "HalfStorage",
    dtypes.bfloat16: "BFloat16Storage",
    dtypes.int64: "LongStorage", dtypes.int32: "IntStorage", dtypes.int16: "ShortStorage",
    dtypes.int8: "CharStorage", dtypes.uint8: "ByteStorage", dtypes.bool_: "BoolStorage",
    dtypes.complex64: "ComplexFloatStorage", dtypes.complex128: "ComplexDoubleStorage",
}  # fmt: skip
UNTYPED = "UntypedStorage"
_FARTHEST = 2**63 - 1  # NumPy counts bytes in 8-byte integers


class StorageType:
    """A name of PyTorch's for storages of one dtype, such as ``torch.FloatStorage``, as a pickle has it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def numpy_dtype(self) -> np.dtype[Any]:
        """How the numbers lie in the file. Raises RuntimeError for dtypes that tensors here cannot have."""
        if self.name == UNTYPED:
            return np.dtype(np.uint8)
        if self.name == "BFloat16Storage" and not dtypes.has_bfloat16():
            return np.dtype(np.uint16)
        for dtype, name in STORAGE_NAMES.items():
            if name == self.name:
                return dtype.numpy
        raise RuntimeError(
            f"the file holds a torch.{self.name}, a kind of numbers that tinytorch has no dtype for. In "
            "PyTorch, load the file, convert these tensors (for example with .float() or .dequantize()) and "
            "save it again."
        )


class Storage:
    """A storage from a file: one-dimensional numbers. What ``map_location`` functions get."""

    device: device = CPU

    def __init__(self, type_name: str, numbers: np.ndarray, foreign_order: bool) -> None:
        self.type_name, self.numbers = type_name, numbers
        self._foreign_order = foreign_order  # untyped bytes of a machine with the other byte order

    def as_dtype(self, dtype: dtypes.dtype) -> np.ndarray:
        """Untyped bytes as numbers of ``dtype``."""
        if self._foreign_order and dtype.itemsize > 1:
            raise RuntimeError(f"the file holds {dtype} numbers in the other byte order, which is not supported")
        return valid_bools(self.numbers[: self.numbers.size // dtype.itemsize * dtype.itemsize].view(dtype.numpy))


class StorageLoader:
    """Fetches storages from an archive, each once.

    Args:
        archive: where the members ``data/0``, ``data/1``... are.
        restore_location: called as ``(storage, location)``; raises if the numbers shall go elsewhere than to
            the CPU.
        mapped: the whole file as a writable buffer, to use instead of reading.
    """

    def __init__(self, archive: ArchiveReader, restore_location: Any, mapped: Any = None) -> None:
        self._archive, self._restore, self._mapped = archive, restore_location, mapped
        self._loaded: dict[str, Storage] = {}
        order = archive.read("byteorder") if "byteorder" in archive else b"little"
        if order not in (b"little", b"big"):
            raise damaged(f"its byte order is {order[:20]!r}, neither little nor big")
        self._foreign_order = order.decode() != sys.byteorder

    def load(self, storage_type: StorageType, key: str, location: str, length: int) -> Storage:
        """Storage ``key``, of ``length`` numbers. Raises RuntimeError if the file holds fewer."""
        known = self._loaded.get(key)
        if known is not None:
            if known.type_name != storage_type.name:
                raise damaged(f"storage {key} is said to be {known.type_name} and {storage_type.name}")
            return known
        dtype = storage_type.numpy_dtype()
        offset, present = self._archive.locate(f"data/{key}")
        if length < 0 or length * dtype.itemsize > present:
            raise damaged(
                f"storage {key} should hold {length} numbers of {dtype.itemsize} bytes, but there are {present} bytes"
            )
        numbers = self._numbers(key, offset, length, dtype)
        if storage_type.name == "BFloat16Storage" and dtype == np.uint16:
            numbers = bfloat16_to_float32(numbers)
        storage = Storage(storage_type.name, numbers, self._foreign_order)
        self._restore(storage, location)
        self._loaded[key] = storage
        return storage

    def _numbers(self, key: str, offset: int, length: int, dtype: np.dtype[Any]) -> np.ndarray:
        if self._mapped is not None and not self._foreign_order and offset % dtype.alignment == 0:
            return valid_bools(np.frombuffer(self._mapped, dtype, length, offset)) if length else np.empty(0, dtype)
        numbers = np.empty(length, dtype)
        self._archive.read_into(f"data/{key}", numbers.view(np.uint8).data if length else memoryview(b""))
        return valid_bools(numbers.byteswap(inplace=True) if self._foreign_order else numbers)


def valid_bools(numbers: np.ndarray) -> np.ndarray:
    """``numbers`` itself; bools that a file gives as another byte than 0 and 1, which NumPy would count as more than
    one, become True.
    """
    if numbers.dtype == np.bool_:
        np.not_equal(numbers.view(np.uint8), 0, out=numbers)
    return numbers


def bfloat16_to_float32(bits: np.ndarray) -> np.ndarray:
    """bfloat16 numbers, given as uint16, as float32 - exactly: a bfloat16 is the upper half of a float32."""
    warnings.warn(
        "the file holds torch.bfloat16 numbers, which were converted to torch.float32, exactly. To keep their dtype: "
        "pip install tinytorch[bfloat16]",
        UserWarning, stacklevel=2,
    )  # fmt: skip
    return (bits.astype(np.uint32) << 16).view(np.float32)


def view_of_storage(numbers: np.ndarray, offset: Any, shape: Any, strides: Any) -> np.ndarray:
    """The view that a file claims. Raises RuntimeError if any of its elements is not within ``numbers``."""
    if not (isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)):
        raise damaged("the sizes and strides of a tensor do not belong together")
    if any(type(n) is not int or n < 0 for n in (offset, *shape, *strides)):
        raise damaged("the sizes, strides and offset of a tensor must be integers that are not negative")
    if len(shape) > 64:
        raise RuntimeError(f"the file holds a tensor of {len(shape)} dimensions, and NumPy's arrays have at most 64")
    size = numbers.itemsize
    if math.prod(n for n in shape if n) * size > _FARTHEST:
        raise damaged("a tensor has more elements than can be counted")
    if 0 in shape:
        return np.empty(shape, numbers.dtype)
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if last >= numbers.size:
        raise damaged(f"a tensor reaches to element {last} of a storage of {numbers.size}")
    steps = tuple(
        stride * size if n > 1 else min(stride * size, _FARTHEST // 64)
        for n, stride in zip(shape, strides, strict=True)
    )
    return np.ndarray(shape, numbers.dtype, numbers, offset * size, steps)
