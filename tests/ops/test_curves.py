"""Activations in pieces: large arrays, in every memory order, beside PyTorch."""

import numpy as np
import pytest
import torch

import tinytorch
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
    numbers = (3 * rng.standard_normal((7, 100, 2 * curves.PIECE // 500))).astype(dtype)
    numbers[0, 0, :5] = [0.0, -0.0, np.inf, -np.inf, 3.0]
    if "elu" not in name:  # where x is NaN, PyTorch's gradient of elu depends on the element's position
        numbers[0, 0, 5] = np.nan
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
