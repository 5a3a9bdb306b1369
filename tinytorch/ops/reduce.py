"""Reductions: many elements become one. Backward, the one gradient goes back to the elements that made the result.

::

    y = Σ x          every element receives grad
    y = Σ x / n      every element receives grad / n
    y = max x        the winner receives grad (amax, max over everything: ties share it equally)
    y = var x        x_i receives grad · 2 (x_i - mean) / (n - correction)
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import to_numpy_dtype
from tinytorch.ops.broadcast import cast
from tinytorch.ops.dims import accepts_axis, many_dims, one_dim
from tinytorch.tensor import Tensor

__all__ = ["sum", "mean", "prod", "var", "std", "var_mean", "std_mean", "max", "min", "amax", "amin", "argmax", "argmin", "all",
           "any", "logsumexp", "cumsum"]  # fmt: skip

_any_of, builtin_max = any, max


class MaxResult(NamedTuple):
    """Values and where they were found; also what ``min`` returns."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.max(\nvalues={self.values!r},\nindices={self.indices!r})"


class MinResult(MaxResult):
    """As :class:`MaxResult`, of ``min``."""

    def __repr__(self) -> str:
        return f"torch.return_types.min(\nvalues={self.values!r},\nindices={self.indices!r})"


def _kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with reduced dimensions kept as 1: in it a result broadcasts against the input."""
    return tuple(1 if i in dims else size for i, size in enumerate(shape))


class Sum(Primitive):
    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return np.add.reduce(x, axis=dim, dtype=x.dtype, keepdims=keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(_kept(shape, ctx.attributes["dim"]))
        return grad.expand(shape)


class Mean(Primitive):
    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        count = math.prod([x.shape[d] for d in dim])
        return np.true_divide(np.add.reduce(x, axis=dim, keepdims=keepdim), x.dtype.type(count))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        dims = ctx.attributes["dim"]
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(_kept(shape, dims))
        count = math.prod([shape[d] for d in dims])
        return (grad / float(count)).expand(shape) if count else grad.expand(shape)


class Prod(Primitive):
    """y = Π x; x_i receives grad times the product of all the others (which is not y / x_i when x_i is 0)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, keepdim: bool) -> np.ndarray:
        ctx.save_for_backward(x)
        return np.multiply.reduce(x, axis=dim, dtype=x.dtype, keepdims=keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dim, keepdim = ctx.attributes["dim"], ctx.attributes["keepdim"]
        if not keepdim:
            grad = grad.unsqueeze(dim)
        return grad * _product_of_others(x, dim)


def _product_of_others(x: Tensor, dim: int) -> Tensor:
    """For each element along ``dim``, the product of the elements before it times that of those after it."""
    size = x._array.shape[dim]
    if size <= 1:
        return ops.ones_like(x)
    first, rest = x.narrow(dim, 0, size // 2), x.narrow(dim, size // 2, size - size // 2)
    whole_first, whole_rest = ops.prod(first, dim, keepdim=True), ops.prod(rest, dim, keepdim=True)
    return ops.cat(
        [_product_of_others(first, dim) * whole_rest, _product_of_others(rest, dim) * whole_first], dim
    )


class Var(Primitive):
    """y = Σ (x - mean)² / (n - correction)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], correction: float, keepdim: bool) -> np.ndarray:
        ctx.save_for_backward(x)
        count = math.prod([x.shape[d] for d in dim])
        mean = np.true_divide(np.add.reduce(x, axis=dim, keepdims=True), x.dtype.type(count))
        deviation = x - mean
        np.multiply(deviation, deviation, out=deviation)
        total = np.add.reduce(deviation, axis=dim, keepdims=keepdim)
        return np.true_divide(total, x.dtype.type(builtin_max(count - correction, 0)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dims = ctx.attributes["dim"]
        count = math.prod([x._array.shape[d] for d in dims])
        degrees = builtin_max(count - ctx.attributes["correction"], 0)
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(_kept(x._array.shape, dims))
        scale = 2.0 / degrees if degrees else math.inf if count else math.nan
        return grad * ((x - x.mean(dims, True)) * scale)


class MaxWithIndex(Primitive):
    """The largest (or smallest) along one dimension, and where: the winner receives the gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, keepdim: bool, largest: bool) -> Any:
        if x.ndim == 0:
            ctx.save_intermediates(np.zeros((), np.int64), x.shape)
            index = np.zeros((), np.int64)
            ctx.mark_non_differentiable(index)
            return x.copy(), index
        indices = np.expand_dims((np.argmax if largest else np.argmin)(x, axis=dim), dim)
        ctx.save_intermediates(indices, x.shape)
        values = np.take_along_axis(x, indices, dim)
        if not keepdim:
            values, indices = values.squeeze(dim), indices.squeeze(dim)
        ctx.mark_non_differentiable(indices)
        return values, indices

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> Tensor:
        indices, shape = ctx.intermediates
        dim = ctx.attributes["dim"]
        if not shape:
            return grad
        if not ctx.attributes["keepdim"]:
            grad = grad.unsqueeze(dim)
        return ops.scatter_add_along(grad, Tensor._wrap(indices), dim, shape)


class Extreme(Primitive):
    """The largest (or smallest) over several dimensions: all elements that equal it share the gradient equally.

    A nan beats everything and equals nothing, not even itself: ``amax`` then gives nan gradients, and ``max``
    (``nan_shares``) gives the gradient to the nans.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool, largest: bool, nan_shares: bool = False
    ) -> np.ndarray:
        y = (np.maximum if largest else np.minimum).reduce(x, axis=dim, keepdims=True)
        if _any_of(ctx.needs_input_grad):
            winners = x == y
            ctx.save_intermediates(winners | (np.isnan(x) & np.isnan(y)) if nan_shares else winners)
        return y if keepdim else y.reshape([size for i, size in enumerate(x.shape) if i not in dim])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (winners,) = ctx.intermediates
        dims = ctx.attributes["dim"]
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(_kept(winners.shape, dims))
        share = winners / winners.sum(axis=dims, keepdims=True)
        return grad * Tensor._wrap(np.asarray(share, grad._array.dtype))


class Cumsum(Primitive):
    """y_i = Σ_{j ≤ i} x_j; x_j receives Σ_{i ≥ j} grad_i, a cumulative sum from the other end."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        return np.cumsum(x, axis=dim, dtype=x.dtype) if x.ndim else x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        dim = ctx.attributes["dim"]
        return cumsum(grad.flip(dim), dim).flip(dim) if grad._array.ndim else grad


def _summand(input: Tensor, dtype: Any) -> Tensor:
    """What to sum: integers and bools add up in int64, as PyTorch."""
    if dtype is not None:
        return cast(input, to_numpy_dtype(dtype))
    return cast(input, np.dtype(np.int64)) if input._array.dtype.kind in "iub" else input


def _floating(name: str, input: Tensor, dtype: Any = None) -> Tensor:
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    if input._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{input.type()[6:-6]}"
        )
    return input


@accepts_axis
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Σ over all elements, or over one or several dimensions. Integers give int64."""
    input = _summand(input, dtype)
    return Sum.apply(input, dim=many_dims(dim, input._array.ndim), keepdim=keepdim)


@accepts_axis
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The average over all elements, or over one or several dimensions. RuntimeError for integers."""
    input = _floating("mean", input, dtype)
    return Mean.apply(input, dim=many_dims(dim, input._array.ndim), keepdim=keepdim)


@accepts_axis
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along one dimension. Integers give int64."""
    input = _summand(input, dtype)
    if dim is None:
        return Prod.apply(input.reshape(-1), dim=0, keepdim=False)
    if input._array.ndim == 0:
        one_dim(dim, 0)
        return input.clone()
    return Prod.apply(input, dim=one_dim(dim, input._array.ndim), keepdim=keepdim)


def _correction(dim: Any, unbiased: bool | None, correction: Any) -> tuple[Any, float]:
    """``var(x, False)`` means ``unbiased=False``: PyTorch's older signature, told apart by the type."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = 1 if unbiased else 0
    return dim, 1 if correction is None else correction


@accepts_axis
def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Variance: ``Σ (x - mean)² / (n - correction)``, with Bessel's correction 1 by default."""
    dim, correction = _correction(dim, unbiased, correction)
    input = _floating("std and var", input)
    return Var.apply(input, dim=many_dims(dim, input._array.ndim), correction=correction, keepdim=keepdim)


@accepts_axis
def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Standard deviation: the square root of :func:`var`. Where it is 0, its gradient is taken as 0."""
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    result = ops.sqrt(variance)
    if not result._requires_grad:
        return result
    # √ has an infinite slope at 0; PyTorch masks it, so that constant data get gradient 0 instead of nan.
    return ops.where(variance == 0, ops.zeros_like(variance) * variance, ops.sqrt(ops.where(variance == 0, 1.0, variance)))


@accepts_axis
def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Tensor, Tensor]:
    """(:func:`var`, :func:`mean`)."""
    mean_dim = None if isinstance(dim, bool) else dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, mean_dim, keepdim)


@accepts_axis
def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Tensor, Tensor]:
    """(:func:`std`, :func:`mean`)."""
    mean_dim = None if isinstance(dim, bool) else dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, mean_dim, keepdim)


def _refuse_empty(name: str, input: Tensor, dims: tuple[int, ...]) -> None:
    if _any_of(input._array.shape[d] == 0 for d in dims) or (not dims and input._array.size == 0):
        raise (IndexError if len(dims) == 1 else RuntimeError)(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
            f"argument; it must have a non-zero size. Got shape {list(input.shape)}"
        )


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    largest = name == "max"
    if isinstance(dim, Tensor):
        return (ops.maximum if largest else ops.minimum)(input, dim)
    if dim is None:
        _refuse_empty(name, input, tuple(range(input._array.ndim)))
        return Extreme.apply(input, dim=tuple(range(input._array.ndim)), keepdim=False, largest=largest, nan_shares=True)
    dim = one_dim(dim, input._array.ndim)
    _refuse_empty(name, input, (dim,) if input._array.ndim else ())
    values, indices = MaxWithIndex.apply(input, dim=dim, keepdim=keepdim, largest=largest)
    return (MaxResult if largest else MinResult)(values, indices)


@accepts_axis
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with ``dim`` a pair (values, indices), the first of equals; with a tensor :func:`maximum`."""
    return _extreme("max", input, dim if other is None else other, keepdim)


@accepts_axis
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with ``dim`` a pair (values, indices), the first of equals; with a tensor :func:`minimum`."""
    return _extreme("min", input, dim if other is None else other, keepdim)


@accepts_axis
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest over one or several dimensions; equal elements share the gradient."""
    dims = many_dims(dim, input._array.ndim)
    _refuse_empty("amax", input, dims)
    return Extreme.apply(input, dim=dims, keepdim=keepdim, largest=True)


@accepts_axis
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest over one or several dimensions; equal elements share the gradient."""
    dims = many_dims(dim, input._array.ndim)
    _refuse_empty("amin", input, dims)
    return Extreme.apply(input, dim=dims, keepdim=keepdim, largest=False)


def _arg_extreme(name: str, function: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    array = input._array
    if dim is None:
        if array.size == 0:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        index = np.asarray(function(array))
        return Tensor._wrap(index.reshape((1,) * array.ndim) if keepdim else index)
    dim = one_dim(dim, array.ndim)
    if array.ndim == 0:
        return Tensor._wrap(np.zeros((), np.int64))
    _refuse_empty(name, input, (dim,))
    return Tensor._wrap(np.asarray(function(array, axis=dim, keepdims=keepdim)))


@accepts_axis
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element is: in the flattened tensor, or along ``dim``; the first of equals."""
    return _arg_extreme("argmax", np.argmax, input, dim, keepdim)


@accepts_axis
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element is: in the flattened tensor, or along ``dim``; the first of equals."""
    return _arg_extreme("argmin", np.argmin, input, dim, keepdim)


def _truth(function: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    result = np.asarray(function(input._array, axis=many_dims(dim, input._array.ndim), keepdims=keepdim))
    return Tensor._wrap(result.astype(np.uint8) if input._array.dtype == np.uint8 else result)


@accepts_axis
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether every element is non-zero."""
    return _truth(np.all, input, dim, keepdim)


@accepts_axis
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is non-zero."""
    return _truth(np.any, input, dim, keepdim)


@accepts_axis
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """``log Σ exp(x)``, computed as ``m + log Σ exp(x - m)`` with m the maximum, so that nothing overflows."""
    input = ops.to_float(input)
    dims = many_dims(dim, input._array.ndim)
    if input._array.size == 0:
        return ops.log(ops.sum(ops.exp(input), dims, keepdim))
    largest = Tensor._wrap(np.max(input._array, axis=dims, keepdims=True))
    shift = Tensor._wrap(np.where(np.isfinite(largest._array), largest._array, 0).astype(input._array.dtype))
    result = ops.log(ops.sum(ops.exp(input - shift), dims, True)) + shift
    return result if keepdim else result.reshape([s for i, s in enumerate(input._array.shape) if i not in dims])


@accepts_axis
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along ``dim``."""
    input = _summand(input, dtype)
    return Cumsum.apply(input, dim=one_dim(dim, input._array.ndim))


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
