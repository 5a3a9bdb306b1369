"""Storages: the memory behind tensors as a plain row of bytes (:class:`UntypedStorage`) or of elements.

Scripts ask a storage mostly for its address (do two tensors share memory?) and its size. A storage is a view: writing
to it writes to all tensors over it.

>>> import tinytorch
>>> x = tinytorch.arange(6).reshape(2, 3)
>>> x[1].untyped_storage().nbytes(), x[1].storage_offset()
(48, 3)
>>> x.untyped_storage().data_ptr() == x[1].untyped_storage().data_ptr()
True
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.autograd.saving import Memory
from tinytorch.device import CPU, device
from tinytorch.dtypes import dtype, from_numpy_dtype, to_numpy_dtype

__all__ = ["TypedStorage", "UntypedStorage"]


class _Storage:
    """What both kinds share: a row of numbers over memory, and the record of that memory's changes."""

    def __init__(self, row: np.ndarray, memory: Memory | None) -> None:
        self._row, self._memory = row, memory

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._row.__array_interface__["data"][0]

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._row.nbytes

    def size(self) -> int:
        """The number of elements (of bytes, if untyped)."""
        return self._row.size

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._row.itemsize

    @property
    def device(self) -> device:
        """The CPU."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def is_shared(self) -> bool:
        """Whether other processes see this memory, too: that of a tensor after ``share_memory_()``."""
        from tinytorch.shared_memory import owner_of  # late: it needs multiprocessing

        return owner_of(self._row) is not None

    def tolist(self) -> list[Any]:
        """All elements as Python numbers."""
        return self._row.tolist()

    def fill_(self, value: Any) -> Any:
        """Set every element; returns the storage."""
        self[:] = value
        return self

    def copy_(self, source: Any, non_blocking: bool = False) -> Any:
        """Take over the elements of another storage of the same size; returns the storage."""
        if source.nbytes() != self.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes"
            )
        self[:] = source._row
        return self

    def clone(self) -> Any:
        """A copy in memory of its own."""
        return type(self)._over(self._row.copy(), None)

    @classmethod
    def _over(cls, row: np.ndarray, memory: Memory | None) -> Any:
        storage = object.__new__(cls)
        storage._row, storage._memory = row, memory
        return storage

    def __len__(self) -> int:
        return self._row.size

    def __sizeof__(self) -> int:
        """``sys.getsizeof``: the bytes count, as programs that add up memory expect."""
        return super().__sizeof__() + self._row.nbytes

    def __iter__(self) -> Iterator[Any]:
        return iter(self._row.tolist())

    def __getitem__(self, index: Any) -> Any:
        found = self._row[index]
        return type(self)._over(found, self._memory) if isinstance(index, slice) else found.item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row[index] = value
        if self._memory is not None:
            self._memory.version += 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Storage) and (self.data_ptr(), self.nbytes()) == (other.data_ptr(), other.nbytes())

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))


class UntypedStorage(_Storage):
    """Bytes: ``UntypedStorage(12)`` makes new ones, ``tensor.untyped_storage()`` shows a tensor's."""

    def __init__(self, size: int = 0, *, device: Any = None) -> None:
        super().__init__(np.zeros(size, np.uint8), None)

    def __repr__(self) -> str:
        rows = "".join(f" {byte}\n" for byte in self._row)
        return f"{rows}[torch.storage.UntypedStorage(device=cpu) of size {len(self)}]"


class TypedStorage(_Storage):
    """Elements of one dtype over the same bytes: ``tensor.storage()`` (``torch.TypedStorage``)."""

    def __init__(self, size: int = 0, *, dtype: Any = None, wrap_storage: UntypedStorage | None = None) -> None:
        numpy_dtype = to_numpy_dtype(dtype) if dtype is not None else np.dtype(np.float32)
        row = np.zeros(size, numpy_dtype) if wrap_storage is None else wrap_storage._row.view(numpy_dtype)
        super().__init__(row, None if wrap_storage is None else wrap_storage._memory)

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return from_numpy_dtype(self._row.dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage._over(self._row.view(np.uint8), self._memory)

    def __repr__(self) -> str:
        rows = "".join(f" {value}\n" for value in self._row)
        return f"{rows}[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {len(self)}]"
