"""Layer normalization: every row of a matrix to mean 0 and variance 1.

(After: `norm`.)

The formulas and their derivation are those of `norm`, with rows in the place of channels:

    xhat = (x - mean) * invstd        y = weight * xhat + bias
    gx = invstd * (g - mean(g) - xhat * mean(g * xhat)),     g = grad * weight
    grad_weight = sum over rows of grad * xhat,              grad_bias = sum over rows of grad

`layer_norm_careful` and `layer_norm_backward_careful` compute just that, for any data. The speed comes from writing the
same as few products and sums of whole matrices, a few rows at a time, so that they stay in the cache:

    y  = x * (invstd ⊗ weight) + (-mean * invstd ⊗ weight + 1 ⊗ bias)
    gx = grad * (invstd ⊗ weight) + x * (a ⊗ 1) + b ⊗ 1          with numbers a and b for each row

The outer products ⊗ are made by BLAS: NumPy is nearly twice as fast at adding and multiplying matrices of one shape
as at stretching a row or a column over a matrix. The sums are products with vectors (`sums`), and the variance is
mean(x²) - mean(x)², from one pass over x. That loses digits where the mean is large beside the spread, and so does
centring last; blocks with a row whose mean is more than `FAR` standard deviations away from 0 go the careful way.

What it gained, forward and backward of 1024 x 512 on one thread (`python -m tests.benchmarks --only layer_norm`):
1.06 ms, where the formulas one after the other, in blocks of the same kind, took 1.83 (PyTorch: 0.43).

Shapes: x, y, grad (R, F); weight, bias (F,); mean, invstd (R, 1).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels import norm_rows, norm_small
from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.loops import stretched
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.norm import center_again
from tinytorch.kernels.norm_row_major import FAR
from tinytorch.kernels.pieces import cache_blocks
from tinytorch.kernels.sums import ones, row_dots, row_sums
from tinytorch.kernels.threads import run_blocks


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Normalize the rows of `x`: (y, mean, invstd)."""
    if norm_rows.is_few(x) and (found := norm_rows.normalize(x, weight, bias, eps)) is not None:
        return found
    if norm_small.is_small(x):
        y, mean, _, invstd = norm_small.normalize(x, weight, bias, eps, (1,))
        return y, mean, invstd
    y = empty_like(x)
    mean, invstd = np.empty((len(x), 1), x.dtype), np.empty((len(x), 1), x.dtype)
    features = max(1, x.shape[1])
    if plain := weight is None and bias is None:
        affine = x[:0]
    else:
        affine = np.empty((2, x.shape[1]), x.dtype)
        affine[0] = 1 if weight is None else weight
        affine[1] = 0 if bias is None else bias

    def normalize(block: Pair) -> None:
        part = slice(*block)
        rows, out = x[part], y[part]
        center = np.divide(row_sums(rows), features, out=mean[part])
        square = center * center
        variance = row_dots(rows, rows) / x.dtype.type(features) - square
        if not np.logical_and.reduce(square <= FAR**2 * variance, axis=None):
            return layer_norm_careful(rows, weight, bias, eps, (out, center, invstd[part]))
        scale = np.reciprocal(np.sqrt(variance + x.dtype.type(eps)), out=invstd[part])
        if plain:
            stretched(np.multiply, rows, scale, out=out)
            stretched(np.subtract, out, center * scale, out=out)
        else:
            np.multiply(rows, outer(scale, affine[0], out), out=out)
            left = np.empty((len(rows), 2), x.dtype)
            np.multiply(center, -scale, out=left[:, :1])
            left[:, 1] = 1
            with scratch(out.shape, x.dtype) as shift:
                out += np.matmul(left, affine, out=shift)
        return None

    run_blocks(normalize, cache_blocks(x), x.size / 1200)
    return y, mean, invstd


def layer_norm_careful(
    x: Array, weight: Array | None, bias: Array | None, eps: float, out: tuple[Array, Array, Array]
) -> None:
    """The formulas of `layer_norm` one after the other, written to `out`: centred first, for means of any size."""
    y, mean, invstd = out
    np.subtract(x, mean, out=y)
    variance = row_dots(y, y) / x.dtype.type(x.shape[1])
    center_again(x, y, mean, variance)
    np.reciprocal(np.sqrt(variance + x.dtype.type(eps)), out=invstd)
    y *= invstd
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias


def layer_norm_backward(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...]
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of `layer_norm` for (x, weight, bias); None for those that `needs` does not ask for."""
    if norm_rows.is_few(x):
        return norm_rows.gradients(grad, x, mean, invstd, weight, needs)
    gx = empty_like(x)
    blocks = cache_blocks(x)
    # one row for each block, added up at the end in the same order whatever thread was first
    grad_weight, grad_bias = np.zeros((2, len(blocks), x.shape[1]), x.dtype)

    def backward(number: int) -> None:
        part = slice(*blocks[number])
        arrays = grad[part], x[part], mean[part], invstd[part], weight
        near = np.maximum.reduce(np.abs(mean[part] * invstd[part]), axis=None) <= FAR
        gradients = _backward if near else layer_norm_backward_careful
        gradients(*arrays, needs, (gx[part], grad_weight[number], grad_bias[number]))

    run_blocks(backward, range(len(blocks)), x.size / 900)
    return (
        gx if needs[0] else None,
        np.add.reduce(grad_weight) if needs[1] else None,
        np.add.reduce(grad_bias) if needs[2] else None,
    )


def _backward(
    g: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...],
    out: tuple[Array, Array, Array],
) -> None:  # fmt: skip
    """As `layer_norm_backward_careful`, in few passes: x is centred last, so its mean must not be large."""
    gx, grad_weight, grad_bias = out
    products = np.multiply(g, x, out=gx)
    if needs[1] or needs[2]:
        left = np.empty((2, len(x)), x.dtype)
        np.multiply(mean[:, 0], invstd[:, 0], out=left[0])
        left[1] = 1
        sums = left @ g
        np.subtract(invstd[:, 0] @ products, sums[0], out=grad_weight)
        grad_bias[...] = sums[1]
    if needs[0]:
        average = _average(weight, x)
        mean_g = g @ average
        mean_g_xhat = (products @ average - mean * mean_g) * invstd
        of_x = -(invstd**2) * mean_g_xhat
        if weight is None:
            stretched(np.multiply, g, invstd, out=gx)
        else:
            np.multiply(g, outer(invstd, weight, gx), out=gx)
        with scratch(g.shape, x.dtype) as spare:
            gx += stretched(np.multiply, x, of_x, out=spare)
        stretched(np.subtract, gx, invstd * mean_g + of_x * mean, out=gx)


def layer_norm_backward_careful(
    g: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...],
    out: tuple[Array, Array, Array],
) -> None:  # fmt: skip
    """The formulas of the backward one after the other, written to `out` (gx, and the sums of a block of rows)."""
    gx, grad_weight, grad_bias = out
    average = _average(weight, x)
    with scratch(g.shape, x.dtype) as xhat:
        np.subtract(x, mean, out=xhat)
        xhat *= invstd
        np.multiply(g, xhat, out=gx)
        if needs[1]:
            np.sum(gx, 0, out=grad_weight)
        if needs[2]:
            np.sum(g, 0, out=grad_bias)
        if needs[0]:
            xhat *= gx @ average
            xhat += g @ average
            np.subtract(g if weight is None else np.multiply(g, weight, out=gx), xhat, out=gx)
            gx *= invstd


def _average(weight: Array | None, x: Array) -> Array:
    """What makes a matrix product of x (R, F) the mean of weight · x over each row, (F, 1)."""
    return (ones(x.shape[1], x.dtype) if weight is None else weight)[:, None] / x.dtype.type(max(1, x.shape[1]))


def outer(column: Array, row: Array, out: Array) -> Array:
    """out[i, j] = column[i] * row[j], by BLAS; `column` is (R, 1)."""
    # NumPy hands no product over a single number to BLAS, so there is a second one, of zeros
    left, right = np.zeros((len(column), 2), out.dtype), np.zeros((2, len(row)), out.dtype)
    left[:, :1], right[0] = column, row
    return np.matmul(left, right, out=out)
