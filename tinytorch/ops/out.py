"""``out=``: a result written into a tensor that the caller brought, as many of PyTorch's functions offer.

::

    @accepts_out
    def cumsum(input, dim, *, dtype=None, out=None): ...      # the body computes; it never sees `out`

The value is computed as ever and then copied, so to autograd ``out=`` is what it is to PyTorch: not differentiable.
The rules, PyTorch's for all of these functions:

- ``out`` itself is returned. For a function of several results it is a tuple of as many tensors.
- It is resized to the result's shape; with a warning if it held elements.
- The result is cast to its dtype, but never down a category (float into integers): RuntimeError. A function that takes
  ``dtype=`` computes in out's dtype where none is asked for.
- RuntimeError if ``out`` or an input requires grad (outside ``no_grad``), if several elements of ``out`` share memory
  (it is expanded), or if it overlaps an input without being the same region.
- Functions that pick elements here and there (``gather``, ``take``...: :func:`accepts_separate_out`) want it to overlap
  no input at all, and to have exactly the result's dtype.

The types of the arguments are checked on the way (:mod:`tinytorch.ops.arguments`).

The hottest functions (``add``, ``exp``...) call :func:`write_out` themselves, which saves them the wrapper's call.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinytorch.autograd.modes import state
from tinytorch.dtypes import SCALAR_NAMES, can_cast
from tinytorch.ops.arguments import ArgumentTypes, raise_explained
from tinytorch.tensor import Tensor

__all__ = ["accepts_out", "accepts_separate_out", "write_out"]

F = TypeVar("F", bound=Callable[..., Any])


def accepts_separate_out(op: F) -> F:
    """:func:`accepts_out` for a function whose ``out`` may not share memory with an input, nor be of another dtype."""
    return accepts_out(op, separate=True)


def accepts_out(op: F, separate: bool = False) -> F:
    """Let ``op``, whose signature names ``out``, take it; see the module's text. The outermost decorator."""
    code = inspect.unwrap(op).__code__
    types = ArgumentTypes(op)
    passed = types.passed
    takes_dtype = "dtype" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @functools.wraps(op)
    def with_out(*args: Any, **kwargs: Any) -> Any:
        out = None
        if kwargs:
            out = kwargs.pop("out", None)
            if out is not None and takes_dtype and kwargs.get("dtype") is None and isinstance(out, Tensor):
                drops_imaginary = args and isinstance(args[0], Tensor) and args[0].is_complex() and not out.is_complex()
                kwargs["dtype"] = None if drops_imaginary else out.dtype
            given = (*map(type, args), *kwargs, *map(type, kwargs.values()))
        else:
            given = tuple(map(type, args))
        if given not in passed:
            args, kwargs = types.check(args, kwargs)
        try:
            result = op(*args, **kwargs)
        except Exception as error:
            raise_explained(error, op, args, kwargs)
        return result if out is None else write_out(op.__name__, result, out, *args, separate=separate)

    return with_out  # type: ignore[return-value]


def write_out(name: str, result: Any, out: Any, *inputs: Any, separate: bool = False) -> Any:
    """Copy ``result`` (a Tensor or a tuple of them) of the function ``name`` of ``inputs`` into ``out``; returns it."""
    if not isinstance(result, tuple):
        _write(name, result, out, inputs, separate)
        return out
    if not isinstance(out, (tuple, list)):
        raise TypeError(f"{name}(): argument 'out' must be tuple of Tensors, not {type(out).__name__}")
    if len(out) != len(result):
        raise TypeError(f"{name}(): argument 'out' must have {len(result)} tensors, not {len(out)}")
    for one_result, one_out in zip(result, out, strict=True):
        _write(name, one_result, one_out, inputs, separate)
    return type(result)(*out) if hasattr(result, "_fields") else tuple(out)


def _write(name: str, result: Tensor, out: Any, inputs: Iterable[Any], separate: bool) -> None:
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.grad_enabled and (result._requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    source, target = result._array, out._array
    if separate:
        _check_separate(result, out, inputs)
    if source.dtype != target.dtype and not can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"result type {SCALAR_NAMES[result.dtype]} can't be cast to the desired output type "
            f"{SCALAR_NAMES[out.dtype]}"
        )
    if source.shape != target.shape:
        _resize(out, source.shape)
    else:
        inplace.check_writable(out)
        _refuse_overlap(target, inputs, partial=True)
    np.copyto(out._array, source, casting="unsafe")
    out._bump_version()


def _resize(out: Tensor, shape: tuple[int, ...]) -> None:
    if out._array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out.shape)}, which does not "
            f"match the required output shape {list(shape)}. This behavior is deprecated, and in a future release "
            "outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by "
            "resizing it, inplace, to zero elements with t.resize_(0).",
            stacklevel=5,
        )
    out._array = np.empty(shape, out._array.dtype)


def _check_separate(result: Tensor, out: Tensor, inputs: Iterable[Any]) -> None:
    if result._array.dtype != out._array.dtype:
        raise RuntimeError(f"Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead")
    inplace.check_writable(out)
    _refuse_overlap(out._array, inputs, partial=False)


def _refuse_overlap(target: np.ndarray, inputs: Iterable[Any], partial: bool) -> None:
    """Raise where an input shares memory that is written; if ``partial``, only where it is not the very region.

    As in PyTorch, regions with gaps are not looked at.
    """
    for value in inputs:
        if not isinstance(value, Tensor):
            continue
        array = value._array
        apart = array is not target and array.base is None is target.base
        if apart or (partial and array is target):
            continue
        (low, high), (first, last) = byte_bounds(array), byte_bounds(target)
        dense = high - low == array.nbytes and last - first == target.nbytes
        same = low == first and array.shape == target.shape and array.strides == target.strides
        if dense and not (partial and same) and low < last and first < high:
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
                "single memory location. Please clone() the tensor before performing the operation."
            )


from tinytorch.autograd import inplace  # noqa: E402 - part of the circle that tinytorch.tensor closes
