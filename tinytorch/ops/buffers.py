"""Tensors over memory that others own: a buffer of bytes, a file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tinytorch.dtypes import default_numpy_dtype, to_numpy_dtype
from tinytorch.ops.creation import finish, from_numpy
from tinytorch.tensor import Tensor

__all__ = ["from_file", "frombuffer", "to_dlpack"]


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A one-dimensional tensor over the memory of an object with Python's buffer protocol: bytes, array, mmap...

    Args:
        count: how many elements; -1 for all.
        offset: how many bytes to leave out at the beginning.

    >>> import tinytorch
    >>> tinytorch.frombuffer(bytearray([1, 0, 2, 0]), dtype=tinytorch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    try:
        available = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    numpy_dtype = to_numpy_dtype(dtype)
    size = numpy_dtype.itemsize
    if available == 0 or count == 0:
        raise ValueError(f"both buffer length ({available}) and count ({count}) must not be 0")
    if not 0 <= offset < available:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({available} bytes) minus "
            "1"
        )
    if count < 0 and (available - offset) % size:
        raise ValueError(
            f"buffer length ({available - offset} bytes) after offset ({offset} bytes) must be a multiple of element "
            f"size ({size})"
        )
    if count > 0 and offset + count * size > available:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({available} bytes)"
        )
    return finish(np.frombuffer(buffer, numpy_dtype, count, offset), requires_grad)


def from_file(
    filename: str, shared: bool | None = None, size: int = 0, *, dtype: Any = None, requires_grad: bool = False,
    **options: Any,
) -> Tensor:  # fmt: skip
    """The first ``size`` elements of a file of bare numbers; with ``shared``, changes go to the file, which is made
    large enough first.

    Raises RuntimeError if the file is smaller, before any memory is taken.
    """
    numpy_dtype = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if size < 0:
        raise RuntimeError(f"from_file: size must not be negative, but got {size}")
    if shared:
        with open(filename, "ab") as file:
            if file.tell() < size * numpy_dtype.itemsize:
                file.truncate(size * numpy_dtype.itemsize)
        return finish(np.asarray(np.memmap(filename, numpy_dtype, "r+", shape=(size,))), requires_grad)
    wanted = size * numpy_dtype.itemsize
    with open(filename, "rb") as file:
        present = os.fstat(file.fileno()).st_size
        if present < wanted:
            raise RuntimeError(
                f"file <{filename}> size <{present}> is smaller than the required mapping size <{wanted}>"
            )
        result = from_numpy(np.fromfile(file, numpy_dtype, size))
    return result.requires_grad_() if requires_grad else result


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the tensor's memory, for another library's ``from_dlpack``."""
    return tensor.__dlpack__()
