"""``resize_`` and ``set_``: a tensor object that from now on shows other memory, or more or less of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.saving import Memory
from tinytorch.dtypes import to_numpy_dtype
from tinytorch.kernels.blocks import memory_block, offset_in_block
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.ops.data import elements
from tinytorch.ops.dims import sizes_from
from tinytorch.ops.shape import restore_row_major
from tinytorch.storage import TypedStorage, UntypedStorage, _Storage
from tinytorch.tensor import Tensor

__all__ = [
    "dim_order",
    "is_set_to",
    "reinterpreted",
    "reported_strides",
    "resize_",
    "resize_as_",
    "resized",
    "set_",
    "typed_storage",
    "untyped_storage",
]


def _strided(bytes_: np.ndarray, dtype: np.dtype[Any], offset: int, shape: Any, strides: Any) -> np.ndarray:
    """An array over ``bytes_``; offset and strides count elements."""
    return np.ndarray(shape, dtype, bytes_, offset * dtype.itemsize, tuple(s * dtype.itemsize for s in strides))


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(max(n, 1) for n in shape[d + 1 :]) for d in range(len(shape)))


def reported_strides(array: np.ndarray) -> tuple[int, ...]:
    """Strides in elements, as PyTorch reports them.

    NumPy has 0 for a dimension of size 1 that an index or an expansion made, and for all those of an empty array of its
    own; PyTorch has the number of elements further in, as in row-major order.
    """
    strides = [stride // array.itemsize for stride in array.strides]
    if 0 in strides:
        new_and_empty = not array.size and not any(strides)
        for dim in reversed(range(len(strides))):
            if strides[dim] == 0 and (array.shape[dim] == 1 or new_and_empty):
                strides[dim] = strides[dim + 1] * max(array.shape[dim + 1], 1) if dim + 1 < len(strides) else 1
    return tuple(strides)


def resize_(input: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give ``input`` another shape in row-major order over its own memory, which is made larger where it does not
    suffice; then the elements that come anew are not set to anything.

    RuntimeError for a tensor that requires grad: its graph knows the old shape.
    """
    shape = sizes_from(sizes)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    array = input._array
    if shape == array.shape:
        return input
    fitting = resized(array, shape)
    if fitting is None:
        if input._base is not None or (input._memory is not None and input._memory.shared):
            raise RuntimeError("Trying to resize storage that is not resizable: others see the same memory")
        block, offset = memory_block(array), offset_in_block(array) // array.itemsize
        needed = (offset + math.prod(shape)) * array.itemsize
        try:
            larger = np.zeros(needed, np.uint8)
        except (MemoryError, ValueError) as error:
            raise RuntimeError(f"resize_(): can't allocate memory: you tried to allocate {needed} bytes.") from error
        larger[: block.size] = block
        fitting = _strided(larger, array.dtype, offset, shape, _row_major(shape))
    input._array = fitting
    input._bump_version()
    return input


def resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The memory of ``array`` from its first element on as ``shape``, row-major; None where it ends too soon."""
    block, offset = memory_block(array), offset_in_block(array) // array.itemsize
    if (offset + math.prod(shape)) * array.itemsize > block.size:
        return None
    return _strided(block, array.dtype, offset, shape, _row_major(shape))


@checks_arguments
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """:func:`resize_` to the shape of another tensor."""
    return resize_(input, the_template._array.shape)


def reinterpreted(input: Tensor, dtype: Any) -> Tensor:
    """``input.view(dtype)``: the same bytes as numbers of another dtype, for autograd a constant."""
    try:
        view = Tensor._wrap(input._array.view(to_numpy_dtype(dtype)))
    except ValueError as error:
        raise RuntimeError(f"view(): {input.dtype} {list(input.shape)} as {dtype}: {error}") from None
    view._memory = input._shared_memory()
    return view


def set_(
    input: Tensor, source: Any = NOT_GIVEN, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Let ``input`` show the memory of ``source``: another tensor, or a storage with offset, sizes and strides.

    Without ``source`` it becomes empty. The dtype stays.
    """
    if source is not NOT_GIVEN and not isinstance(source, (Tensor, _Storage)):
        raise TypeError(f"set_(): argument 'source' must be Tensor or a storage, not {type(source).__name__}")
    if input.requires_grad:
        raise RuntimeError("set_: a tensor that requires grad cannot be given other memory; detach() it first")
    dtype = input._array.dtype
    if source is NOT_GIVEN:
        return _shows(input, np.empty(0, dtype), shared=False)
    if isinstance(source, Tensor):
        if source._array.dtype != dtype:
            raise RuntimeError(f"Could not set tensor of type {source.dtype} to a tensor of type {input.dtype}")
        source._shared_memory()
        block = memory_block(source._array)
        if size is None:
            return _shows(input, source._array)
    else:
        elements(source, dtype)  # a RuntimeError for those of another dtype
        block = memory_block(source._row)
        if size is None:
            size = (block.size // dtype.itemsize - storage_offset,)
    shape = sizes_from((size,)) if isinstance(size, (tuple, list)) else (int(size),)
    strides = _row_major(shape) if stride is None else tuple(stride)
    last = storage_offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if 0 not in shape and (last + 1) * dtype.itemsize > block.size:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(strides)}, storage offset {storage_offset}, and itemsize "
            f"{dtype.itemsize} requiring a storage size of {(last + 1) * dtype.itemsize} are out of bounds for storage "
            f"of size {block.size}"
        )
    return _shows(input, _strided(block, dtype, storage_offset, shape, strides))


def _shows(input: Tensor, array: np.ndarray, shared: bool = True) -> Tensor:
    """Let ``input`` show other memory. It goes on counting its own changes, of which this is one, as in PyTorch."""
    memory = Memory(shared)
    memory.version = 1 + (input._memory.version if input._memory is not None else 0)
    input._array, input._memory, input._base = array, memory, None
    return input


def untyped_storage(input: Tensor) -> UntypedStorage:
    """The memory behind a tensor as bytes."""
    restore_row_major(input)
    return UntypedStorage._over(memory_block(input._array), input._shared_memory())


def typed_storage(input: Tensor) -> TypedStorage:
    """The memory behind a tensor as elements of its dtype."""
    return TypedStorage(wrap_storage=untyped_storage(input), dtype=input.dtype)


def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same elements of the same memory with the same strides."""
    a, b = input._array, tensor._array
    same_place = a.__array_interface__["data"] == b.__array_interface__["data"]
    return same_place and (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)


def dim_order(input: Tensor) -> tuple[int, ...]:
    """Dimensions from the outermost in memory to the innermost; ``(0, 2, 3, 1)`` is channels last."""
    restore_row_major(input)
    strides = input._array.strides
    return tuple(sorted(range(len(strides)), key=lambda d: -strides[d]))
