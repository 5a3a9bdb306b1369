"""Depthwise convolution of sequences: a band matrix for sixteen outputs, and all windows of a line as its other factor.

(After: `conv_few`. Next: `conv`.)

A sequence is an image one row high, so the bands of `conv_bands`, which work on several rows at once, have nothing to
work on. But sixteen neighbouring outputs see 16 + (K - 1) * dilation numbers, and are their product with a matrix that
has the kernel in each column, one place further down than in the column before::

                             [ w0   .   . ]
                             [ w1  w0   . ]
    [ x0  x1  x2  x3  x4 ]   [ w2  w1  w0 ]   =   [ y0  y1  y2 ]          K = 3, three outputs
                             [  .  w2  w1 ]
                             [  .   .  w2 ]

The windows of a line overlap by K - 1 numbers, so they are copied; they are the rows of one product for each channel.
The gradient for the input is the same with the kernel turned around. With its windows of the output's gradient goes the
one for the weight: input blocksᵀ @ windows is a matrix of that shape, and each weight's gradient the sum along its
diagonal.

Measured by ``python -m tests.benchmarks --only "conv1d depthwise" --no-processes``, forward and both gradients on one
thread, milliseconds, in brackets without this file::

    144 channels, 31 taps, 8 sequences of 300          2.7    (9.5)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinytorch.kernels.conv_rows import copy_rows
from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.memory import empty
from tinytorch.kernels.pieces import ceil_div, even_parts
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import tap

BLOCK = 16
"""Outputs of one matrix: as many as a vector register holds."""
MANY = 512
"""Outputs in a line, for which this is faster even with three or four taps."""
CHUNK_BYTES = 1 << 21
"""Windows that are copied together: few enough for a cache."""


def line_pays(images: Array, weight_shape: tuple[int, ...], how: tuple[Any, ...]) -> bool:
    """Whether this is the fastest way for `images` (N, C, 1, L), those that are convolved or what comes out.

    For one channel in each group and stride 1; ``how`` is (stride, padding, dilation, groups). Far apart, taps leave
    most of a window unseen; a few taps of a short line are soon shifted one by one.
    """
    stride, padding, dilation, groups = how
    depthwise = weight_shape[0] == groups == images.shape[1] > 1 and weight_shape[1] == weight_shape[2] == 1
    line = images.shape[2] == 1 and padding[0] == 0 and stride == (1, 1) and dilation[1] <= 4
    length, taps = images.shape[3], weight_shape[3]
    worth = length >= BLOCK and (taps >= 5 or (taps > 1 and length >= MANY)) and len(images) > 0
    return depthwise and line and worth and images.dtype.kind == "f"


def convolve(x: Array, weight: Array, bias: Array | None, outputs: int, padding: int, dilation: int) -> Array | None:
    """x (N, C, 1, L), weight (C, 1, 1, K) -> y (N, C, 1, outputs); None if it is not finite."""
    y = empty((*x.shape[:2], outputs), x.dtype)
    multiply = _multiplication(weight[:, 0, 0], bias, y, dilation)
    return y[:, :, None] if _run(x[:, :, 0], outputs, -padding, weight.shape[3], dilation, multiply) else None


def input_gradient(
    grad: Array, weight: Array, bias: Array | None, inputs: int, padding: int, dilation: int
) -> Array | None:
    """The gradient for the input (N, C, 1, inputs); None if it is not finite."""
    taps = weight.shape[3]
    gx = empty((*grad.shape[:2], inputs), grad.dtype)
    multiply = _multiplication(weight[:, 0, 0, ::-1], bias, gx, dilation)
    finite = _run(grad[:, :, 0], inputs, padding - (taps - 1) * dilation, taps, dilation, multiply)
    return gx[:, :, None] if finite else None


def weight_gradient(x: Array, grad: Array, taps: int, padding: int, dilation: int) -> Array | None:
    """The gradient for the weight, (C, 1, 1, taps); None if it is not finite."""
    gw = np.empty((x.shape[1], taps), grad.dtype)
    pair = _pairing(grad[:, :, 0], gw, dilation)
    _run(x[:, :, 0], grad.shape[3], -padding, taps, dilation, pair)
    return gw[:, None, None] if np.isfinite(gw).all() else None  # windows go beyond the line: 0 * infinity = NaN


def both_gradients(x: Array, grad: Array, weight: Array, padding: int, dilation: int) -> tuple[Array, Array] | None:
    """`input_gradient` and `weight_gradient` with the same windows; None if one is not finite."""
    (n, channels, _, inputs), taps = x.shape, weight.shape[3]
    gx, turned = empty((n, channels, inputs), grad.dtype), np.empty((channels, taps), grad.dtype)
    multiply = _multiplication(weight[:, 0, 0, ::-1], None, gx, dilation)
    pair = _pairing(x[:, :, 0], turned, dilation)

    def work(windows: Array, chunk: slice) -> bool:
        pair(windows, chunk)
        return multiply(windows, chunk)

    finite = _run(grad[:, :, 0], inputs, padding - (taps - 1) * dilation, taps, dilation, work)
    if not finite or not np.isfinite(turned).all():
        return None
    return gx[:, :, None], np.ascontiguousarray(turned[:, ::-1])[:, None, None]


def _run(x: Array, outputs: int, first: int, taps: int, dilation: int, work: Callable[[Array, slice], bool]) -> bool:
    """Call ``work(windows, channels)`` for all channels of x (N, C, L), in pieces; whether each said True.

    Output o sees through tap k the place o + first + k * dilation.
    """
    n, channels, _ = x.shape
    span = (taps - 1) * dilation
    numbers = n * channels * ceil_div(outputs, BLOCK) * (BLOCK + span)
    count = ceil_div(numbers * x.itemsize, CHUNK_BYTES)
    finite: list[bool] = []

    def run(piece: Pair) -> None:
        chunk = slice(*piece)
        with _windows(x[:, chunk].swapaxes(0, 1), outputs, first, span) as windows:
            finite.append(work(windows, chunk))

    run_blocks(run, even_parts(channels, count + count % 2), numbers * 0.7e-3)
    return all(finite)


@contextmanager
def _windows(x: Array, outputs: int, first: int, span: int) -> Iterator[Array]:
    """Lend what each block of outputs sees of x (C, N, L): (C, N, blocks, BLOCK + span), zeros beyond the line."""
    blocks = ceil_div(outputs, BLOCK)
    shape, length = (*x.shape[:2], blocks, BLOCK + span), blocks * BLOCK + span
    with scratch((*x.shape[:2], length), x.dtype) as line, scratch(shape, x.dtype) as windows:
        to, seen = tap(first, 1, length, x.shape[2])
        line[..., : to.start] = 0
        line[..., to.stop :] = 0
        line[..., to] = x[..., seen]
        channel, image, item = line.strides
        overlapping = np.ndarray((*shape, 1), x.dtype, line, 0, (channel, image, BLOCK * item, item, item))
        copy_rows(windows[..., None], overlapping)
        yield windows


def _multiplication(weight: Array, bias: Array | None, y: Array, dilation: int) -> Callable[[Array, slice], bool]:
    """The function that computes some channels of `y` (N, C, outputs) from their windows; whether they are finite.

    Where they are not, zeros of the matrix may have met an infinity (0 * infinity = NaN).
    """
    whole = y.shape[2] // BLOCK

    def multiply(windows: Array, chunk: slice) -> bool:
        part, by_image = y[:, chunk], windows.swapaxes(0, 1)
        matrix = np.zeros((len(windows), windows.shape[3], BLOCK), weight.dtype)
        _diagonals(matrix, weight.shape[1], dilation)[...] = weight[chunk, :, None]
        blocks, rest = part[..., : whole * BLOCK], part[..., None, whole * BLOCK :]
        np.matmul(by_image[:, :, :whole], matrix, out=blocks.reshape(*part.shape[:2], whole, BLOCK))
        if rest.size:
            np.matmul(by_image[:, :, whole:], matrix[..., : rest.shape[3]], out=rest)
        flat = part.reshape(len(part), -1)
        finite = bool(np.isfinite(np.vecdot(flat, flat)).all())
        if bias is not None:
            part += bias[chunk, None]
        return finite

    return multiply


def _pairing(partner: Array, sums: Array, dilation: int) -> Callable[[Array, slice], bool]:
    """The function that puts sum over n and o of partner[n, c, o] * (what o sees through tap k) into sums[c, k]."""
    outputs = partner.shape[2]

    def pair(windows: Array, chunk: slice) -> bool:
        channels, n, blocks, reach = windows.shape
        with scratch((channels, n, blocks * BLOCK), partner.dtype) as line:
            line[..., outputs:] = 0
            line[..., :outputs] = partner[:, chunk].swapaxes(0, 1)
            by_block = line.reshape(channels, n * blocks, BLOCK)
            products = np.matmul(windows.reshape(channels, n * blocks, reach).swapaxes(1, 2), by_block)
        np.add.reduce(_diagonals(products, sums.shape[1], dilation), axis=2, out=sums[chunk])
        return True

    return pair


def _diagonals(matrices: Array, taps: int, dilation: int) -> Array:
    """matrices[c, o + k * dilation, o] as a view (C, taps, BLOCK), for matrices (C, BLOCK + span, BLOCK)."""
    matrix, row, column = matrices.strides
    strides = (matrix, dilation * row, row + column)
    return np.lib.stride_tricks.as_strided(matrices, (len(matrices), taps, BLOCK), strides)
