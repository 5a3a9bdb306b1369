"""Tensors as views of storages, found out from where they lie in memory.

A tensor is a *view*: a storage (a row of numbers), an offset, sizes and strides. Element ``x[i, j]`` of a
matrix is number ``offset + i * stride[0] + j * stride[1]`` of its storage. A checkpoint keeps storages and
views apart, so tensors that shared memory (tied weights, slices of one buffer) share it after loading too: a
change of one is seen in the other.

NumPy arrays do not say which storage they belong to, but addresses do: two arrays share memory if the
stretches of memory that they span overlap. Overlapping stretches are merged, and every merged stretch becomes
one storage. It is no longer than what the saved tensors need (PyTorch writes the whole memory, be the slice
ever so small).

The convolution kernels keep images as C,H,W,N under the name N,C,H,W (see :mod:`tinytorch.kernels.layout`).
That order is nobody's business outside, so it is written as row-major - unless another saved tensor shows the
same memory in another way.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinytorch.kernels import layout
from tinytorch.tensor import Tensor

__all__ = ["MemoryMap", "View"]


class View(NamedTuple):
    """Where a tensor lies: all but the key in elements."""

    key: str
    storage_size: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


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
        self.key: str | None = None

    def numbers(self) -> np.ndarray:
        """The contents, one-dimensional."""
        if self.row_major:
            return np.ascontiguousarray(self.array).reshape(-1)
        length = (self.end - self.start) // self.dtype.itemsize
        return np.lib.stride_tricks.as_strided(self.array, (length,), (self.dtype.itemsize,), writeable=False)


class MemoryMap:
    """Divides memory into storages: ``note`` every tensor, then ``merge``, then ``place`` every tensor."""

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
            self._noted[shown] = current

    def place(self, tensor: Tensor) -> View:
        """The storage of ``tensor`` and its place there. Storages are numbered as they are asked for."""
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
    strides = tuple(
        0 if n == 1 and (s < 0 or s % array.itemsize) else s for n, s in zip(array.shape, strides, strict=True)
    )
    return _Shown(array.__array_interface__["data"][0], array.dtype, array.shape, strides)


def _row_major_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(max(n, 1) for n in shape[axis + 1 :]) for axis in range(len(shape)))


def _in_kernel_order(tensor: Tensor) -> bool:
    """Whether the memory order is the kernels' choice, not the user's, who would have made a view."""
    array, base = tensor._array, tensor._array.base
    if tensor._base is not None or array.flags.c_contiguous or not layout.is_chwn(array):
        return False
    return not isinstance(base, np.ndarray) or base.ndim == array.ndim
