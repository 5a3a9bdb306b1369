"""Memory order: images are *called* N,C,H,W but *lie in memory* as C,H,W,N.

An array's shape says how its elements are named; its strides say where they lie. Images have PyTorch's names
x[n, c, h, w] here, but the batch index runs fastest in memory: neighbours in memory are the same pixel of
neighbouring images. (PyTorch's `channels_last` is the same trick with another order.)

Why the batch last? A convolution, a pooling or a padding moves pixels about in h and w and treats all images
alike. With the batch contiguous, each of those moves copies one long run of W * N numbers, where N,C,H,W would
have it pick out runs of W (or fewer) numbers. Every channel is one contiguous piece, which is what batch
normalization wants. And NumPy's elementwise functions keep the order of their inputs by themselves.

The price: an image batch that comes in row-major is transposed once at the first layer. With a batch of one
image, C,H,W,N and N,C,H,W are the same thing.

>>> x = empty_chwn((64, 20, 28, 28), np.dtype(np.float32))
>>> x.shape, [s // 4 for s in x.strides]
((64, 20, 28, 28), [1, 50176, 1792, 64])
>>> is_chwn(x), is_chwn(np.zeros((64, 20, 28, 28)))
(True, False)
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from tinytorch.kernels.memory import Array, empty, new_bytes
from tinytorch.kernels.threads import run_blocks

Pair = tuple[int, int]


def empty_chwn(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """An uninitialised array of logical shape (N, C, H, W) that lies in memory as C,H,W,N."""
    n, *rest = shape
    return empty((*rest, n), dtype).transpose(len(rest), *range(len(rest)))


def is_chwn(x: Array) -> bool:
    """Whether logical (N, C, H, W) lies in memory as C,H,W,N without gaps."""
    return batch_last(x).flags.c_contiguous


def is_batch_innermost(x: Array) -> bool:
    """Whether `x` lies in memory without gaps and with the batch innermost, in whatever order the rest is (volumes
    are C,H,W,D,N)."""
    order = sorted(range(1, x.ndim), key=lambda d: -x.strides[d])
    return x.transpose(*order, 0).flags.c_contiguous


def batch_last(x: Array) -> Array:
    """The view (C, H, W, N) of a logical (N, C, H, W) array of any memory order; never copies."""
    return x.transpose(*range(1, x.ndim), 0)


def batch_first(x: Array) -> Array:
    """The view (N, C, H, W) of a (C, H, W, N) array: the inverse of `batch_last`."""
    return x.transpose(x.ndim - 1, *range(x.ndim - 1))


def to_chwn(x: Array) -> Array:
    """`x` itself if it already lies in memory as C,H,W,N, else a copy that does."""
    return batch_first(contiguous_batch_last(x))


def contiguous_batch_last(x: Array) -> Array:
    """A contiguous (C, H, W, N) array with the elements of the logical (N, C, H, W) `x`; copies if need be."""
    view = batch_last(x)
    if view.flags.c_contiguous:
        return view
    copy = empty(view.shape, x.dtype)
    if x.flags.c_contiguous and x.size >= SMALL:
        _transpose_by_threads(x.reshape(len(x), -1), copy.reshape(-1, len(x)))
    else:
        copy[...] = view
    return copy


def _transpose_by_threads(x: Array, out: Array) -> None:
    """`transpose_into`, a few megabytes and more by several threads."""
    quarter = math.ceil(x.shape[1] / 4)

    def transpose(start: int) -> None:
        transpose_into(x[:, start : start + quarter], out[start : start + quarter])

    if x.size < LARGE:
        transpose_into(x, out)
    else:
        run_blocks(transpose, range(0, x.shape[1], quarter))


def empty_like(x: Array, dtype: np.dtype | None = None) -> Array:
    """An uninitialised array in the shape and memory order of `x`; where x repeats elements, in that of `x + x`.

    `np.empty_like` sorts by strides, among which the 0 of an expanded dimension would come innermost.
    """
    if 0 not in x.strides:
        return np.empty_like(x, dtype)
    how: Any = [["readonly"], ["writeonly", "allocate"]]
    dtypes = [x.dtype, x.dtype if dtype is None else dtype]
    return np.nditer([x, None], ["zerosize_ok"], how, dtypes, casting="unsafe").operands[1]


def same_order_copy(x: Array, dtype: np.dtype | None = None) -> Array:
    """A copy of `x` (in another dtype) in its memory order (see `empty_like`)."""
    if 0 not in x.strides:
        return x.astype(x.dtype if dtype is None else dtype)
    y = empty_like(x, dtype)
    np.copyto(y, x, casting="unsafe")
    return y


def row_major_copy(x: Array) -> Array:
    """`x.copy()`; of a large transposed matrix up to six times as fast (see `transpose_into`)."""
    if x.ndim == 2 and x.size >= SMALL and x.flags.f_contiguous:
        copy = empty(x.shape, x.dtype)
        transpose_into(x.T, copy)
        return copy
    return x.copy()


def small_row_major(result: Any) -> Any:
    """What a reduction of images gave, (N, C): row-major, as in PyTorch. It is small, and users look at its strides."""
    return np.ascontiguousarray(result) if result.ndim == 2 else result


SMALL = 1 << 13
"""Elements; fewer are copied in one call, however they lie."""
LARGE = 3 << 18
"""Elements; fewer are copied before a second thread is awake."""
_CACHE = 1 << 15  # bytes of a first-level cache; places whose addresses differ by a multiple of _SET fight for
_SET = 1 << 12  # the same few lines of it


def transpose_into(x: Array, out: Array) -> None:
    """out = x.T for x (N, M) of contiguous rows, contiguous out (M, N): one to six times as fast as the plain copy.

    NumPy's copy reads down the N rows of `x`. That is fast when there are many and the cache holds a line of each.
    With few rows it is faster to go along them; and where their lines all claim the same places of the cache (a
    row is a multiple of 4 KB, as with 64 x 64 pixels), they are first copied to rows that are a line longer.

    Measured by ``python tests/benchmarks/bench_kernels.py --only order``.
    """
    n, m = x.shape
    if n <= 8:
        for i in range(n):
            out[:, i] = x[i]
    elif n * math.gcd(x.strides[0], _SET) <= _CACHE:
        out[...] = x.T
    else:
        length = max(16, (1 << 18) // x.itemsize // n)
        with scratch((n, length + 16), x.dtype) as rows:
            for start in range(0, m, length):
                part = rows[:, : min(length, m - start)]
                part[...] = x[:, start : start + length]
                out[start : start + length] = part.T


def copy_pixels(target: Array, source: Array) -> None:
    """target[...] = source, both (..., W, N); where pixels lie apart, each is copied as one item of N numbers.

    NumPy's copy of runs of two or four numbers takes longer for each run than for all of its numbers.
    """
    nbytes = source.shape[-1] * source.itemsize
    runs = source.strides[-1] == target.strides[-1] == source.itemsize
    if nbytes > source.itemsize and runs and not source.strides[-2] == target.strides[-2] == nbytes:
        target, source = target.view(f"V{nbytes}"), source.view(f"V{nbytes}")
    target[...] = source


def lying_alike(*arrays: Array) -> list[Array] | None:
    """One-dimensional views, in the order of memory, of arrays of one shape that lie in memory alike and without gaps.

    None where they do not. An array that repeats one number (the gradient of a sum) lies like any other.
    """
    shape = arrays[0].shape
    if any(a.shape != shape for a in arrays):
        return None
    repeated = [not any(a.strides) for a in arrays]
    whole = [a for a, single in zip(arrays, repeated, strict=True) if not single] or [arrays[0]]
    order = list(range(arrays[0].ndim))
    if not all(a.flags.c_contiguous for a in whole):
        order = sorted(order, key=lambda axis: -whole[0].strides[axis])
        if not all(a.transpose(order).flags.c_contiguous for a in whole):
            return None
    return [
        np.broadcast_to(a[(0,) * a.ndim], a.size) if single and a.size else a.transpose(order).reshape(-1)
        for a, single in zip(arrays, repeated, strict=True)
    ]


_LARGEST_KEPT = 1 << 24  # bytes; a larger scratch buffer is freed after use rather than kept
_CACHE_LINE = 64  # bytes; where a buffer starts at one, vector instructions do not straddle two
_free = threading.local()


class scratch:
    """A contiguous uninitialised work array, lent for the length of a `with` block.

    Memory that was just used is still in the cache and needs no new pages from the operating system. So each
    thread keeps the buffer of its last kernel and lends it to the next. Inside one `with`, another one gets
    another buffer.
    """

    __slots__ = ("buffer", "dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype

    def __enter__(self) -> Array:
        nbytes = math.prod(self.shape) * self.dtype.itemsize
        stack = _free.__dict__.setdefault("stack", [])
        buffer = stack.pop() if stack else None
        if buffer is None or buffer.nbytes < nbytes:
            memory = new_bytes(nbytes + _CACHE_LINE)
            start = -memory.__array_interface__["data"][0] % _CACHE_LINE
            buffer = memory[start : start + nbytes]
        self.buffer: Array = buffer
        return np.ndarray(self.shape, self.dtype, buffer)

    def __exit__(self, *error: object) -> None:
        if self.buffer.nbytes <= _LARGEST_KEPT:
            _free.stack.append(self.buffer)
