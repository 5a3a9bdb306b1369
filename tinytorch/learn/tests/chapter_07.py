"""Checks of chapter 7: checking gradients."""

import numpy as np

from tinytorch.autograd.gradcheck import _analytical, _numerical
from tinytorch.learn.checking import check_close, leaf, numbers


def test_numerical() -> None:
    x, matrix = numbers(3), numbers(3, 3, seed=1)
    for eps in (1e-6, 1e-3):
        jacobian = _numerical(lambda x: x @ leaf(matrix), (leaf(x),), 0, 0, np.eye(3), eps)
        check_close(f"the Jacobian of xᵀM, eps = {eps}", jacobian, matrix.T)
    cube = _numerical(lambda x: x * x * x, (leaf(x),), 0, 0, np.ones((1, 3)), 1e-4)
    check_close("the slope of x³: one-sided differences are not exact enough", cube[0], 3 * x * x)


def test_analytical() -> None:
    x, unused, matrix = leaf(numbers(3)), leaf(numbers(2)), numbers(3, 2, seed=1)
    output = (x @ leaf(matrix)).reshape(2, 1)  # y = xᵀM, so ∂y_i/∂x_j = M_ji
    jacobian, nothing = _analytical(output, [x, unused], np.eye(2))
    check_close("the Jacobian of xᵀM", jacobian, matrix.T)
    check_close("that of an input that takes no part", nothing, np.zeros((2, 2)))
    (projection,) = _analytical(output, [x], np.array([[2.0, -3.0]]))
    check_close("along the direction [2, -3]", projection, [[2.0, -3.0]] @ matrix.T)
