"""Checks of chapter 15: normalization."""

import numpy as np

from tinytorch.kernels.norm import batch_norm_backward
from tinytorch.learn.checking import check_close, leaf, numbers
from tinytorch.ops.norm import normalization_backward

GRAD, X, WEIGHT = numbers(6, 3, seed=5), numbers(6, 3), numbers(1, 3, seed=1)
EPS = 0.1


def expected() -> list[np.ndarray]:
    """The gradients for x, weight and bias of Σ grad · (xhat · weight + bias), by finite differences."""

    def loss(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> float:
        xhat = (x - x.mean(0)) / np.sqrt(x.var(0) + EPS)
        return float((GRAD * (xhat * weight + bias)).sum())

    values = [X, WEIGHT, np.zeros((1, 3))]
    gradients = []
    for position, value in enumerate(values):
        slopes = np.zeros(value.size)
        for element in range(value.size):
            step = np.zeros(value.size)
            step[element] = 1e-6
            ends = []
            for sign in (1, -1):
                moved = list(values)
                moved[position] = value + sign * step.reshape(value.shape)
                ends.append(loss(*moved))
            slopes[element] = (ends[0] - ends[1]) / 2e-6
        gradients.append(slopes.reshape(value.shape))
    return gradients


def test_normalization_backward() -> None:
    grad, x, weight = (leaf(array).detach() for array in (GRAD, X, WEIGHT))
    yours = normalization_backward(grad, x, weight, (0,), (0,), EPS, (True, True, True))
    for name, mine, right in zip(("x", "weight", "bias"), yours, expected(), strict=True):
        check_close(name, mine, right)
    plain = normalization_backward(grad, x, None, (0,), (0,), EPS, (True, False, False))
    assert plain[1] is None and plain[2] is None, "only what `needs` asks for"
    turned = normalization_backward(grad.t(), x.t(), None, (1,), (0,), EPS, (True, False, False))
    check_close("x, normalized over dimension 1", turned[0]._array.T, plain[0])  # type: ignore[union-attr]


def test_batch_norm_kernel() -> None:
    invstd = 1 / np.sqrt(X.var(0) + EPS)
    one_pixel = (*X.shape, 1)
    yours = batch_norm_backward(GRAD.reshape(one_pixel), X.reshape(one_pixel), X.mean(0), invstd, WEIGHT[0])
    for name, mine, right in zip(("x", "weight", "bias"), yours, expected(), strict=True):
        check_close(name, mine, right.reshape(one_pixel if name == "x" else -1))
