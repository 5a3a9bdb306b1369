"""ReLU, in pieces that stay in the cache.

(After: `masks`, `threads`.)

relu(x) = max(x, 0). Its gradient lets g through where the output is positive. That is a choice, so it is made
with bit masks (`masks`). For a result y of ReLU the mask comes straight from its bits: y is never negative, so as an
integer y > 0 exactly when the float is; then -y has the sign bit set, and shifting right copies the sign bit
into all the others.

Memory order is kept: what comes in as C,H,W,N goes out as C,H,W,N.
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.layout import Array, Pair
from tinytorch.kernels.masks import as_bits
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.windows import even_pieces

BLOCK = 1 << 16
"""Elements worked on together."""
_zeros: dict[np.dtype, Array] = {}


def relu(x: Array) -> Array:
    """max(x, 0), elementwise; NaN stays NaN (`torch.relu`)."""
    if x.size <= BLOCK:
        return np.maximum(x, x.dtype.type(0), out=np.empty_like(x))  # with `out`, 0-d stays an array
    y = empty_like(x)
    source, target = flat_in_memory_order(x), flat_in_memory_order(y)
    if source is None or target is None:
        return np.maximum(x, x.dtype.type(0), out=y)
    zeros = _zeros.setdefault(x.dtype, np.zeros(BLOCK, x.dtype))  # NumPy is slower against a scalar

    def clamp(block: Pair) -> None:
        part = slice(*block)
        np.maximum(source[part], zeros[: block[1] - block[0]], out=target[part])

    run_blocks(clamp, even_pieces(x.size, BLOCK), x.size / 4000)
    return y


def relu_backward(grad: Array, y: Array) -> Array:
    """`grad` where y = relu(x) is positive or NaN, else 0. Shapes are equal; the result lies in memory as `y`."""
    if y.dtype.kind != "f" or grad.dtype != y.dtype:
        return np.where(y <= 0, grad.dtype.type(0), grad)  # integers; dtypes that differ
    if y.size <= BLOCK:
        return _pass_where_positive(grad, y, np.empty_like(y))
    gx = empty_like(y)
    flat_y, flat_gx = flat_in_memory_order(y), flat_in_memory_order(gx)
    flat_grad = flat_in_memory_order(grad) if grad.strides == y.strides else None
    if flat_y is None or flat_gx is None or flat_grad is None:
        return _pass_where_positive(grad, y, gx)

    def choose(block: Pair) -> None:
        part = slice(*block)
        _pass_where_positive(flat_grad[part], flat_y[part], flat_gx[part])

    run_blocks(choose, even_pieces(y.size, BLOCK), y.size / 2000)
    return gx


def _pass_where_positive(grad: Array, y: Array, out: Array) -> Array:
    """out = grad where y > 0 or NaN, else 0, for y that is never negative (but may be -0 or a NaN with a sign)."""
    bits = as_bits(y)
    mask = np.bitwise_and(bits, np.iinfo(bits.dtype).max, out=np.empty_like(bits))  # without the sign
    np.negative(mask, out=mask)
    np.right_shift(mask, 8 * y.itemsize - 1, out=mask)
    np.bitwise_and(as_bits(grad), mask, out=as_bits(out))
    return out


def flat_in_memory_order(x: Array) -> Array | None:
    """A one-dimensional view of `x` in the order of its memory, or None if its memory has gaps."""
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    lying = x.transpose(order)
    return lying.reshape(-1) if lying.flags.c_contiguous else None


def complex_logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)) of complex numbers, with the larger real part taken out so that nothing overflows."""
    a_is_larger = a.real >= b.real
    larger, smaller = np.where(a_is_larger, a, b), np.where(a_is_larger, b, a)
    with np.errstate(invalid="ignore"):
        result = np.log1p(np.exp(smaller - larger)) + larger
    return np.where(larger.real == -np.inf, larger, result)
