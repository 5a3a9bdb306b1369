"""Chapter 13, part 3. Convolution, fast: forward and both gradients, a family closed under differentiation.

After: tinytorch/kernels/conv_columns.py
Next: tinytorch/ops/conv.py

Goal: convolve as fast as BLAS multiplies, forward and backward.

A convolution y = conv2d(x, w) is linear in x and linear in w. Its two gradients

    gx = conv2d_input(gy, w)        gw = conv2d_weight(x, gy)

(gx is ∂L/∂x, and gy, in the code ``grad``, is ∂L/∂y) are linear in their arguments as well, and *their* derivatives are
again these same three functions (for instance the gradient of conv2d_input with respect to gy is conv2d). So three
kernels are enough for derivatives of any order. conv2d_input on its own is also the transposed convolution,
`conv_transpose2d`.

Shapes: x (N, C, H, W), weight (O, C // groups, KH, KW), y (N, O, H', W') with
H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. Arrays come in any memory order; images go out in C,H,W,N
order (`layout`), or row-major where a 1x1 convolution leaves them as they came. The dtype of the result is the dtype of
the inputs.

The derivation of conv2d_input for stride 1: input pixel i feeds output h through tap k when h = i + padding - k.
So gx[i] = sum over k of w[k] * gy[i + padding - k]: again a sliding dot product, over gy, with the kernel
flipped. With stride s, output h reads input h * s + k * dilation - padding, so the pixels i with the same remainder
modulo s use the same taps: each of the s * s remainders is a small stride-1 convolution with part of the kernel.

What PyTorch does. ``convolution_backward`` computes the same two gradients; ``conv_transpose2d`` is its conv2d_input
under another name.

Pitfalls. Several input sizes give one output size when stride > 1, so conv2d_input must be told which one
(``output_padding``).

Exercises. conv2d_weight is linear in x, too: which of the three is its gradient for x? For a kernel [1, 2, 3] in one
dimension, what does conv2d_input make of a single 1?
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.kernels import conv_few, conv_line, conv_pointwise, winograd
from tinytorch.kernels.conv_columns import Block, Columns
from tinytorch.kernels.conv_dots import depthwise_weight_gradient, dots_pay
from tinytorch.kernels.conv_few import bands_pay, weight_bands_pay
from tinytorch.kernels.conv_line import line_pays
from tinytorch.kernels.conv_spread import spread, spread_pays
from tinytorch.kernels.conv_whole import fold, folded_shape, unfold, whole_sides
from tinytorch.kernels.layout import (
    Array,
    Pair,
    contiguous_batch_last,
    copy_pixels,
    empty_chwn,
    scratch,
    transpose_into,
)
from tinytorch.kernels.memory import empty
from tinytorch.kernels.pieces import ceil_div, even_parts, even_pieces
from tinytorch.kernels.products import multiply, multiply_transposed
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import count_outputs, taps_of_remainder

FLOPS_PER_MICROSECOND = 110e3  # one core
LONG_MICROSECONDS = 2000  # a convolution that takes longer is cut into blocks by itself
SHORT = 48  # numbers in a row of outputs, for which dot products are faster than columns that are there already
MANY_WEIGHTS = 1 << 20  # more are brought to another order in pieces


def in_place(images: Array, weight_shape: tuple[int, ...], how: tuple[Any, ...]) -> bool:
    """Whether these images are read as they lie; others are brought to C,H,W,N order first.

    ``how`` is (stride, padding, dilation, groups).
    """
    stride, padding, _, groups = how
    kernel: Any = weight_shape[2:]
    return (
        conv_pointwise.in_place(images, kernel, stride, padding, groups)
        or line_pays(images, weight_shape, how)
        or conv_few.in_place(images, weight_shape[1], weight_shape[0] // groups, kernel)
    )


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Two-dimensional convolution (`torch.nn.functional.conv2d`); bias (O,) or None."""
    n, _, h, w = x.shape
    kernel = weight.shape[2:]
    if sides := whole_sides((h, w), kernel, padding):
        return conv2d(fold(x, sides), fold(weight, sides), bias, stride, padding, dilation, groups)
    if conv_pointwise.in_place(x, kernel, stride, padding, groups):
        return conv_pointwise.pointwise(x, weight[..., 0, 0], bias)
    if line_pays(x, weight.shape, (stride, padding, dilation, groups)):
        outputs = count_outputs(w, kernel[1], 1, padding[1], dilation[1])
        by_lines = conv_line.convolve(x, weight, bias, outputs, padding[1], dilation[1])
        if by_lines is not None:  # else it is not finite, and must be so as PyTorch's is
            return by_lines
    shape = (n, weight.shape[0], *map(count_outputs, (h, w), kernel, stride, padding, dilation))
    by_group = weight.reshape(groups, -1, *weight.shape[1:])
    if bands_pay(by_group.shape[2], by_group.shape[1], kernel):
        by_bands = conv_few.convolve(x, by_group, bias, shape, stride, padding, dilation)
        if by_bands is not None:
            return by_bands
    y = empty_chwn(shape, x.dtype)
    start = (-padding[0], -padding[1])
    _correlate(_split_groups(x, groups), by_group, bias, _split_groups(y, groups), stride, start, dilation)
    return y


def conv2d_input(
    grad: Array,
    weight: Array,
    input_shape: tuple[int, ...],
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    bias: Array | None = None,
) -> Array:
    """The gradient of conv2d for its input: grad (N, O, H', W') -> `input_shape` (N, C, H, W).

    This is also the forward of `conv_transpose2d` (which may add a `bias` (C,)).
    """
    if sides := whole_sides(input_shape[2:], weight.shape[2:], padding):  # type: ignore[arg-type]
        narrow, by_channels = folded_shape(input_shape, sides), fold(weight, sides)
        repeated = None if bias is None else bias.repeat(narrow[1] // input_shape[1])
        gx = conv2d_input(grad, by_channels, narrow, stride, padding, dilation, groups, repeated)
        return unfold(gx, input_shape, sides)
    if conv_pointwise.in_place(grad, weight.shape[2:], stride, padding, groups) and grad.shape[2:] == input_shape[2:]:
        return conv_pointwise.pointwise(grad, weight[..., 0, 0].T, bias)
    if line_pays(grad, weight.shape, (stride, padding, dilation, groups)):
        by_lines = conv_line.input_gradient(grad, weight, bias, input_shape[3], padding[1], dilation[1])
        if by_lines is not None:
            return by_lines
    # the roles of input and output channels are exchanged: (G, O, C, KH, KW) -> (G, C, O, KH, KW)
    by_group = _exchanged(weight, groups)
    if bands_pay(by_group.shape[2], by_group.shape[1], weight.shape[2:]):
        by_bands = conv_few.input_gradient(grad, by_group, bias, input_shape, stride, padding, dilation)
        if by_bands is not None:
            return by_bands
    gx = empty_chwn(input_shape, grad.dtype)
    g, target = _split_groups(grad, groups), _split_groups(gx, groups)
    growth = math.prod(input_shape[2:]) / max(1, math.prod(grad.shape[2:])) if stride == (1, 1) else 1.0
    if grad.size and spread_pays(by_group.shape[1], by_group.shape[2], g.shape[3] * g.shape[4], growth):
        spread(g, by_group.swapaxes(1, 2), target, stride, padding, dilation)
        if bias is not None:
            target += bias.reshape(groups, -1, 1, 1, 1)
        return gx
    if stride == (1, 1):
        _input_part(g, by_group, bias, target, (0, 0), stride, padding, dilation)
        return gx
    down, right = (range(min(s, size)) for s, size in zip(stride, input_shape[2:], strict=True))
    remainders = [(a, b) for a in down for b in right]
    microseconds = 2.0 * math.prod(weight.shape[1:]) * grad.size / FLOPS_PER_MICROSECOND

    def convolve(remainder: Pair) -> None:
        _input_part(g, by_group, bias, target, remainder, stride, padding, dilation)

    if microseconds < LONG_MICROSECONDS * len(remainders):
        run_blocks(convolve, remainders, microseconds)
    else:  # each is enough for several threads
        for remainder in remainders:
            convolve(remainder)
    return gx


def _input_part(
    g: Array, weight: Array, bias: Array | None, target: Array, remainder: Pair, stride: Pair, padding: Pair,
    dilation: Pair,
) -> None:  # fmt: skip
    """`conv2d_input` for the pixels with these remainders modulo the stride; by group, weight (G, C, O, KH, KW)."""
    (taps_h, first_h, step_h), (taps_w, first_w, step_w) = (
        taps_of_remainder(*where) for where in zip(remainder, weight.shape[3:], stride, padding, dilation, strict=True)
    )
    part = target[:, :, remainder[0] :: stride[0], remainder[1] :: stride[1]] if stride != (1, 1) else target
    taps = weight[..., taps_h, taps_w]
    if taps.size == 0:
        part[...] = 0 if bias is None else bias.reshape(len(part), -1, 1, 1, 1)
        return
    result = part if stride == (1, 1) else empty(part.shape, part.dtype)
    _correlate(g, taps, bias, result, (1, 1), (first_h, first_w), (step_h, step_w))
    if result is not part:
        _copy_images(part, result)


def conv2d_gradients(
    x: Array,
    grad: Array,
    weight: Array,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[Array, Array] | None:
    """`conv2d_input` and `conv2d_weight`, where both together are faster (groups of few channels), else None."""
    out_channels, channels = weight.shape[0] // groups, weight.shape[1]
    sides = whole_sides(x.shape[2:], weight.shape[2:], padding)
    if sides or not grad.size or not bands_pay(out_channels, channels, weight.shape[2:]):
        return None
    if all(line_pays(images, weight.shape, (stride, padding, dilation, groups)) for images in (x, grad)):
        return conv_line.both_gradients(x, grad, weight, padding[1], dilation[1])
    if grad.shape[3] * len(grad) < SHORT and dots_pay(weight.shape, grad, groups):
        return None
    return conv_few.both_gradients(x, grad, _exchanged(weight, groups), stride, padding, dilation)


def conv2d_weight(
    x: Array,
    grad: Array,
    weight_shape: tuple[int, ...],
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """The gradient of conv2d for its weight: x (N, C, H, W), grad (N, O, H', W') -> `weight_shape`.

    The same columns as in the forward, times the gradient: gw[k, o] = sum over (h, w, n) of columns[k] * grad[o].
    """
    if sides := whole_sides(x.shape[2:], weight_shape[2:], padding):  # type: ignore[arg-type]
        narrow = folded_shape(weight_shape, sides)
        gw = conv2d_weight(fold(x, sides), grad, narrow, stride, padding, dilation, groups)
        return np.ascontiguousarray(unfold(gw, weight_shape, sides))
    if all(conv_pointwise.in_place(a, weight_shape[2:], stride, padding, groups) for a in (x, grad)):
        return conv_pointwise.pointwise_weight(x, grad).reshape(weight_shape)
    (channels, kh, kw), out_channels = weight_shape[1:], grad.shape[1] // groups
    if all(line_pays(images, weight_shape, (stride, padding, dilation, groups)) for images in (x, grad)):
        by_lines = conv_line.weight_gradient(x, grad, kw, padding[1], dilation[1])
        if by_lines is not None:  # else it is not finite, and must be so as PyTorch's is
            return by_lines
    start = (-padding[0], -padding[1])
    if dots_pay(weight_shape, grad, groups):
        images, g = _split_groups(x, groups), _split_groups(grad, groups)
        by_dots = depthwise_weight_gradient(images, g, (kh, kw), stride, start, dilation)
        if by_dots is not None:  # else it is not finite, and must be so as PyTorch's is
            return by_dots
    if weight_bands_pay(channels, out_channels, (kh, kw)):
        return conv_few.weight_gradient(x, grad, weight_shape, stride, padding, dilation, groups)
    images, g = _split_groups(x, groups), _split_groups(grad, groups)
    if _suits_winograd(images, (kh, kw), groups, stride, dilation) and winograd.weight_pays(
        channels, out_channels, g.shape[2:4], g.shape[4]
    ):
        by_winograd = winograd.correlate_weight(images[0], g[0], start)
        if by_winograd is not None:  # else it is not finite, and must be so as PyTorch's is
            return by_winograd
    columns = Columns(images, (kh, kw), g.shape[2:4], stride, start, dilation)
    flops = 2.0 * groups * columns.depth * math.prod(g.shape[1:])

    if columns.whole:  # the threads share the channels
        with columns.gather(columns.blocks[0]) as matrix:
            y = columns.output(g, columns.blocks[0])
            products = np.empty((groups, y.shape[1], out_channels, columns.depth), x.dtype)
            _by_rows(lambda rows: multiply_transposed(y[:, :, rows], matrix, products[:, :, rows]), out_channels, flops)
        total = products.sum(axis=1)
    else:
        total = _sum_of_blocks(columns, g, flops)
    by_tap = total.reshape(groups, out_channels, kh, kw, channels)
    return np.ascontiguousarray(by_tap.transpose(0, 1, 4, 2, 3)).reshape(weight_shape)


def _sum_of_blocks(columns: Columns, g: Array, flops: float) -> Array:
    """sum over all columns of g[o] * columns[k], as (G, O, K).

    Each lane adds up its own share of the blocks; the lanes are added in the end. How many lanes there are
    depends on the problem, not on the threads: the order of summation is part of the result.
    """
    groups, out_channels = g.shape[:2]
    nbytes = groups * columns.depth * out_channels * g.itemsize
    lanes = max(1, min(len(columns.blocks), 16 if nbytes < 1 << 20 else 4))
    sums = np.zeros((lanes, groups, out_channels, columns.depth), g.dtype)

    def add_lane(lane: int) -> None:
        for block in columns.blocks[lane::lanes]:
            with columns.gather(block) as matrix:
                rows = matrix.shape[1]
                with scratch((groups, rows, out_channels, columns.depth), g.dtype) as products:
                    multiply_transposed(columns.output(g, block), matrix, products)
                    for row in range(rows):
                        sums[lane] += products[:, row]

    run_blocks(add_lane, range(lanes), flops / FLOPS_PER_MICROSECOND)
    total: Array = sums.sum(axis=0)
    return total


def _by_rows(multiply_rows: Callable[[slice], None], rows: int, flops: float) -> None:
    """A matrix product with many rows and few columns, in halves by rows."""
    run_blocks(multiply_rows, [slice(*part) for part in even_parts(rows, 2)], flops / FLOPS_PER_MICROSECOND)


def _split_groups(x: Array, groups: int) -> Array:
    """Logical (N, C, H, W) -> contiguous (groups, C // groups, H, W, N)."""
    rows = contiguous_batch_last(x)
    return rows.reshape(groups, rows.shape[0] // groups, *rows.shape[1:])


def _exchanged(weight: Array, groups: int) -> Array:
    """(G * O, C, KH, KW) -> (G, C, O, KH, KW), whose numbers for one c lie side by side if there are many."""
    by_group = weight.reshape(groups, -1, *weight.shape[1:])
    if weight.size >= MANY_WEIGHTS and weight.flags.c_contiguous:
        out_channels, *rest = by_group.shape[1:]
        flat = empty((groups, math.prod(rest), out_channels), weight.dtype)
        for matrix, into in zip(by_group.reshape(groups, out_channels, -1), flat, strict=True):
            transpose_into(matrix, into)
        by_group = flat.reshape(groups, *rest, out_channels).transpose(0, 4, 1, 2, 3)
    return by_group.swapaxes(1, 2)


def _copy_images(target: Array, source: Array) -> None:
    """target[...] = source, images by group."""

    def copy(channels: Pair) -> None:
        copy_pixels(target[:, slice(*channels)], source[:, slice(*channels)])

    run_blocks(copy, even_pieces(source.shape[1], ceil_div(source.shape[1], 4)), source.size / 2000)


def _suits_winograd(x: Array, kernel: Pair, groups: int, stride: Pair, dilation: Pair) -> bool:
    return groups == 1 and kernel == (3, 3) and stride == dilation == (1, 1) and x.dtype.kind == "f"


def _correlate(
    x: Array, weight: Array, bias: Array | None, y: Array, stride: Pair, start: Pair, dilation: Pair
) -> None:
    """y[g,o,h,w,n] = bias[g,o] + sum over c,i,j of weight[g,o,c,i,j] * x[g,c,h s + i d + start,w s + j d + start,n].

    x (G, C, H, W, N), weight (G, O, C, KH, KW), y (G, O, H', W', N). One matrix product for each block of columns.
    """
    groups, out_channels, channels, kh, kw = weight.shape
    if (
        _suits_winograd(x, (kh, kw), groups, stride, dilation)
        and winograd.pays(channels, out_channels, y.shape[2:4], y.shape[4])
        and winograd.correlate(x[0], weight[0], bias, y[0], start)
    ):
        return
    columns = Columns(x, (kh, kw), y.shape[2:4], stride, start, dilation, ones=bias is not None)
    # rows of the column matrix are ordered (kh, kw, c), so the weights must be as well
    matrix = weight.transpose(0, 1, 3, 4, 2).reshape(groups, out_channels, kh, -1)
    if columns.ones and bias is not None:  # the bias stands on the row of ones of the first kh, zero on the others
        with_bias = np.zeros((*matrix.shape[:3], columns.row_depth), x.dtype)
        with_bias[..., :-1], with_bias[:, :, 0, -1] = matrix, bias.reshape(groups, out_channels)
        matrix = with_bias
    matrix = np.ascontiguousarray(matrix).reshape(groups, 1, out_channels, columns.depth)
    shift = None if bias is None or columns.ones else bias.reshape(groups, 1, out_channels, 1)

    def convolve(block: Block) -> None:
        part = columns.output(y, block)
        with columns.gather(block) as pixels:
            multiply(matrix, pixels, part)
        if shift is not None:
            part += shift

    flops = 2.0 * columns.depth * y.size
    if columns.whole:  # the threads share the channels
        part = columns.output(y, columns.blocks[0])
        with columns.gather(columns.blocks[0]) as pixels:
            _by_rows(lambda rows: multiply(matrix[:, :, rows], pixels, part[:, :, rows]), out_channels, flops)
        if shift is not None:
            part += shift
        return
    run_blocks(convolve, columns.blocks, flops / FLOPS_PER_MICROSECOND)
