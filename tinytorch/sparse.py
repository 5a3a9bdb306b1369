"""Sparse matrices and tensors by coordinates (``torch.sparse_coo_tensor``, ``torch.sparse``).

Only the elements that are not zero are kept: ``indices``, one column for each, and ``values``. That is how programs on
graphs write an adjacency matrix, and what they do with it is here: products with dense matrices, sums, sparse + sparse,
multiples, transposes, conversion. Every other op refuses, and says to call ``to_dense()`` first.

>>> import tinytorch as torch
>>> a = sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
>>> a @ torch.ones(3, 1)
tensor([[3.],
        [9.]])

Gradients flow to the dense operand and to ``values``, because everything is composed of ops on dense tensors: a product
gathers the rows of the dense matrix, scales them and adds them up (``index_select``, ``*``, ``index_add``).
"""

# mypy: disable-error-code="assignment, misc, override"
# A sparse tensor is a Tensor, so that isinstance and annotations hold, but its methods take less than a dense one's.

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

import tinytorch as torch  # noqa: F401  (programs write torch.sparse.torch.eye(n))
from tinytorch import dtypes, layouts, ops
from tinytorch.autograd.node import known_as
from tinytorch.formatting import format_tensor
from tinytorch.ops.dims import one_dim
from tinytorch.size import Size
from tinytorch.sparse_methods import SparseMethods
from tinytorch.tensor import Tensor
from tinytorch.torch_function import disabled_torch_function

__all__ = ["SparseTensor", "addmm", "from_dense", "log_softmax", "mm", "softmax", "sparse_coo_tensor", "sum"]


def sparse_coo_tensor(
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> SparseTensor:
    """The tensor with ``values[i]`` at the coordinates ``indices[:, i]``; values at equal coordinates add up.

    Args:
        indices: (sparse dims, n). Or the size alone, for a tensor of zeros.
        values: (n, ...): with more dimensions than one, each coordinate holds a dense block.
        size: by default just large enough.

    Raises:
        RuntimeError: shapes that do not fit, a negative coordinate, or one that ``size`` has no room for.
    """
    if values is None and (indices is None or size is None):
        size = tuple(indices if size is None else size)
        indices, values = ops.zeros(len(size), 0, dtype=dtypes.int64), ops.zeros(0, dtype=dtype, device=device)
    indices = indices if isinstance(indices, Tensor) else ops.tensor(np.asarray(indices))
    places = indices.detach().long()
    numbers = values if isinstance(values, Tensor) else ops.tensor(values, dtype=dtype, device=device)
    if dtype is not None:
        numbers = numbers.to(dtype)
    array = places.numpy()
    if array.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(array.shape)}")
    if numbers.dim() < 1 or numbers.shape[0] != array.shape[1]:
        count = numbers.shape[0] if numbers.dim() else 0
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {array.shape[1]}, nnz from values: "
            f"{count}"
        )
    if array.size and array.min() < 0:
        raise RuntimeError(f"found negative index {array.min()} for dim {int(array.min(1).argmin())}")
    if size is None:
        size = (*(array.max(1) + 1 if array.size else [0] * len(array)), *numbers.shape[1:])
    size = Size(int(n) for n in size)
    if len(size) != len(array) + numbers.dim() - 1:
        raise RuntimeError(f"number of dimensions must be sparse_dim ({len(array)}) + dense_dim ({numbers.dim() - 1}), "
                           f"but got {len(size)}")  # fmt: skip
    for dim, (row, room) in enumerate(zip(array, size, strict=False)):
        if row.size and row.max() >= room:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {dim}, size is {room} but found index {row.max()}"
            )
    if numbers.requires_grad:
        numbers = known_as(numbers.view_as(numbers), "SparseCooTensorWithDimsAndTensorsBackward0")
    result = _made(places, numbers, size, bool(is_coalesced))
    return result.requires_grad_() if requires_grad else result


def _made(indices: Tensor, values: Tensor, size: Any, coalesced: bool) -> SparseTensor:
    result = object.__new__(SparseTensor)
    result._places, result._numbers, result._size, result._coalesced = indices, values, Size(size), coalesced
    return result


def from_dense(input: Tensor, sparse_dim: int) -> SparseTensor:
    """The elements that are not zero, by their coordinates in the first ``sparse_dim`` dimensions."""
    rest = tuple(range(sparse_dim, input.dim()))
    found = np.asarray(input._array != 0).any(axis=rest)
    if not input.dim():  # a number has no coordinates
        return _made(ops.zeros(0, int(found), dtype=dtypes.int64), input.reshape(1)[: int(found)], input.shape, True)
    places = ops.tensor(np.stack(np.nonzero(found)), dtype=dtypes.int64)
    return _made(places, input[tuple(places)], input.shape, True)


def _no_array(self: Any) -> NoReturn:
    raise NotImplementedError(
        "this op is not supported for sparse tensors: convert to a dense one first, with to_dense(). Sparse tensors "
        "know @, mm, +, -, * and / by numbers, sum, t, transpose, coalesce, indices, values, to, select, index_select "
        "and functions that leave zero at zero."
    )


class SparseTensor(SparseMethods):
    """What :func:`sparse_coo_tensor` makes."""

    _made = staticmethod(_made)

    _places: Tensor
    _numbers: Tensor
    _size: Size
    _coalesced: bool
    __torch_function__ = disabled_torch_function
    _array = property(_no_array)
    is_sparse = True
    layout = layouts.sparse_coo

    shape = property(lambda self: self._size)
    ndim = property(lambda self: len(self._size))
    dtype = property(lambda self: self._numbers.dtype)
    requires_grad = property(lambda self: self._numbers.requires_grad)
    is_leaf = property(lambda self: self._numbers.is_leaf)
    grad_fn = property(lambda self: self._numbers.grad_fn)
    T = property(lambda self: self.t())

    @property
    def grad(self) -> Any:
        """Of the values, at the same coordinates."""
        return None if self._numbers.grad is None else self._like(self._numbers.grad)

    def _like(self, values: Tensor) -> SparseTensor:
        return _made(self._places, values, self._size, self._coalesced)

    def _alias(self) -> SparseTensor:
        return self._like(self._numbers)

    def size(self, dim: int | None = None) -> Any:
        return self._size if dim is None else self._size[dim]

    def dim(self) -> int:
        return len(self._size)

    def numel(self) -> int:
        return int(np.prod(self._size))

    def __len__(self) -> int:
        return self._size[0]

    def sparse_dim(self) -> int:
        return self._places.shape[0]

    def dense_dim(self) -> int:
        return self._numbers.dim() - 1

    def is_coalesced(self) -> bool:
        return self._coalesced

    def _nnz(self) -> int:
        return self._numbers.shape[0]

    def _indices(self) -> Tensor:
        return self._places

    def _values(self) -> Tensor:
        return self._numbers

    def indices(self) -> Tensor:
        """(sparse dims, n). Raises RuntimeError before :meth:`coalesce`."""
        if not self._coalesced:
            raise RuntimeError("Cannot get indices on an uncoalesced tensor, please call .coalesce() first")
        return self._places

    def values(self) -> Tensor:
        """(n, ...). Raises RuntimeError before :meth:`coalesce`."""
        if not self._coalesced:
            raise RuntimeError("Cannot get values on an uncoalesced tensor, please call .coalesce() first")
        return self._numbers

    def coalesce(self) -> SparseTensor:
        """The same tensor with sorted coordinates, each of them once."""
        if self._coalesced:
            return self
        sizes = self._size[: self.sparse_dim()]
        flat = np.ravel_multi_index(tuple(self._places.numpy()), sizes) if self._nnz() else np.zeros(0, np.int64)
        once, position = np.unique(flat, return_inverse=True)
        places = np.stack(np.unravel_index(once, sizes)) if self._nnz() else np.zeros((len(sizes), 0))
        empty = ops.zeros(len(once), *self._numbers.shape[1:], dtype=self.dtype)
        numbers = ops.index_add(empty, 0, ops.tensor(position), self._numbers)
        return _made(ops.tensor(places, dtype=dtypes.int64), numbers, self._size, True)

    def to_dense(self, dtype: Any = None, **options: Any) -> Tensor:
        """All elements, with zeros where there is none."""
        empty = ops.zeros(self._size, dtype=self.dtype)
        if not len(self._places):  # a number: the sum of what is there
            return self._numbers.sum(0).reshape(self._size)
        dense = known_as(empty.index_put(tuple(self._places), self._numbers, accumulate=True), "ToDenseBackward0")
        return dense if dtype is None else dense.to(dtype)

    def requires_grad_(self, requires_grad: bool = True) -> SparseTensor:
        self._numbers = self._numbers if self._numbers.requires_grad == requires_grad else self._numbers.detach()
        self._numbers.requires_grad_(requires_grad)
        return self

    def zero_(self) -> SparseTensor:
        """No coordinates are left."""
        self._places, self._numbers, self._coalesced = self._places[:, :0], self._numbers[:0], True
        return self

    def to_sparse(self, *args: Any, **options: Any) -> SparseTensor:
        return self

    def transpose(self, dim0: int, dim1: int) -> SparseTensor:
        """Two of the sparse dimensions exchanged."""
        order = list(range(len(self._size)))
        order[dim0], order[dim1] = order[dim1], order[dim0]
        if order[self.sparse_dim() :] != list(range(len(self._size)))[self.sparse_dim() :]:
            _no_array(self)
        places = self._places[order[: self.sparse_dim()]]
        return _made(places, self._numbers, [self._size[d] for d in order], False)

    def t(self) -> SparseTensor:
        return self if len(self._size) < 2 else self.transpose(0, 1)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, SparseTensor):
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        if self._size != other._size:
            raise RuntimeError(
                f"add: expected sizes of 'self' and 'other' to match, but {list(self._size)} != {list(other._size)}"
            )
        if np.array_equal(self._places._array, other._places._array):
            return self._like(self._numbers + other._numbers)
        places = ops.cat([self._places, other._places], 1)
        return _made(places, ops.cat([self._numbers, other._numbers]), self._size, False)

    def __radd__(self, other: Any) -> Any:
        return other + self.to_dense()

    add = __add__

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __neg__(self) -> SparseTensor:
        return self._like(-self._numbers)

    def __mul__(self, other: Any) -> SparseTensor:
        if isinstance(other, SparseTensor) or (isinstance(other, Tensor) and other.dim()):
            dense = other.to_dense() if isinstance(other, SparseTensor) else other.expand(self._size)
            whole = self.coalesce()
            return whole._like(whole._numbers * dense[tuple(whole._places)])
        return self._like(self._numbers * other)

    __rmul__ = mul = __mul__

    def __truediv__(self, other: Any) -> SparseTensor:
        return self * (1 / other) if isinstance(other, Tensor) else self._like(self._numbers / other)

    div = __truediv__

    def __matmul__(self, other: Any) -> Any:
        return known_as(mm(self, other) if other.dim() == 2 else mm(self, other.unsqueeze(1)).squeeze(1), "MmBackward0")

    matmul = mm = mv = spmm = __matmul__

    def __rmatmul__(self, other: Tensor) -> Tensor:
        return mm(self.t(), other.t()).t()

    def sum(self, dim: Any = None, dtype: Any = None) -> Any:
        return sum(self, dim, dtype)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        def shown(name: str, array: np.ndarray) -> str:
            if not array.size:
                return f"{name}=tensor([], size={array.shape})"
            lines = format_tensor(array, default_dtype=array.dtype).split("\n")
            return f"{name}=" + "\n".join(
                [lines[0], *(" " * (len(name) + 8) * bool(line) + line for line in lines[1:])]
            )

        text = f"tensor({shown('indices', self._places._array)},\n       {shown('values', self._numbers._array)},\n"
        text += f"       size={tuple(self._size)}, nnz={self._nnz()}"
        if self.dtype not in (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_):
            text += f", dtype={self.dtype}"
        text += f", layout={self.layout}"
        if self.grad_fn is not None:
            return text + f",\n       grad_fn=<{self.grad_fn.name()}>)"
        return text + (", requires_grad=True)" if self.requires_grad else ")")


def mm(mat1: Any, mat2: Any, reduce: str = "sum") -> Any:
    """``mat1 @ mat2``, the first of them sparse, the second dense or sparse. RuntimeError when sizes do not fit."""
    if not isinstance(mat1, SparseTensor):
        return mat1 @ mat2
    if reduce != "sum":
        raise NotImplementedError(f"sparse.mm(reduce={reduce!r}) is not supported: only 'sum' is")
    if mat1.dim() != 2 or mat1.dense_dim() or mat2.dim() != 2:
        raise RuntimeError(f"sparse.mm: expected matrices, got {mat1.dim()}D and {mat2.dim()}D tensors")
    if mat1._size[1] != mat2.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, mat1._size))} and "
            f"{'x'.join(map(str, mat2.shape))})"
        )
    if isinstance(mat2, SparseTensor):
        return from_dense(mm(mat1, mat2.to_dense()), 2)
    rows, columns = mat1._places
    scaled = mat1._numbers.unsqueeze(1) * mat2.index_select(0, columns)
    product = ops.zeros(mat1._size[0], mat2.shape[1], dtype=scaled.dtype).index_add(0, rows, scaled)
    return known_as(product, "SparseAddmmBackward0")


spmm = mm


def addmm(mat: Tensor, mat1: SparseTensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)``, with ``mat1`` sparse."""
    return beta * mat + alpha * mm(mat1, mat2)


def sum(input: SparseTensor, dim: Any = None, dtype: Any = None) -> Any:
    """The sum of everything, or over some sparse dimensions; sparse while one of those is left."""
    numbers = input._numbers if dtype is None else input._numbers.to(dtype)
    dims = range(input.dim()) if dim is None else dim if isinstance(dim, (tuple, list)) else [dim]
    gone = {d % input.dim() for d in dims}
    if any(d >= input.sparse_dim() for d in gone) and len(gone) < input.dim():
        _no_array(input)
    kept = [d for d in range(input.sparse_dim()) if d not in gone]
    if len(gone) == input.dim():
        return numbers.sum()
    if not kept:
        return numbers.sum(0)
    rest = [n for d, n in enumerate(input._size) if d not in gone]
    return _made(input._places[kept], numbers, rest, False).coalesce()


def softmax(input: SparseTensor, dim: int, *, dtype: Any = None) -> SparseTensor:
    """softmax along ``dim`` of the elements that are there: the others count as -inf. The attention of a graph."""
    result = log_softmax(input, dim, dtype=dtype)
    return result._like(result._numbers.exp())


def log_softmax(input: SparseTensor, dim: int, *, dtype: Any = None) -> SparseTensor:
    """The logarithm of :func:`softmax`, of the elements that are there. IndexError for a dim out of range."""
    dim, whole = one_dim(dim, input.dim()), input.coalesce()
    numbers = whole._numbers if dtype is None else whole._numbers.to(dtype)
    if dim >= input.sparse_dim():
        return whole._like(numbers.log_softmax(dim - input.sparse_dim() + 1))
    others = np.delete(whole._places._array, dim, axis=0)
    groups, group = np.unique(others, axis=1, return_inverse=True)
    where = ops.tensor(group.reshape(-1))
    empty = ops.zeros(groups.shape[1], *numbers.shape[1:], dtype=numbers.dtype)
    top = empty.index_reduce(0, where, numbers.detach(), "amax", include_self=False)
    shifted = numbers - top[where]
    return whole._like(shifted - empty.index_add(0, where, shifted.exp()).log()[where])


def _legacy(dtype: Any) -> Any:
    def make(indices: Any = None, values: Any = None, size: Any = None) -> SparseTensor:
        return sparse_coo_tensor(indices, values, size, dtype=dtype)

    return make


FloatTensor, DoubleTensor, LongTensor = _legacy(dtypes.float32), _legacy(dtypes.float64), _legacy(dtypes.int64)
