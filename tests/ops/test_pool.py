"""Pooling beside PyTorch's: values, indices, gradients and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.functional import FLOATS, Inputs, functional

Shape = tuple[int, ...]

MAX: list[tuple[Shape, dict[str, Any]]] = [
    ((2, 3, 6, 8), {"kernel_size": 2}),
    ((2, 3, 7, 5), {"kernel_size": 2}),  # an odd row and column left over
    ((2, 3, 7, 5), {"kernel_size": 2, "ceil_mode": True}),
    ((2, 3, 7, 8), {"kernel_size": 3, "stride": 2, "padding": 1}),  # overlapping: ResNet's first pool
    ((2, 3, 7, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((2, 3, 7, 8), {"kernel_size": 3, "stride": 1}),
    ((2, 3, 9, 8), {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0)}),
    ((2, 3, 9, 8), {"kernel_size": 3, "dilation": 2, "padding": 1}),
    ((2, 3, 9, 8), {"kernel_size": (3, 2), "dilation": (2, 3), "stride": (2, 1)}),
    ((2, 3, 8, 8), {"kernel_size": 2, "stride": 3}),  # places that no window sees
    ((2, 3, 4, 5), {"kernel_size": (4, 5)}),  # one window
    ((2, 3, 4, 5), {"kernel_size": 1}),
    ((3, 6, 6), {"kernel_size": 2, "stride": []}),
    ((0, 3, 6, 6), {"kernel_size": 2}),
    ((1, 1, 20, 20), {"kernel_size": 17, "stride": 3}),  # more than 256 places in a window
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ties", [False, True], ids=["", "ties"])
@pytest.mark.parametrize(("shape", "options"), MAX, ids=str)
def test_max_pool2d(shape: Shape, options: dict[str, Any], ties: bool, dtype: str) -> None:
    x = Inputs(dtype).normal(*shape)
    x = np.round(x) if ties else x
    compare(lambda T, x: functional(T).max_pool2d(x, **options), x)
    compare(lambda T, x: functional(T).max_pool2d(x, **options, return_indices=True), x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}], ids=str)
def test_max_pool2d_of_nan_and_infinity(options: dict[str, Any], dtype: str) -> None:
    inputs = Inputs(dtype)
    x = inputs.normal(3, 2, 6, 6)
    x[inputs.rng.random(x.shape) < 0.2] = np.nan
    x[inputs.rng.random(x.shape) < 0.2] = -np.inf
    x[2] = -np.inf
    compare(lambda T, x: functional(T).max_pool2d(x, **options, return_indices=True), x, second=False)


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}], ids=str)
def test_later_derivatives(options: dict[str, Any]) -> None:
    """The gradient as a function of its cotangent, differentiated twice more: scatter, gather, scatter."""
    inputs = Inputs("float64")

    def gradient(T: Any, x: Any, cotangent: Any) -> Any:
        x = x.detach().requires_grad_()
        y = functional(T).max_pool2d(x, **options)
        grad = torch.autograd.grad if T is torch else tinytorch.autograd.grad
        return grad(y, x, cotangent, create_graph=True)

    compare(gradient, inputs.normal(2, 3, 6, 6), inputs.normal(2, 3, 3, 3))


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8", "float16"])
def test_max_pool2d_of_other_dtypes(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 9, (2, 3, 6, 6)).astype(dtype)
    for options in ({"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}):
        compare(lambda T, x, o=options: functional(T).max_pool2d(x, **o, return_indices=True), x)


AVG: list[tuple[Shape, dict[str, Any]]] = [
    ((2, 3, 6, 8), {"kernel_size": 2}),
    ((2, 3, 7, 5), {"kernel_size": 2, "ceil_mode": True}),
    ((2, 3, 7, 8), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((2, 3, 7, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    ((2, 3, 8, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((2, 3, 8, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    ((2, 3, 8, 7), {"kernel_size": (3, 2), "stride": (1, 3), "padding": (1, 0), "divisor_override": 5}),
    ((2, 3, 8, 7), {"kernel_size": 2, "divisor_override": -2}),
    ((2, 3, 8, 8), {"kernel_size": 2, "stride": 3}),
    ((2, 3, 4, 5), {"kernel_size": (4, 5)}),
    ((3, 6, 6), {"kernel_size": 3, "stride": 1}),
    ((0, 3, 6, 6), {"kernel_size": 2}),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "options"), AVG, ids=str)
def test_avg_pool2d(shape: Shape, options: dict[str, Any], dtype: str) -> None:
    compare(lambda T, x: functional(T).avg_pool2d(x, **options), Inputs(dtype).normal(*shape))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}], ids=str
)
@pytest.mark.parametrize("shape", [(2, 3, 9), (3, 9), (0, 3, 9)], ids=str)
def test_pool1d(shape: Shape, options: dict[str, Any], dtype: str) -> None:
    x = Inputs(dtype).normal(*shape)
    compare(lambda T, x: functional(T).avg_pool1d(x, **options), x)
    compare(lambda T, x: functional(T).max_pool1d(x, **options), x)
    compare(lambda T, x: functional(T).max_pool1d(x, **options, return_indices=True), x)


def test_avg_pool2d_of_integers() -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 6, 6))
    compare(lambda T, x: functional(T).avg_pool2d(x, 3, 2, 1), x)
    compare(lambda T, x: functional(T).avg_pool2d(x, 2, divisor_override=-3), x)


def test_more_of_pool1d() -> None:
    x = Inputs("float64").normal(2, 3, 11)
    compare(lambda T, x: functional(T).max_pool1d(x, 3, dilation=2, stride=2), x)
    compare(lambda T, x: functional(T).avg_pool1d(x, 3, 2, 1, count_include_pad=False), x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [1, 2, 3, (3, 2), (None, 2), (7, 9), 0, [5, None], (5, 1)], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (3, 5, 6), (0, 3, 5, 6)], ids=str)
def test_adaptive_pool2d(shape: Shape, size: Any, dtype: str) -> None:
    x = np.round(2 * Inputs(dtype).normal(*shape)) + Inputs(dtype).uniform(0, 0.01)
    some = size != 0  # PyTorch cannot differentiate an empty result
    compare(lambda T, x: functional(T).adaptive_avg_pool2d(x, size), x, gradient=some)
    compare(lambda T, x: functional(T).adaptive_max_pool2d(x, size, return_indices=True), x, gradient=some)


@pytest.mark.parametrize("size", [1, 3, 5, (4,), 9], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 8), (3, 8)], ids=str)
def test_adaptive_pool1d(shape: Shape, size: Any) -> None:
    x = Inputs("float64").normal(*shape)
    compare(lambda T, x: functional(T).adaptive_avg_pool1d(x, size), x)
    compare(lambda T, x: functional(T).adaptive_max_pool1d(x, size), x)


def test_adaptive_max_pool2d_of_nan() -> None:
    inputs = Inputs("float64")
    x = inputs.normal(2, 2, 6, 6)
    x[inputs.rng.random(x.shape) < 0.2] = np.nan
    compare(lambda T, x: functional(T).adaptive_max_pool2d(x, 2, return_indices=True), x, second=False)


@pytest.mark.parametrize("dtype", FLOATS)
def test_memory_orders(dtype: str) -> None:
    inputs = Inputs(dtype)
    for x in (
        inputs.batch_last(2, 3, 6, 7),
        inputs.normal(2, 3, 7, 6).swapaxes(2, 3),
        inputs.normal(2, 3, 6, 14)[..., ::2],
    ):
        compare(lambda T, x: functional(T).max_pool2d(x, 3, 2, 1), x)
        compare(lambda T, x: functional(T).max_pool2d(x, 2), x)
        compare(lambda T, x: functional(T).avg_pool2d(x, 3, 2, 1), x)
        compare(lambda T, x: functional(T).adaptive_avg_pool2d(x, (4, 3)), x)


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


IMAGE = zeros(1, 1, 5, 5)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (zeros(1, 1, 1, 5, 5), {"kernel_size": 2}, ""),
        (zeros(1, 0, 5, 5), {"kernel_size": 2}, "Expected 3D or 4D (batch mode) tensor"),
        (zeros(1, 1, 0, 5), {"kernel_size": 2}, "Expected 3D or 4D (batch mode) tensor"),
        (zeros(1, 1, 5, 5, dtype="bool"), {"kernel_size": 2}, "not implemented for 'Bool'"),
        (IMAGE, {"kernel_size": 3, "padding": 2}, "pad should be at most half of effective kernel size, but got pad=2, kernel_size=3"),
        (IMAGE, {"kernel_size": 3, "padding": -1}, "pad must be non-negative"),
        (IMAGE, {"kernel_size": 0}, ""),
        (IMAGE, {"kernel_size": 2, "stride": 0}, "stride should not be zero"),
        (IMAGE, {"kernel_size": 7}, "Given input size: (1x5x5). Calculated output size: (1x0x0). Output size is too small"),
        (IMAGE, {"kernel_size": (2, 2, 2)}, "kernel_size must either be a single int, or a tuple of two ints"),
        (IMAGE, {"kernel_size": 2, "stride": (2, 2, 2)}, "stride must either be omitted, a single int, or a tuple of two ints"),
        (IMAGE, {"kernel_size": 2, "padding": (1, 1, 1)}, "padding must either be a single int"),
        (IMAGE, {"kernel_size": 2.0}, "argument 'kernel_size'"),
    ],
)  # fmt: skip
def test_errors(name: str, x: Any, options: dict[str, Any], message: str) -> None:
    compare_errors(lambda T, x: getattr(functional(T), name)(x, **options), x, match=message)


def test_errors_of_one_function() -> None:
    for name, x, args, message in (
        ("max_pool2d", zeros(5, 5), (2,), "Expected 3D or 4D"),
        ("max_pool2d", IMAGE, (3, 1, 0, 0), "dilation should be greater than zero"),
        ("max_pool2d", IMAGE, (3, 1, 0, 3), "Output size is too small"),
        ("max_pool2d", IMAGE, (3, 1, 2, 2), "pad should be"),
        ("avg_pool2d", IMAGE, (2, None, 0, False, True, 0), "divisor must be not zero"),
        ("avg_pool2d", zeros(1, 1, 5, 5, dtype="int8"), (2,), "not implemented for 'Char'"),
        ("max_pool1d", zeros(5), (2,), "Expected 2D or 3D"),
        ("max_pool1d", zeros(1, 1, 5), (3, 1, 2), "pad"),
        ("avg_pool1d", zeros(1, 1, 5, 5), (2,), "Expected 2"),
        ("avg_pool1d", zeros(1, 1, 5), ((2, 2),), "should contain one int (got 2)"),
        ("adaptive_avg_pool2d", zeros(5, 5), (2,), "Expected 3D or 4D tensor, but got [5, 5]"),
        ("adaptive_avg_pool2d", IMAGE, (-1,), "greater than or equal to 0"),
        ("adaptive_avg_pool2d", IMAGE, ((2,),), "output_size must be 2"),
        ("adaptive_avg_pool2d", IMAGE, (None,), ""),
        ("adaptive_avg_pool2d", zeros(1, 1, 0, 5), (2,), "with dimension 2 being empty"),
        ("adaptive_avg_pool2d", zeros(1, 1, 5, 5, dtype="int64"), (2,), "not implemented for 'Long'"),
        ("adaptive_max_pool2d", zeros(1, 0, 5, 5), (2,), "with dimension 1 being empty"),
        ("adaptive_avg_pool1d", zeros(5), (2,), "Expected 2 to 3 dimensions"),
        ("adaptive_avg_pool1d", zeros(1, 1, 5), ((2, 2),), "should contain one int (got 2)"),
    ):
        compare_errors(lambda T, x, n=name, a=args: getattr(functional(T), n)(x, *a), x, match=message)


def test_a_volume_thinner_than_the_window_with_its_padding():
    x = np.random.default_rng(0).standard_normal((1, 1, 2, 7, 7)).astype(np.float32)
    results = [T.nn.functional.max_pool3d(T.from_numpy(x), 3, 1, 1).numpy() for T in (tinytorch, torch)]
    np.testing.assert_array_equal(*results)
