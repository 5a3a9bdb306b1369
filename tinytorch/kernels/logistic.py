"""The cross entropy of a yes or no, from its logit x and the target t, element by element, and its gradient.

(After: `activations`.)

    loss = (1 - t) x - min(x, 0) + ln(1 + e^-|x|)         ∂loss/∂x = sigmoid(x) - t         ∂loss/∂t = -x

That is -t ln s - (1 - t) ln(1 - s) for s = sigmoid(x), without s near 0 or 1 and without overflow. Forward and backward
of 512 x 1024 take 1.2 ms on one thread, where seven ops took 2.4 (`python -m tests.benchmarks.survey --only logits`;
PyTorch: 1.5).
"""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.activations import log1p_of_falling_exp, sigmoid_piece
from tinytorch.kernels.layout import Array, scratch


def cross_entropy(x: Array, t: Array, out: Array) -> None:
    """(1 - t) x - min(x, 0) + ln(1 + e^-|x|) of a piece; so written, infinite logits give what they give in PyTorch."""
    log1p_of_falling_exp(x, out)
    with scratch(x.shape, x.dtype) as work:
        out -= np.clip(x, -np.inf, 0, out=work)
        np.subtract(1, t, out=work)
        work *= x
        out += work


def cross_entropy_backward(grad: Array, x: Array, t: Array, out: Array) -> None:
    """grad · (sigmoid(x) - t) of a piece."""
    sigmoid_piece(x, out)
    out -= t
    out *= grad
