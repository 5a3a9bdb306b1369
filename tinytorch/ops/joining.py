"""Joining and cutting: cat and stack, split and unbind, repeat. What one joins forward, the other cuts apart
backward."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.ops.broadcast import promote_all
from tinytorch.ops.checks import check_all_tensors
from tinytorch.ops.copying import Clone
from tinytorch.ops.dims import accepts_axis, ints_from, one_dim, sizes_from
from tinytorch.ops.out import accepts_joined_out
from tinytorch.ops.shape import narrow, select
from tinytorch.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "concat",
    "concatenate",
    "hstack",
    "repeat",
    "split",
    "stack",
    "tile",
    "unbind",
    "vstack",
]  # fmt: skip


class Cat(Primitive):
    """Several tensors one after the other along ``dim``; each receives its part of the gradient.

    Vectors without elements fit between all others, and receive a gradient as empty as they are.
    """

    @staticmethod
    def forward(ctx: Any, *arrays: np.ndarray, dim: int) -> np.ndarray:
        sizes = tuple([None if array.shape == (0,) else array.shape[dim] for array in arrays])
        ctx.save_intermediates(sizes)
        if None in sizes:
            arrays = tuple(array for array in arrays if array.shape != (0,)) or arrays[:1]
        return np.concatenate(arrays, dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        (sizes,) = ctx.intermediates
        dim, start, parts = ctx.attributes["dim"], 0, []
        for size, needed in zip(sizes, ctx.needs_input_grad, strict=True):
            if size is None:
                parts.append(narrow(grad.reshape(-1), 0, 0, 0) if needed else None)
                continue
            parts.append(narrow(grad, dim, start, size) if needed else None)
            start += size
        return tuple(parts)


class Stack(Primitive):
    """Several tensors of one shape along a new dimension."""

    @staticmethod
    def forward(ctx: Any, *arrays: np.ndarray, dim: int) -> np.ndarray:
        if dim == 0:
            return np.array(arrays)  # np.stack takes several times as long to find out the same
        before: tuple[slice, ...] = (slice(None),) * dim
        return np.concatenate([array[(*before, None)] for array in arrays], dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        dim = ctx.attributes["dim"]
        return tuple(
            select(grad, dim, position) if needed else None for position, needed in enumerate(ctx.needs_input_grad)
        )


class Split(Primitive):
    """Cut into parts of given sizes along ``dim``: views of one tensor; the gradients are joined again."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, sizes: tuple[int, ...], dim: int) -> tuple[np.ndarray, ...]:
        before: tuple[slice, ...] = (slice(None),) * dim
        ends = itertools.accumulate(sizes)
        return tuple([x[(*before, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return cat(grads, ctx.attributes["dim"])


class Unbind(Primitive):
    """One view per position along ``dim``, without that dimension."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> tuple[np.ndarray, ...]:
        slices = np.moveaxis(x, dim, 0) if dim else x
        return tuple(slices) if x.ndim > 1 else tuple([x[i, ...] for i in range(len(x))])  # arrays, not numbers

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return stack(grads, ctx.attributes["dim"])


def _in_common_dtype(name: str, tensors: Any) -> list[Tensor]:
    """The tensors that ``name`` is to join, in the dtype in which they meet; errors for what is no list of tensors."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    dtypes = {tensor._array.dtype if isinstance(tensor, Tensor) else None for tensor in tensors}
    if None in dtypes:
        check_all_tensors(tensors)
    if not dtypes:
        if name == "torch.cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors) if len(dtypes) == 1 else promote_all(*tensors)


@accepts_joined_out
def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """Tensors joined along an existing dimension: (2, 3) and (4, 3) give (6, 3) (``torch.cat``).

    Empty vectors are left out. RuntimeError for other sizes that differ, ValueError for no tensors.
    """
    given = _in_common_dtype("torch.cat", tensors)
    dim = dim if axis is None else axis
    first = given[0]._array
    if len({part._array.shape for part in given}) > 1 or not first.ndim:
        parts = [part for part in given if part._array.shape != (0,)]
        first = parts[0]._array
        _check_joinable(parts, one_dim(dim, first.ndim))
    elif first.shape == (0,):  # nothing is joined, whatever the dimension
        dim = 0
    return Cat.apply(*given, dim=one_dim(dim, first.ndim))


def _check_joinable(parts: list[Tensor], dim: int) -> None:
    first = parts[0]._array
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    for position, part in enumerate(parts[1:], 1):
        shape = part._array.shape
        if len(shape) != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {len(shape)}")
        for d, (a, b) in enumerate(zip(first.shape, shape, strict=True)):
            if a != b and d != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for "
                    f"tensor number {position} in the list."
                )


@accepts_joined_out
@accepts_axis
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors of equal shape joined along a new dimension: n of shape (2, 3) give (n, 2, 3) (``torch.stack``).

    RuntimeError for shapes that differ, or no tensors.
    """
    parts = _in_common_dtype("stack", tensors)
    first = parts[0]._array.shape
    for position, part in enumerate(parts):
        if part._array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(part._array.shape)} at entry {position}"
            )
    return Stack.apply(*parts, dim=one_dim(dim, len(first) + 1))


@accepts_axis
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along ``dim``: of one size (the last may be smaller), or of given sizes."""
    if tensor._array.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = one_dim(dim, tensor._array.ndim)
    total = tensor._array.shape[dim]
    if isinstance(split_size_or_sections, Tensor) and split_size_or_sections._array.ndim == 0:
        split_size_or_sections = int(split_size_or_sections.item())
    if isinstance(split_size_or_sections, int) and not isinstance(split_size_or_sections, bool):
        size = split_size_or_sections
        if size < 0 or (size == 0 and total):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        count = max(1, -(-total // size)) if size else 1
        sizes = (size,) * (count - 1) + (total - (count - 1) * size,)
    else:
        sizes = ints_from("split", "split_size", split_size_or_sections)
        if sum(sizes) != total or any(size < 0 for size in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at dimension "
                f"{dim}), but got split_sizes={list(sizes)}"
            )
    return Split.apply(tensor, sizes=sizes, dim=dim)


@accepts_axis
@checks_arguments
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most ``chunks`` parts of equal size (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if input._array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    total = input._array.shape[one_dim(dim, input._array.ndim)]
    size = -(-total // chunks)
    return split(input, size, dim) if total else split(input, [0] * chunks, dim)


@accepts_axis
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """One view per position along ``dim``."""
    if input._array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Unbind.apply(input, dim=one_dim(dim, input._array.ndim))


@accepts_joined_out
def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joined along dimension 1 (vectors: along 0)."""
    parts = [part if part._array.ndim else part.reshape(1) for part in _in_common_dtype("hstack", tensors)]
    return cat(parts, 0 if parts[0]._array.ndim == 1 else 1)


@accepts_joined_out
def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joined along dimension 0; vectors count as rows."""
    return cat([p if p._array.ndim >= 2 else p.reshape(1, -1) for p in _in_common_dtype("vstack", tensors)], 0)


@checks_arguments
def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """The tensor copied ``sizes`` times along each dimension (more sizes than dimensions: new ones in front)."""
    times = sizes_from(sizes, "repeat", "repeats")
    shape = input._array.shape
    if len(times) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n * size < 0 for n, size in zip(times, (1,) * (len(times) - len(shape)) + shape, strict=True)):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeat by {list(times)}")
    shape, times = (1,) * (len(times) - len(shape)) + shape, tuple([max(n, 0) for n in times])
    apart = [size for n in shape for size in (1, n)]
    wide = [size for pair in zip(times, shape, strict=True) for size in pair]
    joined = [n * size for n, size in zip(times, shape, strict=True)]
    return known_as(Clone.apply(input.reshape(apart).expand(wide), order="C").reshape(joined), "RepeatBackward0")


@checks_arguments
def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """As :func:`repeat`, where missing leading counts mean 1."""
    if dims is NOT_GIVEN:  # by the method
        raise TypeError('tile() missing 1 required positional arguments: "dims"')
    times = ints_from("tile", "dims", dims)
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


concat = concatenate = cat
