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

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.tensor import Tensor

__all__ = ["RowProducts", "SpreadRows", "WeightedRows"]


class WeightedRows(Primitive):
    """rows (P, C), weight (T, Q) and index (T, Q) give y (Q, C)."""

    @staticmethod
    def forward(ctx: Any, rows: np.ndarray, weight: np.ndarray, index: np.ndarray) -> np.ndarray:
        need_rows, need_weight = ctx.needs_input_grad[:2]
        ctx.save_for_backward(rows if need_weight else None, weight if need_rows else None)
        ctx.save_intermediates(len(rows))
        with_zeros = _and_zeros(rows)
        y = with_zeros.take(index[0], axis=0)
        y *= weight[0][:, None]
        for picks, shares in zip(index[1:], weight[1:], strict=True):
            picked = with_zeros.take(picks, axis=0)
            picked *= shares[:, None]
            y += picked
        return y

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
    """y (Q, C), weight (T, Q) and index (T, Q) give rows (`count`, C).

    `np.add.at` is fastest for one flat index, so it goes column by column; and it takes as long for a complex number,
    which is two neighbouring columns, as for one.
    """

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, weight: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
        need_y, need_weight = ctx.needs_input_grad[:2]
        ctx.save_for_backward(y if need_weight else None, weight if need_y else None)
        paired = y.shape[1] % 2 == 0 and y.dtype in (np.float32, np.float64)
        kind = np.result_type(y.dtype, np.complex64) if paired else y.dtype
        columns = np.ascontiguousarray(np.ascontiguousarray(y).view(kind).T)
        rows = np.zeros((len(columns), count + 1), kind)
        for shares, places in zip(weight, index, strict=True):
            products = columns.view(y.dtype) * shares.repeat(1 + paired)
            for into, column in zip(rows, products.view(kind), strict=True):
                np.add.at(into, places, column)
        return np.ascontiguousarray(rows[:, :count].T).view(y.dtype)

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
        with_zeros = _and_zeros(rows)
        return np.stack([np.einsum("qc,qc->q", with_zeros.take(picks, axis=0), y) for picks in index])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        rows, y = ctx.saved_tensors
        (count,), index = ctx.intermediates, ctx.attributes["index"]
        need_rows, need_y = ctx.needs_input_grad
        return (
            SpreadRows.apply(y, grad, index=index, count=count) if need_rows else None,
            WeightedRows.apply(rows, grad, index=index) if need_y else None,
        )


def _and_zeros(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, np.zeros((1, rows.shape[1]), rows.dtype)])
