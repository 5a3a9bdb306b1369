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

import builtins
import numbers
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.saving import Memory
from tinytorch.device import CPU, check_device, device
from tinytorch.dtypes import SCALAR_NAMES, default_numpy_dtype, dtype, from_numpy_dtype, to_numpy_dtype

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

    def resize_(self, size: int) -> Any:
        """Room for another number of elements, new ones zero; RuntimeError for memory that tensors show."""
        if size != self._row.size:
            if self._memory is not None:
                raise RuntimeError("Trying to resize storage that is not resizable: tensors show its memory")
            row = np.zeros(size, self._row.dtype)
            row[: self._row.size] = self._row[:size]
            self._row = row
        return self

    def cpu(self) -> Any:
        """The storage itself."""
        return self

    def clone(self) -> Any:
        """A copy in memory of its own."""
        return type(self)._over(self._row.copy(), None)

    @classmethod
    def _over(cls, row: np.ndarray, memory: Memory | None) -> Any:
        storage = object.__new__(cls)
        storage._row, storage._memory = row, memory
        return storage

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        """A copy that sees the same memory as the copies of the tensors over this one."""
        if id(self) not in memo:
            memo[id(self)] = type(self)._over(*copied_memory(self._row, self._memory, memo))
        return memo[id(self)]

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
    """Bytes: ``UntypedStorage(12)`` makes new ones, ``UntypedStorage([1, 255])`` these, ``tensor.untyped_storage()``
    shows a tensor's."""

    def __init__(self, size: int | Sequence[int] = 0, *, device: Any = None) -> None:
        check_device(device)
        super().__init__(_row_of(size, np.dtype(np.int64)).astype(np.uint8), None)

    def __repr__(self) -> str:
        rows = "".join(f" {byte}\n" for byte in self._row)
        return f"{rows}[torch.storage.UntypedStorage(device=cpu) of size {len(self)}]"


class TypedStorage(_Storage):
    """Elements of one dtype over the same bytes: ``tensor.storage()`` (``torch.TypedStorage``)."""

    def __init__(
        self,
        size: builtins.int | Sequence[Any] = 0,
        *,
        dtype: Any = None,
        device: Any = None,
        wrap_storage: UntypedStorage | None = None,
    ) -> None:
        check_device(device)
        numpy_dtype = to_numpy_dtype(dtype) if dtype is not None else default_numpy_dtype()
        row = _row_of(size, numpy_dtype) if wrap_storage is None else wrap_storage._row.view(numpy_dtype)
        super().__init__(row, None if wrap_storage is None else wrap_storage._memory)

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return from_numpy_dtype(self._row.dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage._over(self._row.view(np.uint8), self._memory)

    def resize_(self, size: builtins.int) -> None:
        """As for bytes, but returns nothing, as in PyTorch."""
        super().resize_(size)

    def type(self) -> str:
        """PyTorch's name for storages of these elements, such as ``torch.FloatStorage``."""
        return f"torch.{SCALAR_NAMES[self.dtype]}Storage"

    def _as(self, numpy_dtype: Any) -> TypedStorage:
        if self._row.dtype == numpy_dtype:
            return self
        return TypedStorage._over(self._row.astype(numpy_dtype), None)

    def double(self) -> TypedStorage:
        """The elements as float64, in memory of their own if they are not that already."""
        return self._as(np.float64)

    def float(self) -> TypedStorage:
        """The elements as float32."""
        return self._as(np.float32)

    def half(self) -> TypedStorage:
        """The elements as float16."""
        return self._as(np.float16)

    def long(self) -> TypedStorage:
        """The elements as int64."""
        return self._as(np.int64)

    def int(self) -> TypedStorage:
        """The elements as int32."""
        return self._as(np.int32)

    def short(self) -> TypedStorage:
        """The elements as int16."""
        return self._as(np.int16)

    def char(self) -> TypedStorage:
        """The elements as int8."""
        return self._as(np.int8)

    def byte(self) -> TypedStorage:
        """The elements as uint8."""
        return self._as(np.uint8)

    def bool(self) -> TypedStorage:
        """The elements as truth values."""
        return self._as(np.bool_)

    def __repr__(self) -> str:
        rows = "".join(f" {value}\n" for value in self._row)
        return f"{rows}[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {len(self)}]"


def _row_of(size_or_data: Any, numpy_dtype: np.dtype[Any]) -> np.ndarray:
    """Zeros for a size; else the numbers themselves. TypeError for what is neither."""
    if isinstance(size_or_data, numbers.Integral):
        return np.zeros(int(size_or_data), numpy_dtype)
    if not isinstance(size_or_data, Sequence) or isinstance(size_or_data, str):
        raise TypeError(f"a storage is made of a size or of a sequence of numbers, not {type(size_or_data).__name__}")
    return np.array(size_or_data).astype(numpy_dtype).reshape(len(size_or_data))


from tinytorch.tensor_conversions import copied_memory  # noqa: E402 - tensors show storages
