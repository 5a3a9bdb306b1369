"""Shapes: the same elements seen differently. Backward, the gradient is seen the same way back.

A view shares memory with its input (``returns_view``): reshape, permute, expand, slicing. Joining (cat) and cutting
(split) are transposes of each other too: what one joins forward, the other cuts apart backward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import layout
from tinytorch.ops.broadcast import promote_all
from tinytorch.ops.dims import many_dims, one_dim, sizes_from
from tinytorch.tensor import Tensor

__all__ = ["reshape", "view", "view_as", "reshape_as", "flatten", "unflatten", "ravel", "permute", "transpose", "t",
           "matrix_transpose", "swapaxes", "swapdims", "moveaxis", "movedim", "squeeze", "unsqueeze", "cat", "concat", "concatenate", "stack",
           "split", "chunk", "unbind", "narrow", "select", "flip", "contiguous", "is_contiguous", "hstack", "vstack", "tile",
           "repeat"]  # fmt: skip


class Reshape(Primitive):
    """The same elements in row-major order under another shape; a view where memory allows it, else a copy."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return Reshape.apply(grad, shape=shape)

    @classmethod
    def name(cls) -> str:
        return "ViewBackward0"


class Permute(Primitive):
    """Dimensions in another order; backward, in the inverse order."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        dims = ctx.attributes["dims"]
        return Permute.apply(grad, dims=tuple(sorted(range(len(dims)), key=dims.__getitem__)))


class Flip(Primitive):
    """The elements in reverse order along some dimensions (a copy, as in PyTorch)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
        return np.flip(x, dims).copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Flip.apply(grad, dims=ctx.attributes["dims"])


class Cat(Primitive):
    """Several tensors one after the other along ``dim``; each receives its part of the gradient."""

    @staticmethod
    def forward(ctx: Any, *arrays: np.ndarray, dim: int) -> np.ndarray:
        ctx.save_intermediates(tuple(array.shape[dim] for array in arrays))
        return np.concatenate(arrays, dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        (sizes,) = ctx.intermediates
        dim, start, parts = ctx.attributes["dim"], 0, []
        for size, needed in zip(sizes, ctx.needs_input_grad, strict=True):
            parts.append(narrow(grad, dim, start, size) if needed else None)
            start += size
        return tuple(parts)


class Stack(Primitive):
    """Several tensors of one shape along a new dimension."""

    @staticmethod
    def forward(ctx: Any, *arrays: np.ndarray, dim: int) -> np.ndarray:
        return np.stack(arrays, dim)

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
        ends = np.cumsum(sizes).tolist()
        return tuple(x[(*before, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return cat(grads, ctx.attributes["dim"])


class Unbind(Primitive):
    """One view per position along ``dim``, without that dimension."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> tuple[np.ndarray, ...]:
        return tuple(np.moveaxis(x, dim, 0)[i, ...] for i in range(x.shape[dim]))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return stack(grads, ctx.attributes["dim"])


def _resolved_shape(input: Tensor, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The requested shape with its one -1 worked out; RuntimeError when the number of elements differs."""
    count = input._array.size
    if -1 in sizes:
        if sizes.count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        known = math.prod(size for size in sizes if size != -1)
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension size -1 can "
                "be any value and is ambiguous"
            )
        if known < 0 or count % known:
            raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count}")
        return tuple(count // known if size == -1 else size for size in sizes)
    if builtin_any(size < 0 for size in sizes):
        raise RuntimeError(f"invalid shape dimension {builtin_min(sizes)}")
    if math.prod(sizes) != count:
        raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count}")
    return sizes


builtin_any, builtin_min = any, min


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape; one size may be -1. A view where possible, else a copy."""
    return Reshape.apply(input, shape=_resolved_shape(input, sizes_from(shape)))


def view(input: Tensor, *shape: Any) -> Tensor:
    """As :func:`reshape`, but never a copy: RuntimeError where strides do not allow a view. ``view(dtype)`` reinterprets."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)) and not hasattr(shape[0], "__index__"):
        from tinytorch.dtypes import to_numpy_dtype

        return Tensor._wrap(input._array.view(to_numpy_dtype(shape[0])))
    shape = _resolved_shape(input, sizes_from(shape))
    if not restore_row_major(input):
        result = Reshape.apply(input, shape=shape)
        result._array.flags.writeable = False  # a copy, where PyTorch has a view: better refuse a write than lose it
        return result
    result = Reshape.apply(input, shape=shape)
    if result._base is None and input._array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return result


def restore_row_major(input: Tensor) -> bool:
    """Undo the memory order that the convolution kernels like (see kernels/layout), before anyone looks at strides.

    The values stay the same. Only memory that nobody else sees can be moved; returns False where it had to stay.
    """
    array = input._array
    if input._base is None and not array.flags.c_contiguous and layout.is_chwn(array):
        if input._memory is not None and input._memory.shared:
            return False
        input._array = np.ascontiguousarray(array)
    return True


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` viewed in the shape of ``other``."""
    return view(input, *other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` reshaped to the shape of ``other``."""
    return reshape(input, *other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` (included) joined into one."""
    shape = input._array.shape
    start, end = one_dim(start_dim, len(shape)), one_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end and shape:
        return input
    return Reshape.apply(input, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` cut into several; one of ``sizes`` may be -1."""
    shape = input._array.shape
    dim = one_dim(dim, len(shape))
    sizes = tuple(sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        sizes = tuple(shape[dim] // known if size == -1 and known else size for size in sizes)
    if math.prod(sizes) != shape[dim]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the input "
            "tensor"
        )
    return Reshape.apply(input, shape=(*shape[:dim], *sizes, *shape[dim + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshape(input, -1)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions in the given order."""
    order = sizes_from(dims)
    ndim = input._array.ndim
    if len(order) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering "
            f"of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    order = tuple(one_dim(dim, ndim) for dim in order)
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return Permute.apply(input, dims=order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    ndim = input._array.ndim
    order = list(range(ndim))
    first, second = one_dim(dim0, ndim), one_dim(dim1, ndim)
    if ndim:
        order[first], order[second] = order[second], order[first]
    return Permute.apply(input, dims=tuple(order))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and scalars as they are."""
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return Permute.apply(input, dims=tuple(range(ndim))[::-1])


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: ``Tensor.mT``."""
    ndim = input._array.ndim
    if ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {ndim}-D tensor.")
    return transpose(input, -2, -1)


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions ``source`` moved to the places ``destination``; the others keep their order."""
    ndim = input._array.ndim
    sources = [one_dim(d, ndim) for d in ([source] if isinstance(source, int) else source)]
    targets = [one_dim(d, ndim) for d in ([destination] if isinstance(destination, int) else destination)]
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({len(sources)} dims) should contain the same number of dims "
            f"as destination ({len(targets)} dims)"
        )
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise RuntimeError("movedim: repeated dim in `source` or `destination`")
    order = [dim for dim in range(ndim) if dim not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return Permute.apply(input, dims=tuple(order))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1: all of them, or those of ``dim`` that have size 1."""
    shape = input._array.shape
    dims = many_dims(dim, len(shape)) if dim != () else ()
    return Reshape.apply(input, shape=tuple(size for i, size in enumerate(shape) if i not in dims or size != 1))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at ``dim``."""
    shape = input._array.shape
    dim = one_dim(dim, len(shape) + 1)
    return Reshape.apply(input, shape=(*shape[:dim], 1, *shape[dim:]))


def _checked_sequence(name: str, tensors: Any) -> list[Tensor]:
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    for position, value in enumerate(tensors):
        if not isinstance(value, Tensor):
            raise TypeError(f"expected Tensor as element {position} in argument 0, but got {type(value).__name__}")
    if not tensors:
        if name == "torch.cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors)


def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors joined along an existing dimension; all other sizes must agree (empty 1-d tensors are left out)."""
    given = promote_all(*_checked_sequence("torch.cat", tensors))
    dim = dim if axis is None else axis
    parts = [part for part in given if part._array.shape != (0,)] or given[:1]
    first = parts[0]._array
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    dim = one_dim(dim, first.ndim)
    for position, part in enumerate(parts[1:], 1):
        shape = part._array.shape
        if len(shape) != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {len(shape)}"
            )
        for d, (a, b) in enumerate(zip(first.shape, shape, strict=True)):
            if a != b and d != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for tensor "
                    f"number {position} in the list."
                )
    return Cat.apply(*parts, dim=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of equal shape joined along a new dimension."""
    parts = promote_all(*_checked_sequence("stack", tensors))
    first = parts[0]._array.shape
    for position, part in enumerate(parts):
        if part._array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and {list(part._array.shape)} at "
                f"entry {position}"
            )
    return Stack.apply(*parts, dim=one_dim(dim, len(first) + 1))


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along ``dim``: of one size (the last may be smaller), or of given sizes."""
    dim = one_dim(dim, tensor._array.ndim)
    if tensor._array.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    total = tensor._array.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and total):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        count = builtin_max(1, -(-total // size)) if size else 1
        sizes = tuple(builtin_min((size, total - i * size)) for i in range(count))
    else:
        sizes = tuple(split_size_or_sections)
        if builtin_sum(sizes) != total or builtin_any(size < 0 for size in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at dimension {dim}), but "
                f"got split_sizes={list(sizes)}"
            )
    return Split.apply(tensor, sizes=sizes, dim=dim)


builtin_max, builtin_sum = max, sum


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most ``chunks`` parts of equal size (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if input._array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    total = input._array.shape[one_dim(dim, input._array.ndim)]
    size = -(-total // chunks)
    return split(input, size, dim) if total else split(input, [0] * chunks, dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """One view per position along ``dim``."""
    if input._array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Unbind.apply(input, dim=one_dim(dim, input._array.ndim))


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The view of ``length`` positions from ``start`` along ``dim``."""
    if input._array.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = one_dim(dim, input._array.ndim)
    size, start = input._array.shape[dim], int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [-{size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return ops.basic_index(input, (slice(None),) * dim + (slice(start, start + length),))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The view at one position along ``dim``, without that dimension."""
    if input._array.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {dim}"
        )
    return ops.basic_index(input, (slice(None),) * dim + (int(index),))


def flip(input: Tensor, *dims: Any) -> Tensor:
    """The elements in reverse order along ``dims``."""
    order = tuple(one_dim(d, input._array.ndim) for d in sizes_from(dims))
    if len(set(order)) != len(order):
        raise RuntimeError(f"dim {order[0]} appears multiple times in the list of dims")
    return Flip.apply(input, dims=order)


def is_contiguous(input: Tensor) -> bool:
    """Whether the elements lie in memory in row-major order."""
    restore_row_major(input)
    return input._array.flags.c_contiguous


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its memory is in row-major order, else a copy that is."""
    if is_contiguous(input):
        return input
    result = input.clone()
    result._array = np.ascontiguousarray(result._array)
    return result


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 1 (vectors: along 0)."""
    parts = [part if part._array.ndim else part.reshape(1) for part in _checked_sequence("hstack", tensors)]
    return cat(parts, 0 if parts[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along dimension 0; vectors count as rows."""
    return cat([p if p._array.ndim >= 2 else p.reshape(1, -1) for p in _checked_sequence("vstack", tensors)], 0)


def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """The tensor copied ``sizes`` times along each dimension (more sizes than dimensions: new ones in front)."""
    times = sizes_from(sizes)
    shape = input._array.shape
    if len(times) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if builtin_any(n < 0 for n in times):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeat by {list(times)}")
    shape = (1,) * (len(times) - len(shape)) + shape
    apart = [size for n in shape for size in (1, n)]
    wide = [size for pair in zip(times, shape, strict=True) for size in pair]
    joined = [n * size for n, size in zip(times, shape, strict=True)]
    return input.reshape(apart).expand(wide).clone().reshape(joined)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As :func:`repeat`, where missing leading counts mean 1."""
    times = sizes_from(dims)
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


swapaxes = swapdims = transpose
moveaxis = movedim
concat = concatenate = cat

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
