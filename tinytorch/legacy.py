"""The constructors of PyTorch's early days: ``FloatTensor([1, 2])``, ``LongTensor(2, 3)``, ``x.new(...)``.

They take sizes (``LongTensor(2, 3)``: two rows, three columns) or data (``LongTensor([2, 3])``: two numbers), and the
type is in the name. Two rules follow from their age: data of another type is converted without a word, and a
*tensor* of another type is refused. Uninitialized memory is zero here.

A name such as ``FloatTensor`` is no class of tensors. It is an object that answers ``isinstance`` by looking at the
dtype, so that ``isinstance(x, torch.FloatTensor)`` and annotations work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, ops
from tinytorch.device import check_device
from tinytorch.ops.data import array_from_data
from tinytorch.size import Size
from tinytorch.storage import TypedStorage, UntypedStorage
from tinytorch.tensor import Tensor

__all__ = [
    "BFloat16Storage",
    "BFloat16Tensor",
    "BoolStorage",
    "BoolTensor",
    "ByteStorage",
    "ByteTensor",
    "CharStorage",
    "CharTensor",
    "ComplexDoubleStorage",
    "ComplexFloatStorage",
    "DoubleStorage",
    "DoubleTensor",
    "FloatStorage",
    "FloatTensor",
    "HalfStorage",
    "HalfTensor",
    "IntStorage",
    "IntTensor",
    "LongStorage",
    "LongTensor",
    "ShortStorage",
    "ShortTensor",
    "set_default_tensor_type",
]


def construct(args: tuple[Any, ...], dtype: dtypes.dtype | None, device: Any = None) -> Tensor:
    """What ``LongTensor(*args)`` makes; without a dtype, what ``torch.Tensor(*args)`` makes.

    Raises:
        TypeError: for one number that is no integer, and for a tensor of another dtype.
        RuntimeError: for a device other than the CPU.
    """
    check_device(device)
    numpy_dtype = dtypes.default_numpy_dtype() if dtype is None else dtype.numpy
    if len(args) != 1 or isinstance(args[0], (int, np.integer)):
        sizes = args or (0,)
        if not all(isinstance(size, (int, np.integer)) for size in sizes):
            raise TypeError("new(): expected sizes as integers, or one sequence of data")
        if any(not -(2**63) <= size < 2**63 for size in sizes):
            raise TypeError(f"new(): argument 'size' failed to unpack: {sizes} has more than 64 bits")
        if any(size < 0 for size in sizes):
            raise RuntimeError(f"Trying to create tensor with negative dimension: {list(sizes)}")
        return Tensor._wrap(np.zeros([int(size) for size in sizes], numpy_dtype))
    (data,) = args
    if isinstance(data, (TypedStorage, UntypedStorage)):  # its memory
        return ops.set_(Tensor._wrap(np.empty(0, numpy_dtype)), data)
    if isinstance(data, Size):
        return Tensor._wrap(np.zeros(data, numpy_dtype))
    if isinstance(data, Tensor):
        if dtype is not None and data.dtype is not dtype:
            names = dtypes.SCALAR_NAMES
            raise TypeError(f"new(): expected a {names[dtype]}Tensor, but got a {names[data.dtype]}Tensor")
        return data.detach()
    if isinstance(data, (float, complex, np.generic)):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return Tensor._wrap(array_from_data(data, numpy_dtype))


class TensorType:
    """A constructor with a dtype in its name, such as ``torch.FloatTensor``.

    ``is_cuda`` marks those of ``torch.cuda``, which exist to be named and compared, and make nothing.
    """

    def __init__(self, dtype: dtypes.dtype, is_cuda: bool = False) -> None:
        self.dtype = dtype
        self.is_cuda = is_cuda
        self.is_sparse = False
        self.__name__ = self.__qualname__ = f"{dtypes.SCALAR_NAMES[dtype]}Tensor"
        self.__module__ = "torch.cuda" if is_cuda else "torch"

    def __call__(self, *args: Any, device: Any = None) -> Tensor:
        if self.is_cuda or device not in (None, "cpu"):
            raise TypeError(f"type {self.full_name} not available: tinytorch runs on the CPU only.")
        return construct(args, self.dtype)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and not self.is_cuda and value.dtype is self.dtype

    def __or__(self, other: Any) -> Any:  # in annotations: FloatTensor | None
        return Tensor | other

    def __ror__(self, other: Any) -> Any:
        return other | Tensor

    @property
    def full_name(self) -> str:
        """The name that ``tensor.type()`` gives, such as ``torch.FloatTensor``."""
        return f"{self.__module__}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<class '{self.full_name}'>"


FloatTensor, DoubleTensor = TensorType(dtypes.float32), TensorType(dtypes.float64)
HalfTensor, BFloat16Tensor = TensorType(dtypes.float16), TensorType(dtypes.bfloat16)
ByteTensor, CharTensor, BoolTensor = TensorType(dtypes.uint8), TensorType(dtypes.int8), TensorType(dtypes.bool_)
ShortTensor, IntTensor, LongTensor = TensorType(dtypes.int16), TensorType(dtypes.int32), TensorType(dtypes.int64)


class StorageType:
    """The constructor of storages of one dtype, such as ``torch.FloatStorage``; ``isinstance`` asks it, too."""

    def __init__(self, dtype: dtypes.dtype) -> None:
        self.dtype = dtype
        self.__name__ = self.__qualname__ = f"{dtypes.SCALAR_NAMES[dtype]}Storage"
        self.__module__ = "torch"

    def __call__(self, *args: Any, device: Any = None) -> TypedStorage:
        return TypedStorage(*args, dtype=self.dtype, device=device)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, TypedStorage) and value.dtype is self.dtype

    def __repr__(self) -> str:
        return f"<class 'torch.{self.__name__}'>"


_STORAGE_TYPES = {dtype: StorageType(dtype) for dtype in dtypes.SCALAR_NAMES}
FloatStorage, DoubleStorage = _STORAGE_TYPES[dtypes.float32], _STORAGE_TYPES[dtypes.float64]
HalfStorage, BFloat16Storage = _STORAGE_TYPES[dtypes.float16], _STORAGE_TYPES[dtypes.bfloat16]
ByteStorage, CharStorage = _STORAGE_TYPES[dtypes.uint8], _STORAGE_TYPES[dtypes.int8]
ShortStorage, IntStorage = _STORAGE_TYPES[dtypes.int16], _STORAGE_TYPES[dtypes.int32]
LongStorage, BoolStorage = _STORAGE_TYPES[dtypes.int64], _STORAGE_TYPES[dtypes.bool_]
ComplexFloatStorage = _STORAGE_TYPES[dtypes.complex64]
ComplexDoubleStorage = _STORAGE_TYPES[dtypes.complex128]


def storage_type(tensor: Tensor) -> StorageType:
    """The constructor of storages like the tensor's (``Tensor.storage_type``)."""
    return _STORAGE_TYPES[tensor.dtype]


def dtype_named(name: Any) -> Any:
    """The dtype that ``'torch.FloatTensor'`` or ``torch.FloatTensor`` stands for; other values pass through.

    The class of all tensors stands for the default dtype.

    Raises ValueError for an unknown name, TypeError for the name of a type on an accelerator.
    """
    if isinstance(name, TensorType):
        name = name.full_name
    if name is Tensor:
        return dtypes.get_default_dtype()
    if not isinstance(name, str):
        return name
    if name.startswith("torch.cuda."):
        raise TypeError(f"type {name} not available: tinytorch runs on the CPU only.")
    for dtype, scalar_name in dtypes.SCALAR_NAMES.items():
        if name == f"torch.{scalar_name}Tensor":
            return dtype
    raise ValueError(f"invalid type: '{name}'")


def set_default_tensor_type(t: Any) -> None:
    """Set the default floating type by a tensor type or its name; :func:`tinytorch.set_default_dtype` is younger."""
    dtypes.set_default_dtype(dtype_named(t))
