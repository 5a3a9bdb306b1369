"""Group normalization: each sample's groups of channels to mean 0 and variance 1, with a weight for each channel.

(After: `layer_norm`.)

The formulas are those of `norm`. A group is one run of memory, whose mean and variance are two products (`sums`). A
channel of a sample is a shorter run, and to it everything else is one number after the other:

    y  = (x - mean) * scale + bias                           scale = weight * invstd
    gx = grad * scale + (x - mean) * of_centered + constant

    of_centered = -invstd^3 * sum(weight * grad * (x - mean)) / M,       constant = -invstd * sum(weight * grad) / M

with sums over the M numbers of the group, made of sums over each channel, which give weight and bias their gradients,
too. A few samples at a time, so that all passes but the first find their data in the cache.

Forward and backward of 16 x 16 x 32 x 32 in 8 groups with weights take 0.4 ms on one thread, where a layer
normalization, a product and a sum took 0.83 (PyTorch: 0.2).

Shapes: x, y, grad (N, C, ...); weight, bias (C,); mean, invstd (N, G, 1).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels import norm_groups, norm_small
from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.loops import stretched
from tinytorch.kernels.memory import empty
from tinytorch.kernels.norm import center_again
from tinytorch.kernels.pieces import cache_blocks
from tinytorch.kernels.sums import row_dots, row_sums
from tinytorch.kernels.threads import run_blocks


def group_norm(
    x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float
) -> tuple[Array, Array, Array]:
    """Normalize the groups of `x`: (y, mean, invstd)."""
    n, c = x.shape[:2]
    if norm_groups.is_short(x) and (found := norm_groups.normalize(x, weight, bias, groups, eps)) is not None:
        return found
    if norm_small.is_small(x):
        apart = (n, groups, c // groups, -1)
        wide = [None if values is None else values.reshape(groups, -1, 1) for values in (weight, bias)]
        y, mean, _, invstd = norm_small.normalize(x.reshape(apart), wide[0], wide[1], eps, (2, 3))
        return y.reshape(x.shape), mean.reshape(n, groups, 1), invstd.reshape(n, groups, 1)
    by_group = np.ascontiguousarray(x).reshape(n, groups, -1)
    y = empty(x.shape, x.dtype)
    y_by_group = y.reshape(by_group.shape)
    mean, invstd = np.empty((2, n, groups, 1), x.dtype)
    count = by_group.shape[2]

    def normalize(block: Pair) -> None:
        part = slice(*block)
        rows, out = (a[part].reshape(-1, count) for a in (by_group, y_by_group))
        center, scale = mean[part].reshape(-1, 1), invstd[part].reshape(-1, 1)
        np.divide(row_sums(rows), count, out=center)
        stretched(np.subtract, rows, center, out)
        variance = row_dots(out, out) / x.dtype.type(count)
        center_again(rows, out, center, variance)
        np.reciprocal(np.sqrt(variance + x.dtype.type(eps)), out=scale)
        if weight is not None:
            out = out.reshape(-1, count * groups // c)
        stretched(np.multiply, out, scale if weight is None else _per_channel(invstd[part], weight), out)
        if bias is not None:
            out = out.reshape(-1, count * groups // c)
            stretched(np.add, out, np.tile(bias, block[1] - block[0])[:, None], out)

    run_blocks(normalize, cache_blocks(by_group), x.size / 1500)
    return y, mean, invstd


def group_norm_backward(
    grad: Array, x: Array, mean: Array, invstd: Array, weight: Array | None, needs: tuple[bool, ...]
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of `group_norm` for (x, weight, bias); None for those that `needs` does not ask for."""
    n, c = x.shape[:2]
    groups = mean.shape[1]
    if norm_groups.is_short(x) and (found := norm_groups.gradients(grad, x, mean, invstd, weight, needs)) is not None:
        return found
    if norm_small.is_small(x):
        apart, wide = (n, groups, c // groups, -1), None if weight is None else weight.reshape(groups, -1, 1)
        statistics = mean[..., None], invstd[..., None]
        gx, *others = norm_small.gradients(
            grad.reshape(apart), x.reshape(apart), *statistics, wide, needs, (2, 3), (0, 3)
        )
        of_weight, of_bias = (None if values is None else values.reshape(c) for values in others)
        return None if gx is None else gx.reshape(x.shape), of_weight, of_bias
    x_rows, g_rows = (np.ascontiguousarray(a).reshape(n, c, -1) for a in (x, grad))
    gx = empty(x.shape, x.dtype)
    gx_rows = gx.reshape(x_rows.shape)
    pixels = x_rows.shape[2]
    count = pixels * c // groups
    sum_g, sum_gc = np.empty((2, n, c), x.dtype)  # of grad, and of grad · (x - mean), for each channel of each sample
    factor = np.ones(c, x.dtype) if weight is None else weight

    def backward(block: Pair) -> None:
        part = slice(*block)
        rows, g, out = (a[part].reshape(-1, pixels) for a in (x_rows, g_rows, gx_rows))
        inverse = invstd[part]
        with scratch(rows.shape, x.dtype) as centred:
            stretched(np.subtract, rows, np.repeat(mean[part], c // groups, axis=1).reshape(-1, 1), centred)
            sum_g[part] = row_sums(g).reshape(-1, c)
            sum_gc[part] = row_dots(g, centred).reshape(-1, c)
            in_group = [(sums[part] * factor).reshape(len(inverse), groups, -1).sum(2, keepdims=True)
                        for sums in (sum_g, sum_gc)]  # fmt: skip
            constant, of_centered = -inverse / count * in_group[0], -(inverse**3) / count * in_group[1]
            stretched(np.multiply, g, _per_channel(inverse, factor), out)
            stretched(np.multiply, centred, np.repeat(of_centered, c // groups, axis=1).reshape(-1, 1), centred)
            out += centred
        stretched(np.add, out, np.repeat(constant, c // groups, axis=1).reshape(-1, 1), out)

    run_blocks(backward, cache_blocks(x_rows), x.size / 900)
    of_weight = sum_gc * np.repeat(invstd[:, :, 0], c // groups, axis=1)
    return gx if needs[0] else None, of_weight.sum(0) if needs[1] else None, sum_g.sum(0) if needs[2] else None


def _per_channel(invstd: Array, weight: Array) -> Array:
    """invstd (n, G, 1) times weight (C,), for each channel of each sample: (n * C, 1)."""
    return (invstd * weight.reshape(invstd.shape[1], -1)).reshape(-1, 1)
