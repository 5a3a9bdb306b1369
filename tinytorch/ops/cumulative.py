"""Running products, maxima and log-sums along a dimension; differences and trapezoids, which undo and imitate
integrals.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import to_numpy_dtype
from tinytorch.kernels import elementwise
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import check_floating, refuse, refuse_bool, refuse_complex
from tinytorch.ops.compare import where
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.joining import cat
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.reduce import Cumsum, cumsum
from tinytorch.ops.shape import narrow
from tinytorch.ops.sorting import picked
from tinytorch.tensor import Tensor

__all__ = ["cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "logcumsumexp", "trapezoid", "trapz"]


class Cumprod(Primitive):
    """y_i = Π_{j ≤ i} x_j; x_j receives Σ_{i ≥ j} grad_i · y_i / x_j, or without division where an x is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        y = np.multiply.accumulate(x, axis=dim, dtype=x.dtype)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        dim = ctx.attributes["dim"]
        if x._array.all():
            return _cumsum_from_end(grad * y, dim) / x
        # Row j of a matrix: x with 1 in place of x_j. Its running product from j on is the derivative of y_j, y_j+1,
        # ...
        size = x._array.shape[dim]
        rows = x.movedim(dim, -1).unsqueeze(-2).expand(*x.movedim(dim, -1).shape[:-1], size, size)
        ones = where(Tensor._wrap(np.eye(size, dtype=bool)), 1.0, rows)
        derivative = cumprod(ones, -1).triu()
        return (derivative * grad.movedim(dim, -1).unsqueeze(-2)).sum(-1).movedim(-1, dim)


class LogCumsumExp(Primitive):
    """y_i = ln Σ_{j ≤ i} exp(x_j); x_j receives exp(x_j) Σ_{i ≥ j} grad_i exp(-y_i), computed in logarithms: of real
    numbers by sign.
    """

    known_name = "LogcumsumexpBackward0"

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        if x.dtype.kind == "c":
            slices = itertools.accumulate(np.moveaxis(x, dim, 0), elementwise.complex_logaddexp)
            y = np.stack(list(slices), axis=dim)
        else:
            y = np.logaddexp.accumulate(x, axis=dim)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        dim, lowest = ctx.attributes["dim"], float(np.finfo(x._array.dtype).min)

        def part(mask: Tensor, grad: Tensor) -> Tensor:
            size = where(mask, where(mask, grad, 1.0).log(), lowest)
            return (logcumsumexp((size - y).flip(dim), dim).flip(dim) + x).exp()

        def spread(grad: Tensor) -> Tensor:
            if grad._array.dtype.kind == "c":  # every number but 0 has a logarithm
                return part(grad != 0, grad)
            return part(grad > 0, grad) - part(grad < 0, -grad)

        if state.grad_enabled and not grad._array.all():  # the logarithm has no derivative at 0: it is kept away
            away = float(abs(grad._array).max(initial=0)) + 1.0
            return spread(grad + away) - spread(Tensor._wrap(np.full_like(grad._array, away)))
        return spread(grad)


def _cumsum_from_end(x: Tensor, dim: int) -> Tensor:
    return Cumsum.apply(x, dim=dim, reverse=True)


@accepts_out
@accepts_axis
def cumprod(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """Running products along ``dim``; integers give int64."""
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    elif input._array.dtype.kind in "iub":
        input = cast(input, np.dtype(np.int64))
    refuse_bool("cumprod_out_cpu", input)
    dim = one_dim(dim, input._array.ndim)
    return Cumprod.apply(input, dim=dim) if input._array.ndim else input.clone()


@accepts_exact_out
@accepts_axis
def logcumsumexp(input: Tensor, dim: int, *, out: Tensor | None = None) -> Tensor:
    """``log(cumsum(exp(x)))`` without overflow. NotImplementedError for integers."""
    check_floating("logcumsumexp_out_cpu", input)
    dim = one_dim(dim, input._array.ndim)
    if input._array.ndim == 0 or input._array.size == 0:
        return input.clone()
    return LogCumsumExp.apply(input, dim=dim)


def _running(kind: type[Any], function: Any, input: Tensor, dim: int) -> Any:
    dim, x = one_dim(dim, input._array.ndim), input._array
    if x.ndim == 0:
        return picked(kind, input, dim, np.zeros((), np.int64))
    refuse_complex(kind.__name__, x)
    best = function.accumulate(x, axis=dim)
    places = np.arange(x.shape[dim]).reshape([-1 if d == dim else 1 for d in range(x.ndim)])
    is_new = (x == best) | (x != x)  # the last of equals; and every nan
    return picked(kind, input, dim, np.maximum.accumulate(np.where(is_new, places, 0), axis=dim))


@accepts_exact_out
@accepts_axis
def cummax(input: Tensor, dim: int, *, out: Any = None) -> Any:
    """(values, indices) of the largest so far along ``dim``; of equals the last."""
    return _running(return_types.cummax, np.maximum, input, dim)


@accepts_exact_out
@accepts_axis
def cummin(input: Tensor, dim: int, *, out: Any = None) -> Any:
    """(values, indices) of the smallest so far along ``dim``; of equals the last."""
    return _running(return_types.cummin, np.minimum, input, dim)


@accepts_out
@accepts_axis
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Differences of neighbours along ``dim``, taken ``n`` times; of bools where they differ."""
    if input._array.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input.clone()
    dim = one_dim(dim, input._array.ndim)
    if prepend is not None or append is not None:
        input = cat([part for part in (prepend, input, append) if part is not None], dim)
    for _ in range(min(n, input._array.shape[dim])):
        before, after = _neighbours(input, dim)
        input = after ^ before if input._array.dtype.kind == "b" else after - before
    return input


def _neighbours(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """All but the last, and all but the first, along ``dim``."""
    count = max(x._array.shape[dim] - 1, 0)
    return narrow(x, dim, 0, count), narrow(x, dim, x._array.shape[dim] - count, count)


def _trapezoids(y: Tensor, x: Tensor, dx: Any, dim: int) -> Tensor:
    """The area of each trapezoid between neighbours."""
    refuse("b", "trapezoid", y, x, error=RuntimeError)
    before, after = _neighbours(y, dim)
    if x is NOT_GIVEN:
        return (before + after) * (dx / 2.0)
    ndim, sizes = y._array.ndim, x._array.shape
    if len(sizes) == 1 and sizes[0] != y._array.shape[dim]:
        raise RuntimeError("trapezoid: There must be one `x` value for each sample point")
    if len(sizes) == 1:
        x = x.reshape([-1 if d == dim else 1 for d in range(ndim)])
    elif len(sizes) < ndim:
        x = x.reshape((1,) * (ndim - len(sizes)) + sizes)
    left, right = _neighbours(x, dim)  # counted from y's front, even where x has more dimensions
    return (before + after) * (right - left) / 2.0


@accepts_axis
@checks_arguments
def trapezoid(y: Tensor, x: Tensor = NOT_GIVEN, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The integral of ``y`` by the trapezoidal rule, at points ``x`` or ``dx`` apart."""
    dim = one_dim(dim, y._array.ndim)
    if y._array.ndim and not y._array.shape[dim]:
        return y.sum(dim)  # 0, whatever the points are
    if x is NOT_GIVEN and y._array.ndim:  # the sum without half of both ends
        refuse("b", "trapezoid", y, error=RuntimeError)
        return (y.sum(dim) - (y.select(dim, 0) + y.select(dim, -1)) * 0.5) * dx
    return _trapezoids(y, x, dx, dim).sum(dim)


@accepts_axis
@checks_arguments
def cumulative_trapezoid(y: Tensor, x: Tensor = NOT_GIVEN, *, dx: Any = 1, dim: int = -1) -> Tensor:
    """The running integral of ``y`` by the trapezoidal rule."""
    dim = one_dim(dim, y._array.ndim)
    return cumsum(_trapezoids(y, x, dx, dim), dim)


trapz = trapezoid
