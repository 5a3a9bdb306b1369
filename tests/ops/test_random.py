"""Random ops beside PyTorch's: from the same seed, the same numbers to the last bit, and the same state afterwards."""

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare

COMPARED = (
    "rand", "rand_like", "randn", "randn_like", "randint", "randint_like", "randperm", "normal", "bernoulli", "multinomial",
    "poisson", "binomial", "Drawn", "uniform_", "normal_", "random_", "bernoulli_", "exponential_", "geometric_", "cauchy_", "log_normal_", "trunc_normal_",
)  # fmt: skip


def both(draw, seed=0):
    """``draw(T)`` under both libraries, twice over: the second draw shows that the states agree after the first."""
    torch.manual_seed(seed)
    tinytorch.manual_seed(seed)
    for _ in range(2):
        expected, got = draw(torch), draw(tinytorch)
        assert expected.shape == got.shape and str(expected.dtype) == repr(got.dtype)
        np.testing.assert_array_equal(got.numpy(), expected.numpy())
    np.testing.assert_array_equal(tinytorch.get_rng_state().numpy(), torch.get_rng_state().numpy())


NEW = {
    "rand": lambda T: T.rand(3, 5),
    "rand in float64": lambda T: T.rand((17,), dtype=T.float64),
    "rand_like": lambda T: T.rand_like(T.zeros(4, 2)),
    "randn short": lambda T: T.randn(5),
    "randn long": lambda T: T.randn(4, 33),
    "randn in float64": lambda T: T.randn(50, dtype=T.float64),
    "randn_like": lambda T: T.randn_like(T.zeros(30)),
    "randint": lambda T: T.randint(10, (20,)),
    "randint from low": lambda T: T.randint(-5, 7, (2, 9)),
    "randint by keyword": lambda T: T.randint(high=3, size=(4,)),
    "randint huge": lambda T: T.randint(0, 2**40, (5,)),
    "randint in int32": lambda T: T.randint(0, 9, (5,), dtype=T.int32),
    "randint_like": lambda T: T.randint_like(T.zeros(6), 4),
    "randperm": lambda T: T.randperm(100),
    "normal by numbers": lambda T: T.normal(2.0, 3.0, (20,)),
    "normal by tensors": lambda T: T.normal(T.arange(20.0), T.full((20,), 0.5)),
    "normal by mean": lambda T: T.normal(T.arange(5.0), 2.0),
    "normal by std": lambda T: T.normal(1.0, T.arange(1.0, 6.0)),
    "bernoulli": lambda T: T.bernoulli(T.full((20,), 0.3)),
    "bernoulli p": lambda T: T.bernoulli(T.zeros(20), 0.7),
    "normal with other dtype": lambda T: T.normal(T.zeros(20), T.ones(20, dtype=T.float64)),
    "normal with options": lambda T: T.normal(0.5, 2.0, (20,), dtype=T.float64, layout=T.strided, device="cpu"),
    "rand with options": lambda T: T.rand(size=(3,), device="cpu", layout=T.strided, pin_memory=False),
    "randint with options": lambda T: T.randint(3, (4,), layout=T.strided, device="cpu", pin_memory=False),
    "randperm with options": lambda T: T.randperm(5, layout=T.strided, device="cpu", dtype=T.int32),
    "rand_like of a transposed matrix": lambda T: T.rand_like(T.zeros(6, 9).t(), device="cpu"),
    "rand_like of a transposed array": lambda T: T.rand_like(T.from_numpy(np.zeros((6, 9)).T)),
    "randn_like of a transposed matrix": lambda T: T.randn_like(T.zeros(6, 9).t(), memory_format=T.preserve_format),
    "bernoulli method": lambda T: T.full((20,), 0.3).bernoulli(0.6),
    "random_ by keyword": lambda T: T.zeros(9).random_(**{"from": 2, "to": 30}),
    "uniform_ by keyword": lambda T: T.zeros(9).uniform_(**{"from": 2, "to": 3}),
    "poisson": lambda T: T.poisson(T.arange(20.0)),
    "binomial": lambda T: T.binomial(T.full((20,), 9.0), T.full((20,), 0.3)),
    "multinomial": lambda T: T.multinomial(T.tensor([0.1, 0.5, 0.4]), 2),
    "multinomial of a transposed matrix": lambda T: T.multinomial(T.ones(6, 3).t(), 2),
    "multinomial with replacement": lambda T: T.multinomial(T.tensor([[0.1, 0.9], [0.5, 0.5]]), 6, replacement=True),
}


@pytest.mark.parametrize("name", NEW)
def test_new_tensors(name):
    both(NEW[name])


IN_PLACE = {
    "uniform_": lambda x: x.uniform_(-2, 3),
    "normal_": lambda x: x.normal_(1, 2),
    "random_": lambda x: x.random_(),
    "random_ to": lambda x: x.random_(7),
    "random_ from to": lambda x: x.random_(3, 9),
    "bernoulli_": lambda x: x.bernoulli_(0.3),
    "exponential_": lambda x: x.exponential_(1.5),
    "geometric_": lambda x: x.geometric_(0.4),
    "cauchy_": lambda x: x.cauchy_(),
    "log_normal_": lambda x: x.log_normal_(),
}


@pytest.mark.parametrize("shape", [(7,), (6, 11)])
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name, shape):
    both(lambda T: IN_PLACE[name](T.zeros(shape)))


def test_in_place_on_a_transposed_tensor():
    both(lambda T: T.zeros(5, 8).t().uniform_())
    both(lambda T: T.zeros(5, 8).t().normal_())


DRAWN = {
    "normal": lambda T, x: T.normal(x, x.abs()),
    "normal of mixed dtypes": lambda T, x: T.normal(x, x.abs().float()),
    "normal by mean": lambda T, x: T.normal(x, 2.0),
    "normal by std": lambda T, x: T.normal(1.0, x.abs()),
    "normal, broadcast": lambda T, x: T.normal(x, x[:1].abs()),
    "bernoulli": lambda T, x: T.bernoulli(x.sigmoid()),
    "poisson": lambda T, x: T.poisson(x.abs()),
    "in place": lambda T, x: (x * 2).normal_() * x,
    "in place on a view": lambda T, x: _view_refilled(T, x * 2),
    "exponential_": lambda T, x: (x * 2).exponential_(),
    "random_": lambda T, x: (x * 2).random_(5) + x,
}


def _view_refilled(T, y):
    y[1:].uniform_()
    return y * y


@pytest.mark.parametrize("name", DRAWN)
def test_a_draw_has_gradient_zero(name):
    def draw(T, x):
        torch.manual_seed(3)
        tinytorch.manual_seed(3)
        return DRAWN[name](T, x)

    compare(draw, np.random.default_rng(0).standard_normal((4, 5)))


def test_in_place_on_a_leaf_without_grad_mode():
    x = tinytorch.zeros(3, requires_grad=True)
    with tinytorch.no_grad():
        x.uniform_()
    assert x.requires_grad and x.is_leaf and x.detach().numpy().all()


def test_the_device_of_a_generator():
    assert repr(tinytorch.Generator().device) == repr(torch.Generator().device)
    assert tinytorch.Generator(tinytorch.device("cpu")).clone_state().device.type == "cpu"


def test_trunc_normal():
    both(lambda T: T.nn.init.trunc_normal_(T.zeros(50), 0.5, 2.0, -1.0, 3.0))


def test_a_generator_of_ones_own():
    def draw(T):
        generator = T.Generator().manual_seed(7)
        first = T.rand(3, generator=generator)
        state = generator.get_state()
        T.randn(4, generator=generator)
        generator.set_state(state)
        return T.cat([first, T.randn(4, generator=generator), T.rand(2)])

    both(draw)


def test_fork_rng_leaves_no_trace():
    tinytorch.manual_seed(0)
    expected = tinytorch.rand(3).tolist()
    tinytorch.manual_seed(0)
    with tinytorch.random.fork_rng():
        tinytorch.rand(10)
    assert tinytorch.rand(3).tolist() == expected


@pytest.mark.parametrize("name", ["dropout", "dropout2d", "alpha_dropout"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_draws_what_pytorch_draws(name, dtype):
    def dropped(T, x):
        torch.manual_seed(3)
        tinytorch.manual_seed(3)
        return getattr(T.nn.functional, name)(x, 0.4, training=True)

    compare(dropped, np.random.default_rng(0).standard_normal((4, 6, 3, 3)).astype(dtype))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda T: T.rand(-1), RuntimeError),
        (lambda T: T.randint(5, 2, (2,)), RuntimeError),
        (lambda T: T.randn(2, dtype=T.int64), NotImplementedError),
        (lambda T: T.zeros(2, dtype=T.int64).uniform_(), NotImplementedError),
        (lambda T: T.zeros(3).bernoulli_(2), RuntimeError),
        (lambda T: T.bernoulli(T.full((2,), 1.5)), RuntimeError),
        (lambda T: T.multinomial(T.ones(3), 5), RuntimeError),
        (lambda T: T.nn.functional.dropout(T.ones(2), 1.5), ValueError),
        (lambda T: T.ones(2, requires_grad=True).uniform_(), RuntimeError),
        (lambda T: T.normal(T.zeros(2), -T.ones(2)), RuntimeError),
        (lambda T: T.rand(2, foo=1), TypeError),
        (lambda T: T.randn_like(T.zeros(2), foo=1), TypeError),
        (lambda T: T.zeros(2, foo=1), TypeError),
        (lambda T: T.full_like(T.zeros(2), 1, foo=1), TypeError),
        (lambda T: T.randint(3, 5, 2), TypeError),
        (lambda T: T.randint(1.5, 5, (2,)), TypeError),
        (lambda T: T.zeros(2).random_(**{"form": 2}), TypeError),
        (lambda T: T.binomial(T.ones(2, dtype=T.int64), T.ones(2)), ValueError),
        (lambda T: T.binomial(T.ones(2), T.ones(2, dtype=T.float64)), RuntimeError),
        (lambda T: T.poisson(-T.ones(2)), RuntimeError),
        (lambda T: T.Generator().set_state(T.zeros(3)), TypeError),
        (lambda T: T.full((2,), 300, dtype=T.uint8), RuntimeError),
        (lambda T: T.arange(0, float("inf")), RuntimeError),
    ],
)
def test_errors(call, error):
    for T in (torch, tinytorch):
        with pytest.raises(error):
            call(T)
