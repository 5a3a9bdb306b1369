"""Layer normalization: every row of a matrix to mean 0 and variance 1.

(After: `norm`.)

The formulas and their derivation are those of `norm`, with rows in the place of channels:

    xhat = (x - mean) * invstd        y = weight * xhat + bias
    gx = invstd * (g - mean(g) - xhat * mean(g * xhat)),     g = grad * weight
    grad_weight = sum over rows of grad * xhat,              grad_bias = sum over rows of grad

The speed: a few rows at a time, so that the passes find them in the cache, and every sum is a product with a vector
(of ones, of weights), which BLAS adds up faster than NumPy's reductions.

Shapes: x, y, grad (R, F); weight, bias (F,); mean, invstd (R, 1).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.norm import center_carefully
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import even_pieces

BLOCK_BYTES = 1 << 20
"""Bytes of `x` in the rows that are worked on together."""


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Normalize the rows of `x`: (y, mean, invstd)."""
    y = empty_like(x)
    mean, invstd = np.empty((len(x), 1), x.dtype), np.empty((len(x), 1), x.dtype)
    average = np.full((x.shape[1], 1), 1 / max(1, x.shape[1]), x.dtype)
    rounding = x.dtype.type(64 * np.finfo(x.dtype).eps)

    def normalize(block: Pair) -> None:
        part = slice(*block)
        rows = y[part]
        np.matmul(x[part], average, out=mean[part])
        np.subtract(x[part], mean[part], out=rows)
        variance = np.vecdot(rows, rows)[:, None] / x.dtype.type(x.shape[1])
        # a spread that small may be all rounding: centre again, around a number of the row itself
        for r in np.flatnonzero(variance <= (rounding * mean[part]) ** 2) if x.shape[1] else ():
            mean[block[0] + r], variance[r] = center_carefully(x[block[0] + r], rows[r])
        np.reciprocal(np.sqrt(variance + x.dtype.type(eps)), out=invstd[part])
        rows *= invstd[part]
        if weight is not None:
            rows *= weight
        if bias is not None:
            rows += bias

    run_blocks(normalize, _blocks(x), x.size / 1100)
    return y, mean, invstd


def layer_norm_backward(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...]
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of `layer_norm` for (x, weight, bias); None for those that `needs` does not ask for."""
    gx = empty_like(x)
    blocks = _blocks(x)
    # one row for each block, added up at the end in the same order whatever thread was first
    grad_weight, grad_bias = np.zeros((len(blocks), x.shape[1]), x.dtype), np.zeros((len(blocks), x.shape[1]), x.dtype)
    average = np.full((x.shape[1], 1), 1 / max(1, x.shape[1]), x.dtype)
    weighted = average if weight is None else average * weight[:, None]

    def backward(number: int) -> None:
        part = slice(*blocks[number])
        g, out = grad[part], gx[part]
        ones = np.ones(len(g), x.dtype)
        with scratch(g.shape, x.dtype) as xhat:
            np.subtract(x[part], mean[part], out=xhat)
            np.multiply(xhat, invstd[part], out=xhat)
            np.multiply(g, xhat, out=out)
            if needs[1]:
                np.matmul(ones, out, out=grad_weight[number])
            if needs[2]:
                np.matmul(ones, g, out=grad_bias[number])
            if needs[0]:
                xhat *= out @ weighted
                xhat += g @ weighted
                np.subtract(g if weight is None else np.multiply(g, weight, out=out), xhat, out=out)
                out *= invstd[part]

    run_blocks(backward, range(len(blocks)), x.size / 600)
    return (
        gx if needs[0] else None,
        grad_weight.sum(0) if needs[1] else None,
        grad_bias.sum(0) if needs[2] else None,
    )


def _blocks(x: Array) -> list[Pair]:
    return even_pieces(len(x), max(1, BLOCK_BYTES // max(1, x.shape[1] * x.itemsize)))
