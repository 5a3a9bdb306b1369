"""The scalar autograd of the first chapter beside PyTorch."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tinytorch.learn.scalar_autograd import Value, naive_backward, topological_order

EXAMPLE = Path(__file__).parents[2] / "examples" / "00_scalar_autograd.py"


def expression(a, b, c):
    """Every operation; a and b are used several times."""
    d = a * b + 2.0 * c - a / b
    e = (d**2 + a).tanh() * b + -c
    return e * e + d


@pytest.mark.parametrize("seed", range(5))
def test_gradients_are_pytorchs(seed):
    rng = random.Random(seed)
    numbers = [rng.uniform(0.2, 1.5) for _ in range(3)]
    ours = [Value(x) for x in numbers]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    our, their = expression(*ours), expression(*theirs)
    our.backward()
    their.backward()
    assert our.data == pytest.approx(their.item(), rel=1e-12)
    assert [v.grad for v in ours] == pytest.approx([t.grad.item() for t in theirs], rel=1e-12)


def test_calling_backward_twice_adds_once_more_as_in_pytorch():
    a, t = Value(3.0), torch.tensor(3.0, requires_grad=True)
    our, their = a * a + a, t * t + t
    for _ in range(2):
        our.backward()
        their.backward(retain_graph=True)
        assert a.grad == t.grad.item()


def test_the_naive_recursion_is_right_for_a_tree_and_wrong_for_shared_results():
    a, b = Value(2.0), Value(5.0)
    naive_backward(a * b)
    assert (a.grad, b.grad) == (5.0, 2.0)
    a = Value(2.0)
    b = a + a
    naive_backward(b + b)
    assert a.grad == 6.0  # dc/da is 4


def test_order_puts_users_first():
    a = Value(1.0)
    b = a + a
    c = b * a
    assert topological_order(c) == [c, b, a]


def test_the_example_computes_its_own_numbers():
    assert len(EXAMPLE.read_text().split("from __future__")[1].splitlines()) < 80  # on one screen
    run = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True)
    assert "failed=0" in run.stdout
