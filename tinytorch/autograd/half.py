"""Half precision in single: what ops do with float16 and bfloat16 numbers.

The two take half the memory of float32 and are too coarse to compute with: a sum of float16 numbers is infinite above
65504, one of bfloat16 numbers stops growing at 256 times its terms. So ops take them for float32, and round the result
once, as PyTorch's kernels do. No op has to know: when one meets numbers of half precision, a subclass of it runs in its
place, which converts before and after,

    forward     the arrays widened, the op's own forward, its results rounded
    backward    the gradients and what was saved widened, the op's own backward; the engine rounds what comes out

>>> import tinytorch
>>> x = tinytorch.full((1000,), 100.0, dtype=tinytorch.float16)
>>> x.mean()                                     # the sum is 100000
tensor(100., dtype=torch.float16)

Ops that compute nothing (``computes = False``) and views go their usual way. Before half precision is first asked for,
:data:`~tinytorch.autograd.watching.detours` is empty, and ops do not look.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.watching import detours
from tinytorch.dtypes import INEXACT
from tinytorch.kernels.half import is_half, widened
from tinytorch.tensor import Tensor

__all__ = ["begin", "half_in_single"]

_SINGLE = np.dtype(np.float32)


def begin() -> None:
    """From now on there may be tensors of half precision."""
    if half_in_single not in detours:
        detours.append(half_in_single)


def half_in_single(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """``op.apply(*inputs, **attributes)``, computed in single precision; None if there is nothing to convert."""
    if op.returns_view or not op.computes or issubclass(op, InSingle):
        return None
    half = None
    for value in inputs:
        if isinstance(value, Tensor) and is_half(value._array.dtype):
            half = value._array.dtype
    if half is None:
        return None
    exact = op.exact_numbers
    values = [value if i in exact else number_in(half, value) for i, value in enumerate(inputs)]
    return _in_single(op).apply(*values, **attributes)


class InSingle(Primitive):
    """What the subclasses that run in the place of ops have in common. ``op``: in whose place."""

    op: Any
    backward_on_arrays = False

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return tuple([in_single(saved) for saved in super().saved_tensors])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return ctx.op.backward(ctx, *[in_single(grad) for grad in grads])


@functools.cache
def _in_single(op: Any) -> Any:
    """The subclass of ``op`` that computes in single precision."""

    @functools.wraps(op.forward)
    def forward(ctx: Any, *arrays: Any, **attributes: Any) -> Any:
        wide = [widened(array) for array in arrays]
        outputs = op.forward(ctx, *wide, **{name: widened(value) for name, value in attributes.items()})
        half = _result_dtype(arrays)
        several = type(outputs) is tuple
        # NumPy turns 0-dimensional results into scalars.
        results = [_rounded(np.asarray(output), half) for output in (outputs if several else (outputs,))]
        originals = [*zip(wide, arrays), *zip(outputs if several else (outputs,), results)]  # noqa: B905
        if ctx._saved:
            ctx._saved = tuple([_replaced(saved, originals) for saved in ctx._saved])
        if several and hasattr(ctx, "_non_differentiable"):
            ctx._non_differentiable = tuple([_replaced(one, originals) for one in ctx._non_differentiable])
        return tuple(results) if several else results[0]

    single: Any = type(op.__name__, (InSingle, op), {"op": op, "__module__": op.__module__, "__doc__": op.__doc__})
    single.forward = staticmethod(forward)
    return single


def _result_dtype(arrays: tuple[Any, ...]) -> Any:
    """The dtype of results that were computed in single: half, unless a wider number took part."""
    floats = [array.dtype for array in arrays if isinstance(array, np.ndarray) and array.dtype.kind in INEXACT]
    return floats[0] if all(is_half(dtype) and dtype == floats[0] for dtype in floats) else _SINGLE


def _rounded(array: np.ndarray, dtype: Any) -> np.ndarray:
    return array.astype(dtype) if array.dtype == _SINGLE and dtype != _SINGLE else array


def _replaced(value: Any, pairs: Any) -> Any:
    """What takes the place of ``value`` in pairs of old and new."""
    for old, new in pairs:
        if old is value:
            return new
    return value


from tinytorch.ops.half import in_single, number_in  # noqa: E402 - part of the circle that tinytorch.tensor closes
