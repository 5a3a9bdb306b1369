"""Checks of chapter 4: reductions and shapes."""

import numpy as np

from tinytorch.learn.checking import check_close, check_gradient, numbers
from tinytorch.learn.workshop import Length
from tinytorch.tensor import Tensor


def test_sum_backward() -> None:
    check_gradient(lambda a: a.sum(1), numbers(3, 3))
    check_gradient(lambda a: a.sum(), numbers(2, 3))
    check_gradient(lambda a: a.sum((0, 2), keepdim=True), numbers(2, 3, 2))


def test_mean_backward() -> None:
    check_gradient(lambda a: a.mean(), numbers(2, 3))
    check_gradient(lambda a: a.mean(1), numbers(3, 4))
    check_gradient(lambda a: a.mean((0, 1), keepdim=True), numbers(3, 4))


def test_permute_backward() -> None:
    check_gradient(lambda a: a.permute(1, 2, 0), numbers(2, 2, 2))
    check_gradient(lambda a: a.permute(2, 0, 1), numbers(2, 3, 4))
    check_gradient(lambda a: a.transpose(0, 1), numbers(2, 3))


def test_cumsum_backward() -> None:
    check_gradient(lambda a: a.cumsum(0), numbers(5))
    check_gradient(lambda a: a.cumsum(1), numbers(2, 3))


def test_var_backward() -> None:
    check_gradient(lambda a: a.var(), numbers(5))
    check_gradient(lambda a: a.var(1, correction=0), numbers(3, 4))
    check_gradient(lambda a: a.var(0, keepdim=True), numbers(3, 4))


def test_length() -> None:
    x = numbers(2, 3)
    check_close("value", Length.apply(Tensor._wrap(x)), np.sqrt((x * x).sum()))
    check_gradient(lambda a: Length.apply(a), x)
    check_gradient(lambda a: Length.apply(a * 2) * a, x)
    zero = Tensor._wrap(np.zeros(3)).requires_grad_()
    Length.apply(zero).backward()
    check_close("gradient at 0", zero.grad, np.zeros(3))
