"""Making tensors: from data, and filled with numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.device import check_device
from tinytorch.dtypes import default_numpy_dtype, dtype_of_number, from_numpy_dtype, to_numpy_dtype
from tinytorch.kernels import ranges
from tinytorch.ops.broadcast import cast, is_number
from tinytorch.ops.checks import check_options, check_tensor, refuse
from tinytorch.ops.data import array_from_data
from tinytorch.ops.dims import sizes_from
from tinytorch.ops.numbers import number_as
from tinytorch.ops.out import accepts_out
from tinytorch.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "clone",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "range_",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]  # fmt: skip


def finish(array: np.ndarray, requires_grad: bool, device: Any = None) -> Tensor:
    """A new array as a tensor: the end of every function that makes one."""
    if device is not None:
        check_device(device)
    result = Tensor._wrap(array)
    if requires_grad:
        if array.dtype.kind not in "fc":
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
    if isinstance(data, Tensor):
        check_device(device)
        return data if dtype is None else cast(data, to_numpy_dtype(dtype))
    if isinstance(data, np.ndarray):
        result = from_numpy(data)
        return result if dtype is None else cast(result, to_numpy_dtype(dtype))
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a tensor, sharing memory unless ``copy=True`` (``torch.asarray``)."""
    result = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return result.requires_grad_() if requires_grad else result


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor over the same memory as a NumPy array. TypeError for dtypes that tensors cannot hold, ValueError for
    negative strides."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently "
            "not supported."
        )
    from_numpy_dtype(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one of the strides in the given numpy array is negative, and tensors with "
            "negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )
    result = Tensor._wrap(ndarray if type(ndarray) is np.ndarray else np.asarray(ndarray))
    result._shared_memory()
    return result


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor over the memory of any object that speaks DLPack (``torch.from_dlpack``)."""
    return from_numpy(np.from_dlpack(ext_tensor))


def _numpy_dtype(dtype: Any) -> np.dtype[Any]:
    return default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)


def checked_sizes(sizes: tuple[Any, ...], keyword: Any = None) -> tuple[int, ...]:
    """Sizes given as ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``; RuntimeError for a negative one."""
    shape = sizes_from(sizes if keyword is None else (keyword,))
    for size in shape:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {list(shape)}")
    return shape


@accepts_out
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
    return finish(np.zeros(shape, _numpy_dtype(dtype)), requires_grad, device)


@accepts_out
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
    return finish(np.ones(shape, _numpy_dtype(dtype)), requires_grad, device)


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
    return finish(np.empty(shape, _numpy_dtype(dtype)), requires_grad, device)


@accepts_out
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """A tensor of ``fill_value`` everywhere; its type decides the dtype."""
    check_options("full", options)
    shape = checked_sizes((size,) if isinstance(size, int) else (tuple(size),))
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    numpy_dtype = dtype_of_number(fill_value) if dtype is None else to_numpy_dtype(dtype)
    return finish(np.full(shape, number_as(fill_value, numpy_dtype)), requires_grad, device)


def scalar_tensor(
    s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """A 0-dimensional tensor of the default float type."""
    check_options("scalar_tensor", options)
    return finish(number_as(s, _numpy_dtype(dtype)), requires_grad, device)


def _like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    return input._array.dtype if dtype is None else to_numpy_dtype(dtype)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Zeros in the shape, dtype and memory order of ``input``."""
    check_options("zeros_like", options)
    return finish(np.zeros_like(input._array, _like(input, dtype)), requires_grad, device)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Ones in the shape, dtype and memory order of ``input``."""
    check_options("ones_like", options)
    return finish(np.ones_like(input._array, _like(input, dtype)), requires_grad, device)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """An unset tensor in the shape, dtype and memory order of ``input``."""
    check_options("empty_like", options)
    return finish(np.empty_like(input._array, _like(input, dtype)), requires_grad, device)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """``fill_value`` everywhere, in the shape, dtype and memory order of ``input``."""
    check_options("full_like", options)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    numpy_dtype = _like(input, dtype)
    return finish(np.full_like(input._array, number_as(fill_value, numpy_dtype), numpy_dtype), requires_grad, device)


@accepts_out
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """``start, start + step, ...`` up to but without ``end``; integers give int64, floats the default float type.

    With an integer ``dtype`` only the whole parts of ``start`` and ``step`` count, with int64 that of ``end`` too.
    """
    check_options("arange", options)
    if end is None:
        start, end = None, start
    start = 0 if start is None else start
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not isinstance(value, Tensor) and not is_number(value):
            raise TypeError(f"arange(): argument '{name}' must be Number, not {type(value).__name__}")
    start, end, step = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (start, end, step))
    if any(isinstance(v, complex) for v in (start, end, step)):
        raise RuntimeError(f"arange() has no order of complex numbers: {start}, {end}, {step}")
    if not np.isfinite(start) or not np.isfinite(end) or step != step:
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if dtype is not None and to_numpy_dtype(dtype) == np.int64:
        if step and not int(step):
            raise ValueError("step must be nonzero")
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    integers = all(isinstance(v, int) for v in (start, end, step))
    numpy_dtype = (
        to_numpy_dtype(dtype) if dtype is not None else np.dtype(np.int64) if integers else default_numpy_dtype()
    )
    refuse("bc", "arange", np.empty(0, numpy_dtype))
    count = -((start - end) // step) if integers else int(np.ceil((end - start) / step))
    if numpy_dtype.kind in "iu":
        start, step, integers = int(start), int(step), True
    if numpy_dtype in (np.float32, np.float64):
        return finish(ranges.arange(float(start), float(step), count, numpy_dtype), requires_grad, device)
    if integers and abs(start) + count * abs(step) < 2**63:
        array = np.arange(start, start + count * step, step, dtype=np.int64)
    else:
        array = start + np.arange(count, dtype=np.int64 if integers else np.float64) * step
    return finish(array.astype(numpy_dtype, copy=False), requires_grad, device)


@accepts_out
def range_(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """``torch.range``: like :func:`arange`, but includes ``end`` and is floating."""
    check_options("range", options)
    count = int(np.floor((end - start) / step)) + 1
    return finish((start + np.arange(count) * step).astype(_numpy_dtype(dtype)), requires_grad, device)


def _check_steps(name: str, start: Any, end: Any, steps: Any) -> None:
    if isinstance(steps, bool) or not hasattr(steps, "__index__"):
        kinds = ", ".join(type(value).__name__ for value in (start, end, steps))
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}): steps must be int")
    for value in (start, end):
        if isinstance(value, Tensor) and value._array.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got shape {list(value.shape)}"
            )
        if not isinstance(value, Tensor) and not is_number(value):
            raise TypeError(f"{name}(): arguments 'start' and 'end' must be Number, not {type(value).__name__}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if steps > 2**60:
        raise RuntimeError(f"{name}(): Storage size calculation overflowed with sizes=[{steps}]")


@accepts_out
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, equally far apart.

    As PyTorch, the first half counts up from ``start`` and the second down from ``end``, in the result's own precision.
    """
    _check_steps("linspace", start, end, steps)
    check_options("linspace", options)
    start, end = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (start, end))
    is_complex = dtype is None and (isinstance(start, complex) or isinstance(end, complex))
    numpy_dtype = dtype_of_number(1j) if is_complex else _numpy_dtype(dtype)
    refuse("b", "linspace", np.empty(0, numpy_dtype))
    real = numpy_dtype if numpy_dtype.kind in "fc" else np.dtype(np.float64)
    if steps == 1:
        return finish(number_as(start, numpy_dtype).reshape(1), requires_grad, device)
    low, high = (real.type(number_as(value, numpy_dtype)) for value in (start, end))
    return finish(ranges.linspace(low, high, steps).astype(numpy_dtype), requires_grad, device)


@accepts_out
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """``base`` to the powers ``linspace(start, end, steps)``."""
    _check_steps("logspace", start, end, steps)
    check_options("logspace", options)
    numpy_dtype = _numpy_dtype(dtype)
    if numpy_dtype.kind in "iu":
        start, end = int(start), int(end)
    exponents = linspace(start, end, steps, dtype=float)._array
    return finish((base**exponents).astype(numpy_dtype), requires_grad, device)


@accepts_out
def eye(
    n: int,
    m: int | None = None,
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
        if value is not None and value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    return finish(np.eye(n, m, dtype=_numpy_dtype(dtype)), requires_grad, device)


class Clone(Primitive):
    """y = x, in memory of its own: in the order of x, or with ``order="C"`` row-major."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, order: Any = "K") -> np.ndarray:
        return x.copy(order=order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


class Fill(Primitive):
    """y = a number everywhere, in place of x: the gradient of x is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, value: Any) -> np.ndarray:
        return np.full_like(x, number_as(value, x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return zeros_like(grad)


class Copy(Primitive):
    """y = source broadcast to x's shape, in place of x: x receives 0, the source everything."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, source: np.ndarray) -> np.ndarray:
        try:
            broadcast = np.broadcast_to(source, x.shape)
        except ValueError:
            from tinytorch.ops.broadcast import broadcast_shapes

            meets = broadcast_shapes(source.shape, x.shape)
            raise RuntimeError(
                f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(meets)}"
            ) from None
        return broadcast.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return zeros_like(grad), grad


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy that gradients flow through, in the same memory order or that of ``memory_format``."""
    check_tensor("clone", "input", 1, input)
    result = Clone.apply(input)
    if memory_format is not None:
        result._array = ops.in_format(result.detach(), memory_format)._array  # detach() also pins the order down
    return result


def fill(input: Tensor, value: Any) -> Tensor:
    """``value`` everywhere, as a new value of ``input``."""
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return Copy.apply(input, value)
    return Fill.apply(input, value=value)


def copy(input: Tensor, source: Tensor) -> Tensor:
    """``source`` broadcast to ``input``'s shape, in its dtype, as a new value of ``input``."""
    return Copy.apply(input, source)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
