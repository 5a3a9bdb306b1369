"""Chapter 3. Elementwise ops and un-broadcasting.

After: tinytorch/tensor.py
Next: tinytorch/ops/arithmetic.py

Goal: see how operands of different shapes and dtypes meet, and why repeating forward is summing backward.

The idea. Forward, NumPy broadcasts: it repeats the smaller operand without copying. Backward, repetition becomes
summation, because the chain rule adds over all uses of a number.

>>> import tinytorch
>>> x = tinytorch.ones(2, 3, requires_grad=True)
>>> bias = tinytorch.zeros(3, requires_grad=True)
>>> (x + bias).sum().backward()
>>> bias.grad                                    # each element was used in two rows
tensor([2., 2., 2.])

The derivation. Let ``y_ij = x_j`` for i = 1..n. Then ∂y_ij/∂x_k = δ_jk, which is 1 where j = k and 0 elsewhere, and

    ∂L/∂x_k = Σ_ij ∂L/∂y_ij · δ_jk = Σ_i ∂L/∂y_ik          that is   grad_x = sum_to(grad, x.shape)

:class:`Expand` and :class:`SumTo` are that pair, each the derivative of the other. No binary op un-broadcasts by
itself: the engine does it for all of them with :func:`sum_to`.

What PyTorch does. The same, op by op: generated code calls ``sum_to_size`` where shapes differ. The promotion of dtypes
follows its categories (bool < integer < float < complex): a Python number never widens a tensor within its category.

Pitfalls. Shapes (3,) and (3, 1) broadcast to (3, 3): a loss of such a pair is wrong without any error.

Exercises. x has shape (4, 1), y (3,). Which shape has ``x * y``, and over which dimensions is each gradient summed?
Answers: ``python -m tinytorch.learn answers 3``; more: ``python -m tinytorch.learn start --chapter 3``.
Check: ``python -m pytest tests/ops/test_cases.py``.

"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.device import CPU, check_device
from tinytorch.dtypes import INEXACT, dtype, dtype_of_number, from_numpy_dtype, result_dtype, to_numpy_dtype
from tinytorch.kernels.layout import same_order_copy
from tinytorch.kernels.sums import total
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.checks import check_tensor
from tinytorch.ops.dims import ints_from, sizes_from
from tinytorch.ops.out import write_out
from tinytorch.tensor import Tensor
from tinytorch.torch_function import UNKNOWN_BEFORE, notice_any

__all__ = ["Elementwise", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cast", "expand", "expand_as",
           "float_operands", "is_expandable", "operands", "result_type", "spread", "sum_to", "sum_to_size",
           "to"]  # fmt: skip

_number_types = (int, float, bool, complex, np.generic)


class Elementwise(Primitive):
    """Base of ops that NumPy broadcasts; its error speaks of sizes as PyTorch's."""

    keeps_memory_order = True  # of its first operand, in PyTorch; see tinytorch.ops.memory_order

    @classmethod
    def explain(cls, error: ValueError, *arrays: Any) -> Exception:
        shapes = [array.shape for array in arrays if isinstance(array, np.ndarray)]
        try:
            for i in range(1, len(shapes)):
                broadcast_shapes(*shapes[: i + 1])
        except RuntimeError as mismatch:
            return mismatch
        return super().explain(error, *arrays)


class Expand(Primitive):
    """y = x repeated along new or size-1 dimensions, without a copy."""

    returns_view = True
    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return _repeated(x, shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return sum_to(grad, shape)


def _repeated(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`np.broadcast_to`, but writeable, as PyTorch's; and a tenth of its time where x is contiguous."""
    new_dims = len(shape) - x.ndim
    if x.flags.c_contiguous and x.size and new_dims >= 0:
        strides = [0] * new_dims
        for size, wanted, stride in zip(x.shape, shape[new_dims:], x.strides, strict=True):
            if size != wanted and size != 1:
                break
            strides.append(stride if size == wanted else 0)
        else:
            return np.ndarray(shape, x.dtype, x, 0, tuple(strides))
    expanded = np.broadcast_to(x, shape)  # or its error
    return np.lib.stride_tricks.as_strided(x, expanded.shape, expanded.strides)


def spread(grad: Tensor, kept: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """The gradient of a sum: ``grad``, seen in the shape ``kept``, repeated to ``shape``."""
    if is_grad_enabled():
        return Expand.apply(grad if grad._array.shape == kept else grad.reshape(kept), shape=shape)
    return Tensor._wrap(_repeated(grad._array.reshape(kept), shape))


class SumTo(Primitive):
    """y = x summed over the dimensions that broadcasting ``shape`` to x's shape would repeat."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        new_dims = x.ndim - len(shape)
        repeated = tuple(i + new_dims for i, size in enumerate(shape) if size == 1 and x.shape[i + new_dims] != 1)
        return total(x, tuple(range(new_dims)) + repeated).reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return Expand.apply(grad, shape=shape)


class Cast(Primitive):
    """y = x in another dtype; the gradient comes back in x's."""

    complex_backward = True
    computes = False

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
        ctx.save_intermediates(x.dtype)
        return same_order_copy(x, dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (dtype,) = ctx.intermediates
        return cast(grad, dtype)

    known_name = "ToCopyBackward0"


def cast(input: Tensor, numpy_dtype: np.dtype[Any]) -> Tensor:
    """``input`` in NumPy's ``numpy_dtype``: itself if it has it, else a recorded copy."""
    if input._array.dtype == numpy_dtype:
        return input
    if numpy_dtype.kind not in INEXACT:  # integers carry no gradient
        return Tensor._wrap(same_order_copy(input._array, numpy_dtype))
    return Cast.apply(input, dtype=numpy_dtype)


#: How the arguments of :func:`to` are named, by what the first one is.
_TO_NAMES = {
    "other": ("other", "non_blocking", "copy"),
    "dtype": ("dtype", "non_blocking", "copy"),
    "device": ("device", "dtype", "non_blocking", "copy"),
}


def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``input.to(dtype)``, ``.to(device)``, ``.to(device, dtype)`` or ``.to(other)``, as ``torch.Tensor.to``.

    Each takes ``non_blocking``, ``copy`` and ``memory_format``. Returns ``input`` itself when nothing changes and
    ``copy`` is False. On the device "meta" shape and dtype are left. Raises RuntimeError for other devices.
    """
    if len(args) == 1 and not kwargs:  # the most frequent ones, without more ado
        only = args[0]
        if only is CPU or (type(only) is str and only == "cpu"):
            return input
        if type(only) is dtype:
            return in_dtype(input, only)
    if args:
        names = _TO_NAMES["other" if isinstance(args[0], Tensor) else "dtype" if _is_dtype(args[0]) else "device"]
        if len(args) > len(names) or any(name in kwargs for name in names[: len(args)]):
            raise TypeError(f"to() takes {', '.join(names)}, each once, but got {len(args)} arguments and {[*kwargs]}")
        kwargs.update(zip(names, args, strict=False))
    other, where, wanted = kwargs.pop("other", None), kwargs.pop("device", None), kwargs.pop("dtype", None)
    copy, memory_format = kwargs.pop("copy", False), kwargs.pop("memory_format", None)
    for name, flag in (("non_blocking", kwargs.pop("non_blocking", False)), ("copy", copy)):
        if not isinstance(flag, bool):
            raise wrong_argument("to", name, None, flag, "bool")
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    if wanted is not None and not _is_dtype(wanted):
        raise wrong_argument("to", "dtype", None, wanted, "torch.dtype")
    if other is not None:
        wanted, where = other.dtype, other.device
    result = in_dtype(input, wanted, memory_format)
    if where is not None and str(where) == "meta":
        from tinytorch.nn.meta import without_values

        return without_values(result._array, result._requires_grad)
    check_device(where)
    return result.clone() if copy and result is input else result


def in_dtype(input: Tensor, wanted: Any, memory_format: Any = None) -> Tensor:
    """``input`` in the dtype ``wanted`` and in ``memory_format``, where they are not None: itself if it is so already.

    ``input.float()``, ``.long()``...
    """
    result = input if wanted is None else cast(input, to_numpy_dtype(wanted))
    return result if memory_format is None else ops.in_format(result, memory_format)


def _is_dtype(value: Any) -> bool:
    return isinstance(value, dtype) or value is float or value is int or value is bool or value is complex


def operands(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands in the dtype in which they meet (PyTorch's promotion). A Python number stays one.

    Raises TypeError for what is neither a Tensor nor a number.
    """
    if isinstance(a, Tensor):
        if isinstance(b, Tensor):
            if a._array.dtype is b._array.dtype:
                return a, b
        elif type(b) is float or type(b) is int:
            kind = a._array.dtype.kind
            if kind == "f" or (kind in "iu" and type(b) is int and 0 <= b < 128):  # which all integer dtypes hold
                return a, b
    elif (type(a) is float or type(a) is int) and isinstance(b, Tensor) and b._array.dtype.kind == "f":
        return a, b
    a, b = _promoted(a, b)
    return a, b


def promote_all(*values: Any) -> list[Any]:
    """Any number of tensors and numbers in their common dtype, as :func:`operands`."""
    dtypes = {value._array.dtype if isinstance(value, Tensor) else None for value in values}
    if len(dtypes) == 1 and None not in dtypes:
        return list(values)
    return _promoted(*values)


def _promoted(*values: Any) -> list[Any]:
    arrays = [_array_or_number(value) for value in values]
    common = result_dtype(*arrays)
    if all(given is value for given, value in zip(values, arrays, strict=True)):  # numbers alone make a tensor
        return [Tensor._wrap(np.asarray(value, common)) for value in arrays]
    return [
        cast(given, common) if isinstance(given, Tensor) else _number_for(value, common)
        for given, value in zip(values, arrays, strict=True)
    ]


def _array_or_number(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._array
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _number_types):
        return value
    late = UNKNOWN_BEFORE if notice_any((value,)) else ""
    raise TypeError(f"argument 'other' must be Tensor or a number, not {type(value).__name__}{late}")


def _number_for(value: Any, common: np.dtype[Any]) -> Any:
    """A Python number that NumPy will accept beside arrays of dtype ``common``; out-of-range integers wrap around."""
    if common.kind not in "iu":
        return value
    limits = np.iinfo(common)
    if limits.min <= value <= limits.max:
        return int(value)
    return np.array(value, object).astype(np.int64).astype(common).item()


def to_float(input: Tensor) -> Tensor:
    """An integer or bool tensor in the default float type; others as they are."""
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input if input._array.dtype.kind in INEXACT else cast(input, dtype_of_number(0.0))


def of_float(primitive: type[Primitive], input: Any, out: Tensor | None) -> Tensor:
    """``primitive`` of ``input`` in floating point, for the functions of one tensor (:func:`exp`, :func:`sin`...)."""
    if not isinstance(input, Tensor):
        name = primitive.__name__.lower()
        if notice_any((input, out)):
            return getattr(ops, name)(input) if out is None else getattr(ops, name)(input, out=out)
        raise wrong_argument(name, "input", 1, input)
    result = primitive.apply(input if input._array.dtype.kind in INEXACT else to_float(input))
    return result if out is None else write_out(primitive.__name__.lower(), result, out, input)


def as_tensor_like(value: Any, dtype: np.dtype[Any]) -> Tensor:
    """A Tensor as it is; a Python number as a 0-dimensional tensor of ``dtype``."""
    return value if isinstance(value, Tensor) else Tensor._wrap(np.asarray(value, dtype))


def float_operands(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two operands, one of which may be a number, as tensors of a common float dtype; integers as :func:`to_float`."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        raise TypeError(f"one of two operands must be Tensor, not {type(a).__name__} and {type(b).__name__}")
    a, b = operands(a, b)
    kind = (a if isinstance(a, Tensor) else b)._array.dtype
    return to_float(as_tensor_like(a, kind)), to_float(as_tensor_like(b, kind))


def result_type(tensor: Any, other: Any) -> dtype:
    """The dtype in which two tensors or numbers meet (``torch.result_type``)."""
    return from_numpy_dtype(result_dtype(_array_or_number(tensor), _array_or_number(other)))


def is_expandable(shape: tuple[int, ...], to_shape: tuple[int, ...]) -> bool:
    """Whether ``shape`` broadcasts to exactly ``to_shape``."""
    if len(shape) > len(to_shape):
        return False
    tail = to_shape[len(to_shape) - len(shape) :]
    return all(a in (1, b) for a, b in zip(shape, tail, strict=True))


def sum_to(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum ``input`` down to ``shape``, which must broadcast to its shape: the derivative of :func:`expand`."""
    return input if input._array.shape == shape else SumTo.apply(input, shape=shape)


@checks_arguments
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """``input`` summed down to a size that broadcasts to its own (``torch.Tensor.sum_to_size``); else RuntimeError."""
    if not size:
        raise TypeError('sum_to_size() missing 1 required positional arguments: "size"')
    shape = sizes_from(size, "sum_to_size")
    if not is_expandable(shape, input._array.shape):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(input._array.shape)}}}.")
    if shape and tuple(shape) == input._array.shape:  # to () it is a sum, which makes integers int64
        return input
    return SumTo.apply(cast(input, np.dtype(np.int64)) if input._array.dtype.kind in "iub" else input, shape=shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """:func:`expand` to the sizes of ``other``."""
    check_tensor("expand_as", "other", 1, other)
    return expand(input, other._array.shape)


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """``input`` repeated to larger sizes without copying; -1 keeps a size. As ``torch.Tensor.expand``."""
    if not sizes:
        raise TypeError('expand() missing 1 required positional arguments: "size"')
    sizes = sizes_from(sizes, "expand")
    shape = input._array.shape
    new_dims = len(sizes) - len(shape)
    if new_dims < 0:
        raise RuntimeError(
            f"expand({list(shape)}, size={list(sizes)}): the number of sizes provided ({len(sizes)}) must be greater "
            f"or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    target = []
    for position, size in enumerate(sizes):
        present = shape[position - new_dims] if position >= new_dims else None
        if size == -1 and present is None:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {position}"
            )
        if size != -1 and present not in (None, 1, size):
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing size ({present}) at non-singleton "
                f"dimension {position}.  Target sizes: {list(sizes)}.  Tensor sizes: {list(shape)}"
            )
        target.append(present if size == -1 else size)
    return Expand.apply(input, shape=tuple(target))


@checks_arguments
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """The same as ``expand(input, size)``."""
    return expand(input, ints_from("broadcast_to", "size", size))


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape in which all shapes meet; RuntimeError names sizes and dimension where they do not."""
    from tinytorch.size import Size

    result: list[int] = []
    for shape in shapes:
        if shape is None:  # as in PyTorch: nothing to meet
            continue
        if not isinstance(shape, (int, tuple, list)):
            raise (TypeError if isinstance(shape, str) else RuntimeError)(
                f"broadcast_shapes(): Input shapes should be ints, tuples of ints, or lists of ints, got {shape}"
            )
        shape = ints_from("broadcast_shapes", "shapes", (shape,) if isinstance(shape, int) else shape)
        if len(shape) > len(result):
            result = [1] * (len(shape) - len(result)) + result
        for back in range(1, len(shape) + 1):
            a, b = result[-back], shape[-back]
            if a != b and 1 not in (a, b):
                raise RuntimeError(
                    f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                    f"{len(result) - back}"
                )
            if a == 1:
                if b < 0:
                    raise ValueError(f"Attempting to broadcast a dimension with negative length: {shape}")
                result[-back] = b
    return Size(result)


@checks_arguments
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape."""
    shape = broadcast_shapes(*[t._array.shape for t in tensors])
    return tuple(t if t._array.shape == shape else expand(t, shape) for t in tensors)


def is_number(value: Any) -> bool:
    """Whether ``value`` is a Python or NumPy number."""
    return isinstance(value, _number_types)


def number_category(value: Any) -> int:
    """The promotion category of a number (see :mod:`tinytorch.dtypes`)."""
    return dtypes.category_of(value.item() if isinstance(value, np.generic) else value)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
