"""Where PyTorch would have put each element: the strides of a tensor, worked out from its history.

PyTorch fills a tensor with random numbers in the order of its memory. A dropout mask gets the strides of its input, so
after ``x.transpose(1, 2)`` - or after an LSTM with ``batch_first=True``, whose result is such a transposed view - the
numbers fall on other elements than in row-major order. Same seed, same numbers needs PyTorch's strides.

The arrays' own strides are not the answer: images lie as C,H,W,N here (see :mod:`tinytorch.kernels.layout`) and
row-major in PyTorch. But the graph tells. Going back from a tensor: a view rearranges the strides of what it views,
an elementwise op keeps those of its first operand, an op on images (convolution, pooling, ...) puts the channels last
if its input had them last, a concatenation if all its inputs had, and everything else makes row-major memory. This
costs nothing until a mask is drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinytorch.autograd.saving import ForeignMemory
from tinytorch.kernels.layout import is_chwn
from tinytorch.ops.broadcast import Cast, Expand
from tinytorch.ops.copying import Clone
from tinytorch.ops.indexing import BasicIndex
from tinytorch.ops.joining import Cat, Split, Unbind
from tinytorch.ops.shape import Permute, Reshape
from tinytorch.tensor import Tensor

__all__ = ["is_viewable_there", "make_row_major", "memory_order"]

_MOST_STEPS = 200  # back in history; beyond, row-major is assumed
_ONE_BYTE = np.zeros(1, np.int8)

Shape = tuple[int, ...]


def memory_order(tensor: Tensor) -> Shape | None:
    """The dimensions from slowest to fastest in PyTorch's memory; None for row-major, the common case."""
    if tensor._base is not None:
        tensor._follow_base()
    edge = tensor._edge
    if edge is None:
        strides = _strides_of_leaf(tensor)
    elif type(edge[0]) not in (*_KEEPS, Cat) and not any(getattr(edge[0], keeps, False) for keeps in _FLAGS):
        return None
    else:
        strides = _strides(edge, {})
    shape = tensor._array.shape
    order = sorted(range(len(shape)), key=lambda d: -strides[d] if shape[d] > 1 else 0)
    several = [d for d in order if shape[d] > 1]  # a dimension of size 1 may stand anywhere
    if several == sorted(several) or any(strides[d] == 0 for d in several):
        return None
    return tuple(order)


def make_row_major(tensor: Tensor) -> None:
    """Lay the result of an op out as PyTorch has it: row-major, if that op's results are and nobody else sees it.

    NumPy keeps the order of what went in, as a softmax or a concatenation of transposed tensors shows. Without a
    history, any op may have made it. RuntimeError, of :func:`view`, for all other tensors.
    """
    alone = tensor._base is None and (tensor._memory is None or not tensor._memory.shared)
    if not alone or (tensor._edge is not None and memory_order(tensor) is not None):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    tensor._array = np.ascontiguousarray(tensor._array)


def is_viewable_there(tensor: Tensor, shape: Shape) -> bool:
    """Whether PyTorch could view ``tensor``, itself a view, in ``shape``, as what it looks at is row-major there.

    A stride over that memory is a number of steps along one of its dimensions; the same steps are taken in row-major
    memory.
    """
    base = tensor._base
    if base is None or base._array.flags.c_contiguous or (base._edge is not None and memory_order(base) is not None):
        return False
    lying, there = base._array.strides, _row_major(base._array.shape)
    dims = sorted((d for d, size in enumerate(base._array.shape) if size > 1), key=lambda d: -lying[d])
    strides = []
    for stride in tensor._array.strides:
        dim = next((d for d in dims if 0 < lying[d] <= stride), None)
        strides.append(0 if dim is None else stride // lying[dim] * there[dim])
    view = as_strided(_ONE_BYTE, tensor._array.shape, strides)
    try:
        view.shape = shape
    except AttributeError:
        return False
    return True


def _strides(edge: Any, joined: dict[Any, bool]) -> Shape:
    """Walk back to where the memory was made, then forward again through the views of it.

    ``joined`` notes which concatenations put the channels last: those of a DenseNet are met again and again.
    """
    views = []
    for _ in range(_MOST_STEPS):
        node, output = edge
        if isinstance(node, Tensor):  # a leaf
            strides, shape = _strides_of_leaf(node), node._array.shape
            break
        shape = node.outputs[output][0]
        if getattr(node, "keeps_memory_order", False):
            before = next((e for e in node.edges if e is not None and _shape_at(e) == shape), None)
        elif getattr(node, "keeps_channels_last", False) and len(shape) == 4 and node.edges[0] is not None:
            before = node.edges[0]
            views.append((node, output))
        elif node.op_type is Cat and len(shape) == 4:
            if node not in joined:
                joined[node] = all(edge is not None and _are_channels_last(edge, joined) for edge in node.edges)
            strides = _channels_last(shape) if joined[node] else _row_major(shape)
            break
        elif node.op_type in _KEEPS and node.attributes.get("order") != "C":
            before = node.edges[0]
            if node.op_type in _VIEWS:
                views.append((node, output))
        else:
            before = None
        if before is None:
            strides = _row_major(shape)
            break
        edge = before
    else:
        return _row_major(shape)
    array = as_strided(_ONE_BYTE, shape, strides)  # its elements are never touched
    for node, output in reversed(views):
        array = _VIEWS.get(node.op_type, _as_images)(array, node, output)
    return array.strides


def _shape_at(edge: Any) -> Shape:
    node, output = edge
    return node._array.shape if isinstance(node, Tensor) else node.outputs[output][0]


def _strides_of_leaf(tensor: Tensor) -> Shape:
    """An array made by the user has PyTorch's strides, unless a kernel laid it out as C,H,W,N.

    A transposed matrix looks like the latter, but is a view of row-major memory, or came so from NumPy. (Images that
    come so from there are most likely such a kernel's.)
    """
    array = tensor._array
    is_view = tensor._base is not None and tensor._base._array.flags.c_contiguous
    is_users = array.ndim < 4 and isinstance(tensor._memory, ForeignMemory)
    if array.ndim < 2 or (is_chwn(array) and not is_view and not is_users):
        return _row_major(array.shape)
    return tuple(stride // array.itemsize for stride in array.strides)


def _row_major(shape: Shape) -> Shape:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def _channels_last(shape: Shape) -> Shape:
    channels, height, width = shape[1:]
    return height * width * channels, 1, width * channels, channels


def _are_channels_last(edge: Any, joined: dict[Any, bool]) -> bool:
    return _has_channels_last(as_strided(_ONE_BYTE, _shape_at(edge), _strides(edge, joined)))


def _reshaped(array: np.ndarray, node: Any, output: int) -> np.ndarray:
    """A view where the strides allow one, else a copy, which is row-major."""
    shape = node.outputs[0][0]
    try:
        view = array.view()
        view.shape = shape
        return _ones_as_there(view)
    except AttributeError:
        return as_strided(_ONE_BYTE, shape, _row_major(shape))


def _indexed(array: np.ndarray, node: Any, output: int) -> np.ndarray:
    index = node.attributes["index"]
    part = array[index if Ellipsis in index else (*index, ...)]
    return _ones_as_there(part) if None in index else part


def _ones_as_there(array: np.ndarray) -> np.ndarray:
    """With PyTorch's strides of dimensions of size 1, which tell it whether the channels come last."""
    strides = list(array.strides)
    for dim in range(array.ndim - 2, -1, -1):
        if array.shape[dim] == 1:
            strides[dim] = strides[dim + 1] * array.shape[dim + 1]
    return as_strided(_ONE_BYTE, array.shape, strides)


def _part(array: np.ndarray, node: Any, output: int) -> np.ndarray:
    starts = np.cumsum((0, *node.attributes["sizes"])).tolist()
    before: tuple[slice, ...] = (slice(None),) * node.attributes["dim"]
    return array[(*before, slice(starts[output], starts[output + 1]))]


def _as_images(array: np.ndarray, node: Any, output: int) -> np.ndarray:
    """The result of an op on images: with the channels last in memory if ``array``, its input, has them so."""
    shape = node.outputs[output][0]
    return as_strided(_ONE_BYTE, shape, _channels_last(shape) if _has_channels_last(array) else _row_major(shape))


def _has_channels_last(array: np.ndarray) -> bool:
    """Whether PyTorch takes the strides for such: the channels next to each other, then the columns, rows and images.

    Nearly as PyTorch: one row or one channel, which lie so and in row-major order, count as row-major.
    """
    if array.ndim != 4 or array.shape[2] == 1 or array.shape[1] == 1:
        return False
    least = 1
    for dim in (1, 3, 2, 0):
        if array.strides[dim] < least:
            return False
        least = array.strides[dim] * max(array.shape[dim], 1)
    return True


_VIEWS: dict[type, Any] = {
    Reshape: _reshaped,
    Permute: lambda array, node, output: array.transpose(node.attributes["dims"]),
    BasicIndex: _indexed,
    Expand: lambda array, node, output: np.broadcast_to(array, node.outputs[0][0]),
    Split: _part,
    Unbind: lambda array, node, output: np.moveaxis(array, node.attributes["dim"], 0)[output, ...],
}
_KEEPS = {*_VIEWS, Cast, Clone}
_FLAGS = ("keeps_memory_order", "keeps_channels_last")
