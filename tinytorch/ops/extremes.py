"""The largest and the smallest: over everything, over dimensions, and where they stand.

The winner receives the gradient. With a dimension (``max(x, 0)``) that is the first of equals; over everything, and
in ``amax``, equals share it.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.kernels import short_rows
from tinytorch.kernels.layout import small_row_major
from tinytorch.ops.arguments import NOT_GIVEN
from tinytorch.ops.checks import refuse_complex
from tinytorch.ops.dims import accepts_axis, many_dims, one_dim
from tinytorch.ops.out import accepts_exact_out, accepts_out, exact_pairs
from tinytorch.ops.reduce import kept_shape, refuse_keepdim
from tinytorch.tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]


_any_of = any


class MaxWithIndex(Primitive):
    """The largest (or smallest) along one dimension, and where: the winner receives the gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, keepdim: bool, largest: bool) -> Any:
        refuse_complex("max", x)
        if x.ndim == 0:
            ctx.save_intermediates(np.zeros((), np.int64), x.shape)
            index = np.zeros((), np.int64)
            ctx.mark_non_differentiable(index)
            return x.copy(), index
        indices = x.argmax(dim, keepdims=True) if largest else x.argmin(dim, keepdims=True)
        ctx.save_intermediates(indices, x.shape)
        values = short_rows.reduce(np.maximum if largest else np.minimum, x, dim, keepdim)
        if not keepdim:
            indices = indices.squeeze(dim)
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
        refuse_complex("amax", x)
        ufunc = np.maximum if largest else np.minimum
        y = short_rows.reduce(ufunc, x, dim[0], True) if len(dim) == 1 else ufunc.reduce(x, axis=dim, keepdims=True)
        if _any_of(ctx.needs_input_grad):
            winners = x == y
            ctx.save_intermediates(winners | (np.isnan(x) & np.isnan(y)) if nan_shares else winners)
        return y if keepdim else small_row_major(y.reshape([size for i, size in enumerate(x.shape) if i not in dim]))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (winners,) = ctx.intermediates
        dims = ctx.attributes["dim"]
        if not ctx.attributes["keepdim"]:
            grad = grad.reshape(kept_shape(winners.shape, dims))
        share = winners / winners.sum(axis=dims, keepdims=True)
        return grad * Tensor._wrap(np.asarray(share, grad._array.dtype))


def _refuse_empty(name: str, input: Tensor, dims: tuple[int, ...]) -> None:
    if input._array.size == 0 and (not dims or 0 in [input._array.shape[d] for d in dims]):
        raise (IndexError if dims else RuntimeError)(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            f"the 'dim' argument; it must have a non-zero size. Got shape {list(input.shape)}"
        )


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    largest = name == "max"
    if keepdim is NOT_GIVEN:
        keepdim = False
    elif dim is NOT_GIVEN:
        refuse_keepdim(name, keepdim)
    if isinstance(dim, Tensor) and not keepdim:
        return (ops.maximum if largest else ops.minimum)(input, dim)
    if dim is NOT_GIVEN:
        _refuse_empty(name, input, ())
        every = tuple(range(input._array.ndim))
        value = Extreme.apply(input, dim=every, keepdim=False, largest=largest, nan_shares=True)
        return known_as(value, "MaxBackward1" if largest else "MinBackward1")
    dim = one_dim(dim, input._array.ndim)
    _refuse_empty(name, input, (dim,) if input._array.ndim else ())
    values, indices = MaxWithIndex.apply(input, dim=dim, keepdim=keepdim, largest=largest)
    known_as(relying_on(values, indices), "MaxBackward0" if largest else "MinBackward0")
    return (return_types.max if largest else return_types.min)(values, indices)


@functools.partial(accepts_out, rule=exact_pairs)
@accepts_axis
def max(
    input: Tensor, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, other: Tensor = NOT_GIVEN, out: Any = None
) -> Any:
    """The largest element; with ``dim`` a pair (values, indices), the first of equals; with a tensor
    :func:`maximum`."""
    return _extreme("max", input, dim if other is NOT_GIVEN else other, keepdim)


@functools.partial(accepts_out, rule=exact_pairs)
@accepts_axis
def min(
    input: Tensor, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, other: Tensor = NOT_GIVEN, out: Any = None
) -> Any:
    """The smallest element; with ``dim`` a pair (values, indices), the first of equals; with a tensor
    :func:`minimum`."""
    return _extreme("min", input, dim if other is NOT_GIVEN else other, keepdim)


@accepts_exact_out
@accepts_axis
def amax(input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The largest over one or several dimensions; equal elements share the gradient."""
    dims = many_dims(dim, input._array.ndim)
    _refuse_empty("amax", input, () if dim in (None, (), []) else dims)
    return known_as(Extreme.apply(input, dim=dims, keepdim=keepdim, largest=True), "AmaxBackward0")


@accepts_exact_out
@accepts_axis
def amin(input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The smallest over one or several dimensions; equal elements share the gradient."""
    dims = many_dims(dim, input._array.ndim)
    _refuse_empty("amin", input, () if dim in (None, (), []) else dims)
    return known_as(Extreme.apply(input, dim=dims, keepdim=keepdim, largest=False), "AminBackward0")


def _arg_extreme(name: str, function: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    if input._array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    array = input._array
    refuse_complex(name, array)
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


@accepts_exact_out
@accepts_axis
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Where the largest element is: in the flattened tensor, or along ``dim``; the first of equals."""
    return _arg_extreme("argmax", np.argmax, input, dim, keepdim)


@accepts_exact_out
@accepts_axis
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Where the smallest element is: in the flattened tensor, or along ``dim``; the first of equals."""
    return _arg_extreme("argmin", np.argmin, input, dim, keepdim)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
