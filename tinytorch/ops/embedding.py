"""Embeddings: rows of a table looked up by number, one by one or reduced bag by bag.

A lookup is indexing, so its gradient adds up, row by row, what came back for every place where the row was used. Bags
(sentences, say, of which only the sum or mean of the word vectors is wanted) are a lookup and a segment sum after it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinytorch.autograd.modes import no_grad, state
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.dtypes import INEXACT
from tinytorch.kernels.picking import all_between
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_same_dtypes, refuse, type_name
from tinytorch.ops.gather import gather
from tinytorch.ops.indexing import Index, add_at, index_select
from tinytorch.ops.scatter import index_add
from tinytorch.tensor import Tensor

__all__ = ["embedding", "embedding_bag", "embedding_renorm_"]


@checks_arguments
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight`` (num_embeddings, dim) by index: integers (...) give (..., dim)
    (``torch.nn.functional.embedding``).

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows looked up are first scaled down to that norm, in place.
        scale_grad_by_freq: divide a row's gradient by how often the row was looked up.
        sparse: ``weight.grad`` becomes a sparse tensor of the rows looked up. ``weight`` has to be a leaf.

    Raises:
        IndexError: an index outside the table. RuntimeError: wrong dtype or rank.
    """
    rows = weight.size(0) if padding_idx is not None else len(weight._array) if weight._array.ndim else 0
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    _check_table("embedding", input, weight)
    _check_indices(input, rows, IndexError if rows or max_norm is not None else RuntimeError)
    if max_norm is not None:
        embedding_renorm_(weight, input, max_norm, norm_type)
    sparse = sparse and weight.requires_grad
    looked_up = _rows(weight, input, scale_grad_by_freq, sparse, padding_idx)
    if padding_idx is None or sparse or not weight.requires_grad:
        return known_as(looked_up, "EmbeddingBackward0")
    is_padding = Tensor._wrap((input._array == padding_idx)[..., None])
    return known_as(ops.where(is_padding, looked_up.detach(), looked_up), "EmbeddingBackward0")


@checks_arguments
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Rows of ``weight`` by index, reduced bag by bag (``torch.nn.functional.embedding_bag``).

    Args:
        input: indices; (B, n) for B bags of n, or (total,) cut into bags by ``offsets``.
        offsets: (B,): where each bag begins; with ``include_last_offset`` (B + 1,), the end as well.
        mode: 'sum', 'mean' or 'max'; of an empty bag 0.
        per_sample_weights: of the input's shape, factors of the rows; for 'sum' only.
        padding_idx: indices that are skipped.
        sparse: as of :func:`embedding`.

    Returns:
        (B, dim).

    Raises:
        ValueError: shapes, offsets or a mode that do not fit. IndexError: an index outside the table.
        NotImplementedError: weights with another mode than 'sum'. ValueError: ``sparse`` with 'max'.
    """
    if weight._array.dtype.kind in "iu" and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=3,
        )
        input, weight = weight, input
    refuse("biuc", "embedding_bag", weight, error=RuntimeError)
    indices, starts, factors = _bag_arguments(input, offsets, per_sample_weights, mode, include_last_offset)
    if weight._array.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    rows = weight._array.shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got {padding_idx}"
        )
    _check_indices(indices, rows, RuntimeError)
    if max_norm is not None:
        embedding_renorm_(weight, indices, max_norm, norm_type)
    ends = np.append(starts[1:], indices._array.size)
    bags = np.repeat(np.arange(len(starts)), ends - starts)
    looked_up = _rows(weight, indices, scale_grad_by_freq, sparse, padding_idx)
    if padding_idx is not None:
        kept = np.flatnonzero(indices._array != padding_idx % rows)
        bags, places = bags[kept], Tensor._wrap(kept)
        looked_up = index_select(looked_up, 0, places)
        factors = None if factors is None else index_select(factors, 0, places)
    if factors is not None:
        check_same_dtypes("embedding_bag: weight and per_sample_weights", weight, factors)
        looked_up = looked_up * factors.unsqueeze(1)
    if mode == "max":
        return _largest_of_bags(looked_up, bags, len(starts))
    total = _sums_of_bags(looked_up, bags, len(starts))
    if mode == "sum":
        return total
    counts = np.maximum(np.bincount(bags, minlength=len(starts)), 1)
    return total / Tensor._wrap(counts[:, None].astype(weight._array.dtype))


@checks_arguments
def embedding_renorm_(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Scale down, in place, those of the rows at ``indices`` whose norm is larger than ``max_norm``."""
    if weight._array.dtype.kind not in INEXACT:
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {type_name(weight)} instead: only "
            "such a table has rows to be scaled down to max_norm"
        )
    used = np.unique(indices._array)
    norms = np.linalg.norm(weight._array[used], norm_type, axis=1)
    too_long = norms > max_norm
    if too_long.any():
        factors = (max_norm / (norms[too_long] + 1e-7)).astype(weight._array.dtype)
        with no_grad():
            weight[Tensor._wrap(used[too_long])] = Tensor._wrap(weight._array[used[too_long]] * factors[:, None])
    return weight


class SparseRows(Primitive):
    """Rows of a leaf, whose gradient is sparse: the walk gets it at once, beside the dense ones."""

    @staticmethod
    def forward(ctx: Any, weight: np.ndarray, index: np.ndarray, padding_idx: int | None) -> np.ndarray:
        return weight[index]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> None:
        leaf, walk = ctx.edges[0][0], state.walk
        if walk is None or not isinstance(leaf, Tensor):
            raise NotImplementedError(
                "an embedding with sparse=True has gradients of first order only, only for a weight that is a leaf: "
                "use sparse=False"
            )
        from tinytorch.sparse import sparse_coo_tensor

        index, padding_idx = ctx.attributes["index"].reshape(-1), ctx.attributes["padding_idx"]
        rows = grad._array.reshape(index.size, -1)
        if padding_idx is not None:
            kept = index != padding_idx % len(leaf)
            index, rows = index[kept], rows[kept]
        gradient = sparse_coo_tensor(Tensor._wrap(index[None]), Tensor._wrap(rows.copy()), leaf.shape)
        walk.deliver_sparse(leaf, gradient)

    known_name = "EmbeddingBackward0"


class RowsByFrequency(Primitive):
    """Rows of a table, whose gradients are divided by how often the row is looked up."""

    @staticmethod
    def forward(ctx: Any, weight: np.ndarray, index: tuple[np.ndarray]) -> np.ndarray:
        ctx.save_intermediates(weight.shape)
        return weight[index]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return AddByFrequency.apply(grad, index=ctx.attributes["index"], shape=shape)

    known_name = "EmbeddingBackward0"


class AddByFrequency(Primitive):
    """The gradient of :class:`RowsByFrequency`; its own knows nothing of frequencies, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: tuple[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        counts = np.bincount(index[0].reshape(-1), minlength=shape[0])[index[0]]
        return add_at(shape, index, x * (1 / counts[..., None]).astype(x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Index.apply(grad, index=ctx.attributes["index"])


def _rows(
    weight: Tensor, indices: Tensor, scale_grad_by_freq: bool, sparse: bool = False, padding_idx: int | None = None
) -> Tensor:
    """(...) to (..., dim); the gradient of a row divided by how often it occurs, if asked for."""
    if sparse and weight.requires_grad:
        if scale_grad_by_freq:
            raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
        return relying_on(SparseRows.apply(weight, index=indices._array, padding_idx=padding_idx), indices)
    op = RowsByFrequency if scale_grad_by_freq else Index
    return relying_on(op.apply(weight, index=(indices._array,)), indices)


def _sums_of_bags(rows: Tensor, bags: np.ndarray, count: int) -> Tensor:
    """For each bag the sum of its rows, which are neighbours; of bags of one size a plain sum, which is faster."""
    sizes = np.bincount(bags, minlength=count)
    if sizes.size and sizes[0] and (sizes == sizes[0]).all():
        return rows.reshape(count, int(sizes[0]), rows._array.shape[1]).sum(1)
    zeros = Tensor._wrap(np.zeros((count, rows._array.shape[1]), rows._array.dtype))
    return index_add(zeros, 0, Tensor._wrap(bags), rows)


def _largest_of_bags(rows: Tensor, bags: np.ndarray, count: int) -> Tensor:
    """For each bag and column the largest number, 0 for an empty bag; the gradient goes to the first of equals."""
    sizes = np.bincount(bags, minlength=count)
    columns = rows._array.shape[1]
    if not len(bags):
        return Tensor._wrap(np.zeros((count, columns), rows._array.dtype))
    first = np.cumsum(sizes) - sizes
    places = first[:, None] + np.arange(sizes.max())  # (B, longest): the rows of each bag, then rows that do not count
    counted = np.arange(sizes.max()) < sizes[:, None]
    values = rows._array[np.where(counted, places, 0)]
    winner = np.where(counted[..., None], values, -np.inf).argmax(axis=1) + first[:, None]
    largest = gather(rows, 0, Tensor._wrap(np.where(sizes[:, None] > 0, winner, 0)))
    return ops.where(Tensor._wrap(sizes[:, None] > 0), largest, 0.0)


def _check_table(function: str, input: Tensor, weight: Tensor) -> None:
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if input._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input.type()} instead (while checking arguments for {function})"
        )


def _check_indices(indices: Tensor, rows: int, error: type[Exception] = IndexError) -> None:
    if indices._array.size and not all_between(indices._array, rows):
        raise error("index out of range in self")


def _bag_arguments(
    input: Tensor, offsets: Tensor | None, factors: Tensor | None, mode: str, include_last_offset: bool
) -> tuple[Tensor, np.ndarray, Tensor | None]:
    """Flat indices, where the bags begin, and flat weights."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if factors is not None and factors.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(factors.shape)}) is not None, then it must have the same "
            f"shape as the input ({list(input.shape)})"
        )
    if factors is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if input._array.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"embedding_bag: indices must be Long or Int, but got {input.type()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bags, length = input._array.shape
        return input.reshape(-1), np.arange(bags) * length, None if factors is None else factors.reshape(-1)
    if input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if not isinstance(offsets, Tensor):
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = offsets._array.astype(np.int64)
    if include_last_offset and not len(starts):
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if len(starts) and (starts[0] != 0 or starts[-1] > input._array.size):
        raise RuntimeError(
            f"offsets[0] has to be 0 and offsets[-1] at most the input's length ({input._array.size}), but got "
            f"{starts[0]} and {starts[-1]}"
        )
    return input, starts[:-1] if include_last_offset else starts, factors


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
