"""Checks of chapter 6: matrix products."""

import numpy as np

from tinytorch.learn.checking import check_close, check_gradient, lines_run, numbers
from tinytorch.learn.workshop import squared_distances
from tinytorch.nn import functional as F


def test_matmul_backward() -> None:
    check_gradient(lambda a, b: a @ b, numbers(3, 3), numbers(3, 3, seed=1))
    check_gradient(lambda a, b: a @ b, numbers(2, 3), numbers(3, 4))
    check_gradient(lambda a, b: a @ b, numbers(3), numbers(3, 4))
    check_gradient(lambda a, b: a @ b, numbers(2, 2, 3), numbers(2, 3, 2))


def test_linear_backward() -> None:
    check_gradient(lambda x, w, b: F.linear(x, w, b), numbers(3, 3), numbers(3, 3), numbers(3), names="xwb")
    check_gradient(lambda x, w, b: F.linear(x, w, b), numbers(4, 3), numbers(2, 3), numbers(2), names="xwb")
    check_gradient(lambda x, w: F.linear(x, w), numbers(2, 2, 3), numbers(2, 3), names="xw")


def test_squared_distances() -> None:
    a, b = numbers(4, 3), numbers(5, 3, seed=1)
    expected = ((a[:, None] - b) ** 2).sum(2)
    check_close("distances", squared_distances(a, b), expected)
    few, many = lines_run(squared_distances, a, b), lines_run(squared_distances, np.tile(a, (8, 1)), np.tile(b, (8, 1)))
    assert many <= few + 5, f"for 64 times as many distances {many} lines of Python run instead of {few}: a loop?"
