"""Images as rows, in whichever of two memory orders they lie, for convolutions that do not change it.

(After: `conv_columns`. Next: `conv_bands`.)

A convolution along the height adds up whole rows of images, and it is all the same what lies in a row. In C,H,W,N order
it is the W pixels of all N images; in row-major order, images of W pixels, one after the other, N of them. So a row has
three dimensions (A, W, B): shifted is W, around it lie A = 1 or N, within it B = N or 1.

Row-major images are read and written where they lie, W numbers at a time. Bringing them to C,H,W,N order takes four
times as long, because there each number goes to a place of its own.
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, contiguous_batch_last, copy_pixels, empty_chwn, is_chwn
from tinytorch.kernels.memory import empty

RUN_BYTES = 512
"""Longer runs are copied as numbers: then NumPy's time for each run does not count."""


def is_row_major(images: Array) -> bool:
    """Whether (N, C, H, W) lies in that order, and in no other."""
    return images.flags.c_contiguous and not is_chwn(images)


def empty_images(shape: tuple[int, ...], dtype: np.dtype, row_major: bool) -> Array:
    """Uninitialised images of `shape` (N, C, H, W), row-major or C,H,W,N."""
    return empty(shape, dtype) if row_major else empty_chwn(shape, dtype)


def image_rows(images: Array, groups: int, row_major: bool) -> Array:
    """(N, C, H, W) by group and row: (G, C // G, H, A, W, B); a view of images that lie so."""
    n, channels, height, width = images.shape
    if row_major:
        rows = images.reshape(n, groups, channels // groups, height, width, 1)
        return rows.transpose(1, 2, 3, 0, 4, 5)
    return contiguous_batch_last(images).reshape(groups, channels // groups, height, 1, width, n)


def copy_rows(target: Array, source: Array) -> None:
    """target[...] = source, both (..., W, B). Short runs of numbers are copied as one item each."""
    if source.shape[-1] > 1:
        copy_pixels(target, source)
        return
    target, source = target[..., 0], source[..., 0]
    nbytes = source.shape[-1] * source.itemsize
    runs = source.strides[-1] == target.strides[-1] == source.itemsize
    if runs and source.itemsize < nbytes <= RUN_BYTES:
        target, source = target.view(f"V{nbytes}"), source.view(f"V{nbytes}")
    target[...] = source
