"""Activations in pieces: large arrays, in every memory order, beside PyTorch."""

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.kernels import activations
from tinytorch.ops import curves

ACTIVATIONS = {
    "leaky_relu": (0.2,),
    "leaky_relu steep": (1.5,),
    "leaky_relu falling": (-0.3,),
    "hardtanh": (-0.5, 1.5),
    "relu6": (),
    "hardsigmoid": (),
    "hardswish": (),
    "elu": (0.7,),
    "selu": (),
    "celu": (1.3,),
    "softplus": (2.0, 3.0),
    "softplus always smooth": (1.0, 40.0),
    "softplus never shows": (),
    "logsigmoid": (),
    "mish": (),
    "silu": (),
    "gelu": (),
}
LAYOUTS = {
    "row-major": lambda x: x,
    "batch last": lambda x: x.transpose(1, 2, 0).copy().transpose(2, 0, 1),
    "with gaps": lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_single_numbers(name):
    """NumPy turns what is computed from 0-dimensional arrays into scalars."""
    function, *options = name.split()[0], *ACTIVATIONS[name]

    def run(T, number, create_graph):
        x = T.tensor(number, requires_grad=True)
        y = getattr(T.nn.functional, function)(x, *options)
        return [y.item(), T.autograd.grad(y, x, create_graph=create_graph)[0].item()]

    for number in (-4.0, -1.0, 0.0, 0.5, 4.0):
        expected = run(torch, number, False)
        for create_graph in (False, True):
            np.testing.assert_allclose(run(tinytorch, number, create_graph), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_arrays(name, layout, dtype):
    rng = np.random.default_rng(0)
    numbers = (3 * rng.standard_normal((7, 100, 131))).astype(dtype)
    numbers[0, 0, :5] = [0.0, -0.0, np.inf, -np.inf, 3.0]
    if "elu" not in name:  # where x is NaN, PyTorch's gradient of elu depends on the element's position
        numbers[0, 0, 5] = np.nan
    if name in ("mish", "gelu"):  # where PyTorch has nan
        numbers[0, 0, 2:4] = 1.0
    weights = rng.standard_normal(numbers.shape).astype(dtype)
    function, *options = name.split()[0], *ACTIVATIONS[name]

    def run(T, array, weight):
        x = T.tensor(array) if T is torch else T.from_numpy(LAYOUTS[layout](array))
        x.requires_grad_()
        y = getattr(T.nn.functional, function)(x, *options)
        (slope,) = T.autograd.grad(y, x, T.tensor(weight), retain_graph=True)
        (slope_of_sum,) = T.autograd.grad(y.sum(), x)  # a gradient that is one number, repeated
        return [t.detach().numpy() for t in (y, slope, slope_of_sum)]

    for ours, theirs in zip(run(tinytorch, numbers, weights), run(torch, numbers, weights), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-6)


CURVES = [
    (curves.LeakyRelu, {"negative_slope": 0.2}),
    (curves.LeakyRelu, {"negative_slope": -0.5}),
    (curves.Hardtanh, {"min_val": -0.5, "max_val": 1.5}),
    (curves.Hardsigmoid, {}),
    (curves.Hardswish, {}),
    (curves.Elu, {"alpha": 0.7, "rate": 1.0, "scale": 1.1}),
    (curves.Elu, {"alpha": 2.0, "rate": 0.5, "scale": 1.0}),
    (curves.Softplus, {"beta": 1.0, "threshold": 20.0}),
    (curves.Softplus, {"beta": 0.5, "threshold": 2.0}),
    (curves.LogSigmoid, {}),
    (curves.Silu, {}),
    (curves.Mish, {}),
    (curves.Gelu, {"approximate": "none"}),
    (curves.Gelu, {"approximate": "tanh"}),
]


@pytest.mark.parametrize(("curve", "options"), CURVES)
def test_the_kernel_of_the_gradient_is_the_readable_one(curve, options):
    x = tinytorch.from_numpy(np.concatenate((np.linspace(-60, 60, 4001), [-3.0, 3.0]))).requires_grad_()
    (kernels,) = tinytorch.autograd.grad(curve.apply(x, **options).sum(), x)
    (readable,) = tinytorch.autograd.grad(curve.apply(x, **options).sum(), x, create_graph=True)
    np.testing.assert_allclose(kernels.numpy(), readable.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_every_curve_is_compared():
    assert {curve for curve, _ in CURVES} == {
        curve for curve in curves.Curve.__subclasses__() if "op_type" not in vars(curve)
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log1p_is_numpys(dtype):
    x = np.concatenate(([0.0], np.logspace(-40, 3, 20_000))).astype(dtype)
    ours = x.copy()
    activations.log1p(ours)
    np.testing.assert_allclose(ours, np.log1p(x), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_large_glu(dim, layout):
    """The kernel's gradient, and the readable one, beside PyTorch's."""
    rng = np.random.default_rng(0)
    numbers = (3 * rng.standard_normal((8, 100, 132))).astype(np.float32)
    theirs = torch.tensor(numbers, requires_grad=True)
    ours = tinytorch.from_numpy(LAYOUTS[layout](numbers)).requires_grad_()
    y, expected = tinytorch.nn.functional.glu(ours, dim), torch.nn.functional.glu(theirs, dim)
    weights = rng.standard_normal(tuple(expected.shape)).astype(np.float32)
    (slope,) = torch.autograd.grad(expected, theirs, torch.tensor(weights))
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=2e-6, atol=2e-6)
    for create_graph in (False, True):
        (found,) = tinytorch.autograd.grad(y, ours, tinytorch.tensor(weights), True, create_graph)
        np.testing.assert_allclose(found.detach().numpy(), slope.numpy(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_large_sign(layout):
    numbers = np.resize(np.float32([2.0, -0.5, 0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40]), (7, 100, 131))
    found = tinytorch.sign(tinytorch.from_numpy(LAYOUTS[layout](numbers)))
    np.testing.assert_array_equal(found.numpy(), torch.sign(torch.from_numpy(numbers)).numpy())
