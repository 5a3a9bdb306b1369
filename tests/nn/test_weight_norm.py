"""Weight normalization: parameters, results, gradients and removal as PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare import equal_tensors
from tests.nn.layers import assert_same_error, assert_same_state, both, build, compare_modules

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")

CASES = [
    ("nn.utils.weight_norm(nn.Linear(4, 3, dtype=T.float64))", (2, 4)),
    ("nn.utils.weight_norm(nn.Linear(4, 3, dtype=T.float64), dim=None)", (2, 4)),
    ("nn.utils.weight_norm(nn.Linear(4, 3, dtype=T.float64), dim=1)", (2, 4)),
    ("nn.utils.weight_norm(nn.Linear(4, 3, dtype=T.float64), 'bias')", (2, 4)),
    ("nn.utils.weight_norm(nn.Conv2d(2, 3, 2, dtype=T.float64))", (1, 2, 3, 4)),
]


@pytest.mark.parametrize(("text", "shape"), CASES)
def test_weight_norm(text, shape):
    ours, theirs = build(text)
    assert_same_state(ours, theirs, exactly=False)
    compare_modules(ours, theirs, np.random.default_rng(3).standard_normal(shape), second=False)


def test_second_derivative():
    """PyTorch's fused weight norm fails its own gradgradcheck; the same formula in its ordinary ops is the reference."""

    def ours(T):
        layer = T.nn.utils.weight_norm(T.nn.Linear(4, 3, bias=False, dtype=T.float64))
        return second(T, layer.weight, layer.weight_g, layer.weight_v)

    def theirs(T):
        layer = T.nn.utils.weight_norm(T.nn.Linear(4, 3, bias=False, dtype=T.float64))
        g, v = layer.weight_g, layer.weight_v
        return second(T, v * g / T.linalg.vector_norm(v, dim=1, keepdim=True), g, v)

    def second(T, weight, g, v):
        cotangent = T.linspace(-1, 2, 12, dtype=T.float64).reshape(3, 4)
        first = T.autograd.grad(weight, (g, v), cotangent, create_graph=True)
        return T.autograd.grad((first[0] ** 3).sum() + (first[1] ** 2 * cotangent).sum(), (g, v))

    for our, their in zip(both(ours)[0], both(theirs)[1], strict=True):
        equal_tensors("second derivative", our, their)


def test_removal_gives_the_trained_weight_back():
    def run(T):
        layer = T.nn.utils.weight_norm(T.nn.Linear(4, 3))
        with T.no_grad():
            layer.weight_g.mul_(2)
        x = T.ones(2, 4)
        before = layer(x)
        T.nn.utils.remove_weight_norm(layer)
        assert isinstance(layer.weight, T.nn.Parameter) and sorted(layer.state_dict()) == ["bias", "weight"]
        return before, layer(x), layer.weight

    for ours, theirs in zip(*both(run), strict=True):
        equal_tensors("value", ours, theirs)


def test_errors():
    assert_same_error(lambda T: T.nn.utils.weight_norm(T.nn.utils.weight_norm(T.nn.Linear(2, 2))))
    assert_same_error(lambda T: T.nn.utils.remove_weight_norm(T.nn.Linear(2, 2)))
