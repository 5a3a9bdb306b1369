"""Tensors and the memory that they show.

A tensor is a *view*: a storage (a row of numbers), an offset, sizes and strides. Element ``x[i, j]`` of a matrix is number
``offset + i * stride[0] + j * stride[1]`` of its storage. A checkpoint keeps storages and views apart, so tensors that shared memory
(tied weights, slices of one buffer) share it after loading too: a change of one is seen in the other.

Writing. NumPy arrays do not say which storage they belong to, but addresses do: two arrays share memory if the stretches of memory
that they span overlap. Overlapping stretches are merged, and every merged stretch becomes one storage. It is no longer than what
the saved tensors need (PyTorch writes the whole memory, be the slice ever so small).

The convolution kernels keep images as C,H,W,N under the name N,C,H,W (see :mod:`tinytorch.kernels.layout`). That order is nobody's
business outside, so it is written as row-major - unless another saved tensor shows the same memory in another way.

Reading. A view from a file is a claim. It is checked against the storage, the storage against the file.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any, NamedTuple

import numpy as np

from tinytorch import dtypes
from tinytorch.device import CPU, device
from tinytorch.kernels import layout
from tinytorch.serialization.archive import ArchiveReader, damaged
from tinytorch.tensor import Tensor

__all__ = ["MemoryMap", "Storage", "StorageLoader", "StorageType", "View"]

#: PyTorch's names of storages. Types that came later have none: their storages are "untyped", and the view names the dtype.
STORAGE_NAMES = {
    dtypes.float64: "DoubleStorage", dtypes.float32: "FloatStorage", dtypes.float16: "HalfStorage",
    dtypes.int64: "LongStorage", dtypes.int32: "IntStorage", dtypes.int16: "ShortStorage", dtypes.int8: "CharStorage",
    dtypes.uint8: "ByteStorage", dtypes.bool_: "BoolStorage",
    dtypes.complex64: "ComplexFloatStorage", dtypes.complex128: "ComplexDoubleStorage",
}  # fmt: skip
UNTYPED = "UntypedStorage"
_FARTHEST = 2**63 - 1  # NumPy counts bytes in 8-byte integers


class View(NamedTuple):
    """Where a tensor lies: all but the key in elements."""

    key: str
    storage_size: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


# ------------------------------------------------------------------------------------------------ writing


class _Shown(NamedTuple):
    """One way in which a tensor shows memory; strides in bytes."""

    address: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def end(self) -> int:
        """The address behind the last element."""
        reach = sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        return self.address + reach + self.dtype.itemsize


class _Stretch:
    """Memory that becomes one storage."""

    def __init__(self, shown: _Shown, array: np.ndarray, row_major: bool) -> None:
        self.start, self.end, self.dtype = shown.address, shown.end, shown.dtype
        self.array = array  # begins at ``start``
        self.row_major = row_major  # write a copy in row-major order
        self.ways = {shown}
        self.key: str | None = None

    def numbers(self) -> np.ndarray:
        """The contents, one-dimensional."""
        if self.row_major:
            return np.ascontiguousarray(self.array).reshape(-1)
        length = (self.end - self.start) // self.dtype.itemsize
        return np.lib.stride_tricks.as_strided(self.array, (length,), (self.dtype.itemsize,), writeable=False)


class MemoryMap:
    """Divides the memory of tensors into storages: first ``note`` every tensor, then ``merge``, then ``place`` every tensor."""

    def __init__(self) -> None:
        self._noted: dict[_Shown, _Stretch] = {}
        self.storages: list[_Stretch | None] = []  # by key; None is an empty storage

    def note(self, tensor: Tensor) -> View:
        """Remember what ``tensor`` shows. The answer is no real place yet."""
        array = tensor._array
        if array.size:
            shown = _shown_by(array)
            strange = any(s < 0 or s % array.itemsize for s in shown.strides)  # PyTorch has no such strides
            row_major = strange or _in_kernel_order(tensor)
            known = self._noted.setdefault(shown, _Stretch(shown, array, row_major))
            known.row_major = row_major and known.row_major
        return View("0", 0, 0, array.shape, (0,) * array.ndim)

    def merge(self) -> None:
        """Join stretches that overlap. Raises RuntimeError if they hold different dtypes."""
        current: _Stretch | None = None
        for shown in sorted(self._noted, key=lambda shown: shown.address):
            mine = self._noted[shown]
            if any(stride < 0 or stride % shown.dtype.itemsize for stride in shown.strides):
                continue  # copied, so it overlaps nothing
            if current is None or shown.address >= current.end:
                current = mine
                continue
            if mine.dtype != current.dtype or (mine.start - current.start) % mine.dtype.itemsize:
                raise RuntimeError(
                    "Cannot save multiple tensors or storages that view the same data as different types"
                )
            current.end = max(current.end, mine.end)
            current.row_major = False  # the same memory in two ways: written as it lies
            current.ways.add(shown)
            self._noted[shown] = current

    def place(self, tensor: Tensor) -> View:
        """The storage of ``tensor`` and its place there. Storages are numbered as they are first asked for."""
        array = tensor._array
        if array.size == 0:
            self.storages.append(None)
            return View(str(len(self.storages) - 1), 0, 0, array.shape, _row_major_strides(array.shape))
        shown = _shown_by(array)
        stretch = self._noted[shown]
        if stretch.key is None:
            stretch.key = str(len(self.storages))
            self.storages.append(stretch)
        if stretch.row_major:
            return View(stretch.key, array.size, 0, array.shape, _row_major_strides(array.shape))
        size = array.itemsize
        length, offset = (stretch.end - stretch.start) // size, (shown.address - stretch.start) // size
        return View(stretch.key, length, offset, array.shape, tuple(s // size for s in shown.strides))


def _shown_by(array: np.ndarray) -> _Shown:
    strides = array.strides
    if array.flags.c_contiguous:  # NumPy leaves the strides of dimensions of size 1 at any value
        strides = tuple(n * array.itemsize for n in _row_major_strides(array.shape))
    strides = tuple(0 if n == 1 and (s < 0 or s % array.itemsize) else s for n, s in zip(array.shape, strides, strict=True))
    return _Shown(array.__array_interface__["data"][0], array.dtype, array.shape, strides)


def _row_major_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(max(n, 1) for n in shape[axis + 1 :]) for axis in range(len(shape)))


def _in_kernel_order(tensor: Tensor) -> bool:
    """Whether the memory order is the kernels' choice, not the user's (who would have made a view, or loaded one)."""
    array, base = tensor._array, tensor._array.base
    if tensor._base is not None or array.flags.c_contiguous or not layout.is_chwn(array):
        return False
    return not isinstance(base, np.ndarray) or base.ndim == array.ndim


# ------------------------------------------------------------------------------------------------ reading


class StorageType:
    """A name of PyTorch's for storages of one dtype, such as ``torch.FloatStorage``, as it stands in a pickle."""

    def __init__(self, name: str) -> None:
        self.name = name

    def numpy_dtype(self) -> np.dtype[Any]:
        """How the numbers lie in the file. Raises RuntimeError for dtypes that tensors here cannot have."""
        if self.name == UNTYPED:
            return np.dtype(np.uint8)
        if self.name == "BFloat16Storage":
            return np.dtype(np.uint16)
        for dtype, name in STORAGE_NAMES.items():
            if name == self.name:
                return dtype.numpy
        raise RuntimeError(
            f"the file holds a torch.{self.name}, a kind of numbers that tinytorch has no dtype for. In PyTorch, load the file, "
            "convert these tensors (for example with .float() or .dequantize()) and save it again."
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
        return self.numbers[: self.numbers.size // dtype.itemsize * dtype.itemsize].view(dtype.numpy)


class StorageLoader:
    """Fetches storages from an archive, each once.

    Args:
        archive: where the members ``data/0``, ``data/1``... are.
        restore_location: called as ``(storage, location)``; raises if the numbers shall go elsewhere than to the CPU.
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
            raise damaged(f"storage {key} should hold {length} numbers of {dtype.itemsize} bytes, but there are {present} bytes")
        numbers = self._numbers(key, offset, length, dtype)
        if storage_type.name == "BFloat16Storage":
            numbers = bfloat16_to_float32(numbers)
        storage = Storage(storage_type.name, numbers, self._foreign_order)
        self._restore(storage, location)
        self._loaded[key] = storage
        return storage

    def _numbers(self, key: str, offset: int, length: int, dtype: np.dtype[Any]) -> np.ndarray:
        if self._mapped is not None and not self._foreign_order and offset % dtype.alignment == 0:
            return np.frombuffer(self._mapped, dtype, length, offset) if length else np.empty(0, dtype)
        numbers = np.empty(length, dtype)
        self._archive.read_into(f"data/{key}", numbers.view(np.uint8).data if length else memoryview(b""))
        return numbers.byteswap(inplace=True) if self._foreign_order else numbers


def bfloat16_to_float32(bits: np.ndarray) -> np.ndarray:
    """bfloat16 numbers, given as uint16, as float32 - exactly: a bfloat16 is the upper half of a float32."""
    warnings.warn(
        "the file holds torch.bfloat16 numbers. tinytorch has no bfloat16, so they were converted to torch.float32, exactly.",
        UserWarning, stacklevel=2,
    )  # fmt: skip
    return (bits.astype(np.uint32) << 16).view(np.float32)


def view_of_storage(numbers: np.ndarray, offset: Any, shape: Any, strides: Any) -> np.ndarray:
    """The view that a file claims, after checking that every element lies within ``numbers``; RuntimeError if not."""
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
    steps = tuple(stride * size if n > 1 else min(stride * size, _FARTHEST // 64) for n, stride in zip(shape, strides, strict=True))
    return np.ndarray(shape, numbers.dtype, numbers, offset * size, steps)
