"""The mutation check itself: what it plants is wrong, and it sees who notices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tinytorch
from tests.trust.terms import Replaced, wrong_formulas
from tests.trust.wrong import MUTATIONS, Planted, Watched, primitives
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.arithmetic import Mul

ROOT = Path(__file__).resolve().parents[2]


def gradient_of_repeated(x: tinytorch.Tensor) -> tinytorch.Tensor:
    y = tinytorch.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
    (gradient,) = tinytorch.autograd.grad((x * y).sum(), x, create_graph=True)
    return gradient


def test_a_planted_derivative_is_wrong_only_while_it_is_planted() -> None:
    x = tinytorch.ones(3, requires_grad=True)
    right = gradient_of_repeated(x).tolist()
    expected = {"negated": [-5, -7, -9], "not_summed": [1, 2, 3], "rolled": [9, 5, 7], "dropped_0": [0, 0, 0]}
    for name, wrong in expected.items():
        with Planted(Mul, MUTATIONS[name]):
            assert gradient_of_repeated(x).tolist() == wrong
        assert gradient_of_repeated(x).tolist() == right == [5, 7, 9]


def test_watching_tells_which_mutations_matter_and_changes_nothing() -> None:
    x = tinytorch.ones(3, requires_grad=True)
    with Watched(Mul) as watched:
        assert gradient_of_repeated(x).tolist() == [5, 7, 9]
    assert watched.would_change == {"negated", "scaled", "cut_off", "not_summed", "rolled", "dropped_0"}
    assert len(set(primitives())) > 150


class Loss(Primitive):
    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad * a - b, -grad / 2


def test_formulas_made_wrong() -> None:
    found = dict(wrong_formulas(Loss))
    assert list(found) == [
        "grad * a - b -> grad * a", "grad * a - b -> -b", "grad * a - b -> grad * a + b",
        "-grad / 2 -> -grad", "grad * a -> grad", "grad * a -> a", "-grad -> grad",
    ]  # fmt: skip
    ctx = SimpleNamespace(saved_tensors=(3.0, 5.0))
    assert Loss.backward(ctx, 2.0) == (1.0, -1.0)
    with Replaced(Loss, found["grad * a - b -> -b"]):
        assert Loss.backward(ctx, 2.0) == (-5.0, -1.0)
    assert Loss.backward(ctx, 2.0) == (1.0, -1.0)
    assert len(list(wrong_formulas(Mul))) == 4 and not list(wrong_formulas(Primitive))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.trust.mutations", "Erf", "CountNonzero", "--results", str(tmp_path)]
    for _ in range(2):  # the second time from the stored results
        found = subprocess.run(
            [*command, "--tests", "tests/autograd/test_zero_gradients.py"], cwd=ROOT, capture_output=True, text=True
        )
        lines = found.stdout.splitlines()
        assert "caught 3 of 10 planted derivatives in 1 primitives" in lines, found.stdout
        assert "differentiated by no test: Erfc, Erfinv" in lines
    assert found.stdout.count("Erf 2 / math.sqrt(math.pi) -> 2") == 1
    assert found.returncode == 1
