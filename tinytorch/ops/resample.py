"""Resampling along one dimension: each output element is a weighted sum of a few input elements.

::

    y[o] = Σ_t weights[t, o] · x[places[t, o]]

``places`` and ``weights`` are a :class:`Table`. Enlarging, shrinking and smoothing are all of this form, one dimension
after the other; they differ only in the table (:mod:`tinytorch.ops.interpolate` makes them). The sum is linear in x,
and its transpose is a resampling again, with the transposed table: for each input element, the outputs that it feeds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.tensor import Tensor

__all__ = ["Table", "resample"]


class Table(NamedTuple):
    """``places`` and ``weights``, both (taps, out), for ``size`` input elements; without weights they are all 1."""

    places: np.ndarray
    weights: np.ndarray | None
    size: int

    def transposed(self) -> Table:
        """The table that sends every output's weights back to the places they came from."""
        taps, out = self.places.shape
        weights = np.ones((taps, out)) if self.weights is None else self.weights
        order = np.argsort(self.places.ravel(), kind="stable")
        source = self.places.ravel()[order]
        first = np.searchsorted(source, np.arange(self.size))
        rank = np.arange(source.size) - first[source]  # how many outputs before this one the element feeds
        most = int(rank.max(initial=-1)) + 1
        places, turned = np.zeros((most, self.size), np.int64), np.zeros((most, self.size), weights.dtype)
        places[rank, source] = order % max(out, 1)
        turned[rank, source] = weights.ravel()[order]
        return Table(places, turned, out)


class Resample(Primitive):
    """``tables``: for each dimension from the third on, a Table or None (stays as it is)."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, tables: tuple[Table | None, ...]) -> np.ndarray:
        bytes_, y = x.dtype == np.uint8, x
        for axis in reversed(range(2, x.ndim)) if bytes_ else range(2, x.ndim):
            table = tables[axis - 2]
            if table is not None:
                y = _along_bytes(y, axis, table) if bytes_ else _along(y, axis, table)
        return y.copy() if y is x else y  # where nothing changes its size, too, the result is a tensor of its own

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        tables = ctx.attributes["tables"]
        return Resample.apply(grad, tables=tuple([None if table is None else table.transposed() for table in tables]))

    known_name = "UpsampleBackward0"


def _along(x: np.ndarray, axis: int, table: Table) -> np.ndarray:
    """One dimension. ``np.take`` wants rows in memory order, so the dimensions are taken in the order they lie in."""
    order = sorted(range(x.ndim), key=lambda d: -x.strides[d])
    rows, here = x.transpose(order), order.index(axis)
    shape = [-1 if d == here else 1 for d in range(x.ndim)]
    result = None
    for tap, places in enumerate(table.places):
        part = np.take(rows, places, axis=here)
        if table.weights is not None:
            part *= table.weights[tap].astype(x.dtype).reshape(shape)
        result = part if result is None else np.add(result, part, out=result)
    if result is None:  # nothing feeds anything
        result = np.zeros([table.places.shape[1] if d == here else n for d, n in enumerate(rows.shape)], x.dtype)
    return result.transpose(np.argsort(order))


def _along_bytes(x: np.ndarray, axis: int, table: Table) -> np.ndarray:
    """One dimension of uint8 pixels, with weights as whole numbers of as many bits as 16 hold: PyTorch's arithmetic, in
    which every dimension is rounded by itself, and the last goes first."""
    if table.weights is None:
        return _along(x, axis, table)
    largest = table.weights.max()
    bits = next(bits for bits in range(22) if int(0.5 + largest * 2 ** (bits + 1)) >= 1 << 15)
    weights = np.trunc(table.weights * 2**bits + np.copysign(0.5, table.weights)).astype(np.int32)
    total = _along(x.astype(np.int32), axis, table._replace(weights=weights))
    return np.clip((total + (1 << (bits - 1))) >> bits, 0, 255).astype(np.uint8)


def resample(input: Tensor, tables: tuple[Table | None, ...]) -> Tensor:
    """(N, C, ...) with each dimension after the second resampled by its table."""
    return Resample.apply(input, tables=tables)
