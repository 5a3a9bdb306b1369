"""Chapter 15, part 2. Batch normalization: every channel to mean 0 and variance 1, over the batch and all pixels.

After: tinytorch/ops/norm.py
Next: examples/cnn_example.py

Goal: compute the formulas of the part before at the speed of the cache.

    mean = sum(x) / M        var = sum((x - mean)^2) / M        xhat = (x - mean) * invstd
    y = weight * xhat + bias,        invstd = 1 / sqrt(var + eps),     M = numbers per channel

The backward. The part before derived gx = invstd * (g - mean(g) - xhat * mean(g * xhat)) with g = weight * grad. The
code sorts it by what is multiplied; with xhat = (x - mean) * invstd written out, gx is

    scale * grad + of_centered * (x - mean) + constant,      scale = invstd * weight
    of_centered = -scale * invstd^2 * sum(grad * (x - mean)) / M,        constant = -scale * sum(grad) / M

The speed. Each formula is a handful of passes over the data, and from main memory every pass would cost as much
as all the arithmetic. So they run a few channels at a time, small enough that all passes but the first find their
data in a cache. The sums are done by BLAS in runs of 256 numbers, and the runs are added in double precision: as
fast as memory, and the rounding error does not grow with M. The fewest passes are

    var = mean(x^2) - mean^2        y = scale * x + (bias - scale * mean)

and what is lost in the difference does not matter while the mean is less than `FAR` standard deviations away from 0, as
it nearly always is behind a convolution. Channels that are farther away are centred first. Arrays whose channels are
scattered in memory have a file of their own, `norm_row_major`.

Shapes: x (N, C, ...) with any number of further dimensions; weight, bias, mean, var, invstd (C,).

What PyTorch does. The same numbers to rounding; sums of float32 are taken in double precision, there and here.

Pitfalls. var = mean(x²) - mean(x)² loses all digits when the mean is large beside the spread: centre first.

Exercises. Compute the variance of 10000, 10001, 10002 in float32 by that formula, and by the one above.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.kernels import norm_matrix, norm_small
from tinytorch.kernels import norm_row_major as row_major
from tinytorch.kernels.cache import channel_blocks
from tinytorch.kernels.channel_sums import channel_rows, exact_row_dots, exact_row_sums
from tinytorch.kernels.layout import Array, Pair, batch_first, scratch
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.norm_row_major import FAR
from tinytorch.kernels.threads import run_blocks

SMALL = 1 << 16
"""Numbers, for which one pass at a time over all of them is fast enough."""
ROUNDING = 64
"""Rounding errors of the mean; a standard deviation of fewer may be nothing else."""


def batch_norm_train(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array, Array]:
    """Normalize with the batch's own statistics: (y, mean, var, invstd).

    `var` is the biased variance (divided by M). A constant channel has variance exactly 0.
    """
    if norm_matrix.is_short(x) and (found := norm_matrix.train(x, weight, bias, eps)) is not None:
        return found
    if norm_small.is_small(x):
        axes = _all_but_channels(x)
        y, *statistics = norm_small.normalize(x, _stretched(x, weight), _stretched(x, bias), eps, axes)
        mean, var, invstd = (values.reshape(-1) for values in statistics)
        return y, mean, var, invstd
    if row_major.is_row_major(x) and (found := row_major.train(x, weight, bias, eps)) is not None:
        return found
    rows = channel_rows(x)
    y_rows = empty_like(rows)
    count = rows.shape[1]
    mean, var, invstd = (np.empty(rows.shape[0], x.dtype) for _ in range(3))

    def normalize(block: Pair) -> None:
        part = slice(*block)
        source, y = rows[part], y_rows[part]
        exact_mean = exact_row_sums(source) / count
        variance = exact_row_dots(source, source) / count - exact_mean**2
        center: Any = 0.0
        far = ~(exact_mean**2 <= FAR**2 * variance)  # a NaN is far
        if far.any():
            source, center = _center(source, far, exact_mean, variance, y)
        scale = 1.0 / np.sqrt(variance + eps)
        mean[part], var[part], invstd[part] = exact_mean, variance, scale
        if weight is not None:
            scale = scale * weight[part]
        shift = (center - exact_mean) * scale
        if bias is not None:
            shift += bias[part]
        np.multiply(source, scale.astype(x.dtype)[:, None], out=y)
        y += shift.astype(x.dtype)[:, None]

    run_blocks(normalize, channel_blocks(rows), x.size / 2500)
    return _like(x, y_rows), mean, var, invstd


def _center(source: Array, far: Array, mean: Array, variance: Array, out: Array) -> tuple[Array, Array]:
    """The rows in `out`, those that are far less their rounded mean; and what was subtracted. Corrects the variance."""
    rounded = np.where(far, mean, 0.0).astype(source.dtype)
    np.subtract(source, rounded[:, None], out=out)
    center = rounded.astype(np.float64)
    rounding = ROUNDING * np.finfo(source.dtype).eps
    left = mean - center  # what rounding the mean left out
    exact = exact_row_dots(out, out) / out.shape[1] - left**2
    for row in np.flatnonzero(far):
        variance[row] = exact[row]
        if not variance[row] > (rounding * mean[row]) ** 2:  # it may be all rounding: around a number of the row itself
            mean[row], variance[row] = center_carefully(source[row], out[row])
            center[row] = mean[row]
    return out, center


def center_carefully(source: Array, y: Array) -> tuple[float, float]:
    """y = source - mean, and (mean, variance), by differences from the first number: no rounding when all are equal."""
    np.subtract(source, source[0], out=y)
    shift = y.mean(dtype=np.float64)
    y -= y.dtype.type(shift)
    return source[0] + shift, np.mean(np.square(y, dtype=np.float64))


def center_again(rows: Array, centered: Array, mean: Array, variance: Array) -> None:
    """Correct `centered` (R, n), `mean` and `variance` (R, 1) of rows whose spread is so small beside their mean that
    it may be all rounding."""
    rounding = rows.dtype.type(ROUNDING * np.finfo(rows.dtype).eps)
    for r in np.flatnonzero(variance <= (rounding * mean) ** 2):
        mean[r], variance[r] = center_carefully(rows[r], centered[r])


def batch_norm_backward(
    grad: Array,
    x: Array,
    mean: Array,
    invstd: Array,
    weight: Array | None,
    needs: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of `batch_norm_train` for (x, weight, bias); None for those that `needs` does not ask for."""
    if norm_matrix.is_short(x) and (found := norm_matrix.backward(grad, x, mean, invstd, weight, needs)) is not None:
        return found
    if norm_small.is_small(x):
        axes = _all_but_channels(x)
        wide = [_stretched(x, values) for values in (mean, invstd, weight)]
        return norm_small.gradients(grad, x, wide[0], wide[1], wide[2], needs, axes, axes)
    if row_major.is_row_major(x) and (found := row_major.backward(grad, x, mean, invstd, weight, needs)) is not None:
        return found
    rows, g_rows = channel_rows(x), channel_rows(grad)
    count = rows.shape[1]
    gx_rows = empty_like(rows)
    grad_weight, grad_bias = np.empty_like(mean), np.empty_like(mean)

    def backward(block: Pair) -> None:
        part = slice(*block)
        g, gx = g_rows[part], gx_rows[part]
        exact_mean, inverse = mean[part].astype(np.float64), invstd[part].astype(np.float64)
        source = rows[part]
        far = ~(np.abs(exact_mean * inverse) <= FAR)
        if far.any():
            source = np.subtract(source, np.where(far, mean[part], 0)[:, None], out=gx)
            exact_mean[far] = 0
        sum_g = exact_row_sums(g)
        sum_g_centered = exact_row_dots(g, source) - exact_mean * sum_g
        grad_weight[part] = sum_g_centered * inverse
        grad_bias[part] = sum_g
        if not needs[0]:
            return
        scale = inverse if weight is None else inverse * weight[part]
        of_centered = -scale * inverse**2 * sum_g_centered / count
        constant = -scale * sum_g / count - of_centered * exact_mean
        # gx = scale * g + of_centered * source + constant
        np.multiply(source, of_centered.astype(x.dtype)[:, None], out=gx)
        gx += constant.astype(x.dtype)[:, None]
        with scratch(g.shape, g.dtype) as scaled:
            gx += np.multiply(g, scale.astype(x.dtype)[:, None], out=scaled)

    run_blocks(backward, channel_blocks(rows), x.size / 1200)
    return (
        _like(x, gx_rows) if needs[0] else None,
        grad_weight if needs[1] else None,
        grad_bias if needs[2] else None,
    )


def batch_norm_eval(x: Array, mean: Array, invstd: Array, weight: Array | None, bias: Array | None) -> Array:
    """Normalize with given statistics (the running ones): y = (x - mean) * invstd * weight + bias."""
    scale = invstd if weight is None else invstd * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    if x.size < SMALL:  # a single image, say: the blocks below would take longer than the work
        small: Array = x * _stretched(x, scale)
        small += _stretched(x, shift)
        return small
    if row_major.is_row_major(x):
        return row_major.affine(x, scale, shift)
    rows = channel_rows(x)
    y_rows = empty_like(rows)

    def normalize(block: Pair) -> None:
        part = slice(*block)
        y = np.multiply(rows[part], scale[part, None], out=y_rows[part])
        y += shift[part, None]

    run_blocks(normalize, channel_blocks(rows), x.size / 3500)
    return _like(x, y_rows)


def batch_norm_eval_backward(
    grad: Array,
    x: Array,
    mean: Array,
    invstd: Array,
    weight: Array | None,
    needs: tuple[bool, bool, bool] = (True, True, True),
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of `batch_norm_eval` for (x, weight, bias): here mean and invstd are constants."""
    if row_major.is_row_major(x):
        return row_major.eval_backward(grad, x, mean, invstd, weight, needs)
    rows, g_rows = channel_rows(x), channel_rows(grad)
    gx_rows = empty_like(g_rows)
    scale = invstd if weight is None else invstd * weight
    grad_weight, grad_bias = np.empty_like(mean), np.empty_like(mean)

    def backward(block: Pair) -> None:
        part = slice(*block)
        g, gx = g_rows[part], gx_rows[part]
        if needs[1]:
            centered = np.subtract(rows[part], mean[part, None], out=gx)
            grad_weight[part] = exact_row_dots(g, centered) * invstd[part]
        if needs[2]:
            grad_bias[part] = exact_row_sums(g)
        if needs[0]:
            np.multiply(g, scale[part, None], out=gx)

    run_blocks(backward, channel_blocks(rows), x.size / 2000)
    return (
        _like(grad, gx_rows) if needs[0] else None,
        grad_weight if needs[1] else None,
        grad_bias if needs[2] else None,
    )


def _all_but_channels(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _stretched(x: Array, values: Array | None) -> Any:
    """Numbers per channel in a shape that broadcasts over `x`."""
    return None if values is None else values.reshape(-1, *[1] * (x.ndim - 2))


def _like(x: Array, rows: Array) -> Array:
    """Back from (C, M) to the shape of `x`."""
    return rows.T if x.ndim == 2 else batch_first(rows.reshape(*x.shape[1:], x.shape[0]))
