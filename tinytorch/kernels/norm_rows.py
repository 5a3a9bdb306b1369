"""Layer normalization of a small array, the activations of a small batch say: in few calls of NumPy.

(After: `layer_norm`.)

`layer_norm` is made for arrays that fill caches; its two dozen calls take 30 microseconds before any arithmetic. Here
the formulas stand one after the other, for all rows at once: in single precision, as in `norm_matrix`, with sums by
BLAS. Each row is centred before its variance is taken, so a mean may be `NEAR` standard deviations away from 0; if one
is farther, the result is None, and `norm_small` or the kernel for large arrays does it.

    xhat = (x - mean) * invstd        y = weight * xhat + bias
    gx = invstd * (g - mean(g) - xhat * mean(g * xhat)),     g = grad * weight

Forward and backward of 32 x 64 take 26 microseconds, 49 by `norm_small`; of 256 x 128, 105 and 118 by `layer_norm`
(processor time on one thread, both in turn).

Shapes: x, grad (R, F); weight, bias (F,); mean, invstd (R, 1).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.layout import Array
from tinytorch.kernels.sums import ones

FEW = 1 << 15
"""Numbers."""
NEAR = 16.0
"""Standard deviations between 0 and a mean that cost no more than four bits."""


def is_few(x: Array) -> bool:
    """Whether the functions here are for `x`."""
    return 0 < x.size <= FEW and x.flags.c_contiguous and x.dtype.char in "fd"


def normalize(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array] | None:
    """As `layer_norm.layer_norm`; None if a row's mean is too far away."""
    hold_blas()
    count = x.shape[1]
    one = ones(count, x.dtype)
    mean = x.dot(one)[:, None]
    mean /= count
    y = x - mean
    var = (y * y).dot(one)[:, None]
    var /= count
    if np.count_nonzero(mean * mean <= var * NEAR**2) < len(x):
        return None
    var += eps
    invstd = np.reciprocal(np.sqrt(var, out=var), out=var)
    y *= invstd
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y, mean, invstd


def gradients(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...]
) -> tuple[Array | None, Array | None, Array | None]:
    """As `layer_norm.layer_norm_backward`."""
    hold_blas()
    each, count = ones(len(x), x.dtype), x.shape[1]
    xhat = x - mean
    xhat *= invstd
    product = grad * xhat
    of_weight, of_bias = each.dot(product) if needs[1] else None, each.dot(grad) if needs[2] else None
    if not needs[0]:
        return None, of_weight, of_bias
    average = (ones(count, x.dtype) if weight is None else weight)[:, None] / count
    mean_g, mean_g_xhat = grad.dot(average), product.dot(average)
    xhat *= mean_g_xhat
    gx = np.subtract(grad if weight is None else np.multiply(grad, weight, out=product), xhat, out=xhat)
    gx -= mean_g
    gx *= invstd
    return gx, of_weight, of_bias
