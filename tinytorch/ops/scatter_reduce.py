"""scatter_reduce: sums, means, products and extremes of all elements that an index sends to the same place."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.dtypes import FLOATS
from tinytorch.ops.checks import refuse, refuse_complex
from tinytorch.ops.compare import where
from tinytorch.ops.dims import accepts_axis
from tinytorch.ops.indexing import Index, IndexPut, combine_at
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.reduce import product_of_others
from tinytorch.ops.scatter import placed
from tinytorch.tensor import Tensor

__all__ = ["scatter_reduce"]


class ScatterExtreme(Primitive):
    """The largest (or smallest) of x and what is sent to its place; all that equal it share the gradient equally."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, src: np.ndarray, index: Any, largest: bool) -> np.ndarray:
        refuse_complex("scatter_reduce", x)
        y = x.copy()
        combine_at(np.maximum if largest else np.minimum, y, index, src)
        if not any(ctx.needs_input_grad[:2]):
            return y
        winner = np.asarray(x == y, y.dtype)
        source_winner = np.asarray(src == y[index], y.dtype)
        count = winner.copy()
        combine_at(np.add, count, index, source_winner)
        count = np.maximum(count, 1)
        ctx.save_intermediates(winner / count, source_winner / count[index])
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        share, source_share = (Tensor._wrap(np.asarray(s, grad._array.dtype)) for s in ctx.intermediates)
        return grad * share, Index.apply(grad, index=ctx.attributes["index"]) * source_share


class ScatterProd(Primitive):
    """x times everything that is sent to its place; each factor receives grad times the product of the others."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, src: np.ndarray, index: Any) -> np.ndarray:
        ctx.save_for_backward(x, src)
        y = x.copy()  # an array even when it has no dimensions
        combine_at(np.multiply, y, index, src)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """With zeros counted apart: beside one zero only that factor has a product of others that is not 0.

        That division by everything but the zeros knows nothing of how the result changes when a zero does, so it is
        for the first derivative alone.
        """
        x, src = ctx.saved_tensors
        index = ctx.attributes["index"]
        x_zero, src_zero = np.asarray(x._array == 0), np.asarray(src._array == 0)
        zeros = x_zero.astype(np.int64)
        combine_at(np.add, zeros, index, src_zero.astype(np.int64))
        if state.grad_enabled and zeros.any():
            return _through_table(grad, x, src, index)
        x_safe = where(Tensor._wrap(x_zero), 1.0, x)
        src_safe = where(Tensor._wrap(src_zero), 1.0, src)
        weighted = grad * ScatterProd.apply(x_safe, src_safe, index=index)
        matters = Tensor._wrap(np.where(x_zero, zeros == 1, zeros == 0))
        src_matters = Tensor._wrap(np.where(src_zero, zeros[index] == 1, zeros[index] == 0))
        return (
            where(matters, weighted / x_safe, 0.0),
            where(src_matters, Index.apply(weighted, index=index) / src_safe, 0.0),
        )


def _through_table(grad: Tensor, x: Tensor, src: Tensor, index: Any) -> tuple[Tensor, Tensor]:
    """The gradients of :class:`ScatterProd` without a division, right to any order: the factors of each place in a row
    of a table, filled up with ones, whose rows are then ordinary products.
    """
    size = x._array.size
    places = np.arange(size).reshape(x._array.shape)[index].reshape(-1)
    places = np.concatenate([np.arange(size), places])
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places, minlength=size)
    rank = np.empty_like(places)
    rank[order] = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = Tensor._wrap(np.ones((size, int(counts.max())), x._array.dtype))
    factors = ops.cat([x.reshape(-1), src.reshape(-1)])
    table = IndexPut.apply(table, factors, index=(places, rank), accumulate=False)
    others = grad.reshape(-1, 1) * product_of_others(table, 1)
    found = Index.apply(others, index=(places, rank))
    return found[:size].reshape(x._array.shape), found[size:].reshape(src._array.shape)


@accepts_exact_out
@accepts_axis
def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Combine ``src`` into ``input`` at ``index`` along ``dim`` (``torch.scatter_reduce``).

    Args:
        reduce: 'sum', 'mean', 'prod', 'amax' or 'amin'; RuntimeError for others.
        include_self: whether the elements of ``input`` take part; places that no index names keep theirs in any case.
    """
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in ("sum", "mean", "prod", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if reduce in ("amax", "amin"):
        refuse("c", f"scatter_gather_tensor_cpu_reduce_{reduce}", input)
    index_tuple, src = placed("scatter_reduce", input, dim, index, src)
    if not include_self:
        neutral = Tensor._wrap(_neutral(reduce, input._array.dtype))
        input = relying_on(IndexPut.apply(input, neutral, index=index_tuple, accumulate=False), index)
    if reduce == "prod":
        return relying_on(ScatterProd.apply(input, src, index=index_tuple), index)
    if reduce in ("amax", "amin"):
        return relying_on(ScatterExtreme.apply(input, src, index=index_tuple, largest=reduce == "amax"), index)
    total = relying_on(IndexPut.apply(input, src, index=index_tuple, accumulate=True), index)
    if reduce == "sum":
        return total
    count = np.full(input._array.shape, int(include_self))
    combine_at(np.add, count, index_tuple, np.ones(src._array.shape, count.dtype))
    divisor = Tensor._wrap(np.maximum(count, 1).astype(input._array.dtype))
    return total / divisor if input._array.dtype.kind in FLOATS else total // divisor


def _neutral(reduce: str, dtype: np.dtype[Any]) -> np.ndarray:
    """What changes nothing when it is reduced with other elements."""
    if reduce in ("amax", "amin"):
        if dtype.kind == "b":
            return np.asarray(reduce == "amin")
        if dtype.kind in FLOATS:
            return np.asarray(-np.inf if reduce == "amax" else np.inf, dtype)
        limits = np.iinfo(dtype)
        return np.asarray(limits.min if reduce == "amax" else limits.max, dtype)
    return np.asarray(1 if reduce == "prod" else 0, dtype)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
