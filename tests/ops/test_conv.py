"""Convolutions beside PyTorch's: values, gradients and second derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.functional import FLOATS, Inputs, functional

Shape = tuple[int, ...]
COMPARED = ("Convolution",)  # the base of three kinds of nodes, never a node itself

# input shape, weight shape, further arguments
CONV2D: list[tuple[Shape, Shape, dict[str, Any]]] = [
    ((2, 3, 6, 5), (4, 3, 3, 3), {}),
    ((2, 3, 6, 5), (4, 3, 3, 3), {"padding": 1}),
    ((2, 3, 7, 6), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 3, 7, 8), (4, 3, 3, 3), {"stride": (2, 3), "padding": (0, 2)}),
    ((2, 3, 8, 6), (4, 3, 2, 3), {"stride": 3}),  # rows and columns that no window sees
    ((2, 3, 9, 8), (2, 3, 3, 2), {"dilation": 2}),
    ((2, 3, 9, 8), (2, 3, 3, 2), {"dilation": (3, 1), "padding": (3, 1), "stride": 2}),
    ((2, 4, 5, 5), (6, 2, 3, 3), {"groups": 2, "padding": 1}),
    ((2, 4, 5, 5), (4, 1, 3, 3), {"groups": 4, "stride": 2}),  # depthwise
    ((2, 4, 5, 5), (8, 1, 2, 2), {"groups": 4}),  # depthwise with a multiplier
    ((2, 3, 4, 5), (5, 3, 1, 1), {}),
    ((2, 3, 4, 5), (5, 3, 1, 1), {"stride": 2, "padding": 1}),
    ((2, 3, 5, 6), (2, 3, 5, 6), {}),  # the kernel covers the image
    ((2, 2, 5, 6), (3, 2, 1, 4), {"padding": "same"}),
    ((2, 2, 5, 6), (3, 2, 4, 2), {"padding": "same"}),  # even kernels: one more zero at the far side
    ((2, 2, 5, 6), (3, 2, 2, 3), {"padding": "same", "dilation": (3, 2)}),
    ((2, 2, 5, 6), (3, 2, 2, 3), {"padding": "valid", "stride": 2}),
    ((1, 2, 4, 4), (3, 2, 3, 3), {"padding": 3}),  # more padding than kernel
    ((3, 5, 6), (2, 3, 3, 3), {"padding": 1}),  # unbatched
    ((3, 5, 6), (2, 3, 2, 3), {"padding": "same"}),
    ((0, 3, 5, 6), (2, 3, 3, 3), {"padding": 1}),  # empty batch
    ((2, 3, 5, 5), (2, 3, 3, 3), {"stride": [2], "padding": (1,), "dilation": [1, 1]}),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(("x", "weight", "options"), CONV2D, ids=str)
def test_conv2d(x: Shape, weight: Shape, options: dict[str, Any], with_bias: bool, dtype: str) -> None:
    inputs = Inputs(dtype)
    bias = inputs.normal(weight[0]) if with_bias else None
    compare(
        lambda T, x, w, b: functional(T).conv2d(x, w, b, **options), inputs.normal(*x), inputs.normal(*weight), bias
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_conv2d_keeps_memory_order_apart_from_values(dtype: str) -> None:
    inputs = Inputs(dtype)
    weight, bias = inputs.normal(4, 3, 3, 3), inputs.normal(4)
    for x in (
        inputs.batch_last(2, 3, 6, 5),
        inputs.normal(2, 3, 6, 10)[..., ::2],
        inputs.normal(2, 3, 5, 6).swapaxes(2, 3),
    ):
        compare(lambda T, x, w, b: functional(T).conv2d(x, w, b, padding=1), x, weight, bias)


@pytest.mark.parametrize("dtype", FLOATS)
def test_conv2d_chain(dtype: str) -> None:
    """Several layers: what one hands on in its memory order, the next takes."""
    inputs = Inputs(dtype)

    def network(T: Any, x: Any, first: Any, second: Any, bias: Any) -> Any:
        F = functional(T)
        hidden = F.conv2d(x, first, padding=1).relu()
        return F.conv2d(hidden, second, bias, stride=2).flatten(1)

    compare(network, inputs.normal(3, 2, 6, 6), inputs.normal(4, 2, 3, 3), inputs.normal(5, 4, 3, 3), inputs.normal(5))


@pytest.mark.parametrize(
    "wanted", [(True, False, False), (False, True, False), (False, False, True), (False, True, True)]
)
def test_conv2d_gives_only_the_gradients_asked_for(wanted: tuple[bool, ...]) -> None:
    inputs = Inputs("float64")
    arrays = [inputs.normal(2, 3, 5, 5), inputs.normal(4, 3, 3, 3), inputs.normal(4)]
    results = []
    for library in (torch, tinytorch):
        tensors = [library.tensor(a, requires_grad=w) for a, w in zip(arrays, wanted, strict=True)]
        y = functional(library).conv2d(*tensors, padding=1)
        (y * y).mean().backward()
        results.append([t.grad for t in tensors])
    for their, our, needed in zip(*results, wanted, strict=True):
        assert (our is not None) == needed
        if needed:
            np.testing.assert_allclose(our.numpy(), their.numpy(), rtol=1e-10)


TRANSPOSED: list[tuple[Shape, Shape, dict[str, Any]]] = [
    ((2, 3, 4, 5), (3, 4, 3, 3), {}),
    ((2, 3, 4, 5), (3, 4, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    ((2, 3, 4, 5), (3, 4, 3, 2), {"stride": (3, 2), "padding": (2, 0), "output_padding": (1, 0)}),
    ((2, 4, 3, 3), (4, 2, 3, 3), {"groups": 2, "stride": 2}),
    ((2, 4, 3, 3), (4, 1, 2, 2), {"groups": 4, "stride": 3}),  # pixels that nothing reaches
    ((2, 3, 4, 4), (3, 2, 3, 3), {"dilation": 2, "output_padding": 1}),  # output padding as large as the stride
    ((2, 3, 4, 4), (3, 2, 3, 3), {"dilation": 3, "output_padding": 2, "padding": 2}),
    ((2, 3, 4, 4), (3, 2, 1, 1), {"stride": 2}),
    ((3, 4, 5), (3, 4, 3, 3), {"stride": 2}),
    ((0, 3, 4, 5), (3, 4, 3, 3), {"stride": 2}),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(("x", "weight", "options"), TRANSPOSED, ids=str)
def test_conv_transpose2d(x: Shape, weight: Shape, options: dict[str, Any], with_bias: bool, dtype: str) -> None:
    inputs = Inputs(dtype)
    bias = inputs.normal(weight[1] * options.get("groups", 1)) if with_bias else None
    compare(
        lambda T, x, w, b: functional(T).conv_transpose2d(x, w, b, **options),
        inputs.normal(*x), inputs.normal(*weight), bias,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("x", "weight", "options"),
    [
        ((2, 3, 9), (4, 3, 3), {}),
        ((2, 3, 9), (4, 3, 4), {"stride": 2, "padding": 2, "dilation": 2}),
        ((2, 4, 9), (4, 2, 4), {"groups": 2, "padding": "same"}),
        ((3, 9), (4, 3, 3), {"padding": (1,)}),
    ],
    ids=str,
)
def test_conv1d(x: Shape, weight: Shape, options: dict[str, Any], dtype: str) -> None:
    inputs = Inputs(dtype)
    arrays = inputs.normal(*x), inputs.normal(*weight), inputs.normal(weight[0])
    compare(lambda T, x, w, b: functional(T).conv1d(x, w, b, **options), *arrays)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("x", "weight", "options"),
    [
        ((2, 3, 5), (3, 4, 3), {}),
        ((2, 4, 5), (4, 2, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
        ((3, 5), (3, 4, 3), {"dilation": 2}),
    ],
    ids=str,
)
def test_conv_transpose1d(x: Shape, weight: Shape, options: dict[str, Any], dtype: str) -> None:
    inputs = Inputs(dtype)
    arrays = inputs.normal(*x), inputs.normal(*weight), inputs.normal(weight[1] * options.get("groups", 1))
    compare(lambda T, x, w, b: functional(T).conv_transpose1d(x, w, b, **options), *arrays)


def test_integers_and_half() -> None:
    rng = np.random.default_rng(0)
    for dtype in ("int64", "int32"):
        x, w = rng.integers(-5, 5, (2, 3, 5, 5)).astype(dtype), rng.integers(-5, 5, (4, 3, 3, 3)).astype(dtype)
        compare(lambda T, x, w: functional(T).conv2d(x, w, padding=1), x, w)
    half = Inputs("float16")
    loose = {"float16": (5e-3, 5e-2)}
    arrays = half.normal(2, 3, 5, 5), half.normal(4, 3, 3, 3), half.normal(4)
    compare(lambda T, *a: functional(T).conv2d(*a), *arrays, second=False, tolerance=loose)


def test_third_derivative() -> None:
    """The family is closed, so there is no last derivative; the third still agrees."""
    inputs = Inputs("float64")
    arrays = inputs.normal(2, 2, 5, 5), inputs.normal(3, 2, 3, 3)
    found = []
    for library, grad in ((torch, torch.autograd.grad), (tinytorch, tinytorch.autograd.engine.grad)):
        x, w = (library.tensor(a, requires_grad=True) for a in arrays)
        y = (functional(library).conv2d(x, w, stride=2, padding=1) ** 3).sum()
        (gx,) = grad(y, [x], create_graph=True)
        (gw,) = grad((gx**2).sum(), [w], create_graph=True)
        (third,) = grad((gw**2).sum(), [x])
        found.append(third.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_node_looks_like_pytorchs() -> None:
    x = tinytorch.zeros(1, 2, 5, 5, requires_grad=True)
    node = tinytorch.ops.conv2d(x, tinytorch.zeros(3, 2, 3, 3), stride=2).grad_fn
    assert node.name() == "ConvolutionBackward0"
    assert node.attributes == {"stride": (2, 2), "padding": (0, 0), "dilation": (1, 1), "groups": 1}


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("x", "weight", "bias", "options", "message"),
    [
        (zeros(1, 2, 5, 5), zeros(2, 1, 3, 3), None, {}, "Given groups=1, weight of size [2, 1, 3, 3], expected input[1, 2, 5, 5] to "
         "have 1 channels, but got 2 channels instead"),
        (zeros(1, 5, 5), zeros(2, 2, 3, 3), None, {}, "expected input[1, 1, 5, 5] to have 2 channels"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 7, 7), None, {}, "Calculated padded input size per channel: (5 x 5). Kernel size: (7 x 7). "
         "Kernel size can't be greater than actual input size"),
        (zeros(5, 5), zeros(2, 2, 3, 3), None, {}, "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: "
         "[5, 5]"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3), None, {}, "Expected 3-dimensional input for 3-dimensional weight"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"stride": 0}, "non-positive stride is not supported"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"padding": -1}, "negative padding is not supported"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"dilation": 0}, "dilation should be greater than zero"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"groups": 0}, "non-positive groups is not supported"),
        (zeros(1, 6, 5, 5), zeros(4, 2, 3, 3), None, {"groups": 3}, "expected weight to be divisible by 3 at dimension 0"),
        (zeros(1, 2, 5, 5), zeros(0, 2, 3, 3), None, {}, "expected weight to be at least 1 at dimension 0"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 0, 3), None, {}, "kernel size should be greater than zero"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), zeros(3), {}, "expected bias to be 1-dimensional with 2 elements, but got bias of size [3]"),
        (zeros(1, 2, 5, 5, dtype="float64"), zeros(2, 2, 3, 3), None, {}, "expected scalar type Double but found Float"),
        (zeros(1, 2, 5, 5, dtype="float64"), zeros(2, 2, 3, 3, dtype="float64"), zeros(2), {},
         "Input type (double) and bias type (float) should be the same"),
        (zeros(1, 2, 5, 5, dtype="bool"), zeros(2, 2, 3, 3, dtype="bool"), None, {}, "not implemented for 'Bool'"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"padding": "same", "stride": 2},
         "padding='same' is not supported for strided convolutions"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"padding": "full"}, "Invalid padding string: 'full'"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"padding": (1, 1, 1)}, "expected padding to be a single integer value or a list of "
         "2 values to match the convolution dimensions, but got padding=[1, 1, 1]"),
        (zeros(1, 2, 5, 5), zeros(2, 2, 3, 3), None, {"stride": 1.5}, "argument 'stride' must be tuple of ints, not float"),
        (zeros(1, 2, 5, 5), None, None, {}, "argument 'weight' (position 2) must be Tensor, not NoneType"),
    ],
)  # fmt: skip
def test_conv2d_errors(x: Any, weight: Any, bias: Any, options: dict[str, Any], message: str) -> None:
    compare_errors(lambda T, x, w, b: functional(T).conv2d(x, w, b, **options), x, weight, bias, match=message)


@pytest.mark.parametrize(
    ("x", "weight", "bias", "options", "message"),
    [
        (zeros(1, 2, 5, 5), zeros(3, 2, 3, 3), None, {}, "Given transposed=1, weight of size [3, 2, 3, 3], expected input[1, 2, 5, 5] to "
         "have 3 channels, but got 2 channels instead"),
        (zeros(1, 4, 5, 5), zeros(4, 2, 3, 3), zeros(3), {}, "expected bias to be 1-dimensional with 2 elements"),
        (zeros(1, 4, 5, 5), zeros(4, 2, 3, 3), None, {"output_padding": 1}, "output padding must be smaller than either stride or dilation"),
        (zeros(1, 4, 5, 5), zeros(4, 2, 3, 3), None, {"output_padding": -1}, "negative output_padding is not supported"),
        (zeros(1, 4, 2, 2), zeros(4, 2, 3, 3), None, {"padding": 2}, "Calculated output size per channel: (0 x 0). Output size is too small"),
        (zeros(4, 2), zeros(4, 2, 3, 3), None, {}, "Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d"),
    ],
)  # fmt: skip
def test_conv_transpose2d_errors(x: Any, weight: Any, bias: Any, options: dict[str, Any], message: str) -> None:
    compare_errors(
        lambda T, x, w, b: functional(T).conv_transpose2d(x, w, b, **options), x, weight, bias, match=message
    )


def test_conv1d_errors_speak_of_one_dimension() -> None:
    x = zeros(1, 2, 5)
    for arguments, message in (
        ((zeros(1, 2, 5, 5), zeros(2, 2, 3)), "Expected 2D (unbatched) or 3D (batched) input to conv1d"),
        ((x, zeros(2, 2, 7)), "Calculated padded input size per channel: (5). Kernel size: (7)"),
        ((x, zeros(2, 3, 3)), "expected input[1, 2, 5] to have 3 channels"),
        ((x, zeros(2, 2, 3, 3)), "Expected 4-dimensional input for 4-dimensional weight"),
    ):
        compare_errors(lambda T, x, w: functional(T).conv1d(x, w), *arguments, match=message)
