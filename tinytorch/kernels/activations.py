"""Activations: value and gradient as formulas over a piece of an array that stays near the processor.

(After: `gelu`. Next: `conv_reference`.)

Each could be composed of arithmetic, comparisons and `where`; hardswish of nine ops that way, each a pass over memory
with a node in the graph and a result to keep. Here ``f(x, out)`` writes the value over one piece, ``f_backward(grad,
x, out)`` the gradient, and `ops.curves` goes through the pieces. The same gradients as Tensor ops stand there, to read
and to differentiate; a test compares the two.

=============  ==========================================  ==============================================
activation     value                                       slope
=============  ==========================================  ==============================================
silu           x s,  s = 1 / (1 + e^-x)                    s (1 + x (1 - s))
hardswish      x clip(x + 3, 0, 6) / 6                     0 up to -3, 1 from 3 on, x / 3 + 1/2 between
hardsigmoid    clip(x + 3, 0, 6) / 6                       1/6 strictly between -3 and 3, else 0
leaky ReLU     x, or a x where x <= 0                      1, or a
hardtanh       clip(x, low, high)                          1 strictly between the limits, else 0
elu            c x, or c a (e^(r x) - 1) where x <= 0      c, or c a r e^(r x)
softplus       ln(1 + e^(b x)) / b                         1 / (1 + e^(-b x))
logsigmoid     -ln(1 + e^-x)                               1 / (1 + e^x)
mish           x tanh(ln(1 + e^x))                         see `mish_backward`
=============  ==========================================  ==============================================

What makes them fast: few passes. No comparison decides where arithmetic can (`masks` says why): clip(x, -∞, 0) is the
bent part of elu, clip(x, 0, ∞) the straight one, and NumPy clips twice as fast as it finds the larger of an array and
a number. mish is a fraction, for tanh(ln(1 + e)) = ((1 + e)² - 1) / ((1 + e)² + 1). The logarithm is `log1p`.

Forward and backward of 512 x 1024 on one thread, in ms (`python -m tests.benchmarks.survey --only F.`):

==========  =======  ===================  =====
activation  PyTorch  as it was before     here
==========  =======  ===================  =====
mish        4.7      4.8, composed        1.8
elu         1.1      2.8, with masks      0.9
selu        1.1      2.7, with masks      1.2
softplus    1.2      3.8, np.log1p        1.4
hardswish   0.35     1.4, with masks      0.74
leaky ReLU  0.36     0.6, on bits         0.49
==========  =======  ===================  =====

Where PyTorch's formula is one pass over memory, as in the last two, each of ours still costs a pass over the cache.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.elementwise import in_pieces
from tinytorch.kernels.exponential import SMALL, exp, log
from tinytorch.kernels.layout import Array, scratch
from tinytorch.kernels.masks import as_bits, full_mask, keep, select

_BYTE = np.dtype(np.int8)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x) of a whole array."""
    return in_pieces(sigmoid_piece, x, passes=6)


def sigmoid_piece(x: Array, out: Array) -> None:
    """1 / (1 + e^-x)."""
    exp(x, out, -1.0)  # inf for very negative x, and then 1 / (1 + inf) = 0 is right
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)  # faster than np.reciprocal


def sigmoid_backward(grad: Array, y: Array) -> Array:
    """grad y (1 - y) of whole arrays of one shape and dtype, for y = sigmoid(x)."""

    def formula(grad: Array, y: Array, out: Array) -> None:
        np.subtract(1, y, out=out)
        out *= y
        out *= grad

    return in_pieces(formula, grad, y, passes=3)


def tanh_backward(grad: Array, y: Array) -> Array:
    """grad (1 - y²) of whole arrays of one shape and dtype, for y = tanh(x)."""

    def formula(grad: Array, y: Array, out: Array) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= grad

    return in_pieces(formula, grad, y, passes=3)


def silu(x: Array, kept: Array | None, out: Array) -> None:
    """x / (1 + e^-x); keeps the divisor, unless ``kept`` is None."""
    divisor = out if kept is None else kept
    exp(x, divisor, -1.0)  # inf for very negative x
    divisor += 1
    np.divide(x, divisor, out=out)


def silu_backward(grad: Array, x: Array, kept: Array, out: Array) -> None:
    """grad · s (1 + x (1 - s)) as grad · (1 + x - x / d) / d, where d = 1 / s is the divisor kept."""
    np.divide(x, kept, out=out)
    np.subtract(x, out, out=out)  # exact as long as it shows beside the 1
    out += 1
    out /= kept
    out *= grad


def hardswish(x: Array, out: Array) -> None:
    """x · clip(x + 3, 0, 6) / 6, as x (clip(x, -3, 3) + 3) / 6."""
    np.clip(x, -3, 3, out=out)
    out += 3
    out *= x
    out *= 1 / 6


def hardswish_backward(grad: Array, x: Array, out: Array) -> None:
    """grad · (0 up to -3, 1 from 3 on, x / 3 + 1/2 between)."""
    with scratch(x.shape, x.dtype) as step:
        np.clip(x, -3, 3, out=out)
        out *= 1 / 3  # 3 and -3 become 1 and -1, and nothing between does
        np.trunc(out, out=step)  # -1 and 1 beyond the limits, where x / 3 + 1/2 would be -1/2 and 3/2
        step *= 0.5
        out -= step
        out += 0.5
        out *= grad


def hardsigmoid(x: Array, out: Array) -> None:
    """clip(x + 3, 0, 6) / 6."""
    np.add(x, 3, out=out)
    np.clip(out, 0, 6, out=out)
    out /= 6


def hardsigmoid_backward(grad: Array, x: Array, out: Array) -> None:
    """grad / 6 strictly between -3 and 3, else 0."""
    hardtanh_backward(grad, x, out, -3.0, 3.0)
    out *= 1 / 6


def leaky_relu(x: Array, out: Array, negative_slope: float) -> None:
    """x where x > 0, else slope · x."""
    np.multiply(x, x.dtype.type(negative_slope), out=out)
    if 0 < negative_slope <= 1:  # then the larger of the two is the right one
        np.maximum(x, out, out=out)
    else:
        np.copyto(out, x, where=x > 0)


def leaky_relu_backward(grad: Array, x: Array, out: Array, negative_slope: float) -> None:
    """grad · (1 where x > 0, else slope)."""
    if 0 <= negative_slope <= 1:  # then 1 - slope + slope is 1 after all rounding
        with scratch(x.shape, np.dtype(bool)) as above:
            np.copyto(out, np.greater(x, 0, out=above))
        out *= x.dtype.type(1 - negative_slope)
        out += x.dtype.type(negative_slope)
        out *= grad
        return
    one, other = (as_bits(np.asarray(value, x.dtype)) for value in (1, negative_slope))
    with scratch(x.shape, _BYTE) as positive, scratch(x.shape, one.dtype) as factor:
        np.greater(x, 0, out=positive.view(np.bool_))
        full_mask(positive, factor)
        factor &= one ^ other
        factor ^= other  # the bits of 1 where x > 0, else those of the slope
        np.multiply(grad, factor.view(x.dtype), out=out)


def hardtanh(x: Array, out: Array, min_val: float, max_val: float) -> None:
    """clip(x, min_val, max_val)."""
    np.clip(x, x.dtype.type(min_val), x.dtype.type(max_val), out=out)


def hardtanh_backward(grad: Array, x: Array, out: Array, min_val: float, max_val: float) -> None:
    """grad strictly between the limits, else 0."""
    with scratch(x.shape, np.dtype(bool)) as inside, scratch(x.shape, np.dtype(bool)) as below:
        np.greater(x, x.dtype.type(min_val), out=inside)
        inside &= np.less(x, x.dtype.type(max_val), out=below)
        keep(grad, inside, out=out)


def elu(x: Array, out: Array, alpha: float, rate: float, scale: float) -> None:
    """scale · x where x > 0, else scale · α (e^(rate x) - 1)."""
    np.clip(x, -np.inf, 0, out=out)
    if rate != 1:
        out *= rate
    np.expm1(out, out=out)
    if alpha * scale != 1:
        out *= alpha * scale
    with scratch(x.shape, x.dtype) as straight:
        np.clip(x, 0, np.inf, out=straight)
        if scale != 1:
            straight *= scale
        out += straight


def elu_backward(grad: Array, x: Array, out: Array, alpha: float, rate: float, scale: float) -> None:
    """grad · (scale where x > 0, else scale · α · rate · e^(rate x))."""
    np.clip(x, -np.inf, 0, out=out)
    exp(out, out, rate)
    if alpha * rate * scale != 1:
        out *= alpha * rate * scale
    # where x > 0, that is α · rate · scale, and not yet scale
    if 0.5 <= alpha * rate <= 2 and alpha * rate != 1:
        with scratch(x.shape, x.dtype) as missing:
            np.copyto(missing, np.greater(x, 0).view(_BYTE))
            missing *= scale - alpha * rate * scale  # within these limits, no difference is rounded
            out += missing
    elif alpha * rate != 1:
        select(x > 0, np.asarray(scale, x.dtype), out, out)
    out *= grad


def softplus(x: Array, out: Array, beta: float, threshold: float) -> None:
    """ln(1 + e^(βx)) / β as (max(βx, 0) + ln(1 + e^-|βx|)) / β, which does not overflow; x where βx > threshold."""
    scaled = x if beta == 1 else x * beta
    log1p_of_falling_exp(scaled, out)
    with scratch(x.shape, x.dtype) as straight:
        out += np.clip(scaled, 0, np.inf, out=straight)
    if beta != 1:
        out /= beta
    if _shows(threshold, beta, x.dtype):
        select(scaled > threshold, x, out, out)


def softplus_backward(grad: Array, x: Array, out: Array, beta: float, threshold: float) -> None:
    """grad / (1 + e^-βx); grad where βx > threshold."""
    exp(x, out, -beta)
    out += 1
    np.divide(grad, out, out=out)
    if _shows(threshold, beta, x.dtype):
        select(x * beta > threshold, grad, out, out)


def _shows(threshold: float, beta: float, dtype: np.dtype) -> bool:
    """Whether softplus without its threshold would give other numbers: not if e^-threshold is lost in rounding."""
    return beta != 1 or not math.exp(-max(threshold, 0.0)) < np.finfo(dtype).eps / 4


def logsigmoid(x: Array, out: Array) -> None:
    """-ln(1 + e^-x) as min(x, 0) - ln(1 + e^-|x|), which does not overflow."""
    log1p_of_falling_exp(x, out)
    with scratch(x.shape, x.dtype) as straight:
        np.subtract(np.clip(x, -np.inf, 0, out=straight), out, out=out)


def logsigmoid_backward(grad: Array, x: Array, out: Array) -> None:
    """grad / (1 + e^x)."""
    exp(x, out)
    out += 1
    np.divide(grad, out, out=out)


def log1p_of_falling_exp(x: Array, out: Array) -> None:
    """ln(1 + e^-|x|)."""
    np.abs(x, out=out)
    exp(out, out, -1.0)
    log1p(out)


def log1p(e: Array) -> None:
    """e = ln(1 + e) in place, for e >= 0: `np.log1p` to two roundings, in less than two thirds of its time.

    u = 1 + e loses some of e to rounding. What u has too much is (u - 1) - e, exactly, and the logarithm's slope is
    1 / u. So a tiny e, of which u shows nothing, comes out as 0 + e / 1.
    """
    if e.size <= SMALL:
        np.log1p(e, out=e)
        return
    with scratch(e.shape, e.dtype) as u, scratch(e.shape, e.dtype) as excess:
        np.add(e, 1, out=u)
        np.subtract(u, 1, out=excess)
        excess -= e
        excess /= u
        log(u, e)
        e -= excess


_MISH_IS_X = 20.0
"""From here on tanh(ln(1 + e^x)) is 1 in double precision."""


def mish(x: Array, out: Array) -> None:
    """x n / (n + 2) with n = (1 + e)² - 1 = e (e + 2), e = e^x."""
    with scratch(x.shape, x.dtype) as e:
        np.clip(x, -np.inf, _MISH_IS_X, out=e)
        exp(e, e)
        np.add(e, 2, out=out)
        e *= out
        np.add(e, 2, out=out)
        np.divide(e, out, out=out)
        out *= x


def mish_backward(grad: Array, x: Array, out: Array) -> None:
    """grad · (n + 4 x e (1 + e) / (n + 2)) / (n + 2), as n' = 2 e (1 + e)."""
    with scratch(x.shape, x.dtype) as e, scratch(x.shape, x.dtype) as divisor, scratch(x.shape, x.dtype) as limited:
        np.clip(x, -1000, _MISH_IS_X, out=limited)  # 0 · ∞ would be nan
        exp(limited, e)
        np.add(e, 2, out=divisor)
        divisor *= e  # n
        np.add(e, 1, out=out)
        out *= e
        e[...] = divisor
        divisor += 2
        out /= divisor
        out *= limited
        out *= 4
        out += e
        out /= divisor
        out *= grad
