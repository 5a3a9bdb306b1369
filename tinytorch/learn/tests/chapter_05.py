"""Checks of chapter 5: indexing."""

import numpy as np

from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_close, check_gradient, leaf, numbers
from tinytorch.ops.indexing import add_at
from tinytorch.tensor import Tensor


def test_put_in_zeros() -> None:
    check_gradient(lambda a: a[1:3], numbers(4))
    check_gradient(lambda a: a[:, ::2], numbers(2, 5))
    check_gradient(lambda a: a[1, None], numbers(3, 2))


def test_index_add() -> None:
    x, weights = leaf([2.0]), np.array([1.0, 10.0, 100.0])
    x[np.array([0, 0, 0])].backward(Tensor._wrap(weights))
    check_close("x, whose only element was picked three times", x.grad, [weights.sum()], uses=weights[:, None])
    check_close("2 + 3 at place 1", add_at((3,), np.array([1, 1, 0]), np.array([2.0, 3.0, 5.0])), [5.0, 5.0, 0.0])
    rows = np.array([2, 0, 2])
    check_gradient(lambda a: a[rows], numbers(3, 2))
    check_gradient(lambda a: a[rows, np.array([1, 1, 1])], numbers(3, 2))


def test_quiz_index() -> None:
    x = leaf(numbers(4))
    y = x[np.array([0, 0, 2])]
    y.backward(Tensor._wrap(np.array([1.0, 10.0, 100.0])), retain_graph=True)
    assert x.grad is not None
    check_answers(quiz.index(), {"x": x.grad.tolist()}, y)
