"""Sums of weighted rows: what looking up an image between its pixels comes down to.

(:mod:`tinytorch.ops.grid_sample` works out which pixels, and with which weights.)

::

    WeightedRows   rows, weight -> y        y[q] = Σ_t weight[t, q] · rows[index[t, q]]
    SpreadRows     y, weight    -> rows     rows[p] = Σ_{t, q with index[t, q] = p} weight[t, q] · y[q]
    RowProducts    rows, y      -> weight   weight[t, q] = rows[index[t, q]] · y[q]

Each is linear in both of its arguments, and the derivatives of each are the other two, as with convolution: the index
says which triples (row, place, weight) meet, and each of the three is a sum over them. An index of P, one more than
there are rows, stands for a row of zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.pieces import even_pieces
from tinytorch.tensor import Tensor

__all__ = ["RowProducts", "SpreadRows", "WeightedRows", "and_zeros", "row_products", "spread_rows", "weighted_rows"]


class WeightedRows(Primitive):
    """rows (P, C), weight (T, Q) and index (T, Q) give y (Q, C)."""

    @staticmethod
    def forward(ctx: Any, rows: np.ndarray, weight: np.ndarray, index: np.ndarray) -> np.ndarray:
        need_rows, need_weight = ctx.needs_input_grad[:2]
        ctx.save_for_backward(rows if need_weight else None, weight if need_rows else None)
        ctx.save_intermediates(len(rows))
        return weighted_rows(and_zeros(rows), weight, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        rows, weight = ctx.saved_tensors
        (count,), index = ctx.intermediates, ctx.attributes["index"]
        need_rows, need_weight = ctx.needs_input_grad
        return (
            SpreadRows.apply(grad, weight, index=index, count=count) if need_rows else None,
            RowProducts.apply(rows, grad, index=index) if need_weight else None,
        )


class SpreadRows(Primitive):
    """y (Q, C), weight (T, Q) and index (T, Q) give rows (`count`, C)."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, weight: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
        need_y, need_weight = ctx.needs_input_grad[:2]
        ctx.save_for_backward(y if need_weight else None, weight if need_y else None)
        return spread_rows(y, weight, index, count)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        y, weight = ctx.saved_tensors
        index = ctx.attributes["index"]
        need_y, need_weight = ctx.needs_input_grad
        return (
            WeightedRows.apply(grad, weight, index=index) if need_y else None,
            RowProducts.apply(grad, y, index=index) if need_weight else None,
        )


class RowProducts(Primitive):
    """rows (P, C), y (Q, C) and index (T, Q) give weight (T, Q)."""

    @staticmethod
    def forward(ctx: Any, rows: np.ndarray, y: np.ndarray, index: np.ndarray) -> np.ndarray:
        need_rows, need_y = ctx.needs_input_grad[:2]
        ctx.save_for_backward(rows if need_y else None, y if need_rows else None)
        ctx.save_intermediates(len(rows))
        return row_products(and_zeros(rows), y, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        rows, y = ctx.saved_tensors
        (count,), index = ctx.intermediates, ctx.attributes["index"]
        need_rows, need_y = ctx.needs_input_grad
        return (
            SpreadRows.apply(y, grad, index=index, count=count) if need_rows else None,
            WeightedRows.apply(rows, grad, index=index) if need_y else None,
        )


# ------------------------------------------------------------------------------------------ arrays

PIECE = 1 << 16
"""Numbers that are looked up together: they are in the cache when they are multiplied."""


def and_zeros(rows: np.ndarray) -> np.ndarray:
    """rows (P, C) and a row of zeros."""
    return np.concatenate([rows, np.zeros((1, rows.shape[1]), rows.dtype)])


def weighted_rows(rows: np.ndarray, weight: np.ndarray, index: np.ndarray) -> np.ndarray:
    """:class:`WeightedRows`, for rows that have the zeros."""
    y = np.empty((index.shape[1], rows.shape[1]), rows.dtype)
    for some in _pieces(index, rows):
        np.einsum("tqc,tq->qc", rows.take(index[:, some], axis=0), weight[:, some], out=y[some])
    return y


def spread_rows(y: np.ndarray, weight: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """:class:`SpreadRows`.

    `np.add.at` is fastest for one flat index, so it goes column by column; and it takes as long for a complex number,
    which is two neighbouring columns, as for one.
    """
    paired = y.shape[1] % 2 == 0 and y.dtype in (np.float32, np.float64)
    kind = np.result_type(y.dtype, np.complex64) if paired else y.dtype
    columns = np.ascontiguousarray(np.ascontiguousarray(y).view(kind).T)
    rows = np.zeros((len(columns), count + 1), kind)
    for shares, places in zip(weight, index, strict=True):
        products = columns.view(y.dtype) * shares.repeat(1 + paired)
        for into, column in zip(rows, products.view(kind), strict=True):
            np.add.at(into, places, column)
    return np.ascontiguousarray(rows[:, :count].T).view(y.dtype)


def row_products(rows: np.ndarray, y: np.ndarray, index: np.ndarray) -> np.ndarray:
    """:class:`RowProducts`, for rows that have the zeros."""
    weight, ones = np.empty(index.shape, rows.dtype), np.ones(rows.shape[1], rows.dtype)
    for some in _pieces(index, rows):
        picked = rows.take(index[:, some], axis=0)
        picked *= y[some]
        np.matmul(picked, ones, out=weight[:, some])
    return weight


def _pieces(index: np.ndarray, rows: np.ndarray) -> Iterator[slice]:
    taps, count = index.shape
    longest = max(1, PIECE // max(1, taps * rows.shape[1]))
    return (slice(*piece) for piece in even_pieces(count, longest))
