"""Evenly spaced numbers: arange, range, linspace, logspace."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import INEXACT, default_numpy_dtype, dtype_of_number, to_numpy_dtype
from tinytorch.kernels import ranges
from tinytorch.ops.arguments import NOT_GIVEN
from tinytorch.ops.broadcast import is_number
from tinytorch.ops.checks import check_options, refuse
from tinytorch.ops.creation import dtype_or_default, finish
from tinytorch.ops.numbers import number_as
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = ["arange", "linspace", "logspace", "range_"]


_LARGE = 2**61
"""Integers below this can be counted without a thought of overflow."""


@accepts_exact_out
def arange(
    start: Any = NOT_GIVEN,
    end: Any = NOT_GIVEN,
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
    if end is NOT_GIVEN:
        start, end = NOT_GIVEN, start
    start = 0 if start is NOT_GIVEN else start
    whole = type(start) is int and type(end) is int and type(step) is int and dtype is None
    if whole and -_LARGE < start <= end < _LARGE and 0 < step < _LARGE:  # the usual case
        return finish(np.arange(start, end, step, dtype=np.int64), requires_grad, device)
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not isinstance(value, Tensor) and not is_number(value):
            raise TypeError(f"arange(): argument '{name}' must be Number, not {type(value).__name__}")
    start, end, step = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (start, end, step))
    if any(isinstance(v, complex) for v in (start, end, step)):
        raise RuntimeError(f"arange() has no order of complex numbers: {start}, {end}, {step}")
    if not np.isfinite(start) or not np.isfinite(end) or step != step:
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is not None and to_numpy_dtype(dtype) == np.int64:
        start, end, step = (int(number_as(v, np.dtype(np.int64))) for v in (start, end, step))
        if step == 0:
            raise ValueError("step must be nonzero")
    integers = all(isinstance(v, int) for v in (start, end, step))
    numpy_dtype = (
        to_numpy_dtype(dtype) if dtype is not None else np.dtype(np.int64) if integers else default_numpy_dtype()
    )
    refuse("bc", "arange", np.empty(0, numpy_dtype))
    count = -((start - end) // step) if integers else int(np.ceil((end - start) / step))
    if count >= 2**60:
        raise RuntimeError("invalid size, possible overflow?")
    if numpy_dtype.kind in "iu":
        start, step, integers = int(start), int(step), True
    if numpy_dtype in (np.float32, np.float64):
        return finish(ranges.arange(float(start), float(step), count, numpy_dtype), requires_grad, device)
    if integers and abs(start) + count * abs(step) < 2**63:
        array = np.arange(start, start + count * step, step, dtype=np.int64) if step else np.full(count, start)
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
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = int(np.floor((end - start) / step)) + 1
    return finish((start + np.arange(count) * step).astype(dtype_or_default(dtype)), requires_grad, device)


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


def _dtype_between(name: str, start: Any, end: Any, steps: int, dtype: Any) -> np.dtype[Any]:
    """What ``steps`` numbers from ``start`` to ``end`` are made of: complex numbers if either end is one."""
    is_complex = isinstance(start, complex) or isinstance(end, complex)
    if dtype is None:
        return dtype_of_number(1j) if is_complex else default_numpy_dtype()
    numpy_dtype = to_numpy_dtype(dtype)
    if is_complex and numpy_dtype.kind != "c":
        raise RuntimeError(f"torch.{name}(): inferred dtype {dtype_of_number(1j)} can't be safely cast to {dtype}")
    if steps:
        refuse("b", name, np.empty(0, numpy_dtype))
    return numpy_dtype


@accepts_exact_out
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
    numpy_dtype = _dtype_between("linspace", start, end, steps, dtype)
    if not steps:
        return finish(np.empty(0, numpy_dtype), requires_grad, device)
    real = numpy_dtype if numpy_dtype.kind in INEXACT else np.dtype(np.float64)
    if steps == 1:
        return finish(number_as(start, numpy_dtype).reshape(1), requires_grad, device)
    low, high = (real.type(number_as(value, numpy_dtype)) for value in (start, end))
    return finish(ranges.linspace(low, high, steps).astype(numpy_dtype, copy=False), requires_grad, device)


@accepts_exact_out
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
    start, end = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (start, end))
    numpy_dtype = _dtype_between("logspace", start, end, steps, dtype)
    if numpy_dtype.kind in "iu" and steps > 1:
        start, end = int(start), int(end)
    exponents = linspace(start, end, steps, dtype=complex if numpy_dtype.kind == "c" else float)._array
    return finish((base**exponents).astype(numpy_dtype), requires_grad, device)
