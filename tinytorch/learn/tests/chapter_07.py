"""Checks of chapter 7: checking gradients."""

import numpy as np

from tinytorch.autograd.gradcheck import _numerical
from tinytorch.learn.checking import check_close, leaf, numbers


def test_numerical() -> None:
    x, matrix = numbers(3), numbers(3, 3, seed=1)
    for eps in (1e-6, 1e-3):
        jacobian = _numerical(lambda x: x @ leaf(matrix), (leaf(x),), 0, 0, np.eye(3), eps)
        check_close(f"the Jacobian of xᵀM, eps = {eps}", jacobian, matrix.T)
    cube = _numerical(lambda x: x * x * x, (leaf(x),), 0, 0, np.ones((1, 3)), 1e-4)
    check_close("the slope of x³: one-sided differences are not exact enough", cube[0], 3 * x * x)
