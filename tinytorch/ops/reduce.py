"""Chapter 4. Reductions and shapes.

After: tinytorch/ops/unary.py
Next: tinytorch/ops/shape.py

Goal: differentiate ops that make many elements into one: sum, mean, product, variance.

The idea. Backward, the one gradient goes back to all elements that made the result, each weighted by its share::

    y = Σ x          every element receives grad
    y = Σ x / n      every element receives grad / n
    y = var x        x_i receives grad · 2 (x_i - mean) / (n - correction)

The derivation of the last. With d_i = x_i - mean, y = Σ d_i² / (n - correction) and ∂d_i/∂x_j = δ_ij - 1/n:

    ∂y/∂x_j = 2 Σ_i d_i (δ_ij - 1/n) / (n - correction) = 2 d_j / (n - correction)          since Σ_i d_i = 0

so x also moves the mean, but that path cancels: ``grad * ((x - x.mean(dims, True)) * scale)``.

>>> import tinytorch
>>> x = tinytorch.tensor([1.0, 2.0, 6.0], requires_grad=True)
>>> x.var().backward()
>>> x.grad                                       # mean 3, n - 1 = 2
tensor([-2., -1.,  3.])

What PyTorch does. The same formulas; ``var`` has correction 1 there and here (NumPy's has 0). Sums of float32 are
added in pairs, so both stay accurate for millions of elements; the last bit may differ.

Pitfalls. A reduced dimension is gone, and the gradient must get it back (:func:`kept_shape`) before it broadcasts. The
sum hides mistakes: test a backward with a random gradient, never with ``.sum()``, which sends the same 1 everywhere.

Exercises. Derive the gradient of ``prod``. What goes wrong with ``grad * y / x`` when an element is 0? And which
gradients are right when two are? Answers: ``python -m tinytorch.learn answers 4``;
more: ``python -m tinytorch.learn start --chapter 4``.
Check: ``python -m pytest tests/ops/test_cases.py``.

"""

from __future__ import annotations

import functools
import math
from typing import Any, NoReturn

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import INEXACT, to_numpy_dtype
from tinytorch.kernels import short_rows
from tinytorch.kernels.half import float_limits
from tinytorch.kernels.scan import running_sums
from tinytorch.kernels.sums import total
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.ops.broadcast import cast, spread
from tinytorch.ops.checks import refuse_bool, type_name
from tinytorch.ops.dims import accepts_axis, many_dims, one_dim
from tinytorch.ops.out import accepts_out, bytes_or_bools
from tinytorch.tensor import Tensor

__all__ = ["all", "any", "cumsum", "mean", "prod", "std", "std_mean", "sum", "var", "var_mean"]


def kept_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with reduced dimensions kept as 1: in it a result broadcasts against the input."""
    return tuple([1 if i in dims else size for i, size in enumerate(shape)])


class Sum(Primitive):
    """y = Σ x; every element receives grad."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return total(x, dim, keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return spread(grad, kept_shape(shape, ctx.attributes["dim"]), shape)


class Mean(Primitive):
    """y = Σ x / n; every element receives grad / n."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        count = math.prod([x.shape[d] for d in dim])
        return np.true_divide(total(x, dim, keepdim), x.dtype.type(count))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        dims = ctx.attributes["dim"]
        count = math.prod([shape[d] for d in dims])
        return spread(grad / float(count) if count else grad, kept_shape(shape, dims), shape)


class Prod(Primitive):
    """y = Π x; x_i receives grad times the product of all the others: y / x_i, if no x is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, keepdim: bool) -> np.ndarray:
        y = short_rows.reduce(np.multiply, x, dim, keepdim)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        dim, keepdim = ctx.attributes["dim"], ctx.attributes["keepdim"]
        if not keepdim:
            grad, y = grad.unsqueeze(dim), y.unsqueeze(dim)
        return grad * y / x if x._array.all() else grad * product_of_others(x, dim)


def product_of_others(x: Tensor, dim: int) -> Tensor:
    """For each element along ``dim``, the product of the elements before it times that of those after it."""
    size = x._array.shape[dim]
    if size <= 1:
        return ops.ones_like(x)
    first, rest = x.narrow(dim, 0, size // 2), x.narrow(dim, size // 2, size - size // 2)
    whole_first, whole_rest = ops.prod(first, dim, keepdim=True), ops.prod(rest, dim, keepdim=True)
    return ops.cat([product_of_others(first, dim) * whole_rest, product_of_others(rest, dim) * whole_first], dim)


class Var(Primitive):
    """y = Σ (x - mean)² / (n - correction)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], correction: float, keepdim: bool) -> np.ndarray:
        ctx.save_for_backward(x)
        count = math.prod([x.shape[d] for d in dim])
        mean = np.true_divide(total(x, dim, True), x.dtype.type(count))
        deviation = np.asarray(x - mean)  # a scalar if x has no dimensions
        np.multiply(deviation, deviation, out=deviation)
        return np.true_divide(total(deviation, dim, keepdim), x.dtype.type(max(count - correction, 0)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dims = ctx.attributes["dim"]
        count = math.prod([x._array.shape[d] for d in dims])
        degrees = max(count - ctx.attributes["correction"], 0)
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(kept_shape(x._array.shape, dims))
        scale = 2.0 / degrees if degrees else math.inf if count else math.nan
        return grad * ((x - x.mean(dims, True)) * scale)


class Cumsum(Primitive):
    """y_i = Σ_{j ≤ i} x_j; x_j receives Σ_{i ≥ j} grad_i, a cumulative sum from the other end (``reverse``)."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, reverse: bool) -> np.ndarray:
        return running_sums(x, dim, reverse) if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        dim, reverse = ctx.attributes["dim"], ctx.attributes["reverse"]
        return Cumsum.apply(grad, dim=dim, reverse=not reverse)


def _summand(input: Tensor, dtype: Any) -> Tensor:
    """What to sum: integers and bools add up in int64, as PyTorch."""
    if dtype is not None:
        return cast(input, to_numpy_dtype(dtype))
    return cast(input, np.dtype(np.int64)) if input._array.dtype.kind in "iub" else input


def _floating(name: str, input: Tensor, dtype: Any = None) -> Tensor:
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    if input._array.dtype.kind not in INEXACT:
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {type_name(input)}"
        )
    return input


def refuse_keepdim(name: str, keepdim: bool) -> NoReturn:
    """For a ``keepdim``, be it False, where no ``dim`` is given."""
    raise TypeError(f"{name}() received an invalid combination of arguments: keepdim={keepdim} needs dim")


def _over(name: str, dim: Any, keepdim: bool) -> tuple[Any, bool]:
    """``dim`` and ``keepdim`` as given, by default None, for all dimensions, and False."""
    if keepdim is NOT_GIVEN:
        return None if dim is NOT_GIVEN else dim, False
    if dim is NOT_GIVEN:
        refuse_keepdim(name, keepdim)
    return dim, keepdim


def _given(keepdim: bool) -> bool:
    return keepdim is not NOT_GIVEN and keepdim


@accepts_out
@accepts_axis
def sum(
    input: Tensor, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """Σ over all elements, or over one or several dimensions (``torch.sum``). Integers give int64.

    (2, 3) over dim 1 gives (2,), with ``keepdim`` (2, 1); likewise all reductions here. IndexError for a dimension
    that is not there.
    """
    dim, keepdim = _over("sum", dim, keepdim)
    input = _summand(input, dtype)
    result = Sum.apply(input, dim=many_dims(dim, input._array.ndim), keepdim=keepdim)
    return result if dim is None else known_as(result, "SumBackward1")


@accepts_out
@accepts_axis
def mean(
    input: Tensor, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The average over all elements, or over one or several dimensions (``torch.mean``). RuntimeError for integers."""
    dim, keepdim = _over("mean", dim, keepdim)
    input = _floating("mean", input, dtype)
    average = Mean.apply(input, dim=many_dims(dim, input._array.ndim), keepdim=keepdim)
    return average if dim is None else known_as(average, "MeanBackward1")


@accepts_out
@accepts_axis
def prod(
    input: Tensor, dim: int = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The product of all elements, or along one dimension (``torch.prod``). Integers give int64."""
    input = _summand(input, dtype)
    if dim is NOT_GIVEN:
        if keepdim is not NOT_GIVEN:
            refuse_keepdim("prod", keepdim)
        return Prod.apply(input.reshape(-1), dim=0, keepdim=False)
    if input._array.ndim == 0:
        one_dim(dim, 0)
        return input.clone()
    return known_as(Prod.apply(input, dim=one_dim(dim, input._array.ndim), keepdim=_given(keepdim)), "ProdBackward1")


def _correction(dim: Any, unbiased: bool, keepdim: bool, correction: Any) -> tuple[Any, float]:
    """The dimensions and the correction, from whichever of PyTorch's three signatures was used: ``(unbiased)``,
    ``(dim, unbiased, keepdim)`` or ``(dim, *, correction, keepdim)``.
    """
    only_unbiased = isinstance(dim, bool)
    old = only_unbiased or unbiased is not NOT_GIVEN
    if (
        (only_unbiased and unbiased is not NOT_GIVEN)
        or (old and correction is not None)
        or (old and keepdim is not NOT_GIVEN and (only_unbiased or dim is NOT_GIVEN))
    ):
        got = {"dim": dim, "unbiased": unbiased, "keepdim": keepdim, "correction": correction}
        words = ", ".join(f"{k}={type(v).__name__} {v}" for k, v in got.items() if v is not NOT_GIVEN and v is not None)
        raise TypeError(
            f"std() and var() received an invalid combination of arguments - got ({words}), but expected one of: "
            "(unbiased), (dim, unbiased, keepdim), (dim, *, correction, keepdim)"
        )
    if not (correction is None or isinstance(correction, (int, float, np.generic, Tensor))):
        raise TypeError(f"std() and var(): argument 'correction' must be Number, not {type(correction).__name__}")
    if old:
        correction = 1 if (dim if only_unbiased else unbiased) else 0
    return None if only_unbiased or dim is NOT_GIVEN else dim, 1 if correction is None else correction


@accepts_out
@accepts_axis
def var(
    input: Tensor,
    dim: Any = NOT_GIVEN,
    unbiased: bool = NOT_GIVEN,
    keepdim: bool = NOT_GIVEN,
    *,
    correction: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Variance: ``Σ (x - mean)² / (n - correction)``, with Bessel's correction 1 by default (``torch.var``).

    ``unbiased=False`` is the older name of correction 0. RuntimeError for integers, TypeError for both names at once.
    """
    dim, correction = _correction(dim, unbiased, keepdim, correction)
    input = _floating("std and var", input)
    if input._array.dtype.kind == "c":  # the mean of |x - mean|²
        parts = (ops.real(input), ops.imag(input))
        real, imag = [var(part, dim, keepdim=keepdim, correction=correction) for part in parts]
        return real + imag
    dims = many_dims(dim, input._array.ndim)
    return Var.apply(input, dim=dims, correction=correction, keepdim=_given(keepdim))


@accepts_out
@accepts_axis
def std(
    input: Tensor,
    dim: Any = NOT_GIVEN,
    unbiased: bool = NOT_GIVEN,
    keepdim: bool = NOT_GIVEN,
    *,
    correction: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Standard deviation: the square root of :func:`var` (``torch.std``). Where it is 0, its gradient is taken as 0.

    Numbers whose squares the dtype cannot hold are scaled by the largest of them before, and back after.
    """
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    if not variance._array.size:
        return known_as(ops.sqrt(variance), "StdBackward0")
    low, high = np.minimum.reduce(variance._array, axis=None), np.maximum.reduce(variance._array, axis=None)
    if not 1e-30 < low <= high < 1e30 and _out_of_range(variance._array.dtype, low, high, input._array):
        largest = float(np.abs(input._array).max())
        result = std(input / largest, dim, unbiased, keepdim, correction=correction) * largest
    elif low > 0 or not variance._requires_grad:
        result = ops.sqrt(variance)
    else:
        result = _sqrt_flat_at_zero(variance)
    return known_as(result, "StdBackward0")


def _out_of_range(dtype: np.dtype[Any], low: Any, high: Any, x: np.ndarray) -> bool:
    """Whether squares, from low to high, were too large or too small for the dtype, while ``x`` is neither."""
    limits = float_limits(dtype)
    if float(limits.tiny) / float(limits.eps) < low and high <= float(limits.max):
        return False
    largest = float(np.abs(x).max(initial=0.0))
    return 0 < largest < math.inf and not float(limits.tiny) ** 0.25 < largest < float(limits.max) ** 0.25


def _sqrt_flat_at_zero(variance: Tensor) -> Tensor:
    """The root, whose infinite slope at 0 is masked, as by PyTorch: constant data get gradient 0 instead of nan."""
    slope_at_zero = ops.zeros_like(variance) * variance
    return ops.where(variance == 0, slope_at_zero, ops.sqrt(ops.where(variance == 0, 1.0, variance)))


@accepts_axis
@checks_arguments
def var_mean(
    input: Tensor,
    dim: Any = NOT_GIVEN,
    unbiased: bool = NOT_GIVEN,
    keepdim: bool = NOT_GIVEN,
    *,
    correction: Any = None,
) -> tuple[Tensor, Tensor]:
    """(:func:`var`, :func:`mean`)."""
    mean_dim = None if isinstance(dim, bool) or dim is NOT_GIVEN else dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, mean_dim, keepdim)


@accepts_axis
@checks_arguments
def std_mean(
    input: Tensor,
    dim: Any = NOT_GIVEN,
    unbiased: bool = NOT_GIVEN,
    keepdim: bool = NOT_GIVEN,
    *,
    correction: Any = None,
) -> tuple[Tensor, Tensor]:
    """(:func:`std`, :func:`mean`)."""
    mean_dim = None if isinstance(dim, bool) or dim is NOT_GIVEN else dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, mean_dim, keepdim)


def _truth(ufunc: np.ufunc, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    none = isinstance(dim, (tuple, list)) and not dim  # of the dimensions, not all of them as elsewhere
    dims = () if none else many_dims(dim, input._array.ndim)
    result = np.asarray(ufunc.reduce(input._array, axis=dims, dtype=bool, keepdims=keepdim))
    return Tensor._wrap(result.astype(np.uint8) if input._array.dtype == np.uint8 else result)


@functools.partial(accepts_out, rule=bytes_or_bools)
@accepts_axis
def all(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether every element is non-zero."""
    return _truth(np.logical_and, input, dim, keepdim)


@functools.partial(accepts_out, rule=bytes_or_bools)
@accepts_axis
def any(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether any element is non-zero."""
    return _truth(np.logical_or, input, dim, keepdim)


@accepts_out
@accepts_axis
def cumsum(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """Running sums along ``dim``, of the input's shape (``torch.cumsum``). Integers give int64."""
    input = _summand(input, dtype)
    refuse_bool("cumsum_out_cpu", input)
    return Cumsum.apply(input, dim=one_dim(dim, input._array.ndim), reverse=False)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
