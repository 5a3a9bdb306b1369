"""Histograms with their edges, in one dimension or many. Counting has no derivative: results carry no gradient.

A bin holds its left edge and not its right one, except the last, which holds both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch import return_types
from tinytorch.dtypes import from_numpy_dtype
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.checks import check_tensor, not_implemented
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.ranges import linspace
from tinytorch.tensor import Tensor

__all__ = ["histogram", "histogramdd"]


@accepts_exact_out
def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> return_types.histogram:
    """How many elements (or how much of their ``weight``) fall into each bin, and the edges of the bins.

    Args:
        bins: how many of equal width, or a 1-d tensor of rising edges.
        range: (lowest, highest) edge for a number of bins; by default those of the data.
        density: divide so that the integral is 1.

    >>> import tinytorch
    >>> tinytorch.histogram(tinytorch.tensor([1.0, 2.0, 1.0]), 3, range=(0.0, 3.0)).hist
    tensor([0., 2., 1.])
    """
    check_tensor("histogram", "input", 1, input)
    if isinstance(bins, Tensor) and range is not None:
        raise TypeError("histogram(): 'range' goes with a number of bins, not with a tensor of edges")
    if not isinstance(bins, (int, np.integer, Tensor)) or isinstance(bins, bool):
        raise TypeError(f"histogram(): argument 'bins' must be int or Tensor, not {type(bins).__name__}")
    points = input._array.reshape(-1, 1)
    weights = None if weight is None else Tensor._wrap(weight._array.reshape(-1))
    counts, edges = _count(Tensor._wrap(points), [bins], range, weights, density, "torch.histogram()")
    return return_types.histogram(counts, edges[0])


@checks_arguments
def histogramdd(
    input: Tensor, bins: int | Sequence[Any], *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> return_types.histogramdd:
    """The histogram of points, the rows of ``input``: (..., D) gives D dimensions of bins.

    Args:
        bins: a number for all dimensions, or a list with a number or a tensor of edges for each.
        range: lowest and highest edge of every dimension, one after the other.
        weight: (...), of the points.
    """
    check_tensor("histogramdd", "input", 1, input)
    if input._array.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    size = input._array.shape[-1]
    per_dim = list(bins) if isinstance(bins, (tuple, list)) else [bins] * size
    if not all(isinstance(one, (int, Tensor)) for one in per_dim):
        raise wrong_argument("histogramdd", "bins", 2, bins, "int, or tuple of ints or Tensors")
    per_dim = [one.item() if isinstance(one, Tensor) and not one._array.ndim else one for one in per_dim]
    if len(per_dim) != size:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    if weight is not None and weight._array.shape != input._array.shape[:-1]:
        raise _wrong_weight(input, weight)
    weights = None if weight is None else Tensor._wrap(weight._array.reshape(-1))
    points = Tensor._wrap(input._array.reshape(-1, size))
    counts, edges = _count(points, per_dim, range, weights, density, "torch.histogramdd()")
    return return_types.histogramdd(counts, tuple(edges))


def _wrong_weight(input: Tensor, weight: Tensor) -> RuntimeError:
    return RuntimeError(
        "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding "
        f"its innermost dimension, but got input with shape {list(input.shape)} and weight with shape "
        f"{list(weight.shape)}"
    )


def _count(
    points: Tensor, bins: Sequence[Any], limits: Any, weight: Tensor | None, density: bool, name: str
) -> tuple[Tensor, list[Tensor]]:
    array = points._array
    if array.dtype not in (np.float32, np.float64):
        raise not_implemented("histogramdd", points)
    if weight is not None and weight._array.shape != array.shape[:1]:
        raise _wrong_weight(points, weight)
    if weight is not None and weight.dtype != points.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same "
            f"dtype, but got input({points.dtype}), and weight({weight.dtype})"
        )
    edges = _edges(points, bins, limits, name)
    sizes = tuple(len(edge._array) - 1 for edge in edges)
    places, inside = [], np.ones(len(array), bool)
    for column, edge in zip(array.T, edges, strict=True):
        place = np.searchsorted(edge._array, column, "right") - 1
        inside &= (column >= edge._array[0]) & (column <= edge._array[-1])
        places.append(np.minimum(place, len(edge._array) - 2))
    flat = np.ravel_multi_index([place[inside] for place in places], sizes, mode="clip")
    shares = None if weight is None else weight._array[inside]
    counts = np.bincount(flat, shares, minlength=int(np.prod(sizes))).astype(array.dtype).reshape(sizes)
    if density:
        counts = counts / counts.sum()
        for d, edge in enumerate(edges):
            counts = counts / np.diff(edge._array).reshape((-1,) + (1,) * (len(edges) - 1 - d))
    return Tensor._wrap(counts), edges


def _edges(points: Tensor, bins: Sequence[Any], limits: Any, name: str) -> list[Tensor]:
    array = points._array
    size = array.shape[1]
    if limits is not None and len(limits) != 2 * size:
        raise RuntimeError(
            f"torch.histogramdd: for a {size}-dimensional histogram range should have {2 * size} elements, but got "
            f"{len(limits)}"
        )
    edges = []
    for d, given in enumerate(bins):
        count = len(given._array) - 1 if isinstance(given, Tensor) and given._array.ndim == 1 else given
        if isinstance(given, Tensor) and given._array.ndim != 1:
            raise RuntimeError(
                f"torch.histogramdd: bins tensor should have one dimension, but got {given._array.ndim} dimensions in "
                f"the bins tensor for dimension {d}"
            )
        if isinstance(given, Tensor) and given.dtype != points.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{points.dtype} and bins for dimension {d} with dtype {given.dtype}"
            )
        if count <= 0:
            raise RuntimeError(f"{name}: bins must be > 0, but got {count} for dimension {d}")
        if isinstance(given, Tensor):
            edges.append(given.detach().clone())
        else:
            low, high = _range(array[:, d], None if limits is None else limits[2 * d : 2 * d + 2], d)
            edges.append(linspace(low, high, count + 1, dtype=from_numpy_dtype(array.dtype)))
    return edges


def _range(column: np.ndarray, limits: Any, d: int) -> tuple[float, float]:
    if limits is not None:
        low, high = float(limits[0]), float(limits[1])
    else:
        low, high = (float(column.min()), float(column.max())) if column.size else (0.0, 1.0)
    if not np.isfinite([low, high]).all():
        raise RuntimeError(f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"
        )
    return (low - 0.5, high + 0.5) if low == high else (low, high)
