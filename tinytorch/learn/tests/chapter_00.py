"""Checks of chapter 0: the whole idea, on numbers."""

import math
from collections.abc import Callable

from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_close
from tinytorch.learn.scalar_autograd import Value, topological_order


def differences(function: Callable[..., Value], *numbers: float) -> list[float]:
    """The slopes of a function of Values by finite differences."""
    found = []
    for position in range(len(numbers)):
        ends = []
        for step in (1e-6, -1e-6):
            moved = [Value(n + step * (i == position)) for i, n in enumerate(numbers)]
            ends.append(function(*moved).data)
        found.append((ends[0] - ends[1]) / 2e-6)
    return found


def gradients(function: Callable[..., Value], *numbers: float) -> list[float]:
    """The same by backward."""
    values = [Value(number) for number in numbers]
    function(*values).backward()
    return [value.grad for value in values]


def test_scalar_mul() -> None:
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    check_close("value of a * b", c.data, -6.0)
    check_close("value of a * 5", (a * 5).data, 10.0)
    assert c.sources == (a, b), "a * b was made of a and b"
    check_close("(a, b) in a * b", c.slopes, differences(lambda a, b: a * b, 2.0, -3.0))


def test_scalar_tanh() -> None:
    a = Value(0.5)
    b = a.tanh()
    check_close("value", b.data, math.tanh(0.5))
    assert b.sources == (a,), "tanh(a) was made of a"
    check_close("a in tanh(a)", b.slopes, differences(lambda a: a.tanh(), 0.5))


def test_scalar_order() -> None:
    a = Value(1.0)
    b = a + a
    c = b + a
    d = c + b
    order = topological_order(d)
    assert len(order) == len(set(order)), "a value stands in the order several times"
    assert set(order) == {a, b, c, d}, "the order does not hold all values behind the result"
    for value in order:
        for source in value.sources:
            assert order.index(value) < order.index(source), "a value comes after one that it was made of"


def test_scalar_accumulate() -> None:
    a = Value(3.0)
    b = a + a
    b.backward()
    check_close("a in a + a", a.grad, 2.0, uses=[1.0, 1.0])

    def often(a: Value) -> Value:
        return 3 * (a * a) + 2 * a

    check_close("a in 3 * (a * a) + 2 * a", gradients(often, 1.5), differences(often, 1.5))
    once = a.grad
    b.backward()
    assert a.grad == 2 * once, "a second backward() adds once more"


def test_quiz_reuse() -> None:
    a = Value(3.0)
    b = a + a
    c = b * b
    c.backward()
    check_answers(quiz.reuse(), {"b": b.grad, "a": a.grad})
