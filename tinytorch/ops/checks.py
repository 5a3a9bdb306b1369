"""Checks of arguments that many ops share, with PyTorch's error types and words."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import INEXACT, SCALAR_NAMES, from_numpy_dtype
from tinytorch.kernels.half import is_half
from tinytorch.layouts import layout, strided
from tinytorch.ops.arguments import wrong_argument
from tinytorch.tensor import Tensor

__all__ = ["check_all_tensors", "check_any_tensor", "check_floating", "check_integers", "check_options",
           "check_same_dtypes", "check_square", "check_tensor", "not_implemented", "refuse", "refuse_bool",
           "refuse_complex", "refuse_half", "type_name"]  # fmt: skip


def type_name(tensor: Tensor) -> str:
    """The dtype as PyTorch's errors spell it: ``Float``, ``Long``..."""
    return SCALAR_NAMES[tensor.dtype]


def not_implemented(name: str, tensor: Tensor) -> NotImplementedError:
    """The error for a dtype that an op does not work on."""
    return NotImplementedError(f"\"{name}\" not implemented for '{type_name(tensor)}'")


def check_floating(name: str, *tensors: Any) -> None:
    """NotImplementedError unless all tensors are floating (or complex); Python numbers pass."""
    for tensor in tensors:
        if isinstance(tensor, Tensor) and tensor._array.dtype.kind not in INEXACT:
            raise not_implemented(name, tensor)


def refuse(kinds: str, name: str, *tensors: Any, error: type[Exception] = NotImplementedError) -> None:
    """``error`` for a tensor (or array) whose dtype is of one of NumPy's ``kinds``: b bool, i and u integers, f, c.
    Python numbers pass.
    """
    for tensor in tensors:
        dtype = getattr(getattr(tensor, "_array", tensor), "dtype", None)
        if dtype is not None and dtype.kind in kinds:
            raise error(f"\"{name}\" not implemented for '{SCALAR_NAMES[from_numpy_dtype(dtype)]}'")


def refuse_bool(name: str, *tensors: Any) -> None:
    """NotImplementedError for a tensor of bools; Python numbers pass."""
    refuse("b", name, *tensors)


def check_integers(name: str, *tensors: Any) -> None:
    """NotImplementedError unless all tensors hold integers or bools; Python numbers pass."""
    for tensor in tensors:
        if isinstance(tensor, Tensor) and tensor._array.dtype.kind not in "iub":
            raise not_implemented(name, tensor)


def check_tensor(name: str, argument: str, position: int, value: Any) -> None:
    """TypeError unless ``value`` is a Tensor."""
    if not isinstance(value, Tensor):
        raise wrong_argument(name, argument, position, value)


def check_all_tensors(values: Any, argument: int = 0) -> None:
    """TypeError unless all ``values``, the sequence that is argument number ``argument`` of an op, are Tensors."""
    for position, value in enumerate(values):
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise TypeError(f"expected Tensor as element {position} in argument {argument}, but got {kind}")


def check_dims(tensor: Tensor, *dims: int) -> None:
    """IndexError unless ``tensor`` has these dimensions: for ops of which PyTorch reads the sizes before the rank."""
    for dim in dims:
        tensor.size(dim)


def check_same_dtypes(name: str, *tensors: Tensor) -> None:
    """RuntimeError unless all tensors have the dtype of the first."""
    for tensor in tensors[1:]:
        if tensor._array.dtype != tensors[0]._array.dtype:
            raise RuntimeError(
                f"{name}: expected scalar type {type_name(tensors[0])} but found {type_name(tensor)}: all tensors must "
                "have the same dtype"
            )


def check_any_tensor(name: str, *values: Any) -> None:
    """TypeError if none of ``values`` is a Tensor."""
    if not any(isinstance(value, Tensor) for value in values):
        kinds = ", ".join(type(value).__name__ for value in values)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds})")


def check_square(name: str, input: Tensor, error: type[Exception] = RuntimeError) -> None:
    """Raise unless ``input`` is a matrix with as many rows as columns, or a stack of such."""
    shape = input._array.shape
    if len(shape) < 2:
        raise error(f"{name}: The input tensor A must have at least 2 dimensions.")
    if shape[-1] != shape[-2]:
        raise error(f"{name}: A must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices")


def refuse_complex(name: str, *arrays: Any) -> None:
    """NotImplementedError for arrays (or numbers) that are complex: they have no order, and ``name`` no meaning."""
    for array in arrays:
        if (array.dtype.kind == "c") if isinstance(array, np.ndarray) else isinstance(array, complex):
            found = getattr(array, "dtype", "a complex number")
            raise NotImplementedError(f"{name}() is not implemented for complex numbers, got {found}")


def refuse_half(name: str, input: Tensor) -> None:
    """NotImplementedError for float16 (and complex), which PyTorch has no kernel ``name`` for."""
    if input._array.dtype.kind == "c" or is_half(input._array.dtype):
        raise not_implemented(f"{name}_cpu", input)


def check_options(name: str, options: dict[str, Any], *also: str) -> None:
    """Check the rest of a tensor maker's keywords: those that say nothing here, and else TypeError.

    ``layout`` must be one (TypeError), and strided (NotImplementedError); ``pin_memory`` and ``memory_format`` may be
    anything; ``also`` names keywords that the caller reads itself.
    """
    for key, value in options.items():
        if key == "layout":
            if value is not None and not isinstance(value, layout):
                raise wrong_argument(name, key, None, value, "torch.layout")
            if value not in (None, strided):
                raise NotImplementedError(f"{name}(): tensors are dense; layout={value} is not supported")
        elif key not in ("pin_memory", "memory_format", *also):
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
