"""The same elements elsewhere: rolled, rotated, repeated; and strided views, in which elements may appear several
times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as numpy_as_strided
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.blocks import memory_block, memory_owner, offset_in_block
from tinytorch.kernels.layout import same_order_copy
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.compare import where
from tinytorch.ops.dims import accepts_axis, ints_from, one_dim
from tinytorch.ops.indexing import Index
from tinytorch.ops.shape import flip, restore_row_major, transpose
from tinytorch.tensor import Tensor

__all__ = ["as_strided", "fliplr", "flipud", "repeat_interleave", "roll", "rot90", "unfold"]


class Roll(Primitive):
    """y = x moved around the end of each axis; the gradient is moved back."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, moves: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
        return np.roll(same_order_copy(x) if 0 in x.strides else x, moves, axes)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Roll.apply(grad, moves=tuple([-move for move in ctx.attributes["moves"]]), axes=ctx.attributes["axes"])


@checks_arguments
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved by ``shifts`` along ``dims``, around the end; without ``dims`` as one flat row."""
    moves = ints_from("roll", "shifts", shifts, single=True)
    axes = () if dims is None else ints_from("roll", "dims", dims, single=True)
    if not moves:
        raise RuntimeError("`shifts` required")
    if len(moves) != max(len(axes), 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(axes)}")
    if input._array.size == 0:
        return input.clone()
    if not axes:
        return roll(input.reshape(-1), shifts, 0).reshape(input._array.shape)
    if input._array.ndim == 0:
        raise IndexError(f"Dimension specified as {axes[0]} but tensor has no dimensions")
    return Roll.apply(input, moves=moves, axes=tuple([one_dim(axis, input._array.ndim) for axis in axes]))


@checks_arguments
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Rotated by ``k`` quarter turns, from the first of ``dims`` towards the second."""
    dims = ints_from("rot90", "dims", dims)
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input._array.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input._array.ndim}")
    first, second = (one_dim(d, input._array.ndim) for d in dims)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return flip(input, first, second)
    return transpose(flip(input, second if k == 1 else first), first, second)


@checks_arguments
def fliplr(input: Tensor) -> Tensor:
    """Reversed along the second dimension."""
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@checks_arguments
def flipud(input: Tensor) -> Tensor:
    """Reversed along the first dimension."""
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@accepts_axis
@checks_arguments
def repeat_interleave(
    input: Tensor, repeats: Tensor | int = NOT_GIVEN, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along ``dim``) ``repeats`` times, one after the other.

    ``repeats`` is a number or one number per element. ``repeat_interleave(repeats)`` alone gives the index of each
    repetition.
    """
    if repeats is NOT_GIVEN:
        if dim is not None:
            raise TypeError("repeat_interleave() missing 1 required argument: 'repeats', for a dim to repeat along")
        if input._array.ndim != 1:
            raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
        return repeat_interleave(Tensor._wrap(np.arange(input._array.size)), input, output_size=output_size)
    if dim is None:
        input, dim = input.reshape(-1), 0
    dim = one_dim(dim, input._array.ndim)
    counts = repeats._array if isinstance(repeats, Tensor) else np.asarray(repeats)
    if isinstance(repeats, Tensor) and counts.dtype.kind != "i":
        raise not_implemented("repeat_interleave_cpu", repeats)
    if (counts < 0).any():
        raise RuntimeError("Repeats must be non-negative")
    if counts.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    size = input._array.shape[dim] if input._array.ndim else 1
    if counts.ndim and not input._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if counts.ndim and counts.size not in (1, size):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size({dim}) = {size}"
        )
    total = size * float(counts) if counts.ndim == 0 else counts.sum(dtype=float) * (size if counts.size == 1 else 1)
    if total > 2**56:  # NumPy adds the counts up in 64 bits, and writes outside of its memory when they overflow
        raise MemoryError(f"{total:.3g} elements")
    places = np.repeat(np.arange(size), counts.reshape(-1) if counts.ndim else counts)
    if output_size is not None and output_size != len(places):
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {len(places)} but got {output_size}")
    return Index.apply(input if input._array.ndim else input.reshape(1), index=(slice(None),) * dim + (places,))


class Unfold(Primitive):
    """All windows of ``size`` elements, ``step`` apart, along ``dim``: a view with the window as last dimension."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, size: int, step: int) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        windows = sliding_window_view(x, size, dim, writeable=x.flags.writeable) if x.ndim else x.reshape(1)[:size]
        return windows[(slice(None),) * dim + (slice(None, None, step),)] if x.ndim else windows

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return UnfoldAdd.apply(grad, shape=shape, **ctx.attributes)


class UnfoldAdd(Primitive):
    """Zeros of ``shape`` with every window added at its place: the transpose of :class:`Unfold`."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...], dim: int, size: int, step: int) -> np.ndarray:
        if not shape:
            return x.sum()
        whole = np.zeros(shape, x.dtype)
        span = (x.shape[dim] - 1) * step + 1 if x.shape[dim] else 0
        for i in range(size):
            whole[(slice(None),) * dim + (slice(i, i + span, step),)] += x[..., i]
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Unfold.apply(grad, **{name: ctx.attributes[name] for name in ("dim", "size", "step")})


@checks_arguments
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` along ``dimension``, ``step`` apart, as a new last dimension: a view
    (``Tensor.unfold``).
    """
    dim = one_dim(dimension, input._array.ndim)
    length = input._array.shape[dim] if input._array.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return Unfold.apply(input, dim=dim, size=size, step=step)


class AsStrided(Primitive):
    """Any view of x's memory: sizes, strides and offset counted in elements from x's first one."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> np.ndarray:
        ctx.save_intermediates(x.shape, x.strides)
        start = np.ndarray(1, x.dtype, memory_block(x), offset_in_block(x) + offset * x.itemsize)
        return numpy_as_strided(start, shape, tuple(s * x.itemsize for s in strides))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x_shape, x_strides = ctx.intermediates
        itemsize = grad._array.itemsize
        return AsStridedAdd.apply(
            grad, x_shape=x_shape, x_strides=tuple(s // itemsize for s in x_strides), **ctx.attributes
        )


class AsStridedAdd(Primitive):
    """Zeros of x's shape with every element of the view added at its place in memory."""

    @staticmethod
    def forward(
        ctx: Any, grad: np.ndarray, x_shape: Any, x_strides: Any, shape: Any, strides: Any, offset: int
    ) -> np.ndarray:
        target, source, count = _places_of_both(x_shape, x_strides, shape, strides, offset)
        total = np.zeros(count, grad.dtype)
        np.add.at(total, source, grad)
        return total[target]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a = ctx.attributes
        target, source, count = _places_of_both(a["x_shape"], a["x_strides"], a["shape"], a["strides"], a["offset"])
        element = np.full(count, -1)
        element[target] = np.arange(target.size).reshape(target.shape)
        picked = element[source]
        values = Index.apply(grad.reshape(-1), index=(np.maximum(picked, 0),))
        return where(Tensor._wrap(picked >= 0), values, 0.0)  # a view may show memory that is not x's


def _places_of_both(x_shape: Any, x_strides: Any, shape: Any, strides: Any, offset: int) -> tuple[Any, Any, int]:
    """Places of x's elements and of the view's, counted from the first of all, and how many there are."""
    target, source = _places(x_shape, x_strides, 0), _places(shape, strides, offset)
    first = min(target.min(initial=0), source.min(initial=0))
    last = max(target.max(initial=0), source.max(initial=0))
    return target - first, source - first, int(last - first) + 1


def _places(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> np.ndarray:
    """For each element, its distance in memory from the first one of x."""
    places = np.full((1,) * len(shape), offset)
    for d, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        places = places + (np.arange(size) * stride).reshape([-1 if i == d else 1 for i in range(len(shape))])
    return np.broadcast_to(places, shape)


@checks_arguments
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of ``input``'s memory with any sizes and strides; the offset counts from the start of that memory (inside
    ``vmap``: of the example's part of it).

    Raises RuntimeError for negative strides, or a view that would leave the memory.
    """
    restore_row_major(input)
    shape, strides = ints_from("as_strided", "size", size), ints_from("as_strided", "stride", stride)
    if len(shape) != len(strides):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in strides):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(strides)}"
        )
    own = offset_in_block(input._array) // input._array.itemsize
    offset = own if storage_offset is None else storage_offset + _start_of_example(input._array)
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    available = memory_block(input._array).nbytes // input._array.itemsize
    if 0 not in shape and (last >= available or offset < 0):
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(strides)}, storage offset {offset}, and itemsize "
            f"{input._array.itemsize} requiring a storage size of {(last + 1) * input._array.itemsize} are out of "
            f"bounds for storage of size {available * input._array.itemsize}"
        )
    return AsStrided.apply(input, shape=shape, strides=strides, offset=offset - own)


def _start_of_example(array: np.ndarray) -> int:
    """How many elements of a batch lie before the example that ``vmap`` has taken from it, if ``array`` is part of one:
    a function of one example knows nothing of the others.
    """
    owner = memory_owner(array)
    before = [
        offset_in_block(one) - offset_in_block(all_) for all_, one in state.examples if memory_owner(all_) is owner
    ]
    return sum(before) // array.itemsize
