"""Chapter 4, part 2. Shapes: the same elements seen differently. Backward, the gradient is seen the same way back.

After: tinytorch/ops/reduce.py
Next: tinytorch/ops/indexing.py

Goal: reshape and permute, know which of them copy, and send gradients back the way that values came.

The idea. Nothing is computed here: every element of x goes to one place of y. A *view* does not even move it. It shares
memory with its input (``returns_view``) and walks through it with other strides: reshape where it can, permute, and
the expand and slicing of other chapters.

The derivation. y = P x with a permutation matrix P, one 1 in each row and column, so Pᵀ = P⁻¹ and

    ∂L/∂x = Pᵀ grad = P⁻¹ grad          the gradient goes back the way that x came

>>> import tinytorch
>>> x = tinytorch.zeros(2, 3, requires_grad=True)
>>> x.t().reshape(6).backward(tinytorch.arange(6.0))
>>> x.grad
tensor([[0., 2., 4.],
        [1., 3., 5.]])

What PyTorch does. The same views with the same strides; ``view`` raises where ``reshape`` copies.

Pitfalls. The gradient of a permutation is the *inverse* permutation, which is another one as soon as three dimensions
move.

Exercises. What undoes ``permute(2, 0, 1)``? And ``transpose(0, 1)``? And ``flatten()`` of a tensor (2, 3)?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import layout
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments, wrong_argument
from tinytorch.ops.checks import check_tensor
from tinytorch.ops.dims import accepts_axis, as_int, ints_from, many_dims, one_dim, sizes_from
from tinytorch.tensor import Tensor

__all__ = [
    "contiguous",
    "flatten",
    "flip",
    "is_contiguous",
    "matrix_transpose",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "reshape",
    "reshape_as",
    "select",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "unflatten",
    "unsqueeze",
    "view",
    "view_as",
]  # fmt: skip


class Reshape(Primitive):
    """The same elements in row-major order under another shape; a view where memory allows it, else a copy."""

    returns_view = True
    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return Reshape.apply(grad, shape=shape)

    known_name = "ViewBackward0"


class Permute(Primitive):
    """Dimensions in another order; backward, in the inverse order."""

    returns_view = True
    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        dims = ctx.attributes["dims"]
        return Permute.apply(grad, dims=tuple(sorted(range(len(dims)), key=dims.__getitem__)))


class Flip(Primitive):
    """The elements in reverse order along some dimensions (a copy, as in PyTorch)."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
        return np.flip(x, dims).copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Flip.apply(grad, dims=ctx.attributes["dims"])


def _resolved_shape(input: Tensor, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The requested shape with its one -1 worked out; RuntimeError when the number of elements differs."""
    count, known, hole = input._array.size, 1, -1
    for place, size in enumerate(sizes):
        if size >= 0:
            known *= size
        elif size == -1:
            if hole >= 0:
                raise RuntimeError("only one dimension can be inferred")
            hole = place
        else:
            raise RuntimeError(f"invalid shape dimension {size}")
    if hole < 0 and known == count:
        return sizes
    if known == count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if hole < 0 or known == 0 or count % known:
        raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count}")
    return (*sizes[:hole], count // known, *sizes[hole + 1 :])


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape; one size may be -1. A view where possible, else a copy.

    ``torch.reshape``. Raises RuntimeError for a shape of another number of elements.
    """
    return _reshaped(input, _resolved_shape(input, sizes_from(shape, "reshape", "shape")))


def _reshaped(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    if len(shape) == 2 and input._array.ndim > 2 and math.prod(input._array.shape[2:]) == 1:
        restore_row_major(input)  # images of one pixel would be viewed as they lie
    result = Reshape.apply(input, shape=shape)
    if (
        result._edge is not None
        and result._base is None
        and (input._base is not None or not layout.is_chwn(input._array))
    ):
        known_as(result, "UnsafeViewBackward0")  # PyTorch copies too, and its copy is known to nobody else
    return result


def view(input: Tensor, *shape: Any) -> Tensor:
    """As :func:`reshape`, but never a copy: RuntimeError where strides do not allow a view.

    ``view(dtype)`` reads the same bytes as another dtype (``torch.Tensor.view``).
    """
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)) and not hasattr(shape[0], "__index__"):
        return ops.reinterpreted(input, shape[0])
    shape = _resolved_shape(input, sizes_from(shape, "view"))
    if not restore_row_major(input):
        result = Reshape.apply(input, shape=shape)
        result._array.flags.writeable = False  # a copy, where PyTorch has a view: better refuse a write than lose it
        return result
    result = Reshape.apply(input, shape=shape)
    if result._base is None and input._array.size:
        if ops.is_viewable_there(input, shape):
            result._array.flags.writeable = False
        else:
            ops.make_row_major(input)
            result = Reshape.apply(input, shape=shape)
    return result


def restore_row_major(input: Tensor) -> bool:
    """Undo the memory order that the convolution kernels like (see kernels/layout), before anyone looks at strides.

    The values stay the same. Only memory that nobody else sees can be moved; returns False where it had to stay.
    """
    array = input._array
    if input._base is None and not array.flags.c_contiguous and array.ndim > 2 and layout.is_batch_innermost(array):
        if input._memory is not None and input._memory.shared:
            return False
        input._array = np.ascontiguousarray(array)
    return True


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` viewed in the shape of ``other``."""
    check_tensor("view_as", "other", 1, other)
    return view(input, *other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` reshaped to the shape of ``other``."""
    check_tensor("reshape_as", "other", 1, other)
    return reshape(input, *other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` (included) joined into one: (2, 3, 4) from 1 gives (2, 12).

    ``torch.flatten``; a scalar gives (1,). RuntimeError if ``start_dim`` comes after ``end_dim``.
    """
    shape = input._array.shape
    start, end = one_dim(start_dim, len(shape)), one_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end and shape:
        return input
    return _reshaped(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@accepts_axis
@checks_arguments
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` cut into several: (2, 12) at 1 into (3, 4) gives (2, 3, 4); one of ``sizes`` may be -1.

    The inverse of :func:`flatten` (``torch.unflatten``). RuntimeError for sizes whose product is not the dimension's.
    """
    shape = input._array.shape
    dim = one_dim(dim, len(shape))
    if not shape:
        raise RuntimeError(f"unflatten(): dimension {dim} of a tensor that has no dimensions")
    sizes = ints_from("unflatten", "sizes", sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        sizes = tuple(shape[dim] // known if size == -1 and known else size for size in sizes)
    if math.prod(sizes) != shape[dim]:
        size = f"the size of dim {dim} ({shape[dim]}) in the input tensor"
        raise RuntimeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to {size}")
    return Reshape.apply(input, shape=(*shape[:dim], *sizes, *shape[dim + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension: a view if they lie in a row in memory, else a copy."""
    return reshape(ops.contiguous(input), -1)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions in the given order: the result's dimension i is the input's ``dims[i]`` (``torch.permute``).

    RuntimeError unless every dimension is named once.
    """
    order = sizes_from(dims, "permute", "dims")
    ndim = input._array.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    order = tuple(one_dim(dim, ndim) for dim in order)
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return Permute.apply(input, dims=order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged (``torch.transpose``)."""
    ndim = input._array.ndim
    order = list(range(ndim))
    first, second = one_dim(dim0, ndim), one_dim(dim1, ndim)
    if ndim:
        order[first], order[second] = order[second], order[first]
    return known_as(Permute.apply(input, dims=tuple(order)), "TransposeBackward0")


def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and scalars as they are (``torch.t``). RuntimeError for more dimensions."""
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return known_as(Permute.apply(input, dims=tuple(range(ndim))[::-1]), "TBackward0")


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: ``Tensor.mT``."""
    ndim = input._array.ndim
    if ndim == 0:  # PyTorch's old behaviour, deprecated there
        return input
    if ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {ndim}-D tensor.")
    return transpose(input, -2, -1)


@checks_arguments
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions ``source`` moved to the places ``destination``; the others keep their order (``torch.movedim``).

    RuntimeError for unequal numbers of them, or one that is named twice.
    """
    ndim = input._array.ndim
    if isinstance(source, (tuple, list)) != isinstance(destination, (tuple, list)):
        raise wrong_argument("movedim", "destination", 3, destination, f"{type(source).__name__}, as source is")
    sources = [one_dim(d, ndim) for d in ints_from("movedim", "source", source, single=True)]
    targets = [one_dim(d, ndim) for d in ints_from("movedim", "destination", destination, single=True)]
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({len(sources)} dims) should contain the same number "
            f"of dims as destination ({len(targets)} dims)"
        )
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise RuntimeError("movedim: repeated dim in `source` or `destination`")
    if ndim == 0:
        return view(input, ())
    order = [dim for dim in range(ndim) if dim not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return Permute.apply(input, dims=tuple(order))


@accepts_axis
def squeeze(input: Tensor, dim: Any = NOT_GIVEN) -> Tensor:
    """Without the dimensions of size 1: all of them, or those of ``dim`` that have size 1 (``torch.squeeze``)."""
    shape = input._array.shape
    if dim is None:
        raise TypeError("squeeze(): argument 'dim' must be int or tuple of ints, not None")
    everywhere = None if dim is NOT_GIVEN else dim
    dims = () if isinstance(dim, (tuple, list)) and not dim else many_dims(everywhere, len(shape))
    squeezed = Reshape.apply(input, shape=tuple(size for i, size in enumerate(shape) if i not in dims or size != 1))
    return known_as(squeezed, "SqueezeBackward0" if dim is NOT_GIVEN else "SqueezeBackward1")


@accepts_axis
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at ``dim``: (2, 3) at 1 gives (2, 1, 3) (``torch.unsqueeze``)."""
    shape = input._array.shape
    dim = one_dim(dim, len(shape) + 1)
    return known_as(Reshape.apply(input, shape=(*shape[:dim], 1, *shape[dim:])), "UnsqueezeBackward0")


@accepts_axis
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The view of ``length`` positions from ``start`` along ``dim`` (``torch.narrow``).

    IndexError for a start, RuntimeError for a length that leads beyond the dimension.
    """
    if input._array.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = one_dim(dim, input._array.ndim)
    if isinstance(start, Tensor) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    size, start, length = input._array.shape[dim], as_int("narrow", "start", start), as_int("narrow", "length", length)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [-{size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return ops.basic_index(input, (slice(None),) * dim + (slice(start, start + length),))


@accepts_axis
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The view at one position along ``dim``, without that dimension (``torch.select``). IndexError out of range."""
    if input._array.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = one_dim(dim, input._array.ndim)
    size, index = input._array.shape[dim], as_int("select", "index", index)
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {dim}"
        )
    return ops.basic_index(input, (slice(None),) * dim + (index,))


@checks_arguments
def flip(input: Tensor, *given: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along dimensions: ``flip(x, 0, 1)``, or ``flip(x, dims=(0, 1))`` (``torch.flip``).

    RuntimeError for a dimension that is named twice.
    """
    if dims is None and not given:
        raise TypeError('flip() missing 1 required positional arguments: "dims"')
    if dims is not None and (given or not isinstance(dims, (tuple, list))):
        raise TypeError(
            f"flip(): argument 'dims' must be tuple of ints, not {type(given[0] if given else dims).__name__}"
        )
    order = tuple(one_dim(d, input._array.ndim) for d in sizes_from(given if dims is None else (dims,), "flip", "dims"))
    if len(set(order)) != len(order):
        raise RuntimeError(f"dim {order[0]} appears multiple times in the list of dims")
    return Flip.apply(input, dims=order if input._array.ndim else ())


def is_contiguous(input: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in memory in row-major order, or in that of ``memory_format``."""
    restore_row_major(input)
    return input._array.flags.c_contiguous if memory_format is None else ops.is_in_format(input, memory_format)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if its memory is in row-major order (or that of ``memory_format``), else a copy that is."""
    if is_contiguous(input, memory_format):
        return input
    if memory_format is not None:
        return ops.in_format(input, memory_format)
    from tinytorch.ops.copying import Clone

    return Clone.apply(input, order="C")


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """:func:`transpose` with NumPy's names."""
    return transpose(input, axis0, axis1)


moveaxis = movedim

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
