"""Formulas in pieces, and choices by bit masks, against NumPy's plain ones."""

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.kernels import elementwise, masks
from tinytorch.kernels.layout import is_chwn, to_chwn
from tinytorch.ops.unary import relu

SHAPE = (8, 5, 24, 24)  # large enough for the fast way


def numbers(seed, dtype=np.float32):
    return (100 * np.random.default_rng(seed).standard_normal(SHAPE)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64])
@pytest.mark.parametrize("order", [np.ascontiguousarray, to_chwn])
def test_where_is_numpys(dtype, order):
    a, b, zero = order(numbers(0, dtype)), order(numbers(1, dtype)), np.zeros((), dtype)
    condition = order(numbers(2) > 0)
    for left, right in ((a, b), (a, zero), (zero, b)):
        got = elementwise.where(condition, left, right)
        assert got.dtype == dtype and got.strides == a.strides
        np.testing.assert_array_equal(got, np.where(condition, left, right))


def test_where_of_mixed_orders_dtypes_and_shapes_is_numpys():
    a, b, condition = numbers(0), numbers(1), numbers(2) > 0
    for left, right in ((a, to_chwn(b)), (a, b.astype(np.float64)), (a, b[:1]), (a[:, :, :, ::-1], b), (a > 0, b > 0)):
        np.testing.assert_array_equal(elementwise.where(condition, left, right), np.where(condition, left, right))


def test_select_takes_whole_numbers_bit_by_bit():
    a = np.array([np.nan, np.inf, -0.0, 1.0])
    b = np.array([1.0, np.nan, 2.0, -np.inf])
    mask = np.array([True, False, True, False])
    got = masks.select(mask, a, b, out=np.empty(4))
    np.testing.assert_array_equal(got.view(np.int64), np.where(mask, a, b).view(np.int64))
    assert masks.select(mask, a, b, out=b) is b and b.tobytes() == got.tobytes()


@pytest.mark.parametrize("batch", [1, 8, 64])
def test_pieces_keep_the_memory_order(batch):
    x = to_chwn(np.random.default_rng(0).standard_normal((batch, 20, 16, 16)))
    y = elementwise.in_pieces(lambda x, out: np.multiply(x, 2, out=out), x, piece=1000)
    assert is_chwn(y)
    np.testing.assert_array_equal(y, 2 * x)
    np.testing.assert_array_equal(elementwise.relu_backward(x, elementwise.relu(x)), np.where(x > 0, x, 0))


@pytest.mark.parametrize("size", [3, 3000, 1 << 15])
def test_relu_keeps_nan_and_the_sign_of_zero(size):
    x = np.resize(np.array([np.nan, -0.0, -1, 2, np.inf, -np.inf, 0], np.float32), size)
    y, theirs = relu(tinytorch.tensor(x)).numpy(), torch.relu(torch.tensor(x)).numpy()
    np.testing.assert_array_equal(y, theirs)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(theirs) & ~np.isnan(theirs))
    gradient = elementwise.relu_backward(np.full(size, np.inf, np.float32), y)
    np.testing.assert_array_equal(gradient, np.where(y <= 0, 0, np.inf))


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@pytest.mark.parametrize("repeated", [False, True])
def test_slopes_of_large_results_are_those_of_the_formula(name, repeated):
    x = torch.randn(300, 257, requires_grad=True)
    ours = tinytorch.tensor(x.detach().numpy(), requires_grad=True)
    g = np.float32(3) if repeated else np.random.default_rng(0).standard_normal((257, 300)).astype(np.float32).T
    g = np.broadcast_to(g, x.shape)
    y = getattr(tinytorch, name)(ours)
    (fast,) = tinytorch.autograd.grad(y, ours, tinytorch.from_numpy(g.copy()), retain_graph=True)
    (recorded,) = tinytorch.autograd.grad(y, ours, tinytorch.from_numpy(g.copy()), create_graph=True)
    theirs = getattr(torch, name)(x)
    (expected,) = torch.autograd.grad(theirs, x, torch.from_numpy(g.copy()))
    assert recorded.requires_grad and not fast.requires_grad
    np.testing.assert_array_equal(fast.numpy(), recorded.detach().numpy())
    np.testing.assert_allclose(fast.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)
    if repeated:  # as of a sum: one number, which lies in memory once
        (summed,) = tinytorch.autograd.grad(3 * y.sum(), ours)
        np.testing.assert_array_equal(summed.numpy(), fast.numpy())


@pytest.mark.parametrize("ufunc", [np.exp, np.log, np.tanh, np.sqrt])
def test_large_arrays_give_the_same_bits_on_several_threads(ufunc, monkeypatch):
    monkeypatch.setattr(elementwise, "SHARED", 1000)
    before = tinytorch.get_num_threads()
    try:
        for x in (numbers(0), to_chwn(numbers(0)), numbers(0)[:, :, ::2], numbers(0, np.float64)):
            for count in (1, 3):
                tinytorch.set_num_threads(count)
                got = elementwise.applied(ufunc, x)
                with np.errstate(all="ignore"):
                    np.testing.assert_array_equal(got, ufunc(x))
                assert got.dtype == x.dtype
    finally:
        tinytorch.set_num_threads(before)


def test_large_arrays_are_combined_as_by_numpy():
    x, y = np.random.default_rng(0).standard_normal((2, 1024, 1000)).astype(np.float32)
    once = np.broadcast_to(np.float32(3), x.shape)
    for a, b in ((x, y), (x.T, y.T), (x, y.reshape(1000, 1024).T), (x, once), (once, x), (x, once[:1]), (x, y > 0)):
        found = elementwise.combined(np.subtract if b.dtype == x.dtype else np.multiply, a, b)
        np.testing.assert_array_equal(found, a - b if b.dtype == x.dtype else a * b)
        assert found.dtype == x.dtype
    assert elementwise.combined(np.true_divide, once, x).strides == x.strides


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, np.uint8])
@pytest.mark.parametrize(
    "shape, of_condition",
    [((16, 4, 40, 40), (40, 40)), ((16, 4, 40, 40), (1, 1, 40, 40)), ((300, 100), (100,)), ((300, 100), (300, 1))],
)
def test_where_with_a_condition_that_is_repeated(shape, of_condition, dtype):
    rng = np.random.default_rng(0)
    x, condition = (rng.standard_normal(shape) * 50).astype(dtype), rng.random(of_condition) < 0.5
    numbers = [0, 3]
    if np.dtype(dtype).kind == "f":
        x.flat[:4] = np.nan, np.inf, -np.inf, -0.0
        numbers += [np.nan, -np.inf, -0.0]
    for number in numbers:
        value = np.array(number, dtype)
        for pair in ((x, value), (value, x)):
            found, expected = elementwise.where(condition, *pair), np.where(condition, *pair)
            assert found.dtype == expected.dtype and found.shape == expected.shape
            assert found.tobytes() == expected.tobytes()
