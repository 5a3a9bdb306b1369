"""Products of matrices and tensors beyond ``matmul``; all of them are matmul, permute and reshape in disguise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.kernels.half import is_half
from tinytorch.old_orders import accepts_factors_in_front
from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.broadcast import promote_all
from tinytorch.ops.checks import check_dims, check_same_dtypes, check_square, refuse_bool
from tinytorch.ops.dims import accepts_axis, ints_from, one_dim
from tinytorch.ops.half import number_in
from tinytorch.ops.indexing import index_select
from tinytorch.ops.linalg import bmm, dot, matmul, mv, outer, plus_product, weighted_sum
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.tensor import Tensor

__all__ = ["addbmm", "addmv", "addr", "baddbmm", "bilinear", "chain_matmul", "cross", "ger", "inner", "kron",
           "matrix_power", "multi_dot", "tensordot", "vander", "vdot"]  # fmt: skip


@accepts_factors_in_front("beta", "alpha")
@accepts_exact_out
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``beta · input + alpha · (batch1 @ batch2)`` for stacks of matrices."""
    check_dims(batch1, 0, 1)
    check_dims(batch2, 2)
    check_same_dtypes("baddbmm", input, batch1, batch2)
    return known_as(plus_product(input, "baddbmm", bmm, batch1, batch2, beta, alpha), "BaddbmmBackward0")


@accepts_factors_in_front("beta", "alpha")
@accepts_exact_out
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``beta · input + alpha · Σ_b (batch1[b] @ batch2[b])``."""
    check_dims(batch1, 1)
    check_dims(batch2, 2)
    check_same_dtypes("addbmm", input, batch1, batch2)
    return plus_product(input, "addbmm", _sum_of_products, batch1, batch2, beta, alpha)


def _sum_of_products(batch1: Tensor, batch2: Tensor) -> Tensor:
    return bmm(batch1, batch2).sum(0, dtype=batch1.dtype)


@accepts_factors_in_front("beta", "alpha")
@accepts_exact_out
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``beta · input + alpha · (mat @ vec)``."""
    if mat._array.ndim != 2 or vec._array.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.dim()}, {mat.dim()}, {vec.dim()}")
    if mat._array.shape[1] != vec._array.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input._array.size}), mat ({'x'.join(map(str, mat.shape))}), vec "
            f"({vec._array.size})"
        )
    check_same_dtypes("addmv", input, mat, vec)
    return plus_product(input, "addmv", mv, mat, vec, beta, alpha)


@accepts_factors_in_front("beta", "alpha")
@accepts_out
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``beta · input + alpha · (vec1 ⊗ vec2)``. RuntimeError for a factor that is a bool, unless all are bools."""
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, bool) and not all(t._array.dtype.kind == "b" for t in (input, vec1, vec2)):
            raise RuntimeError(f"addr(): Boolean {name} only supported for Boolean results.")
    input, vec1, vec2 = promote_all(input, vec1, vec2)
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, float) and input._array.dtype.kind in "iub":
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    if is_half(input._array.dtype):  # the factor is rounded, and so is each product
        dtype = input._array.dtype
        vec1, alpha, beta = vec1 * number_in(dtype, alpha), 1, number_in(dtype, beta)
    return weighted_sum("addr", input, outer(vec1, vec2), beta, alpha)


@accepts_exact_out
def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The dot product of two vectors, with the first one conjugated: ``Σ conj(input_i) · other_i``."""
    return dot(input.conj(), other)


@accepts_exact_out
def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Dot products over the last dimensions of both; with a 0-d tensor the plain product."""
    if input._array.ndim == 0 or other._array.ndim == 0:
        return input * other
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@accepts_exact_out
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, *, out: Tensor | None = None) -> Tensor:
    """Contract dimensions: the last ``dims`` of ``a`` with the first of ``b``, or two lists of dimensions
    (``torch.tensordot``).

    The other dimensions of ``a``, then those of ``b``, make up the result.
    """
    first, second = _contracted_dims(a, b, dims)
    for d, e in zip(first, second, strict=True):
        if a._array.shape[d] == 1:  # broadcasts: the other side is summed before
            b = b.sum(e, keepdim=True, dtype=b.dtype)
        elif b._array.shape[e] == 1:
            a = a.sum(d, keepdim=True, dtype=a.dtype)
        if a._array.shape[d] != b._array.shape[e]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a._array.shape[d]} in dim {d} and second "
                f"has size {b._array.shape[e]} in dim {e}"
            )
    free_a = [d for d in range(a._array.ndim) if d not in first]
    free_b = [d for d in range(b._array.ndim) if d not in second]
    shape_a, shape_b = [a._array.shape[d] for d in free_a], [b._array.shape[d] for d in free_b]
    count = math.prod(a._array.shape[d] for d in first)
    rows = a.permute(free_a + first).reshape(math.prod(shape_a), count)
    columns = b.permute(second + free_b).reshape(count, math.prod(shape_b))
    return matmul(rows, columns).reshape(shape_a + shape_b)


def _contracted_dims(a: Tensor, b: Tensor, dims: Any) -> tuple[list[int], list[int]]:
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims._array.ndim else int(dims.item())
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a._array.ndim, b._array.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(a._array.ndim - dims, a._array.ndim)), list(range(dims))
    if not isinstance(dims, (tuple, list)):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, "
            f"but got dims={dims}"
        )
    first, second = (list(ints_from("tensordot", "dims", d)) for d in dims)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    return [one_dim(d, a._array.ndim) for d in first], [one_dim(d, b._array.ndim) for d in second]


@accepts_out
def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Kronecker product: every element of ``input`` times all of ``other``."""
    ndim = max(input._array.ndim, other._array.ndim)
    a, b = ((1,) * (ndim - t._array.ndim) + t._array.shape for t in (input, other))
    wide_a = input.reshape([size for n in a for size in (n, 1)])
    wide_b = other.reshape([size for n in b for size in (1, n)])
    return (wide_a * wide_b).reshape([n * m for n, m in zip(a, b, strict=True)])


@accepts_exact_out
@accepts_axis
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """The vector product along a dimension of size 3; without ``dim`` along the first such dimension."""
    if dim is None:
        sizes = input._array.shape
        if 3 not in sizes:
            raise RuntimeError("no dimension of size 3 in input")
        dim = sizes.index(3)
    return cross_along("linalg.cross", input, other, dim)


def cross_along(name: str, input: Tensor, other: Tensor, dim: int) -> Tensor:
    """a × b = (a₁b₂ - a₂b₁, a₂b₀ - a₀b₂, a₀b₁ - a₁b₀)."""
    if input._array.ndim != other._array.ndim:
        raise RuntimeError(f"{name}: inputs must have the same number of dimensions.")
    check_same_dtypes(name, input, other)
    refuse_bool("cross", input)
    axis = one_dim(dim, input._array.ndim)
    sizes = [t._array.shape[axis] for t in (input, other)]
    if sizes != [3, 3]:
        raise RuntimeError(f"{name}: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}")
    ahead, behind = Tensor._wrap(np.array([1, 2, 0])), Tensor._wrap(np.array([2, 0, 1]))
    return index_select(input, axis, ahead) * index_select(other, axis, behind) - index_select(
        input, axis, behind
    ) * index_select(other, axis, ahead)


@accepts_exact_out
def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """A square matrix (or a stack) to the power of an integer, by repeated squaring; negative powers invert first."""
    check_square("linalg.matrix_power", input)
    if n < 0:
        input, n = ops.inverse(input), -n
    if n == 0:
        return ops.copy(input, ops.eye(input._array.shape[-1], dtype=input.dtype))
    result: Any = None
    square = input
    while True:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if not n:
            return result.clone() if result is input else result
        square = matmul(square, square)


@accepts_exact_out
def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The product of several matrices in the cheapest order; the first and last may be vectors."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    matrices = list(tensors)
    is_row, is_column = matrices[0]._array.ndim == 1, matrices[-1]._array.ndim == 1
    if is_row:
        matrices[0] = matrices[0].unsqueeze(0)
    if is_column:
        matrices[-1] = matrices[-1].unsqueeze(-1)
    for i, matrix in enumerate(matrices):
        if matrix._array.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {matrix._array.ndim}D")
        if i and matrices[i - 1]._array.shape[1] != matrix._array.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {list(tensors[i - 1].shape)} and "
                f"{list(tensors[i].shape)} cannot be multiplied"
            )
    result = _product(
        matrices, _best_splits([m._array.shape[0] for m in matrices] + [matrices[-1]._array.shape[1]]), 0, len(matrices)
    )
    if is_row:
        result = result.squeeze(0)
    return result.squeeze(-1) if is_column else result


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """For each range of matrices, where to split it: dynamic programming over the number of multiplications."""
    count = len(sizes) - 1
    cost = {(i, i + 1): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(2, count + 1):
        for start in range(count - length + 1):
            end = start + length
            costs = {
                k: cost[start, k] + cost[k, end] + sizes[start] * sizes[k] * sizes[end] for k in range(start + 1, end)
            }
            split[start, end] = min(costs, key=costs.__getitem__)
            cost[start, end] = costs[split[start, end]]
    return split


def _product(matrices: list[Tensor], split: dict[tuple[int, int], int], start: int, end: int) -> Tensor:
    if end - start == 1:
        return matrices[start]
    middle = split[start, end]
    return matmul(_product(matrices, split, start, middle), _product(matrices, split, middle, end))


@checks_arguments
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix of a vector, powers in descending order unless ``increasing`` (``torch.vander``)."""
    if x._array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x._array.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    powers = ops.cumprod(x.unsqueeze(-1).expand(x._array.shape[0], max(count - 1, 0)), -1)
    one = ops.ones(x._array.shape[0], min(count, 1), dtype=powers.dtype)
    matrix = ops.cat([one, powers], -1)
    return matrix if increasing else ops.flip(matrix, -1)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices in the cheapest order (PyTorch's older name for :func:`multi_dot`)."""
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


@checks_arguments
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y_k = Σ_ij x1_i A_kij x2_j + b_k``: (..., i), (..., j), (k, i, j), (k,) give (..., k) (``F.bilinear``)."""
    check_same_dtypes("bilinear", input1, input2, weight, *(() if bias is None else (bias,)))
    if input1.dim() != input2.dim() or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {list(input1.shape)} and {list(input2.shape)}"
        )
    for name, value, dim in (("input1", input1, 1), ("input2", input2, 2)):
        if value.size(-1) != weight.size(dim):
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {value.size(-1)} but expected "
                f"{weight.size(dim)}"
            )
    if weight._array.ndim != 3:
        raise RuntimeError(f"bilinear(): the weight must have 3 dimensions, but has shape {list(weight.shape)}")
    n_out, n_in1, n_in2 = weight._array.shape
    if bias is not None and (bias.size(0) != n_out or bias._array.ndim != 1):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {list(bias.shape)} but expected {n_out}"
        )
    by_first = input1.matmul(weight.permute(1, 0, 2).reshape(n_in1, n_out * n_in2))
    table = by_first.reshape(*input1.shape[:-1], n_out, n_in2)
    product = (table * input2.unsqueeze(-2)).sum(-1, dtype=input1.dtype)
    return product if bias is None else product + bias


ger = outer

from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
