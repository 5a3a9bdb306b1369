"""Checks of chapter 18: higher-order gradients."""

import numpy as np

from tinytorch.autograd import grad
from tinytorch.autograd.functional import hessian
from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_close, check_gradient, leaf, numbers
from tinytorch.learn.workshop import gradient_penalty
from tinytorch.tensor import Tensor


def test_quiz_cubic() -> None:
    x = leaf(2.0)
    value, truth = x * x * x, {}
    for order in ("first", "second", "third", "fourth"):
        (value,) = grad(value, x, create_graph=True, materialize_grads=True)  # type: ignore[assignment]
        truth[order] = value.item()
        if not value.requires_grad:
            value = value + 0 * x
    check_answers(quiz.cubic(), truth)


def test_hessian() -> None:
    x = numbers(3)
    found = hessian(lambda x: (x * x * x).sum() + x[0] * x[1], leaf(x))
    expected = np.diag(6 * x)
    expected[0, 1] = expected[1, 0] = 1.0
    check_close("the Hessian of Σ x³ + x₀ x₁", found, expected)


def test_gradient_penalty() -> None:
    x, weight = numbers(4, 3), numbers(3, seed=1)
    slope = 2 * x * weight
    value = gradient_penalty(lambda x: (x * x * leaf(weight)).sum(1), leaf(x))
    check_close("penalty of f(x) = Σ w x²", value, ((np.sqrt((slope**2).sum(1)) - 1) ** 2).mean())
    rows = leaf(x)
    check_gradient(lambda w: gradient_penalty(lambda x: (x * x * w).sum(1), _fresh(rows)), weight, names="w")


def _fresh(x: Tensor) -> Tensor:
    return leaf(x._array)
