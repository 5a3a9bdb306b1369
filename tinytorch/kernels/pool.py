"""Chapter 14, part 2. Max pooling: the largest value of each window, and the memory of where it stood.

After: tinytorch/ops/pool.py
Next: tinytorch/ops/norm.py

Goal: find each window's largest value fast, and remember where it stood.

The forward keeps, next to the maximum y, the *winner*: which tap of the window it came from, counted row by row
(tap (i, j) of an image is i * KW + j; one byte is enough for windows up to 256). Everything else follows from the
winner without looking at x again:

- `max_pool_scatter` sends each gradient back to the winning place: the derivative of max pooling.
- `max_pool_gather` picks the winning places out of another array: the derivative of *that*, and so on in turn.
- `winner_to_indices` turns taps into PyTorch's flat indices h * W + w.

Ties go to the first of equal values in the window, row by row; NaN beats everything, and the last NaN wins, all as in
PyTorch. Windows may overlap, then several gradients meet in one place and add up.

Shapes: x (N, C, H, W), y and winner (N, C, H', W'), in C,H,W,N memory order; with one or three dimensions in place
of H, W the same code pools sequences and volumes.

What PyTorch does. It keeps the flat index of each winner in 8 bytes; here a byte, which :func:`winner_to_indices`
translates when asked.

Pitfalls. Comparing with the maximum to find the winner counts ties several times: the gradient is then too large.

Exercises. In the image [[1, 2], [2, 0]] with a 2x2 window, which tap wins? What would a comparison y == x send back?
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from tinytorch.kernels.cache import channel_blocks
from tinytorch.kernels.layout import Array, Pair, batch_last, contiguous_batch_last, empty_chwn, scratch
from tinytorch.kernels.masks import as_bits, keep, replace
from tinytorch.kernels.pool_axes import LONG, pool_by_axes, scatter_by_remainder
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import inside, pool_output_size, tap, window_spans

__all__ = [
    "max_pool",
    "max_pool_gather",
    "max_pool_scatter",
    "pool_output_size",
    "winner_to_indices",
]

Sizes = tuple[int, ...]


def max_pool(
    x: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, out_size: Sizes
) -> tuple[Array, Array]:
    """Maximum over windows: (y, winner). `out_size` is from `pool_output_size`."""
    n, c, *size = x.shape
    rows = contiguous_batch_last(x)
    y = empty_chwn((n, c, *out_size), x.dtype)
    winner = empty_chwn(y.shape, np.min_scalar_type(math.prod(kernel_size) - 1))
    y_rows, winner_rows = batch_last(y), batch_last(winner)
    plain = max(padding) == 0 and max(dilation) == 1
    tiles = kernel_size == stride == (2, 2) and 2 * out_size[0] <= size[0] and 2 * out_size[1] <= size[1]
    halves = plain and tiles and n >= LONG
    whole = plain and max(out_size) == 1 and kernel_size == tuple(size)

    def pool(block: Pair) -> None:
        part = slice(*block)
        args = rows[part], y_rows[part], winner_rows[part]
        if halves or whole:
            (_pool_2x2 if halves else _pool_whole)(*args)
            sure = np.issubdtype(x.dtype, np.integer) or not np.isnan(np.max(args[1]))
        else:
            sure = pool_by_axes(*args, kernel_size, stride, padding, dilation)
        if not sure:  # a NaN took part in a comparison, or -inf came out: the general way knows what to do
            _pool_any(*args, kernel_size, stride, padding, dilation)

    if y.size:
        run_blocks(pool, channel_blocks(rows), y.size * sum(kernel_size) / 1000)
    return y, winner


def lies_within(
    shape: Sizes, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, out_size: Sizes
) -> bool:
    """Whether no window hangs over the edge of an image, so that there is nothing to fill in."""
    spans = window_spans(out_size, stride, kernel_size, dilation)
    return max(padding) == 0 and all(span <= size for span, size in zip(spans, shape[2:], strict=True))


def max_values(x: Array, kernel_size: Sizes, stride: Sizes, dilation: Sizes, out_size: Sizes) -> Array:
    """`max_pool` without padding and without the winners, which only a gradient needs.

    Along one dimension after the other, the maximum of as many views as the kernel is long; NumPy's maximum keeps NaN.
    """
    best = x
    for axis, (k, s, d, out) in enumerate(zip(kernel_size, stride, dilation, out_size, strict=True), 2):
        before = (slice(None),) * axis
        taps = [best[(*before, slice(i * d, i * d + (out - 1) * s + 1, s))] for i in range(k)]
        best = np.maximum(taps[0], taps[-1])
        for middle in taps[1:-1]:
            np.maximum(best, middle, out=best)
    return best


def _pool_2x2(x: Array, y: Array, winner: Array) -> None:
    """Windows of 2x2 side by side, as a tournament: left against right, then the upper against the lower pair.

    A challenger must be strictly larger, so that ties stay with the earlier tap.
    """
    c, _, _, n = x.shape
    out_h, out_w = y.shape[1:3]
    pairs = x[:, : 2 * out_h, : 2 * out_w].reshape(c, 2 * out_h, out_w, 2, n)
    left, right = pairs[:, :, :, 0], pairs[:, :, :, 1]
    with scratch(left.shape, x.dtype) as best, scratch(left.shape, np.dtype(np.bool_)) as right_wins:
        np.greater(right, left, out=right_wins)
        np.maximum(left, right, out=best)
        upper, lower = best[:, ::2], best[:, 1::2]
        lower_wins = (lower > upper).view(np.uint8)
        np.maximum(upper, lower, out=y)
        # winner = 2 * lower_wins + (right_wins of the row that won), in byte arithmetic without branches
        of_upper, of_lower = right_wins.view(np.uint8)[:, ::2], right_wins.view(np.uint8)[:, 1::2]
        np.bitwise_xor(of_upper, of_lower, out=winner)
        winner &= lower_wins
        winner ^= of_upper
        lower_wins <<= 1
        winner |= lower_wins


def _pool_whole(x: Array, y: Array, winner: Array) -> None:
    """One window that covers the whole image."""
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    np.max(flat, axis=1, out=y.reshape(flat.shape[0], flat.shape[2]))
    winner.reshape(flat.shape[0], flat.shape[2])[...] = np.argmax(flat, axis=1)


def _pool_any(x: Array, y: Array, winner: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> None:
    """Any windows and numbers: tap by tap, for all outputs at once. The clear version of `pool_axes`."""
    floating = not np.issubdtype(x.dtype, np.integer)
    y[...] = -np.inf if floating else np.iinfo(x.dtype).min
    # a window of nothing but -inf reports its first tap that lies inside the image
    first = [_first_taps(*one) for one in zip(kernel, stride, padding, dilation, y.shape[1:-1], strict=True)]
    winner[...] = np.ravel_multi_index(np.ix_(*first), kernel)[..., None]
    for k, out, src in _taps(kernel, stride, padding, dilation, x.shape[1:-1], y.shape[1:-1]):
        value, best = x[src], y[out]
        wins = value > best
        if floating:
            wins |= np.isnan(value)
        np.maximum(best, value, out=best)  # NaN stays, as in `wins`
        replace(winner[out], wins, k)


def _first_taps(kernel: int, stride: int, padding: int, dilation: int, out: int) -> Array:
    """For each output the first tap that is not in the padding before the image."""
    return np.array([min(inside(o * stride - padding, dilation, kernel, 1 << 62)[0], kernel - 1) for o in range(out)])


def _taps(
    kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, size: Sizes, out: Sizes
) -> Iterator[tuple[int, tuple[slice, ...], tuple[slice, ...]]]:
    """Every tap, counted row by row, with the outputs that it serves and the inputs that they see."""
    along = [
        [tap(i * d - p, s, o, n) for i in range(k)]
        for k, s, p, d, n, o in zip(kernel, stride, padding, dilation, size, out, strict=True)
    ]
    for number, places in enumerate(itertools.product(*along)):
        served, seen = zip(*places, strict=True)
        yield number, (slice(None), *served), (slice(None), *seen)


def max_pool_scatter(
    grad: Array,
    winner: Array,
    input_shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Array:
    """Each gradient (N, C, H', W') to its winning place, added up where windows overlap: `input_shape`."""
    gx = empty_chwn(tuple(input_shape), grad.dtype)
    g, win, target = contiguous_batch_last(grad), contiguous_batch_last(winner), batch_last(gx)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    apart = all(s >= span for s, span in zip(stride, spans, strict=True))
    covered = all(o * k == size for o, k, size in zip(g.shape[1:-1], kernel_size, target.shape[1:-1], strict=True))
    tiled = kernel_size == stride and max(padding) == 0 and max(dilation) == 1 and covered  # every place is written
    taps = list(_taps(kernel_size, stride, padding, dilation, target.shape[1:-1], g.shape[1:-1]))
    by_remainder = stride[-1] > 1 and target.shape[-1] < LONG

    def scatter(block: Pair) -> None:
        part = slice(*block)
        here, gradient, won = target[part], g[part], win[part]
        if by_remainder:
            scatter_by_remainder(gradient, won, here, kernel_size, stride, padding, dilation)
            return
        if not tiled:
            here[...] = 0
        for k, out, src in taps:
            mine = won[out] == k
            if apart:  # no other window writes here
                keep(gradient[out], mine, out=here[src])
            else:
                with scratch(mine.shape, grad.dtype) as kept:
                    here[src] += keep(gradient[out], mine, out=kept)

    if gx.size:
        run_blocks(scatter, channel_blocks(target), g.size * len(taps) / 1300)
    return gx


def max_pool_gather(
    x: Array, winner: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Array:
    """Pick the winning places out of `x` (N, C, H, W): (N, C, H', W'). The derivative of `max_pool_scatter`."""
    y = empty_chwn(winner.shape, x.dtype)
    rows, win, target = contiguous_batch_last(x), contiguous_batch_last(winner), batch_last(y)
    taps = list(_taps(kernel_size, stride, padding, dilation, rows.shape[1:-1], target.shape[1:-1]))

    def gather(block: Pair) -> None:
        part = slice(*block)
        here, source, won = target[part], rows[part], win[part]
        here[...] = 0  # a window without any place inside the image has no winner
        for k, out, src in taps:
            with scratch(here[out].shape, x.dtype) as kept:  # one tap alone is not masked out, so `or` puts it in
                as_bits(here[out])[...] |= as_bits(keep(source[src], won[out] == k, out=kept))

    if y.size:
        run_blocks(gather, channel_blocks(rows), y.size * len(taps) / 3000)
    return y


def winner_to_indices(
    winner: Array, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, size: Sizes
) -> Array:
    """Flat places h * width + w in an input of `size`, int64, as `return_indices=True` gives in PyTorch."""
    taps = np.unravel_index(winner.astype(np.int64), kernel_size)
    starts = np.ix_(*(np.arange(o) * s - p for o, s, p in zip(winner.shape[2:], stride, padding, strict=True)))
    places = np.zeros((), np.int64)
    for start, tap_number, d, n in zip(starts, taps, dilation, size, strict=True):
        places = np.asarray(places * n + start + tap_number * d)
    return places
