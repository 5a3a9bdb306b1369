"""Kernels as large as the image: where nothing slides, a side of the image is as good as more channels.

(After: `conv_columns`. Next: `conv`.)

A kernel as wide as the image, without padding, has one place to stand at. Then the sum over its columns is a sum like
that over the channels, and the convolution is one of narrow images with W times as many channels:

    y[o, h] = sum over c, i, j of w[o, c, i, j] * x[c, h + i, j]
            = sum over (c, j), i of w[o, (c, j), i] * x[(c, j), h + i]

So do networks that read text (a word is a row, its vector the columns), and the last convolution before a classifier,
where both sides are whole and what is left is a matrix product. Without this, the gradient for the input would be a
convolution over one column with all the padding that gives W, of which all but a W-th part is zeros.

Measured by ``python -m tests.benchmarks --only "whole width" --no-processes``.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.layout import Array, Pair, batch_first, to_chwn


def whole_sides(image: Pair, kernel: Pair, padding: Pair) -> tuple[int, ...]:
    """Which of the dimensions 2 and 3 the kernel covers from end to end.

    >>> whole_sides((40, 100), (3, 100), (2, 0)), whole_sides((4, 4), (4, 4), (0, 0))
    ((3,), (2, 3))
    """
    return tuple([i + 2 for i in (0, 1) if kernel[i] == image[i] > 1 and padding[i] == 0])


def folded_shape(shape: tuple[int, ...], sides: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of images or a weight whose `sides` have become channels.

    >>> folded_shape((32, 1, 40, 100), (3,))
    (32, 100, 40, 1)
    """
    n, channels, *image = shape
    rest = [1 if i + 2 in sides else size for i, size in enumerate(image)]
    return (n, channels * math.prod(shape[side] for side in sides), *rest)


def fold(x: Array, sides: tuple[int, ...]) -> Array:
    """Logical (N, C, H, W), images or a weight, with `sides` as channels; lies as C,H,W,N, a view where it can be."""
    n, *rest = folded_shape(x.shape, sides)
    order = (1, *sides, *[side for side in (2, 3) if side not in sides], 0)
    return batch_first(np.ascontiguousarray(x.transpose(order)).reshape(*rest, n))


def unfold(folded: Array, shape: tuple[int, ...], sides: tuple[int, ...]) -> Array:
    """The inverse of `fold`: images of `shape` in C,H,W,N order."""
    kept = [side for side in (2, 3) if side not in sides]
    order = (0, 1, *sides, *kept)
    apart = folded.reshape([shape[axis] for axis in order])
    return to_chwn(apart.transpose(np.argsort(order)))
