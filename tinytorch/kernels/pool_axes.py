"""Max pooling one axis after the other, on long contiguous runs.

(After: `windows`. Next: `pool`, which calls these where they are faster.)

The largest value of a KH x KW window is the largest of its KH rows' largest values. So a first stage takes the
maximum over KW neighbours in every row, a second one over KH rows: KH + KW comparisons in place of KH * KW. The winner
goes along: a stage knows which of its taps won, and with that tap came the winner of the stage before. Ties stay right:
inside a row the first of equal values wins, and so does the first of equal rows.

With a stride s, neighbouring windows look at every s-th pixel. NumPy takes longer to step from pixel to pixel than for
the numbers in it when the batch is small, so the pixels are first laid out by their remainder modulo s. Then each tap
of all windows is one contiguous run; padding is put around at the same time.

Measured by ``python tests/benchmarks/bench_kernels.py --only "max pool" --threads 1`` on a quiet machine: windows of
3x3 with stride 2 on four images of 64x56x56 take 1.9 ms (11.9 tap by tap), and 1.6 for the gradient (5.3).
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from tinytorch.kernels.layout import Array, copy_pixels, scratch
from tinytorch.kernels.masks import keep, select
from tinytorch.kernels.windows import tap, window_spans

Sizes = tuple[int, ...]
LONG = 64
"""A batch of so many images makes a pixel long enough to step over."""


def pool_by_axes(
    x: Array, y: Array, winner: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> bool:
    """y = the maximum over the windows of x (C, ..., N), `winner` = its tap, counted row by row.

    False when NaN took part, or when a maximum is the lowest number there is, which stands in the padding as
    well: then the winners are not to be trusted.
    """
    integer = np.issubdtype(x.dtype, np.integer)
    lowest = np.iinfo(x.dtype).min if integer else -np.inf
    out = y.shape[1:-1]
    spans = window_spans(out, stride, kernel, dilation)
    with ExitStack() as stack:
        overhang = any(p or span > n for p, span, n in zip(padding, spans, x.shape[1:-1], strict=True))
        if overhang or (stride[-1] > 1 and x.shape[-1] < LONG):
            values = _by_remainder(stack, x, spans, padding, stride[-1], lowest)
        else:
            values = [x[(slice(None), *map(slice, spans))]]
        winners: Array | None = None
        inner = 1
        for axis in reversed(range(len(out))):
            last = axis == 0
            shape = (x.shape[0], *spans[:axis], *out[axis:], x.shape[-1])
            best = y if last else stack.enter_context(scratch(shape, x.dtype))
            won = winner if last else stack.enter_context(scratch(shape, winner.dtype))
            window = kernel[axis], stride[axis], dilation[axis], out[axis]
            taps = _taps(values, axis + 1, *window)
            _compare(taps, None if winners is None else _taps([winners], axis + 1, *window), inner, best, won)
            values, winners, inner = [best], won, inner * kernel[axis]
    return (integer or not np.isnan(np.max(y))) and (not overhang or bool(np.min(y) > lowest))


def _by_remainder(
    stack: ExitStack, x: Array, spans: list[int], padding: Sizes, stride: int, fill: float
) -> list[Array]:
    """For each remainder r modulo `stride`: the columns r, r + stride, ... of the padded image."""
    pieces = []
    places = [tap(-p, 1, span, n) for p, span, n in zip(padding, spans, x.shape[1:-1], strict=True)]
    rows_to, rows_from = (tuple(place[i] for place in places[:-1]) for i in (0, 1))
    for remainder in range(min(stride, spans[-1])):
        columns = len(range(remainder, spans[-1], stride))
        piece = stack.enter_context(scratch((x.shape[0], *spans[:-1], columns, x.shape[-1]), x.dtype))
        piece.fill(fill)
        to, source = tap(remainder - padding[-1], stride, columns, x.shape[-2])
        copy_pixels(piece[(slice(None), *rows_to, to)], x[(slice(None), *rows_from, source)])
        pieces.append(piece)
    return pieces


def _taps(pieces: list[Array], axis: int, kernel: int, stride: int, dilation: int, out: int) -> list[Array]:
    """For each tap of the window along `axis`, what all outputs see through it; `pieces` as of `_by_remainder`."""
    step = stride // len(pieces) if len(pieces) > 1 else stride
    before = (slice(None),) * axis
    seen = []
    for k in range(kernel):
        start, piece = divmod(k * dilation, stride) if len(pieces) > 1 else (k * dilation, 0)
        seen.append(pieces[piece][(*before, slice(start, start + (out - 1) * step + 1, step))])
    return seen


def _compare(taps: list[Array], winners: list[Array] | None, inner: int, best: Array, winner: Array) -> None:
    """best = the maximum of all taps; winner = the number of the first tap that has it, times `inner`, plus its own
    winner. A challenger must be strictly larger, so that ties stay with the earlier tap."""
    if len(taps) == 1:
        best[...], winner[...] = taps[0], 0 if winners is None else winners[0]
        return
    with scratch(best.shape, np.dtype(np.bool_)) as wins, scratch(best.shape, winner.dtype) as candidate:
        champion, champions = taps[0], None if winners is None else winners[0]
        for k, challenger in enumerate(taps[1:], 1):
            np.greater(challenger, champion, out=wins)
            np.maximum(champion, challenger, out=best)
            if winners is None or champions is None:  # the last challenger that wins has the largest number
                np.multiply(wins, winner.dtype.type(k), out=candidate)
                np.maximum(candidate, winner if k > 1 else 0, out=winner)
            else:
                np.add(winners[k], winner.dtype.type(k * inner), out=candidate)
                select(wins, candidate, champions, out=winner)
                champions = winner
            champion = best


def scatter_by_remainder(
    grad: Array, winner: Array, target: Array, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> None:
    """target (C, ..., N) = each gradient at its winning place, added up where windows overlap.

    The sums are made with the padding around and the columns apart by their remainder, where every tap of all
    windows is a long run, and copied to their places in the end.
    """
    out = grad.shape[1:-1]
    spans = window_spans(out, stride, kernel, dilation)
    spans = [max(span, p + n) for span, p, n in zip(spans, padding, target.shape[1:-1], strict=True)]
    shape = (len(target), *spans[:-1], -(-spans[-1] // stride[-1]), target.shape[-1])
    with ExitStack() as stack:
        sums = [stack.enter_context(scratch(shape, grad.dtype)) for _ in range(min(stride[-1], spans[-1]))]
        for piece in sums:
            piece.fill(0)
        mine, kept = (stack.enter_context(scratch(grad.shape, dt)) for dt in (np.dtype(np.bool_), grad.dtype))
        for number, tap_ in enumerate(np.ndindex(kernel)):
            start, remainder = divmod(tap_[-1] * dilation[-1], stride[-1])
            rows = (
                slice(k * d, k * d + (o - 1) * s + 1, s)
                for k, d, o, s in zip(tap_[:-1], dilation, out, stride, strict=False)
            )
            part = sums[remainder][(slice(None), *rows, slice(start, start + out[-1]))]
            part += keep(grad, np.equal(winner, number, out=mine), out=kept)
        inside = tuple(slice(p, p + n) for p, n in zip(padding[:-1], target.shape[1:-2], strict=False))
        for column in range(min(stride[-1], target.shape[-2])):
            first, remainder = divmod(column + padding[-1], stride[-1])
            to = target[..., column :: stride[-1], :]
            copy_pixels(to, sums[remainder][(slice(None), *inside, slice(first, first + to.shape[-2]))])
