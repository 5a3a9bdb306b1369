"""Checks of chapter 1: nodes and the engine."""

import math

from tinytorch.autograd.part import reachable
from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_gradient, leaf, numbers


def test_engine_add() -> None:
    check_gradient(lambda a: a.sin() + a.exp(), numbers(4))
    check_gradient(lambda a: a.sin() + a.exp() + a.cos(), numbers(4))
    x = leaf([1.0])
    y = x + x
    y.backward()
    assert y.grad_fn is not None and y._array.item() == 2.0, "adding gradients must not change values"


def test_engine_reachable() -> None:
    x = leaf([1.0])
    y = x.exp()
    z = (y + y).sin() + y
    nodes, leaves = reachable([z])
    names = sorted(node.op_type.__name__ for node in nodes)
    assert names == ["Add", "Add", "Exp", "Sin"], f"z = sin(y + y) + y, y = exp(x) was made by {names}?"
    assert len(leaves) == 1 and leaves[0] is x, "z was made of the leaf x"
    assert reachable([x])[0] == [], "no node made a leaf"
    for _ in range(5000):
        x = x + 0.0
    assert len(reachable([x])[0]) == 5000, "a chain of 5000 additions"


def test_quiz_twice() -> None:
    a = leaf(3.0)
    unit = math.cos(3.0) + 1
    y = a.sin() + a
    y.backward(retain_graph=True)
    assert a.grad is not None
    truth = {"once": a.grad.item() / unit}
    y.backward()
    truth["twice"] = a.grad.item() / unit
    a.grad = None
    (a.sin() + a).backward()
    truth["after None"] = a.grad.item() / unit  # type: ignore[attr-defined]
    check_answers(quiz.twice(), truth, a.sin() + a)
