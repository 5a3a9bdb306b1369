"""nn.init: the same numbers as PyTorch's from the same seed, and the same errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import tinytorch
from tests.nn.layers import assert_same_error, both

FILLINGS = [
    "uniform_(w)", "uniform_(w, -2.0, 3.0)", "normal_(w)", "normal_(w, 1.0, 0.1)", "trunc_normal_(w)",
    "trunc_normal_(w, 0.5, 2.0, -1.0, 1.0)", "constant_(w, 1.5)", "ones_(w)", "zeros_(w)", "xavier_uniform_(w)",
    "xavier_uniform_(w, gain=1.4)", "xavier_normal_(w)", "kaiming_uniform_(w)", "kaiming_uniform_(w, a=0.2, mode='fan_out')",
    "kaiming_uniform_(w, nonlinearity='relu')", "kaiming_normal_(w)", "kaiming_normal_(w, mode='fan_out', nonlinearity='relu')",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 4), (6, 3, 3, 2), (40, 30)])
@pytest.mark.parametrize("text", FILLINGS)
def test_fillings_to_the_bit(text, shape, dtype):
    def run(T):
        w = T.nn.Parameter(T.empty(shape, dtype=getattr(T, dtype)))
        assert eval("init." + text, {"init": T.nn.init, "w": w}) is w
        return w.detach().numpy()

    ours, theirs = both(run)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonal(shape, gain):
    ours, theirs = both(lambda T: T.nn.init.orthogonal_(T.empty(shape), gain).numpy())
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    flat = ours.reshape(shape[0], -1)
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-5)


def test_matrices():
    for text, shape in [
        ("eye_(w)", (3, 5)), ("dirac_(w)", (4, 3, 3)), ("dirac_(w)", (4, 5, 3, 2)), ("dirac_(w, 2)", (4, 3, 3, 3)),
        ("sparse_(w, 0.3)", (7, 4)), ("sparse_(w, 0.5, std=2.0)", (5, 6)),
    ]:  # fmt: skip

        def run(T, text=text, shape=shape):
            return eval("init." + text, {"init": T.nn.init, "w": T.nn.Parameter(T.empty(shape))}).detach().numpy()

        ours, theirs = both(run)
        np.testing.assert_array_equal(ours, theirs, err_msg=text)


def test_gains():
    for arguments in [("linear",), ("conv2d",), ("sigmoid",), ("tanh",), ("relu",), ("leaky_relu",), ("leaky_relu", 0.3), ("selu",),
                      ("leaky_relu", 1)]:  # fmt: skip
        ours, theirs = both(lambda T, arguments=arguments: T.nn.init.calculate_gain(*arguments))
        assert ours == theirs


def test_generator_argument():
    def run(T):
        return T.nn.init.normal_(T.empty(5), generator=T.Generator().manual_seed(7)).numpy()

    ours, theirs = both(run)
    np.testing.assert_array_equal(ours, theirs)


def test_errors():
    for text in [
        "calculate_gain('swish')", "calculate_gain('leaky_relu', 'a')", "calculate_gain('leaky_relu', True)", "eye_(T.ones(3))",
        "dirac_(T.ones(3, 3))", "dirac_(T.ones(3, 3, 3), 2)", "xavier_uniform_(T.ones(3))", "kaiming_uniform_(T.ones(3, 3), mode='fan')",
        "orthogonal_(T.ones(3))", "sparse_(T.ones(3), 0.1)",
    ]:  # fmt: skip
        assert_same_error(lambda T, text=text: eval("T.nn.init." + text, {"T": T}))


def test_warnings_and_old_names():
    def run(T):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            T.nn.init.kaiming_uniform_(T.empty(0, 3))
            value = T.nn.init.xavier_normal(T.empty(2, 3)).numpy().tolist()
        return value, [(w.category.__name__, str(w.message)) for w in caught]

    ours, theirs = both(run)
    assert ours == theirs


def test_a_convolution_of_no_channels_draws_its_bias_as_pytorch_does():
    found = []
    for T in (tinytorch, torch):
        T.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Initializing zero-element tensors is a no-op"
            bias = T.nn.Conv2d(0, 3, 1).bias
        found.append((bias.tolist(), T.rand(1).item()))
    assert found[0] == found[1] and found[0][0] == [0.0] * 3
