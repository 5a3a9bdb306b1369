"""Making tensors: from data, and filled with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.saving import ForeignMemory
from tinytorch.device import check_device
from tinytorch.dtypes import INEXACT, default_numpy_dtype, dtype_of_number, from_numpy_dtype, to_numpy_dtype
from tinytorch.kernels import layout
from tinytorch.kernels.memory import aligned
from tinytorch.ops.arguments import NOT_GIVEN, Number, checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import check_options
from tinytorch.ops.data import array_from_data
from tinytorch.ops.dims import sizes_from
from tinytorch.ops.memory_formats import laid_out
from tinytorch.ops.numbers import number_as
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = [
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]  # fmt: skip


def finish(array: np.ndarray, requires_grad: bool, device: Any = None) -> Tensor:
    """A new array as a tensor: the end of every function that makes one."""
    if device is not None:
        if str(device) == "meta":
            from tinytorch.nn.meta import without_values

            return without_values(array, requires_grad)
        check_device(device)
    result = Tensor._wrap(array)
    if state.inference:
        result._inference = True
    if requires_grad is not False and requires_grad is not None:
        if requires_grad is not True:
            raise TypeError(f"argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        if array.dtype.kind not in INEXACT:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        result._requires_grad = True
    return result


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor with a copy of ``data``: numbers, nested sequences, arrays, tensors (``torch.tensor``).

    Python floats become the default float type, ints int64, bools bool; arrays keep their dtype.
    Raises ValueError for ragged sequences, TypeError for what is not a number.

    >>> import tinytorch
    >>> tinytorch.tensor([[1, 2], [3, 4]]).dtype
    torch.int64
    """
    array = array_from_data(data, None if dtype is None else to_numpy_dtype(dtype))
    return finish(array, requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory with it where possible (``torch.as_tensor``)."""
    if device is not None and str(device) == "meta":
        return tensor(data, dtype=dtype, device=device)
    if isinstance(data, Tensor):
        check_device(device)
        return data if dtype is None else cast(data, to_numpy_dtype(dtype))
    if isinstance(data, np.ndarray):
        result = from_numpy(data)
        return result if dtype is None else cast(result, to_numpy_dtype(dtype))
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """``obj`` as a tensor (``torch.asarray``): the memory of a tensor, array or buffer, unless ``copy=True`` or the
    dtype changes. A tensor keeps its history, unless ``requires_grad=False``. ValueError where ``copy=False`` cannot
    be, and for a buffer (bytes, a memoryview...) whose length is no multiple of an element's.
    """
    if not isinstance(obj, (Tensor, np.ndarray, np.generic)) and _is_buffer(obj):
        from tinytorch.ops.buffers import frombuffer

        obj = frombuffer(obj, dtype=from_numpy_dtype(dtype_or_default(dtype)))
    if isinstance(obj, Tensor):
        result = as_tensor(obj, dtype, device)
        if copy and result._array is obj._array:
            result = result.clone()
    else:
        result = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False:
        if not isinstance(obj, (Tensor, np.ndarray)):
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        if not np.shares_memory(result._array, obj._array if isinstance(obj, Tensor) else obj) and result._array.size:
            raise ValueError(f"can't alias tensor with dtype '{obj.dtype}' into dtype '{result.dtype}'.")
    if requires_grad is False and result._requires_grad:
        return result.detach()
    return result.requires_grad_() if requires_grad else result


def _is_buffer(value: Any) -> bool:
    """Whether Python can see the memory of an object."""
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor over the same memory as a NumPy array. TypeError for dtypes that tensors cannot hold, ValueError for
    negative strides."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    from_numpy_dtype(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one of the strides in the given numpy array is negative, and tensors with negative strides are "
            "not currently supported. (You can probably work around this by making a copy of your array with "
            "array.copy().)"
        )
    result = Tensor._wrap(ndarray if type(ndarray) is np.ndarray else np.asarray(ndarray))
    result._memory = ForeignMemory(shared=True)
    return result


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor over the memory of any object that speaks DLPack (``torch.from_dlpack``), else RuntimeError."""
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError(f"from_dlpack received an invalid capsule, or an object without __dlpack__: {ext_tensor!r}")
    return from_numpy(np.from_dlpack(ext_tensor))


class _Capsule:
    """A DLPack capsule by itself, as ``to_dlpack`` returns it, in the form that NumPy takes: memory of the CPU."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def dtype_or_default(dtype: Any) -> np.dtype[Any]:
    """NumPy's dtype; the default float type where none is given."""
    return default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)


def checked_sizes(sizes: tuple[Any, ...], keyword: Any = None) -> tuple[int, ...]:
    """Sizes given as ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``; TypeError for none at all, RuntimeError for a
    negative one.
    """
    if not sizes and keyword is None:
        raise TypeError('missing 1 required positional arguments: "size"')
    shape = sizes_from(sizes if keyword is None else (keyword,))
    for size in shape:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {list(shape)}")
    return shape


def _filled(array: np.ndarray, value: Any) -> np.ndarray:
    """The array, filled: half the time of `np.ones`."""
    array.fill(value)
    return array


@accepts_exact_out
def zeros(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    check_options("zeros", options, "size")
    shape = checked_sizes(size, options.get("size"))
    return finish(np.zeros(shape, dtype_or_default(dtype)), requires_grad, device)


@accepts_exact_out
def ones(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Ones: ``ones(2, 3)`` or ``ones((2, 3))``."""
    check_options("ones", options, "size")
    shape = checked_sizes(size, options.get("size"))
    return finish(_filled(np.empty(shape, dtype_or_default(dtype)), 1), requires_grad, device)


@accepts_out
def empty(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """A tensor whose elements are not set to anything."""
    check_options("empty", options, "size")
    shape = checked_sizes(size, options.get("size"))
    memory_format = options.get("memory_format")
    if str(memory_format) == "torch.preserve_format":
        raise RuntimeError("empty(): unsupported memory format Preserve: there is nothing whose order could be kept")
    return laid_out(finish(aligned(shape, dtype_or_default(dtype)), requires_grad, device), memory_format)


@accepts_exact_out
def full(
    size: Sequence[int],
    fill_value: Number,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """A tensor of ``fill_value`` everywhere; its type decides the dtype."""
    check_options("full", options)
    shape = checked_sizes((size,))
    numpy_dtype = dtype_of_number(fill_value) if dtype is None else to_numpy_dtype(dtype)
    return finish(_filled(np.empty(shape, numpy_dtype), number_as(fill_value, numpy_dtype)), requires_grad, device)


@checks_arguments
def scalar_tensor(
    s: Number, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """A 0-dimensional tensor of the default float type."""
    check_options("scalar_tensor", options)
    return finish(number_as(s, dtype_or_default(dtype)), requires_grad, device)


def _like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    return input._array.dtype if dtype is None else to_numpy_dtype(dtype)


@checks_arguments
def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Zeros in the shape, dtype and memory order of ``input``."""
    check_options("zeros_like", options)
    array, numpy_dtype = input._array, _like(input, dtype)
    contiguous = array.flags.c_contiguous  # then NumPy has memory that is zero already
    zero = np.zeros(array.shape, numpy_dtype) if contiguous else _filled(layout.empty_like(array, numpy_dtype), 0)
    return laid_out(finish(zero, requires_grad, device), options.get("memory_format"))


@checks_arguments
def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Ones in the shape, dtype and memory order of ``input``."""
    check_options("ones_like", options)
    array = _filled(layout.empty_like(input._array, _like(input, dtype)), 1)
    return laid_out(finish(array, requires_grad, device), options.get("memory_format"))


@checks_arguments
def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """An unset tensor in the shape, dtype and memory order of ``input``."""
    check_options("empty_like", options)
    array = layout.empty_like(input._array, _like(input, dtype))
    return laid_out(finish(array, requires_grad, device), options.get("memory_format"))


@checks_arguments
def full_like(
    input: Tensor,
    fill_value: Number,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """``fill_value`` everywhere, in the shape, dtype and memory order of ``input``."""
    check_options("full_like", options)
    numpy_dtype = _like(input, dtype)
    array = _filled(layout.empty_like(input._array, numpy_dtype), number_as(fill_value, numpy_dtype))
    return laid_out(finish(array, requires_grad, device), options.get("memory_format"))


@accepts_exact_out
def eye(
    n: int,
    m: int = NOT_GIVEN,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Ones on the diagonal of an n × m matrix, zeros elsewhere."""
    check_options("eye", options)
    for name, value in (("n", n), ("m", m)):
        if value is not NOT_GIVEN and value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    return finish(np.eye(n, None if m is NOT_GIVEN else m, dtype=dtype_or_default(dtype)), requires_grad, device)
