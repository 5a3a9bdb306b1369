"""``out=``: a result written into a tensor that the caller brought, as many of PyTorch's functions offer.

::

    @accepts_out
    def cumsum(input, dim, *, dtype=None, out=None): ...      # the body computes; it never sees `out`

The value is computed as ever and then copied, so to autograd ``out=`` is what it is to PyTorch: not differentiable.
The rules, PyTorch's for all of these functions:

- ``out`` itself is returned. For a function of several results it is a tuple of as many tensors.
- It is resized to the result's shape; with a warning if it held elements.
- Elementwise functions and sums cast the result to its dtype, but never down a category (float into integers):
  RuntimeError. A function that takes ``dtype=`` computes in out's dtype where none is asked for.
- All others, products of matrices say, want exactly the result's dtype: :func:`accepts_exact_out`. Those that pick
  elements here and there (``gather``, ``take``...: :func:`accepts_separate_out`) also want it to overlap no input.
- RuntimeError if ``out`` or an input requires grad (outside ``no_grad``), if several elements of ``out`` share memory
  (it is expanded), or if it overlaps an input without being the same region.

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
from tinytorch.dtypes import SCALAR_NAMES, can_cast, uint8
from tinytorch.ops.arguments import ArgumentTypes, raise_explained
from tinytorch.tensor import Tensor
from tinytorch.torch_function import notice_any

__all__ = ["accepts_exact_out", "accepts_joined_out", "accepts_out", "accepts_separate_out", "bytes_or_bools",
           "castable", "exact", "exact_pairs", "floating", "write_out"]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
#: What raises the error for an ``out`` of the wrong dtype, given the whole result, a tensor's dtype, and its ``out``'s.
Rule = Callable[[Any, Any, Any], None]


# ------------------------------------------------------------------------------------------------ rules of dtypes


def castable(result: Any, of_result: Any, of_out: Any) -> None:
    """``out`` may be of any dtype of the same category, or of a higher one."""
    if not can_cast(of_result, of_out):
        raise RuntimeError(
            f"result type {SCALAR_NAMES[of_result]} can't be cast to the desired output type {SCALAR_NAMES[of_out]}"
        )


def exact(result: Any, of_result: Any, of_out: Any) -> None:
    """``out`` must be of the result's dtype."""
    if of_result != of_out:
        raise RuntimeError(f"Expected out tensor to have dtype {of_result}, but got {of_out} instead")


def bytes_or_bools(result: Any, of_result: Any, of_out: Any) -> None:
    """``out`` must be of bools, or of uint8."""
    if of_out != uint8:
        raise RuntimeError(f"only bool and uint8 tensors are supported for the result, got: {of_out}")


def floating(result: Any, of_result: Any, of_out: Any) -> None:
    """``out`` must be floating, whatever its precision."""
    if not of_out.is_floating_point:
        raise RuntimeError(f"expected a floating point output tensor, but got {SCALAR_NAMES[of_out]}")


def joinable(result: Any, of_result: Any, of_out: Any) -> None:
    """:func:`castable`, with the error that joined tensors raise."""
    if not can_cast(of_result, of_out):
        raise TypeError(f"input types can't be cast to the desired output type {SCALAR_NAMES[of_out]}")


def exact_pairs(result: Any, of_result: Any, of_out: Any) -> None:
    """Values and indices must fit exactly, a lone value be :func:`castable`."""
    (exact if isinstance(result, tuple) else castable)(result, of_result, of_out)


# ---------------------------------------------------------------------------------------------------- decorators


def accepts_exact_out(op: F) -> F:
    """:func:`accepts_out` for a function whose ``out`` must have the result's dtype."""
    return accepts_out(op, rule=exact)


def accepts_separate_out(op: F) -> F:
    """:func:`accepts_exact_out` for a function whose ``out`` may not share memory with an input, either."""
    return accepts_out(op, rule=exact, separate=True)


def accepts_joined_out(op: F) -> F:
    """:func:`accepts_out` for a function that joins tensors: ``out`` may not share memory with them."""
    return accepts_out(op, rule=joinable, separate=True)


def accepts_out(op: F, rule: Rule = castable, separate: bool = False) -> F:
    """Let ``op``, whose signature names ``out``, take it; see the module's text. The outermost decorator.

    ``rule`` raises an error for a dtype that ``out`` may not have, where it is not the result's.
    """
    code = inspect.unwrap(op).__code__
    types = ArgumentTypes(op)
    passed = types.passed
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    plain = getattr(op, "without_numpy_names", op)  # a call less where nobody uses them
    takes_dtype = "dtype" in names and not (rule is exact and names[0] in ("input", "A", "x"))

    @functools.wraps(op)
    def with_out(*args: Any, **kwargs: Any) -> Any:
        out, function = None, plain
        if kwargs:
            if "axis" in kwargs or "keepdims" in kwargs:
                function = op
            out = kwargs.pop("out", None)
            if out is not None and takes_dtype and kwargs.get("dtype") is None and isinstance(out, Tensor):
                drops_imaginary = args and isinstance(args[0], Tensor) and args[0].is_complex() and not out.is_complex()
                kwargs["dtype"] = None if drops_imaginary else out.dtype
            given = (*map(type, args), *kwargs, *map(type, kwargs.values()))
        else:
            given = tuple(map(type, args))
        if given not in passed:
            if notice_any((*args, *kwargs.values(), out)):
                return with_out(*args, **kwargs) if out is None else with_out(*args, out=out, **kwargs)
            args, kwargs = types.check(args, kwargs)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            raise_explained(error, op, args, kwargs)
        return result if out is None else write_out(op.__name__, result, out, *args, rule=rule, separate=separate)

    return with_out  # type: ignore[return-value]


def write_out(name: str, result: Any, out: Any, *inputs: Any, rule: Rule = castable, separate: bool = False) -> Any:
    """Copy ``result`` (a Tensor or a tuple of them) of the function ``name`` of ``inputs`` into ``out``; returns it.

    For ``rule`` and ``separate`` see :func:`accepts_out`.
    """
    if not isinstance(result, tuple):
        _write(name, result, result, out, inputs, rule, separate)
        return out
    if not isinstance(out, (tuple, list)):
        raise TypeError(f"{name}(): argument 'out' must be tuple of Tensors, not {type(out).__name__}")
    if len(out) != len(result):
        raise TypeError(f"{name}(): argument 'out' must have {len(result)} tensors, not {len(out)}")
    for one_result, one_out in zip(result, out, strict=True):
        _write(name, result, one_result, one_out, inputs, rule, separate)
    return type(result)(*out) if hasattr(result, "_fields") else tuple(out)


def _write(
    name: str, results: Any, result: Tensor, out: Any, inputs: Iterable[Any], rule: Rule, separate: bool
) -> None:
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.grad_enabled and (result._requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    source = result._array
    if source.dtype != out._array.dtype:
        rule(results, result.dtype, out.dtype)
    if separate:
        inplace.check_writable(out)
        _refuse_overlap(out, inputs, partial=False)
    if source.shape != out._array.shape:
        _resize(out, source.shape)
        if separate:
            _refuse_overlap(out, inputs, partial=False)  # it may be an input that had no elements before
    else:
        inplace.check_writable(out)
        _refuse_overlap(out, inputs, partial=True)
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
    fitting = ops.resized(out._array, shape)
    if fitting is None and out._memory is not None and out._memory.shared:
        from tinytorch.shared_memory import seen_by_others

        if out._base is not None or seen_by_others(out):
            raise RuntimeError(
                f"Trying to resize storage that is not resizable: others see the memory of out {list(out.shape)}, and "
                f"would not grow with it to {list(shape)}"
            )
    out._array = np.empty(shape, out._array.dtype) if fitting is None else fitting


def _refuse_overlap(out: Tensor, inputs: Iterable[Any], partial: bool) -> None:
    """Raise where an input shares memory that is written; if ``partial``, only where it is not the very region.

    As in PyTorch, regions with gaps are not looked at.
    """
    target = out._array
    for value in inputs:
        if isinstance(value, (list, tuple)):
            _refuse_overlap(out, value, partial)
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


from tinytorch import ops  # noqa: E402
from tinytorch.autograd import inplace  # noqa: E402 - part of the circle that tinytorch.tensor closes
