"""SiLU, hardswish, leaky ReLU and hardtanh: value and slope in one go, piece by piece in the cache.

(After: `gelu`. Next: `conv_reference`.)

Each could be composed of arithmetic, comparisons and `where`; hardswish of nine ops that way, each a pass over
memory with a node in the graph and a result to keep. Here a formula runs over pieces that stay near the processor, and
what depends on a comparison is computed without branches (`masks` says why).

=============  ===========================  ==========================================
activation     value                        slope
=============  ===========================  ==========================================
silu           x s,  s = 1 / (1 + e^-x)     s (1 + x (1 - s))
hardswish      x clip(x + 3, 0, 6) / 6      0 up to -3, 1 from 3 on, x / 3 + 1/2 between
leaky ReLU     x, or a x where x <= 0       1, or a
hardtanh       clip(x, low, high)           1 strictly between the limits, else 0
=============  ===========================  ==========================================

Measured by ``python -m tests.benchmarks --only MobileNet hardswish silu leaky --no-processes``.
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.elementwise import in_pieces
from tinytorch.kernels.half import half_in_single
from tinytorch.kernels.layout import Array, scratch
from tinytorch.kernels.masks import as_bits, full_mask, keep
from tinytorch.kernels.memory import empty_like

_BYTE = np.dtype(np.int8)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return in_pieces(_sigmoid, x, passes=12)


def _sigmoid(x: Array, out: Array) -> None:
    np.negative(x, out=out)
    np.exp(out, out=out)  # inf for very negative x, and then 1 / (1 + inf) = 0 is right
    np.add(out, 1, out=out)
    np.reciprocal(out, out=out)


def silu(x: Array) -> tuple[Array, Array]:
    """(x · sigmoid(x), sigmoid(x))."""
    gate = empty_like(x)

    def formula(x: Array, gate: Array, out: Array) -> None:
        _sigmoid(x, gate)
        np.multiply(x, gate, out=out)

    return in_pieces(formula, x, gate, passes=12), gate


@half_in_single
def silu_backward(grad: Array, x: Array, sigmoid: Array) -> Array:
    """grad · s (1 + x (1 - s)), where s is the sigmoid(x) that `silu` gave."""

    def formula(x: Array, sigmoid: Array, grad: Array, out: Array) -> None:
        np.subtract(1, sigmoid, out=out)
        out *= x
        out += 1
        out *= sigmoid
        out *= grad

    return in_pieces(formula, x, sigmoid, grad, passes=5)


@half_in_single
def hardswish(x: Array) -> Array:
    """x · clip(x + 3, 0, 6) / 6."""

    def formula(x: Array, out: Array) -> None:
        np.add(x, 3, out=out)
        np.clip(out, 0, 6, out=out)
        out *= x
        out /= 6

    return in_pieces(formula, x, passes=4)


@half_in_single
def hardswish_backward(grad: Array, x: Array) -> Array:
    """grad · (0 up to -3, 1 from 3 on, x / 3 + 1/2 between)."""

    def formula(x: Array, grad: Array, out: Array) -> None:
        with scratch(x.shape, _BYTE) as left, scratch(x.shape, _BYTE) as right, scratch(x.shape, x.dtype) as step:
            np.clip(x, -3, 3, out=out)
            out /= 3
            out += 0.5  # beyond the limits this is -1/2 and 3/2; half a step brings it to 0 and 1
            np.less_equal(x, -3, out=left.view(np.bool_))
            np.greater_equal(x, 3, out=right.view(np.bool_))
            np.multiply(np.subtract(left, right, out=left), x.dtype.type(0.5), out=step)
            out += step
            out *= grad

    return in_pieces(formula, x, grad, passes=8)


def leaky_relu(x: Array, slope: float) -> Array:
    """x where x > 0, else slope · x."""

    def formula(x: Array, out: Array) -> None:
        np.multiply(x, x.dtype.type(slope), out=out)
        if 0 < slope <= 1:  # then the larger of the two is the right one
            np.maximum(x, out, out=out)
        else:
            np.copyto(out, x, where=x > 0)

    return in_pieces(formula, x, passes=4)


def leaky_relu_backward(grad: Array, x: Array, slope: float) -> Array:
    """grad · (1 where x > 0, else slope)."""
    one, other = (as_bits(np.asarray(value, x.dtype)) for value in (1, slope))

    def formula(x: Array, grad: Array, out: Array) -> None:
        with scratch(x.shape, _BYTE) as positive, scratch(x.shape, one.dtype) as factor:
            np.greater(x, 0, out=positive.view(np.bool_))
            full_mask(positive, factor)
            factor &= one ^ other
            factor ^= other  # the bits of 1 where x > 0, else those of the slope
            np.multiply(grad, factor.view(x.dtype), out=out)

    return in_pieces(formula, x, grad, passes=4)


def hardtanh_backward(grad: Array, x: Array, low: float, high: float) -> Array:
    """grad strictly between the limits, else 0."""

    def formula(x: Array, grad: Array, out: Array) -> None:
        inside = np.greater(x, x.dtype.type(low))
        inside &= np.less(x, x.dtype.type(high))
        keep(grad, inside, out=out)

    return in_pieces(formula, x, grad, passes=4)
