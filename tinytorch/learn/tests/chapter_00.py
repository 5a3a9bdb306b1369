"""Checks of chapter 0: the whole idea, on numbers."""

import math
from collections.abc import Callable

from tinytorch.learn.checking import check_close
from tinytorch.learn.scalar_autograd import Value


def slopes(function: Callable[..., Value], *numbers: float) -> tuple[list[float], list[float]]:
    """The gradients of a function of Values: as backward says, and by finite differences."""
    values = [Value(number) for number in numbers]
    function(*values).backward()
    expected = []
    for position in range(len(numbers)):
        ends = []
        for step in (1e-6, -1e-6):
            moved = [Value(n + step * (i == position)) for i, n in enumerate(numbers)]
            ends.append(function(*moved).data)
        expected.append((ends[0] - ends[1]) / 2e-6)
    return [value.grad for value in values], expected


def test_scalar_mul() -> None:
    check_close("value of a * b", (Value(2.0) * Value(-3.0)).data, -6.0)
    check_close("value of a * 5", (Value(2.0) * 5).data, 10.0)
    check_close("(a, b) in a * b", *slopes(lambda a, b: a * b, 2.0, -3.0))
    check_close("(a, b) in 4 * a * b", *slopes(lambda a, b: 4 * a * b, 0.5, 1.5))


def test_scalar_tanh() -> None:
    check_close("value", Value(0.5).tanh().data, math.tanh(0.5))
    check_close("a in tanh(a)", *slopes(lambda a: a.tanh(), 0.5))
    check_close("a in 3 tanh(2a)", *slopes(lambda a: 3 * (2 * a).tanh(), -0.4))
