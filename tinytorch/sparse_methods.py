"""What a sparse tensor does by way of its elements alone: functions that leave zero at zero, picks, and copies."""

# mypy: disable-error-code="override"

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch import dtypes, ops
from tinytorch.ops.dims import one_dim
from tinytorch.tensor import Tensor

if TYPE_CHECKING:
    from tinytorch.sparse import SparseTensor

__all__ = ["SparseMethods"]


class SparseMethods(Tensor):
    """Part of :class:`tinytorch.sparse.SparseTensor`."""

    def _elementwise(self: Any, function: Any, *args: Any) -> SparseTensor:
        """``function`` of each element, once those at equal coordinates are added up."""
        whole = self.coalesce()
        return whole._like(function(whole._numbers, *args))

    def abs(self) -> SparseTensor:
        return self._elementwise(ops.abs)

    def neg(self: Any) -> SparseTensor:
        return self._like(-self._numbers)

    def sub(self: Any, other: Any) -> SparseTensor:
        return self - other

    def half(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self.to(dtypes.float16)

    def norm(self: Any, p: Any = "fro") -> Tensor:
        """Over everything, as if it were a vector."""
        return self.coalesce()._numbers.norm(p)

    def sign(self) -> SparseTensor:
        return self._elementwise(ops.sign)

    def relu(self) -> SparseTensor:
        return self._elementwise(ops.relu)

    def sqrt(self) -> SparseTensor:
        return self._elementwise(ops.sqrt)

    def square(self) -> SparseTensor:
        return self._elementwise(ops.square)

    def sin(self) -> SparseTensor:
        return self._elementwise(ops.sin)

    def tanh(self) -> SparseTensor:
        return self._elementwise(ops.tanh)

    def expm1(self) -> SparseTensor:
        return self._elementwise(ops.expm1)

    def log1p(self) -> SparseTensor:
        return self._elementwise(ops.log1p)

    def floor(self) -> SparseTensor:
        return self._elementwise(ops.floor)

    def ceil(self) -> SparseTensor:
        return self._elementwise(ops.ceil)

    def round(self) -> SparseTensor:
        return self._elementwise(ops.round)

    def pow(self, exponent: Any) -> SparseTensor:
        """RuntimeError for the power 0, which makes ones of all zeros."""
        if isinstance(exponent, Tensor) or exponent == 0:
            raise RuntimeError("pow: a sparse tensor can be raised to a number other than 0 only; use to_dense() first")
        return self._elementwise(ops.pow, exponent)

    __abs__, __pow__ = abs, pow

    # ------------------------------------------------------------------------------------ picks

    def select(self: Any, dim: int, index: int) -> Any:
        """One position along a dimension, which is gone then; dense when no sparse dimension is left."""
        dim = one_dim(dim, self.dim())
        size, rest = self._size[dim], [n for d, n in enumerate(self._size) if d != dim]
        if not -size <= index < size:
            raise IndexError(f"select(): index {index} out of range for tensor of size {list(self._size)} at dim {dim}")
        index %= size
        if dim >= self.sparse_dim():
            inner = self._numbers.select(dim - self.sparse_dim() + 1, index)
            return self._made(self._places, inner, rest, self._coalesced)
        here = ops.from_numpy(np.flatnonzero(self._places._array[dim] == index))
        numbers = self._numbers.index_select(0, here)
        if self.sparse_dim() == 1:
            return numbers.sum(0)
        kept = [d for d in range(self.sparse_dim()) if d != dim]
        return self._made(self._places[kept].index_select(1, here), numbers, rest, self._coalesced)

    def __getitem__(self, index: Any) -> Any:
        """One position along each of the first dimensions. NotImplementedError for slices and other indices."""
        picked: Any = self
        for item in index if isinstance(index, tuple) else (index,):
            if isinstance(item, bool) or not hasattr(item, "__index__"):
                raise NotImplementedError("sparse tensors take integers as indices: use index_select() or to_dense()")
            picked = picked.select(0, item.__index__())
        return picked

    def index_select(self: Any, dim: int, index: Tensor) -> SparseTensor:
        """The positions ``index`` along ``dim``, each as often as it is named. IndexError out of range."""
        dim, wanted = one_dim(dim, self.dim()), index._array.reshape(-1)
        size = [len(wanted) if d == dim else n for d, n in enumerate(self._size)]
        if wanted.size and (wanted.min() < 0 or wanted.max() >= self._size[dim]):
            raise IndexError(f"index_select(): index out of range for dimension {dim} of size {self._size[dim]}")
        if dim >= self.sparse_dim():
            inner = self._numbers.index_select(dim - self.sparse_dim() + 1, index)
            return self._made(self._places, inner, size, self._coalesced)
        order = np.argsort(self._places._array[dim], kind="stable")
        lying = self._places._array[dim][order]
        starts, ends = (np.searchsorted(lying, wanted, side=side) for side in ("left", "right"))
        counts = ends - starts
        new = np.repeat(np.arange(len(wanted)), counts)  # the position along dim of each element picked
        which = order[
            np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(starts, counts)
        ]
        places = self._places._array[:, which]
        places[dim] = new
        numbers = self._numbers.index_select(0, ops.from_numpy(which))
        return self._made(ops.from_numpy(places), numbers, size, False)

    # ------------------------------------------------------------------------------------ copies

    def to(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self._like(self._numbers.to(*args, **options))

    def cpu(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self

    def float(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self._like(self._numbers.float())

    def double(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self._like(self._numbers.double())

    def detach(self: Any) -> SparseTensor:
        return self._like(self._numbers.detach())

    def clone(self: Any, *args: Any, **options: Any) -> SparseTensor:
        return self._made(self._places.clone(), self._numbers.clone(), self._size, self._coalesced)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> SparseTensor:
        if id(self) not in memo:
            parts = copy.deepcopy((self._places, self._numbers), memo)
            memo[id(self)] = self._made(*parts, self._size, self._coalesced)
        return memo[id(self)]

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return self._made, (self._places, self._numbers, tuple(self._size), self._coalesced)
