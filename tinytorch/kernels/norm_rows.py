"""Layer and group normalization of a small array, the activations of a small batch say: in few calls of NumPy.

(After: `group_norm`.)

`layer_norm` and `group_norm` are made for arrays that fill caches; their two dozen calls take 30 microseconds before
any arithmetic. Here the formulas stand one after the other, for all rows at once: in single precision, as in
`norm_matrix`, with sums by BLAS. Each row is centred before its variance is taken, so a mean may be `NEAR` standard
deviations away from 0; if one is farther, the result is None, and `norm_small` or the kernels for large arrays do it.

    xhat = (x - mean) * invstd        y = weight * xhat + bias
    gx = invstd * (g - mean(g) - xhat * mean(g * xhat)),     g = grad * weight

Forward and backward of 32 x 64 take 26 microseconds, 49 by `norm_small`; of 256 x 128, 105 and 118 by `layer_norm`
(processor time on one thread, both in turn).

Shapes: a layer's x, grad (R, F), weight, bias (F,); a group's x, grad (N, C, ...), weight, bias (C,); mean, invstd
(R, 1), of groups R = N · groups.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.layout import Array
from tinytorch.kernels.sums import ones

FEW = 1 << 15
"""Numbers."""
NEAR = 16.0
"""Standard deviations between 0 and a mean that cost no more than four bits."""

Gradients = tuple[Array | None, Array | None, Array | None]
Needs = tuple[bool, ...]


def is_few(x: Array) -> bool:
    """Whether the functions here are for `x`."""
    return 0 < x.size <= FEW and x.flags.c_contiguous and x.dtype.char in "fd"


def normalize(rows: Array, eps: float) -> tuple[Array, Array, Array] | None:
    """(xhat, mean, invstd) of each row; None if a mean is too far away."""
    hold_blas()
    one, count = ones(rows.shape[1], rows.dtype), rows.shape[1]
    mean = rows.dot(one)[:, None]
    mean /= count
    xhat = rows - mean
    var = (xhat * xhat).dot(one)[:, None]
    var /= count
    if np.count_nonzero(mean * mean <= var * NEAR**2) < len(rows):
        return None
    var += eps
    invstd = np.reciprocal(np.sqrt(var, out=var), out=var)
    xhat *= invstd
    return xhat, mean, invstd


def _project(g: Array, xhat: Array, invstd: Array, mean_g: Array, mean_g_xhat: Array) -> Array:
    """invstd * (g - mean_g - xhat * mean_g_xhat), written over `xhat`."""
    xhat *= mean_g_xhat
    np.subtract(g, xhat, out=xhat)
    xhat -= mean_g
    xhat *= invstd
    return xhat


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array] | None:
    """As `layer_norm.layer_norm`; None if a row's mean is too far away."""
    found = normalize(x, eps)
    if found is not None:
        y = found[0]
        if weight is not None:
            y *= weight
        if bias is not None:
            y += bias
    return found


def layer_norm_backward(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: Needs
) -> Gradients:
    """As `layer_norm.layer_norm_backward`."""
    hold_blas()
    each, count = ones(len(x), x.dtype), x.shape[1]
    xhat = x - mean
    xhat *= invstd
    product = grad * xhat
    gradients = each.dot(product) if needs[1] else None, each.dot(grad) if needs[2] else None
    if not needs[0]:
        return None, *gradients
    average = (ones(count, x.dtype) if weight is None else weight)[:, None] / count
    means = grad.dot(average), product.dot(average)
    g = grad if weight is None else np.multiply(grad, weight, out=product)
    return _project(g, xhat, invstd, *means), *gradients


def group_norm(
    x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float
) -> tuple[Array, Array, Array] | None:
    """As `group_norm.group_norm`, with mean and invstd in rows; None if a group's mean is too far away."""
    n, c = x.shape[:2]
    found = normalize(x.reshape(n * groups, -1), eps)
    if found is None:
        return None
    y = found[0].reshape(n, c, -1)
    if weight is not None:
        y *= weight[:, None]
    if bias is not None:
        y += bias[:, None]
    return y.reshape(x.shape), found[1], found[2]


def group_norm_backward(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: Needs
) -> Gradients:
    """As `group_norm.group_norm_backward`, with mean and invstd in rows."""
    hold_blas()
    n, c, *sizes = x.shape
    rows, pixels = x.reshape(mean.shape[0], -1), math.prod(sizes)
    xhat = rows - mean
    xhat *= invstd
    g = np.ascontiguousarray(grad).reshape(rows.shape)
    product = g * xhat
    one = ones(pixels, x.dtype)
    sums = [values.reshape(n * c, pixels).dot(one).reshape(n, c) for values in (g, product)]
    of_bias, of_weight = (np.add.reduce(values) for values in sums)
    gx = None
    if needs[0]:
        if weight is not None:
            per_channel = product.reshape(n, c, pixels)
            np.multiply(g.reshape(n, c, pixels), weight[:, None], out=per_channel)
            g, sums = product, [values * weight for values in sums]
        means = [np.add.reduce(v.reshape(len(rows), -1), axis=1, keepdims=True) / rows.shape[1] for v in sums]
        gx = _project(g, xhat, invstd, *means).reshape(x.shape)
    return gx, of_weight if needs[1] else None, of_bias if needs[2] else None
