"""Ops that exercises ask for and the package itself can do without: new ops, fused ones, fast ones.

Each is written as a user of the package writes it: a :class:`~tinytorch.autograd.Function` on Tensors, or NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.autograd import Function, grad
from tinytorch.nn import Module
from tinytorch.tensor import Tensor

__all__ = ["Length", "LogCosh", "SoftmaxCrossEntropy", "gradient_penalty", "receptive_field", "squared_distances"]


class LogCosh(Function):
    """y = ln(cosh x), a smooth |x| - ln 2; exact for any size of x. ∂L/∂x = grad · tanh x.

    >>> import tinytorch
    >>> LogCosh.apply(tinytorch.tensor([0.0, 1000.0]))
    tensor([  0.0000, 999.3068])
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        # cosh x = e^|x| (1 + e^-2|x|) / 2, where nothing can overflow
        return x.abs() + (x.abs() * -2.0).exp().log1p() - math.log(2.0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * x.tanh()


class Length(Function):
    """y = √(Σ x²) over all elements, the Euclidean length; ∂L/∂x = grad · x / y, and 0 where y = 0.

    >>> import tinytorch
    >>> Length.apply(tinytorch.tensor([3.0, 4.0]))
    tensor(5.)
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = (x * x).sum().sqrt()
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return grad * x / y if y.item() else ops.zeros_like(x)


class SoftmaxCrossEntropy(Function):
    """The mean over n of -ln softmax(scores)[n, classes_n], in one op.

    Log-softmax and negative log likelihood, derived together: with p = softmax(scores), one has
    L = -(1/N) Σ_n ln p[n, classes_n], and nearly everything cancels in ∂L/∂scores = (p - one_hot(classes)) / N.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, classes: Tensor) -> Tensor:
        log_p = ops.log_softmax(scores, 1)
        ctx.save_for_backward(log_p.exp(), classes)
        return -log_p[ops.arange(len(classes)), classes].mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        p, classes = ctx.saved_tensors
        one_hot = ops.zeros_like(p)
        one_hot[ops.arange(len(classes)), classes] = 1.0
        return grad * (p - one_hot) / len(classes), None


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """d[i, j] = |a[i] - b[j]|² for the rows of a (N, D) and b (M, D).

    >>> squared_distances(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0]]))
    array([[25.],
           [13.]])
    """
    # |a - b|² = |a|² - 2 a·b + |b|²: the expensive part is one matrix product
    return (a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)


def receptive_field(layers: Module) -> int:
    """How many pixels in a row, and in a column, one number sees behind convolutions and poolings one after the other.

    A kernel of k reads k numbers that stand ``apart`` pixels from each other; behind a stride of s they stand s times
    as far. Layers have ``kernel_size`` and ``stride``, as a number or as a pair of equal ones; what has none looks at
    one number only.

    >>> from tinytorch import nn
    >>> receptive_field(nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3)))
    8
    """
    size, apart = 1, 1
    for layer in layers.modules():
        if hasattr(layer, "kernel_size"):
            kernel, stride = (n if isinstance(n, int) else n[0] for n in (layer.kernel_size, layer.stride))
            size += (kernel - 1) * apart
            apart *= stride
    return size


def gradient_penalty(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The mean over the rows of x (N, D) of (|∂function/∂row| - 1)², which can be differentiated itself.

    What keeps the critic of a Wasserstein GAN smooth (Gulrajani et al. 2017). ``function`` maps (N, D) to (N,).
    """
    slope: Any = grad(function(x).sum(), x, create_graph=True)[0]
    return (((slope * slope).sum(1).sqrt() - 1.0) ** 2).mean()
