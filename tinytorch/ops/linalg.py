"""Chapter 6. Matrix products.

After: tinytorch/autograd/inplace.py
Next: tinytorch/autograd/gradcheck.py

Goal: differentiate the matrix product, on which most of deep learning's time is spent.

The idea. ``Y = A B`` gives ``∂L/∂A = grad Bᵀ`` and ``∂L/∂B = Aᵀ grad``. Shapes alone leave no other choice: with A (n,
k), B (k, m) and grad (n, m), there is one way to make (n, k) of grad and B.

The derivation. Y_ij = Σ_k A_ik B_kj, so ∂Y_ij/∂A_pq = δ_ip B_qj, and

    ∂L/∂A_pq = Σ_ij grad_ij δ_ip B_qj = Σ_j grad_pj B_qj = (grad Bᵀ)_pq          _product(grad, b.mT)
    ∂L/∂B_pq = Σ_ij grad_ij A_ip δ_jq = Σ_i A_ip grad_iq = (Aᵀ grad)_pq          _product(a.mT, grad)

>>> import tinytorch
>>> a = tinytorch.tensor([[1.0, 2.0]], requires_grad=True)
>>> b = tinytorch.tensor([[3.0], [4.0]], requires_grad=True)
>>> (a @ b).backward()
>>> a.grad, b.grad
(tensor([[3., 4.]]), tensor([[1.],
        [2.]]))

Every rank combination of ``matmul`` is brought to one batched product: a vector becomes a row or a column, batch
dimensions broadcast, and the engine sums the gradient over those that were repeated.

What PyTorch does. The same, with ``mm``, ``bmm`` and ``addmm`` as ops of their own. :class:`Linear` is one op for y =
x Wᵀ + b, as there: its bias is added in place, and nothing but x and W is saved.

Pitfalls. Backward costs twice what forward costs: two products of the same size. A batched product with one shared
matrix is one tall product, not many small ones; NumPy would not notice.

Exercises. Derive the gradients of ``outer(u, v)`` and of ``dot(u, v)`` from those of ``A B``. Which of the two products
of a backward need not run in a network's first layer? Answers: ``python -m tinytorch.learn answers 6``;
more: ``python -m tinytorch.learn start --chapter 6``.
Check: ``python -m pytest tests/ops/test_cases.py``.

"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.deferred import later
from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import products
from tinytorch.kernels.sums import total
from tinytorch.old_orders import accepts_factors_in_front
from tinytorch.ops.arguments import Number
from tinytorch.ops.broadcast import is_expandable
from tinytorch.ops.checks import check_dims, check_same_dtypes, refuse, type_name
from tinytorch.ops.half import rounded_once
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.out import accepts_exact_out, accepts_out, exact, write_out
from tinytorch.tensor import Tensor

__all__ = ["addmm", "bmm", "dot", "linear", "matmul", "mm", "mv", "outer"]


class MatMul(Primitive):
    """Y = A B for matrices, or stacks of matrices with broadcasting batch dimensions."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        _save_factors(ctx, "matmul", a, b)
        return _product(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return _product(grad, b.mT) if need_a else None, _product(a.mT, grad) if need_b else None

    known_name = "MmBackward0"
    backward_on_arrays = True


def _save_factors(ctx: Any, name: str, a: np.ndarray, b: np.ndarray) -> None:
    """The gradient of each factor needs the other one. Bools have no products, as in PyTorch."""
    if a.dtype.kind == "b":
        refuse("b", name, a)
    needs = ctx.needs_input_grad
    ctx.save_for_backward(a if needs[1] else None, b if needs[0] else None)


def _product(a: Any, b: Any) -> Any:
    """A B, of arrays or of Tensors: gradients are either."""
    if not isinstance(a, np.ndarray):
        return MatMul.apply(a, b)
    if a.shape[-1] == 1:  # an outer product, as the gradient of a weight for one sample: a third of the time
        return np.multiply(a, b, order="C")  # not as the factors lie: a product's memory is row-major
    if b.ndim == 2 and a.ndim > 2:  # a stack times one matrix: one tall product, where NumPy would make many
        return products.matmul(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    return products.matmul(a, b)


class Dot(Primitive):
    """y = aᵀ b for two vectors: a receives grad b, b receives grad a."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        _save_factors(ctx, "dot", a, b)
        product: np.ndarray = np.matmul(a, b)
        return product

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return grad * b if need_a else None, grad * a if need_b else None

    known_name = "DotBackward0"
    backward_on_arrays = True


class MatVec(Primitive):
    """y = A v for a matrix and a vector: A receives the outer product grad vᵀ, v receives Aᵀ grad."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, v: np.ndarray) -> np.ndarray:
        _save_factors(ctx, "matmul", a, v)
        return products.matmul(a, v[:, None])[:, 0]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, v = ctx.saved_tensors
        need_a, need_v = ctx.needs_input_grad
        return grad.unsqueeze(1) * v if need_a else None, MatVec.apply(a.t(), grad) if need_v else None

    known_name = "MvBackward0"


class Linear(Primitive):
    """Y = X Wᵀ + b with W of shape (out, in): ∂L/∂X = grad W, ∂L/∂W = gradᵀ X, ∂L/∂b = Σ over rows of grad."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        _save_factors(ctx, "linear", x, weight)
        y = products.matmul(x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x, weight.T)
        if bias is not None:
            y += bias
        return y.reshape(*x.shape[:-1], len(weight)) if x.ndim > 2 else y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any, Any]:
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias = ctx.needs_input_grad
        rows = _rows(grad)
        grad_weight = None
        if need_weight:  # first: another thread may compute it while this one does the rest
            grad_weight = later(ctx, 1, _microseconds(rows, x), lambda: _product(rows.mT, _rows(x)))
        return (
            _product(grad, weight) if need_x else None,
            grad_weight,
            _sum_of_rows(rows) if need_bias else None,
        )

    known_name = "AddmmBackward0"
    backward_on_arrays = True


def _microseconds(rows: Any, x: Any) -> float:
    """How long the product of rowsᵀ and x takes."""
    return math.prod(rows.shape) * x.shape[-1] / products.PER_MICROSECOND


def _sum_of_rows(x: Any) -> Any:
    """Σ over the rows of a matrix, an array or a Tensor."""
    return total(x, (0,)) if isinstance(x, np.ndarray) else x.sum(0)


def _rows(x: Any) -> Any:
    """A stack of matrices, an array or a Tensor, as one tall matrix. The number of rows is spelled out, because -1
    means nothing in an empty tensor.
    """
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


_CPP_NAMES = {
    "Byte": "unsigned char", "Char": "signed char", "Short": "short int", "Int": "int", "Long": "long int",
    "Half": "c10::Half", "BFloat16": "c10::BFloat16", "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
}  # fmt: skip


def _check_same_dtype(name: str, a: Any, b: Any, with_bias: bool = False) -> None:
    """RuntimeError in the words of that function of PyTorch which multiplies such shapes."""
    for position, value in enumerate((a, b), 1):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument {position} must be Tensor, not {type(value).__name__}")
    if a._array.dtype == b._array.dtype:
        return
    first, second = type_name(a), type_name(b)
    if with_bias:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {first} and {second}")
    if a._array.ndim == b._array.ndim == 1:
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {first} and {second}")
    if b._array.ndim == 1:
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {second}, {first}, and {second}")
    if min(a._array.ndim, b._array.ndim) > 2:
        raise RuntimeError(f"expected scalar type {first} but found {second}")
    first, second = (_CPP_NAMES.get(kind, kind.lower()) for kind in (first, second))
    raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {first} != {second}")


#: PyTorch's functions for vectors and matrices; it sees stacks of matrices as one, and the result as a view of it.
_PRODUCT_NAMES = {(1, 2): "SqueezeBackward4", (2, 2): "MmBackward0"}


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The matrix product ``input @ other`` for all ranks (``torch.matmul``).

    1-d @ 1-d is the dot product; a 1-d operand counts as a row (left) or a column (right), and that
    dimension is dropped again; more than two dimensions are stacks of matrices, whose leading dimensions broadcast.
    Raises RuntimeError when inner sizes or dtypes differ, or an operand is 0-dimensional.
    """
    if type(input) is not Tensor and getattr(input, "is_sparse", False):
        return input @ other
    _check_same_dtype("matmul", input, other)
    left, right = input._array.ndim, other._array.ndim
    if left == 0 or right == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {left}D and {right}D")
    if right == 1 and left < 3 and input._array.shape[-1] == len(other._array):
        product = (MatVec if left == 2 else Dot).apply(input, other)
        return product if out is None else write_out("matmul", product, out, input, other)
    a = input if left > 1 else input.unsqueeze(0)
    b = other if right > 1 else other.unsqueeze(1)
    if a._array.shape[-1] != b._array.shape[-2]:
        raise _inner_sizes_differ(input, other, a, b)
    if a._array.ndim > 2 and b._array.ndim == 2 and a._array.flags.c_contiguous:
        # The tall product of MatMul, recorded as such: then the gradient for b is one product, too.
        tall = MatMul.apply(_rows(a), b)
        product = tall.reshape(*a._array.shape[:-1], b._array.shape[-1])
    else:
        if a._array.shape[:-2] != b._array.shape[:-2]:
            ops.broadcast_shapes(a._array.shape[:-2], b._array.shape[:-2])
        product = MatMul.apply(a, b)
    if left == 1:
        product = product.squeeze(-2)
    if right == 1:
        product = product.squeeze(-1)
    if product._requires_grad:
        known_as(product, _PRODUCT_NAMES.get((left, right), "UnsafeViewBackward0"))
    return product if out is None else write_out("matmul", product, out, input, other, rule=exact)


def _inner_sizes_differ(input: Tensor, other: Tensor, a: Tensor, b: Tensor) -> RuntimeError:
    if input._array.ndim == other._array.ndim == 1:
        return RuntimeError(
            f"inconsistent tensor size, expected tensor {list(input.shape)} and src {list(other.shape)} to have the "
            f"same number of elements, but got {input._array.size} and {other._array.size} elements respectively"
        )
    if a._array.ndim > 2 and b._array.ndim > 2:
        return RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to match the inner size of batch1, but got: "
            f"batch1 {list(input.shape)} and batch2 {list(other.shape)}"
        )
    rows = a._array.size // max(a._array.shape[-1], 1)
    return RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a._array.shape[-1]} and "
        f"{b._array.shape[-2]}x{b._array.shape[-1]})"
    )


def _check_ndims(name: str, wanted: tuple[int, int], *tensors: Tensor) -> None:
    for position, (tensor, ndim) in enumerate(zip(tensors, wanted, strict=True), 1):
        if tensor._array.ndim != ndim:
            raise RuntimeError(
                f"{name}: argument {position} must be {ndim}-D, but got a {tensor._array.ndim}-D tensor of shape "
                f"{list(tensor.shape)}"
            )


@accepts_exact_out
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices, (n, m) and (m, p) to (n, p); either may be sparse (``torch.mm``).

    RuntimeError for other ranks, inner sizes or dtypes that differ.
    """
    if input.is_sparse or mat2.is_sparse:
        return input @ mat2 if input.is_sparse else (mat2.t() @ input.t()).t()
    _check_ndims("mm", (2, 2), input, mat2)
    return matmul(input, mat2)


@accepts_exact_out
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two stacks of as many matrices: (b, n, m) and (b, m, p) give (b, n, p) (``torch.bmm``).

    Nothing broadcasts. RuntimeError for other ranks, sizes or dtypes that differ.
    """
    _check_ndims("bmm", (3, 3), input, mat2)
    if input._array.shape[0] != mat2._array.shape[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input._array.shape[0]}, "
            f"{input._array.shape[2]}] but got: [{mat2._array.shape[0]}, {mat2._array.shape[1]}]."
        )
    return known_as(matmul(input, mat2), "BmmBackward0")


@accepts_exact_out
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A matrix, which may be sparse, times a vector: (n, m) and (m,) give (n,) (``torch.mv``)."""
    if input.is_sparse:
        return input @ vec
    check_dims(input, 0)
    _check_ndims("mv", (2, 1), input, vec)
    return matmul(input, vec)


@accepts_exact_out
def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The dot product of two vectors, ``Σ_i input[i] · tensor[i]`` (``torch.dot``). RuntimeError for other ranks."""
    for value in (input, tensor):
        if value._array.ndim != 1:
            raise RuntimeError(f"1D tensors expected, but got {input._array.ndim}D and {tensor._array.ndim}D tensors")
    return matmul(input, tensor)


@accepts_out
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The outer product of two vectors: ``out[i, j] = input[i] · vec2[j]`` (``torch.outer``)."""
    _check_ndims("outer", (1, 1), input, vec2)
    return input.unsqueeze(1) * vec2


@rounded_once
def plus_product(
    input: Tensor, name: str, multiply: Callable[..., Tensor], a: Tensor, b: Tensor, beta: Any, alpha: Any
) -> Tensor:
    """``beta · input + alpha · multiply(a, b)``, all of one dtype; see :func:`weighted_sum`."""
    return weighted_sum(name, input, multiply(a, b), beta, alpha)


def weighted_sum(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """``beta · input + alpha · product``; with beta 0, ``input`` is ignored, nan and all, and its gradient is 0.

    Integers take the whole part of the weights, as in PyTorch; a product of bools is an "and", the sum an "or".
    RuntimeError if ``input`` does not broadcast to the product's shape.
    """
    if not is_expandable(input._array.shape, product._array.shape):
        raise RuntimeError(
            f"{name}(): input of shape {list(input.shape)} does not expand to {list(product.shape)}, the shape of "
            "the product"
        )
    kind = product._array.dtype.kind
    for weight in (beta, alpha):
        if weight != 1:
            wide = np.float32 if kind in FLOATS else product._array.dtype  # half precision is added up in single
            check_convertible(weight, np.result_type(product._array, wide))
    if kind in "iu":
        beta, alpha = int(beta), int(alpha)
    elif kind == "b":
        beta, alpha = bool(beta), bool(alpha)
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product + ops.fill(input, 0)
    return product + (input if beta == 1 else input * beta)


@accepts_factors_in_front("beta", "alpha")
@accepts_exact_out
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """``beta · input + alpha · (mat1 @ mat2)``, where ``input`` broadcasts to the product's shape (``torch.addmm``)."""
    if not mat1.is_sparse:
        check_same_dtypes("addmm", input, mat1, mat2)
    return known_as(plus_product(input, "addmm", mm, mat1, mat2, beta, alpha), "AddmmBackward0")


def _linear_by_vector(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """:func:`linear` with a weight that is no matrix: a vector is one output, without a dimension of its own."""
    if weight._array.ndim == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {input._array.ndim}D and 0D")
    if weight._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight._array.ndim}D")
    if bias is not None and (bias._array.ndim or input._array.ndim == 2):
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
    product = matmul(input, weight)
    return product if bias is None else product + bias


@accepts_exact_out
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor | None = None) -> Tensor:
    """``input @ weightᵀ + bias`` over the last dimension: (..., in), (out, in), (out,) give (..., out).

    ``torch.nn.functional.linear``; a vector ``weight`` (in,) gives (...). RuntimeError for sizes or dtypes that differ.
    """
    _check_same_dtype("linear", input, weight, with_bias=bias is not None)
    if bias is not None:
        check_same_dtypes("linear", input, bias)
    if weight._array.ndim != 2:
        return _linear_by_vector(input, weight, bias)
    if input._array.ndim == 0 or input._array.shape[-1] != weight._array.shape[1]:
        rows = input._array.size // max(input._array.shape[-1] if input._array.ndim else 1, 1)
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied "
            f"({rows}x{input._array.shape[-1] if input._array.ndim else 0} and "
            f"{weight._array.shape[1]}x{weight._array.shape[0]})"
        )
    if input._array.ndim == 1:
        return Linear.apply(input.unsqueeze(0), weight, bias).squeeze(0)
    y = Linear.apply(input, weight, bias)
    if bias is None:
        return known_as(y, "MmBackward0" if input._array.ndim == 2 else "UnsafeViewBackward0")
    return y if input._array.ndim == 2 else known_as(y, "ViewBackward0")


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
