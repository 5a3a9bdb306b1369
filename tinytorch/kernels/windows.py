"""The index arithmetic of sliding windows, in one place: convolution and pooling both stand on it.

A window of `kernel` taps, `dilation` apart, moves by `stride` over `size` places that are padded by `padding` on
both sides. Output o sees, through tap i, the input place

    o * stride + i * dilation - padding

which exists if it lies in range(size). Everything here answers one question: for which o?
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinytorch.kernels.layout import Pair
from tinytorch.kernels.pieces import ceil_div


def count_outputs(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many places a window takes along one dimension.

    >>> count_outputs(28, 3, stride=2, padding=1, dilation=1)
    14
    """
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def inside(first: int, step: int, count: int, size: int) -> Pair:
    """The o in range(count) for which first + o * step lies in range(size), as (start, stop).

    >>> inside(-1, 1, 5, 4)   # places -1 0 1 2 3: the first does not exist
    (1, 5)
    """
    start = min(max(ceil_div(-first, step), 0), count)
    return start, max(start, min(ceil_div(size - first, step), count))


def tap(offset: int, stride: int, out: int, size: int) -> tuple[slice, slice]:
    """One tap of a window as two slices of equal length: the outputs that it serves, the inputs that they see.

    >>> tap(-1, 2, 3, 5)      # outputs 0 1 2 see -1 1 3; place -1 does not exist
    (slice(1, 3, 1), slice(1, 4, 2))
    """
    start, stop = inside(offset, stride, out, size)
    if start == stop:
        return slice(0, 0), slice(0, 0)
    return slice(start, stop, 1), slice(offset + start * stride, offset + (stop - 1) * stride + 1, stride)


def taps_of_remainder(remainder: int, size: int, stride: int, padding: int, dilation: int) -> tuple[slice, int, int]:
    """For input pixels i = remainder + stride * m: which kernel taps reach them, and from where.

    Output h reads pixel i through tap k when h * stride + k * dilation - padding = i, so
    h = m + (remainder + padding - k * dilation) / stride must come out whole. Such k are evenly spaced. Returns the
    slice of taps, last first (the flip); h - m of that last tap; and the distance in h from tap to tap.
    """
    spacing = stride // math.gcd(stride, dilation)
    matching = [k for k in range(size) if (remainder + padding - k * dilation) % stride == 0]
    if not matching:
        return slice(0, 0), 0, 1
    last = matching[-1]
    first_h = (remainder + padding - last * dilation) // stride
    stop = matching[0] - spacing
    return slice(last, stop if stop >= 0 else None, -spacing), first_h, spacing * dilation // stride


def pool_output_size(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows fit (PyTorch's `pooling_output_shape`).

    With `ceil_mode` a last window may hang over the far edge, but it must start inside the image or the near padding.

    >>> pool_output_size(5, 2, 2, 0, 1, False), pool_output_size(5, 2, 2, 0, 1, True)
    (2, 3)
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (ceil_div(span, stride) if ceil_mode else span // stride) + 1
    if ceil_mode and (out - 1) * stride >= size + padding:
        out -= 1
    return out


def window_spans(
    out: Sequence[int], stride: Sequence[int], kernel: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """For each dimension, how far it is from the beginning of the first window to the end of the last.

    >>> window_spans((3,), (2,), (3,), (1,))                   # 0 1 2, 2 3 4, 4 5 6
    [7]
    """
    return [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(out, stride, kernel, dilation, strict=True)]
