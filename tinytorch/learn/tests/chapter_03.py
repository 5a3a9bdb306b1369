"""Checks of chapter 3: elementwise ops and un-broadcasting."""

from tinytorch.learn.checking import check_gradient, numbers


def test_mul_backward() -> None:
    check_gradient(lambda a, b: a * b, numbers(2, 3), numbers(2, 3, seed=1))
    check_gradient(lambda a, b: a * b, numbers(2, 3), numbers(3, seed=1))
    check_gradient(lambda a: a * 2.5, numbers(4))
