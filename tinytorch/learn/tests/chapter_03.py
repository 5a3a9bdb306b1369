"""Checks of chapter 3: elementwise ops and un-broadcasting."""

import numpy as np

from tinytorch.learn.checking import check_close, check_gradient, numbers
from tinytorch.learn.workshop import LogCosh
from tinytorch.ops.broadcast import sum_to
from tinytorch.tensor import Tensor


def test_mul_backward() -> None:
    check_gradient(lambda a, b: a * b, numbers(2, 3), numbers(2, 3, seed=1))
    check_gradient(lambda a: a * 2.5, numbers(4))
    check_gradient(lambda a: a * a, numbers(4))


def test_div_backward() -> None:
    check_gradient(lambda a, b: a / b, numbers(2, 3), numbers(2, 3, seed=1))
    check_gradient(lambda a: a / 2.5, numbers(4))
    check_gradient(lambda a: 2.5 / a, numbers(4))


def test_tanh_backward() -> None:
    check_gradient(lambda a: a.tanh(), numbers(5))
    check_gradient(lambda a: (a * 3).tanh() * a, numbers(5))


def test_pow_base() -> None:
    check_gradient(lambda a: a**3, numbers(4))
    check_gradient(lambda a: a**2, numbers(4))
    check_gradient(lambda a: a**-1.5, np.abs(numbers(4)))
    exponents = Tensor._wrap(np.array([3.0, 2.0, 0.0, 1.0]))
    check_gradient(lambda a: a**exponents, numbers(4))
    check_gradient(lambda a: a**0, np.array([0.0, 1.0]))


def test_sum_to() -> None:
    check_gradient(lambda a, b: a + b, numbers(2, 3), numbers(3))
    check_gradient(lambda a, b: a * b, numbers(2, 1), numbers(1, 3))
    x = numbers(2, 3)
    for shape in ((3,), (1, 3), (2, 1), (1, 1), (), (2, 3)):
        expected = x.sum(_axes(shape), keepdims=True).reshape(shape)
        check_close(f"the sum of (2, 3) to {shape}", sum_to(Tensor._wrap(x), shape), expected)


def _axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of (2, 3) that are summed away on the way to ``shape``."""
    padded = (1,) * (2 - len(shape)) + shape
    return tuple(axis for axis in range(2) if padded[axis] == 1)


def test_log_cosh() -> None:
    x = numbers(6, high=4.0)
    check_close("value", LogCosh.apply(Tensor._wrap(x)), np.log(np.cosh(x)))
    check_close("value at ±1000", LogCosh.apply(Tensor._wrap(np.array([1000.0, -1000.0]))), [1000 - np.log(2)] * 2)
    check_gradient(lambda a: LogCosh.apply(a), x)
    check_gradient(lambda a: LogCosh.apply(a * 2) * a, x)
