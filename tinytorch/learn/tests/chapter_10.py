"""Checks of chapter 10: losses."""

import numpy as np

from tinytorch.learn.checking import check_close, check_gradient, numbers
from tinytorch.learn.workshop import SoftmaxCrossEntropy
from tinytorch.nn import functional as F
from tinytorch.tensor import Tensor


def test_mse_backward() -> None:
    check_gradient(lambda a, b: F.mse_loss(a, b), numbers(2, 3), numbers(2, 3, seed=1))
    check_gradient(lambda a, b: F.mse_loss(a, b, reduction="sum"), numbers(2, 3), numbers(2, 3, seed=1))
    check_gradient(lambda a, b: F.l1_loss(a, b), numbers(4), numbers(4, seed=1))


def test_softmax_backward() -> None:
    check_gradient(lambda a: F.softmax(a, 1), numbers(3, 3))
    check_gradient(lambda a: F.softmax(a, 0), numbers(2, 4))


def test_log_softmax_backward() -> None:
    check_gradient(lambda a: F.log_softmax(a, 1), numbers(3, 3))
    check_gradient(lambda a: F.log_softmax(a, 0), numbers(2, 4))


def test_softmax_cross_entropy() -> None:
    scores, classes = numbers(4, 3), np.array([2, 0, 1, 2])
    targets = Tensor._wrap(classes)
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    check_close("loss", SoftmaxCrossEntropy.apply(Tensor._wrap(scores), targets), -np.log(p[range(4), classes]).mean())
    check_gradient(lambda a: SoftmaxCrossEntropy.apply(a, targets), scores, names=("scores",))
    check_gradient(lambda a: SoftmaxCrossEntropy.apply(a * a, targets) * 3, scores, names=("scores",))
