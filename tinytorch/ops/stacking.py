"""Joining and cutting by NumPy's names (dstack, hsplit...), grids and products of coordinates, one-hot rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments, wrong_argument
from tinytorch.ops.broadcast import expand
from tinytorch.ops.checks import check_all_tensors, type_name
from tinytorch.ops.dims import accepts_axis, ints_from, one_dim
from tinytorch.ops.joining import cat, split, stack, vstack
from tinytorch.ops.numbers import check_count
from tinytorch.ops.out import accepts_joined_out
from tinytorch.tensor import Tensor

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "cartesian_prod", "column_stack", "combinations",
           "dsplit", "dstack", "hsplit", "meshgrid", "one_hot", "row_stack", "split_with_sizes",
           "tensor_split", "vsplit"]  # fmt: skip


def _each(function: Any, given: tuple[Any, ...]) -> Any:
    """One tensor gives one, several (or a sequence) give a tuple."""
    listed = len(given) == 1 and isinstance(given[0], (tuple, list))
    tensors = given[0] if listed else given
    check_all_tensors(tensors)
    results = tuple(function(t) for t in tensors)
    return results[0] if len(results) == 1 and not listed else results


def atleast_1d(*tensors: Any) -> Any:
    """Scalars as vectors of size 1; others as they are."""
    return _each(lambda t: t if t._array.ndim else t.reshape(1), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Scalars and vectors as matrices with one row; others as they are."""
    return _each(lambda t: t if t._array.ndim >= 2 else t.reshape(1, -1), tensors)


def atleast_3d(*tensors: Any) -> Any:
    """With dimensions added as NumPy does: (n,) becomes (1, n, 1), (n, m) becomes (n, m, 1)."""

    def grown(t: Tensor) -> Tensor:
        if t._array.ndim >= 3:
            return t
        return t.unsqueeze(-1) if t._array.ndim == 2 else t.reshape(1, -1, 1)

    return _each(grown, tensors)


@accepts_joined_out
def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joined along the third dimension."""
    if not tensors:
        raise RuntimeError("dstack expects a non-empty TensorList")
    return cat(atleast_3d(list(tensors)), 2)


@accepts_joined_out
def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joined along the second dimension; vectors count as columns."""
    if isinstance(tensors, Tensor):
        raise wrong_argument("column_stack", "tensors", 1, tensors, "tuple of Tensors")
    if not tensors:
        raise RuntimeError("column_stack expects a non-empty TensorList")
    return cat([t if t._array.ndim > 1 else t.reshape(-1, 1) for t in tensors], 1)


@checks_arguments
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts of given sizes along ``dim``."""
    return split(input, list(ints_from("split_with_sizes", "split_sizes", split_sizes)), dim)


@accepts_axis
@checks_arguments
def tensor_split(input: Tensor, indices_or_sections: Any = NOT_GIVEN, dim: int = 0, **named: Any) -> tuple[Tensor, ...]:
    """Views of so many nearly equal parts along ``dim``, or of the parts between the given positions
    (``np.array_split``), which may be named: ``sections=3``, ``indices=(1, 4)``.
    """
    indices_or_sections = _places("tensor_split", indices_or_sections, named)
    if input._array.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim]
    wanted: Any
    if isinstance(indices_or_sections, Tensor):
        if indices_or_sections._array.dtype != np.int64:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                f"{type_name(indices_or_sections)}"
            )
        if indices_or_sections._array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {indices_or_sections._array.ndim} dims"
            )
        wanted = indices_or_sections.tolist()
    elif isinstance(indices_or_sections, (int, np.integer)) and not isinstance(indices_or_sections, bool):
        wanted = int(indices_or_sections)
    else:
        wanted = ints_from("tensor_split", "indices", indices_or_sections)
    if isinstance(wanted, int):
        if wanted <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {wanted}")
        small, larger = divmod(size, wanted)
        wanted = tuple(i * small + min(i, larger) for i in range(1, wanted))
    before: tuple[slice, ...] = (slice(None),) * dim
    ends = [*wanted, size]
    return tuple(input[(*before, slice(start, end))] for start, end in zip([0, *wanted], ends, strict=True))


def _places(name: str, given: Any, named: dict[str, Any]) -> Any:
    """Where to cut, by position or by PyTorch's keywords."""
    if given is NOT_GIVEN and len(named) == 1 and not named.keys().isdisjoint(("sections", "indices")):
        return next(iter(named.values()))
    if given is NOT_GIVEN or named:
        raise TypeError(f"{name}() takes a tensor and one of: int sections, tuple of ints indices")
    return given


def _named_split(name: str, ndim: int, input: Tensor, indices_or_sections: Any, dim: int) -> tuple[Tensor, ...]:
    if input._array.ndim < ndim:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {ndim} dimension, but got a tensor with "
            f"{input._array.ndim} dimensions!"
        )
    size = input._array.shape[dim]
    if isinstance(indices_or_sections, Tensor) and not indices_or_sections.ndim:
        indices_or_sections = indices_or_sections._array[()]
    if isinstance(indices_or_sections, np.integer):
        indices_or_sections = int(indices_or_sections)
    if isinstance(indices_or_sections, bool) or not isinstance(indices_or_sections, int):
        indices_or_sections = ints_from(name, "indices", indices_or_sections)
    if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or size % indices_or_sections):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {size} is not "
            f"divisible by the split_size {indices_or_sections}!"
        )
    return tensor_split(input, indices_or_sections, dim)


@checks_arguments
def hsplit(input: Tensor, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
    """Cut along the second dimension (vectors: along the first) into equal parts, or at positions."""
    places = _places("hsplit", indices_or_sections, named)
    return _named_split("hsplit", 1, input, places, 0 if input._array.ndim == 1 else 1)


@checks_arguments
def vsplit(input: Tensor, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
    """Cut along the first dimension into equal parts, or at positions."""
    places = _places("vsplit", indices_or_sections, named)
    return _named_split("vsplit", 2, input, places, 0)


@checks_arguments
def dsplit(input: Tensor, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
    """Cut along the third dimension into equal parts, or at positions."""
    places = _places("dsplit", indices_or_sections, named)
    return _named_split("dsplit", 3, input, places, 2)


@checks_arguments
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """A grid of coordinates: one tensor per vector, each repeated along the others' dimensions (``torch.meshgrid``).

    ``indexing='ij'`` (the default): dimension i belongs to vector i; ``'xy'``: the first two are exchanged.
    """
    vectors = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else list(tensors)
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for vector in vectors:
        if vector._array.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(vector.shape)}"
            )
        if vector.dtype != vectors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(vectors) > 1
    if swap:
        vectors[:2] = vectors[1::-1]
    shape = [v._array.size for v in vectors]
    count = len(vectors)
    grids = [
        expand(v if d == count - 1 else v.reshape([-1] + [1] * (count - 1 - d)), shape) for d, v in enumerate(vectors)
    ]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@checks_arguments
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All ways to take one element of each vector, one per row; of one vector, itself."""
    for vector in tensors:
        if vector._array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(vector.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([grid.reshape(-1) for grid in meshgrid(*tensors)], 1)


@checks_arguments
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All combinations of ``r`` elements of a vector, one per row, in the order of ``itertools``."""
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return Tensor._wrap(np.zeros(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input._array.size), r)), np.int64).reshape(-1, r)
    return input[Tensor._wrap(rows)]


@checks_arguments
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """For each class number a row with 1 at that place and 0 elsewhere: (...) gives (..., num_classes), int64.

    As many classes as needed by default. Raises RuntimeError for a dtype other than int64, a negative class, or
    one that is not below ``num_classes``.
    """
    classes = input._array
    if classes.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor. Got: {type_name(input)}")
    if classes.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if classes.size and classes.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    check_count(num_classes)
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    if classes.size and classes.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return Tensor._wrap((classes[..., None] == np.arange(num_classes)).astype(np.int64))


row_stack = vstack
