"""Statistics beyond mean and variance: sums that skip nan, quantiles, covariance, both extremes at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.broadcast import is_number
from tinytorch.ops.checks import refuse_complex, type_name
from tinytorch.ops.compare import isnan, where
from tinytorch.ops.dims import accepts_axis, many_dims, one_dim
from tinytorch.ops.extremes import amax, amin
from tinytorch.ops.gather import gather
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.reduce import sum as sum_
from tinytorch.ops.sorting import sort
from tinytorch.tensor import Tensor

__all__ = ["aminmax", "corrcoef", "cov", "nanmean", "nanquantile", "nansum", "quantile"]


@accepts_exact_out
@accepts_axis
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """(smallest, largest) of all elements or along ``dim``; equal elements share the gradient."""
    dims = many_dims(dim, input._array.ndim)
    if input._array.size == 0 and (dim is None or input._array.shape[dims[0]] == 0):
        raise (RuntimeError if dim is None else IndexError)(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    return return_types.aminmax(amin(input, dims, keepdim), amax(input, dims, keepdim))


@accepts_out
@accepts_axis
def nansum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The sum of the elements that are not nan."""
    refuse_complex("nansum", input._array)
    if input._array.dtype.kind in FLOATS:
        if dtype is not None and dtype.is_complex:
            raise NotImplementedError(f"nansum() is not implemented for {dtype}")
        input = where(isnan(input), 0.0, input)
    return sum_(input, dim, keepdim, dtype=dtype)


@accepts_out
@accepts_axis
def nanmean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The mean of the elements that are not nan. RuntimeError for integers."""
    if input._array.dtype.kind not in FLOATS:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {type_name(input)}"
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"nanmean(): dtype must be either a floating point or complex dtype. Got: {dtype}")
    count = sum_(isnan(input).logical_not(), dim, keepdim)
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / count.to(total.dtype)


@accepts_exact_out
@accepts_axis
def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The number below which the share ``q`` of the sorted elements lies; nan if there is any nan (``torch.quantile``).

    Args:
        q: in [0, 1]; a number, or a vector, which becomes the first dimension of the result.
        interpolation: between two elements 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, ignore_nan=False)


@accepts_exact_out
@accepts_axis
def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """As :func:`quantile`, of the elements that are not nan."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, ignore_nan=True)


def _quantile(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    shares = _checked_shares(name, input, q, interpolation)
    ndim = input._array.ndim
    if dim is None:
        kept, input, dim = (1,) * ndim, input.reshape(-1), 0
    else:
        dim = one_dim(dim, ndim)
        input = input.reshape(-1) if ndim == 0 else input
        kept = tuple(1 if d == dim else size for d, size in enumerate(input._array.shape)) if ndim else ()
    in_order = sort(input, dim).values.movedim(dim, -1)
    not_nan = np.count_nonzero(~np.isnan(in_order._array), axis=-1, keepdims=True)
    size = in_order._array.shape[-1]
    # Where on the sorted line the share lies. The nans stand at its end.
    last = np.maximum(not_nan - 1, 0) if ignore_nan else np.full_like(not_nan, size - 1)
    share = q if isinstance(q, Tensor) else Tensor._wrap(shares)  # which may require grad itself
    rank = share.reshape(-1) * Tensor._wrap(last.astype(shares.dtype))
    if not ignore_nan:
        rank = where(Tensor._wrap(not_nan < size), float(size - 1), rank)
    value = _between(in_order, rank, interpolation).movedim(-1, 0)
    lead = shares.shape
    reduced = value._array.shape[1:]
    return value.reshape((*lead, *kept) if keepdim else (*lead, *reduced))


def _checked_shares(name: str, input: Tensor, q: Any, interpolation: str) -> np.ndarray:
    dtype = input._array.dtype
    if input._array.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor) and q._array.dtype != dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if not isinstance(q, Tensor) and not is_number(q):
        raise wrong_argument(name, "q", 2, q, "Tensor or float")
    shares = q._array if isinstance(q, Tensor) else np.asarray(q, dtype)
    if shares.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, but got tensor with {shares.ndim} dimensions")
    if not ((shares >= 0) & (shares <= 1)).all():
        raise RuntimeError(
            f"{name}() q must be in the range [0, 1] but got {q.tolist() if isinstance(q, Tensor) else q}"
        )
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    return shares


def _between(in_order: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    """Elements of the last dimension at fractional ranks; differentiable in the ranks too where they are weights."""
    place = rank._array
    if interpolation in ("lower", "higher", "nearest"):
        place = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}[interpolation](place)
    below, above = np.floor(place), np.ceil(place)
    wide = [*in_order._array.shape[:-1], place.shape[-1]]
    low = gather(in_order, -1, Tensor._wrap(np.broadcast_to(below.astype(np.int64), wide)))
    if interpolation in ("lower", "higher", "nearest"):
        return low
    high = gather(in_order, -1, Tensor._wrap(np.broadcast_to(above.astype(np.int64), wide)))
    if interpolation == "midpoint":
        return low.lerp(high, 0.5)
    return low.lerp(high, ops.expand(rank - Tensor._wrap(below), wide))


@checks_arguments
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables (rows) over observations (columns).

    Args:
        correction: divide by n minus this.
        fweights: how often each observation counts, integers. aweights: how much, floating.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input._array.ndim} "
            "dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    _check_weights(input, fweights, aweights)
    x = ops.to_float(input)
    x = x if x._array.ndim == 2 else x.reshape(1, -1)
    count = x._array.shape[1]
    weights = fweights
    if aweights is not None:
        weights = aweights if fweights is None else fweights * aweights
    if weights is None:
        centered, total, degrees = x - x.mean(1, True), None, count - correction
        product = centered @ centered.t().conj()
    else:
        total = weights.sum()
        if total._array == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        centered = x - (x * weights).sum(1, True) / total
        degrees = total - correction
        if aweights is not None:
            degrees = total - correction * (weights * aweights).sum() / total
        product = (centered * weights) @ centered.t().conj()
    # No observations left: 0 / 0, and not a division by a negative number.
    return (product / (degrees.clamp_min(0) if isinstance(degrees, Tensor) else max(degrees, 0))).squeeze()


def _check_weights(input: Tensor, fweights: Tensor | None, aweights: Tensor | None) -> None:
    count = input._array.shape[-1] if input._array.ndim else 1
    for name, weights, kinds, kind in (
        ("fweights", fweights, "iu", "integral"),
        ("aweights", aweights, "f", "floating point"),
    ):
        if weights is None:
            continue
        array = weights._array
        if array.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {array.ndim} dimensions"
            )
        if array.dtype.kind not in kinds:
            raise RuntimeError(
                f"cov(): expected {name} to have {kind} dtype but got {name} with {type_name(weights)} dtype"
            )
        if array.size != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{array.size} != {count}"
            )
        if array.size and not array.min() >= 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")


@checks_arguments
def corrcoef(input: Tensor) -> Tensor:
    """The correlation matrix of variables (rows) over observations (columns), limited to [-1, 1]; of complex numbers,
    both parts are.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input._array.ndim} "
            "dimensions"
        )
    c = cov(input)
    if c._array.ndim == 0:
        return c / c
    deviation = c.diagonal().real.sqrt()
    c = c / deviation.unsqueeze(-1) / deviation
    if c._array.dtype.kind == "c":
        return ops.complex(c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
    return c.clamp(-1, 1)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
