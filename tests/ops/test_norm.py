"""Normalization beside PyTorch's: the fused kernel, the formula in Tensor ops, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.functional import FLOATS, Inputs, functional
from tinytorch import ops

Shape = tuple[int, ...]
#: Normalizing divides by a standard deviation, and gradients are differences of nearly equal numbers.
TOLERANCE = {"float32": (1e-4, 2e-5), "float64": (1e-9, 1e-10)}
SHAPES: list[Shape] = [(6, 3), (4, 3, 5), (4, 3, 5, 4), (2, 3, 2, 3, 4), (1, 3, 5, 4), (7, 1)]


def parameters(inputs: Inputs, channels: int, which: str) -> tuple[Any, Any]:
    """Weight and bias, or None."""
    weight, bias = inputs.normal(channels), inputs.normal(channels)
    return weight if "w" in which else None, bias if "b" in which else None


def filled(T: Any, weight: Any, bias: Any, shape: Any) -> Any:
    """Ones for PyTorch in place of no weight beside a bias: it cannot differentiate that twice."""
    return torch.ones(shape, dtype=bias.dtype) if T is torch and weight is None and bias is not None else weight


def functionals() -> list[tuple[Any, Any, Any]]:
    """Both libraries with their functional and autograd.grad."""
    return [
        (torch, functional(torch), torch.autograd.grad),
        (tinytorch, functional(tinytorch), tinytorch.autograd.engine.grad),
    ]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("which", ["wb", "w", "b", ""])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm(shape: Shape, training: bool, which: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    x = 2 * inputs.normal(*shape) + 1
    weight, bias = parameters(inputs, shape[1], which)
    start_mean, start_var = inputs.normal(shape[1]), inputs.uniform(0.5, 2, shape[1])

    def run(T: Any, x: Any, w: Any, b: Any) -> Any:
        mean, var = T.from_numpy(start_mean.copy()), T.from_numpy(start_var.copy())
        y = functional(T).batch_norm(x, mean, var, filled(T, w, b, shape[1]), b, training, momentum=0.3, eps=1e-3)
        return y, mean, var

    compare(run, x, weight, bias, tolerance=TOLERANCE)


@pytest.mark.parametrize("needs", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1)], ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("create_graph", [True, False], ids=["composite", "kernel"])
def test_batch_norm_kernel_and_composite(create_graph: bool, training: bool, needs: tuple[int, ...]) -> None:
    """First derivatives by the kernel and by Tensor ops, each subset of inputs, beside PyTorch's."""
    inputs = Inputs("float64")
    arrays = [inputs.normal(4, 3, 5, 4), inputs.normal(3), inputs.normal(3)]
    stats, cotangent = [inputs.normal(3), inputs.uniform(0.5, 2, 3)], inputs.normal(4, 3, 5, 4)
    found = []
    for library, F, grad in functionals():
        tensors = [library.tensor(a, requires_grad=bool(n)) for a, n in zip(arrays, needs, strict=True)]
        y = F.batch_norm(tensors[0], *map(library.tensor, stats), *tensors[1:], training=training)
        wanted = [t for t in tensors if t.requires_grad]
        grads = grad([y], wanted, [library.tensor(cotangent)], create_graph=create_graph)
        found.append([g.detach().numpy() for g in grads])
    for their, our in zip(*found, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-9, atol=1e-11)


def test_batch_norm_without_running_statistics() -> None:
    inputs = Inputs("float64")
    compare(
        lambda T, x: functional(T).batch_norm(x, None, None, training=True), inputs.normal(5, 3, 4), tolerance=TOLERANCE
    )


def test_batch_norm_of_large_offsets() -> None:
    """A mean much larger than the spread: a single pass over Σx² would lose all digits."""
    x = Inputs("float32").normal(16, 3, 8, 8) + np.float32(1000)
    loose = {"float32": (2e-3, 2e-3)}
    compare(lambda T, x: functional(T).batch_norm(x, None, None, training=True), x, gradient=False, tolerance=loose)


def test_batch_norm_in_other_memory_orders() -> None:
    inputs = Inputs("float64")
    weight, bias = parameters(inputs, 3, "wb")
    for x in (inputs.batch_last(4, 3, 5, 6), inputs.normal(4, 3, 6, 5).swapaxes(2, 3), inputs.normal(3, 4).T):
        compare(
            lambda T, x, w, b: functional(T).batch_norm(x, None, None, w, b, True), x, weight, bias, tolerance=TOLERANCE
        )


def test_batch_norm_of_empty_batch() -> None:
    inputs = Inputs("float32")
    weight, bias = parameters(inputs, 3, "wb")
    for training in (True, False):

        def run(T: Any, x: Any, w: Any, b: Any, training: bool = training) -> Any:
            mean, var = T.zeros(3), T.ones(3)
            return functional(T).batch_norm(x, mean, var, w, b, training), mean, var

        compare(run, inputs.normal(0, 3, 2, 2), weight, bias, second=False)


def test_evaluation_may_be_followed_by_training() -> None:
    """The gradient belongs to the statistics of its forward, even when they have moved on since."""
    x = tinytorch.randn(4, 3, requires_grad=True)
    mean, var = tinytorch.zeros(3), tinytorch.full((3,), 4.0)
    y = ops.batch_norm(x, mean, var, eps=0.0)
    ops.batch_norm(tinytorch.randn(4, 3), mean, var, training=True)
    y.backward(tinytorch.ones(4, 3))
    np.testing.assert_allclose(x.grad.numpy(), 0.5)


def test_batch_norm_node() -> None:
    y = ops.batch_norm(tinytorch.randn(4, 3, requires_grad=True), None, None, training=True)
    assert y.grad_fn.name() == "NativeBatchNormBackward0"
    assert y.grad_fn.attributes["eps"] == 1e-5


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("which", ["wb", ""])
@pytest.mark.parametrize("use_input_stats", [True, False])
@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 2)], ids=str)
def test_instance_norm(shape: Shape, use_input_stats: bool, which: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    start_mean, start_var = inputs.normal(3), inputs.uniform(0.5, 2, 3)

    def run(T: Any, x: Any, w: Any, b: Any) -> Any:
        mean, var = T.from_numpy(start_mean.copy()), T.from_numpy(start_var.copy())
        y = functional(T).instance_norm(x, mean, var, w, b, use_input_stats, 0.2)
        return y, mean, var

    compare(run, inputs.normal(*shape), *parameters(inputs, 3, which), tolerance=TOLERANCE)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("which", ["wb", "w", "b", ""])
@pytest.mark.parametrize(
    ("shape", "normalized"),
    [((4, 6), (6,)), ((2, 3, 4, 5), (4, 5)), ((2, 3, 4), [4]), ((5,), (5,)), ((0, 4), (4,))],
    ids=str,
)
def test_layer_norm(shape: Shape, normalized: Any, which: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    weight = inputs.normal(*normalized) if "w" in which else None
    bias = inputs.normal(*normalized) if "b" in which else None
    compare(
        lambda T, x, w, b: functional(T).layer_norm(x, normalized, filled(T, w, b, normalized), b, 1e-4), 2 * inputs.normal(*shape) + 1, weight, bias,
        tolerance=TOLERANCE,
    )  # fmt: skip


@pytest.mark.parametrize("needs", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1)], ids=str)
@pytest.mark.parametrize("create_graph", [True, False], ids=["composite", "arrays"])
def test_layer_norm_arrays_and_composite(create_graph: bool, needs: tuple[int, ...]) -> None:
    inputs = Inputs("float64")
    arrays = [inputs.normal(4, 5, 6), inputs.normal(5, 6), inputs.normal(5, 6)]
    cotangent = inputs.normal(4, 5, 6)
    found = []
    for library, F, grad in functionals():
        tensors = [library.tensor(a, requires_grad=bool(n)) for a, n in zip(arrays, needs, strict=True)]
        y = F.layer_norm(tensors[0], (5, 6), *tensors[1:])
        wanted = [t for t in tensors if t.requires_grad]
        grads = grad([y], wanted, [library.tensor(cotangent)], create_graph=create_graph)
        found.append([g.detach().numpy() for g in grads])
    for their, our in zip(*found, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("which", ["wb", "w", "b", ""])
@pytest.mark.parametrize(
    ("shape", "groups"), [((3, 6), 2), ((2, 4, 5), 4), ((2, 6, 3, 4), 3), ((2, 4, 3, 3), 1)], ids=str
)
def test_group_norm(shape: Shape, groups: int, which: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    compare(
        lambda T, x, w, b: functional(T).group_norm(x, groups, filled(T, w, b, shape[1]), b), inputs.normal(*shape),
        *parameters(inputs, shape[1], which), tolerance=TOLERANCE,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("eps", [None, 1e-3])
@pytest.mark.parametrize(("shape", "normalized"), [((4, 6), (6,)), ((2, 3, 4, 5), (4, 5))], ids=str)
def test_rms_norm(shape: Shape, normalized: Any, eps: float | None, dtype: str) -> None:
    inputs = Inputs(dtype)
    for weight in (None, inputs.normal(*normalized)):
        compare(
            lambda T, x, w: functional(T).rms_norm(x, normalized, w, eps),
            inputs.normal(*shape),
            weight,
            tolerance=TOLERANCE,
        )


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


def batch_norm_of(*arrays: Any, **options: Any) -> Any:
    """batch_norm in a form for compare_errors, with statistics that need no gradient."""

    def run(T: Any) -> Any:
        tensors = [T.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays]
        return functional(T).batch_norm(*tensors, **options)

    return run


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (batch_norm_of(zeros(1, 3), None, None, training=True),
         "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])"),
        (batch_norm_of(zeros(1, 3, 1, 1), None, None, training=True), "got input size torch.Size([1, 3, 1, 1])"),
        (batch_norm_of(zeros(2, 3), None, None), "running_mean must be defined in evaluation mode"),
        (batch_norm_of(zeros(2, 3), zeros(4), zeros(3)), "running_mean should contain 3 elements not 4"),
        (batch_norm_of(zeros(2, 3), zeros(3), zeros(4)), "running_var should contain 3 elements not 4"),
        (batch_norm_of(zeros(2, 3), zeros(3), zeros(3), zeros(4)), "weight should contain 3 elements not 4"),
        (batch_norm_of(zeros(2, 3), zeros(3), zeros(3), zeros(3), zeros(4)), "bias should contain 3 elements not 4"),
        (batch_norm_of(zeros(3), zeros(3), zeros(3)), "running_mean should contain 0 elements not 3"),
        (batch_norm_of(zeros(2, 3, dtype="int64"), zeros(3), zeros(3)), "not implemented for 'Long'"),
        (batch_norm_of(zeros(2, 3, dtype="float64"), zeros(3), zeros(3)), "mixed dtype (CPU)"),
        (batch_norm_of(zeros(2, 3), zeros(3), None, training=True), "must either both be None or neither be None"),
        (batch_norm_of(zeros(2, 3), zeros(3), zeros(3), eps=-1.0), "batch_norm eps must be non-negative"),
    ],
)  # fmt: skip
def test_batch_norm_errors(function: Any, message: str) -> None:
    compare_errors(function, match=message)


@pytest.mark.parametrize("position", [1, 2])
def test_running_statistics_carry_no_gradient(position: int) -> None:
    tensors = [tinytorch.zeros(2, 3), tinytorch.zeros(3), tinytorch.ones(3)]
    tensors[position].requires_grad_()
    with pytest.raises(RuntimeError, match="is not differentiable with respect to argument 'running_"):
        ops.batch_norm(*tensors)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("layer_norm", (zeros(2, 3), (2,)), "Given normalized_shape=[2], expected input with shape [*, 2], but got input of size[2, 3]"),
        ("layer_norm", (zeros(2, 3), (2, 2, 3)), "Given normalized_shape=[2, 2, 3]"),
        ("layer_norm", (zeros(2, 3), 3), "must be tuple of ints, not int"),
        ("layer_norm", (zeros(2, 3), ()), "Expected normalized_shape to be at least 1-dimensional"),
        ("layer_norm", (zeros(2, 3), (3,), zeros(4)), "Expected weight to be of same shape as normalized_shape"),
        ("layer_norm", (zeros(2, 3), (3,), None, zeros(4)), "Expected bias to be of same shape as normalized_shape"),
        ("layer_norm", (zeros(2, 3, dtype="float64"), (3,), zeros(3)), "mixed dtype"),
        ("layer_norm", (zeros(2, 3, dtype="int64"), (3,)), "not implemented for 'Long'"),
        ("group_norm", (zeros(2, 3), 2), "Expected number of channels in input to be divisible by num_groups"),
        ("group_norm", (zeros(2, 4), 2, zeros(3)), "Expected weight to be a vector of size equal to the number of channels"),
        ("group_norm", (zeros(2, 4), 2, zeros(4), zeros(3)), "Expected bias to be a vector of size equal"),
        ("group_norm", (zeros(4), 2), "Expected at least 2 dimensions for input tensor but received 1"),
        ("group_norm", (zeros(1, 4), 4), "Expected more than 1 value per channel when training, got input size [1, 4]"),
        ("instance_norm", (zeros(2, 4, 1),), "Expected more than 1 spatial element when training, got input size torch.Size([2, 4, 1])"),
        ("instance_norm", (zeros(2, 4, 3), None, None, None, None, False), "Expected running_mean and running_var to be defined"),
        ("rms_norm", (zeros(2, 4, 3), (4,)), "Given normalized_shape=[4]"),
        ("rms_norm", (zeros(2, 4, 3), (3,), zeros(4)), "Expected weight to be of same shape"),
        ("rms_norm", (zeros(2, 4, 3), 3), "must be tuple of ints, not int"),
    ],
)  # fmt: skip
def test_other_errors(name: str, arguments: Any, message: str) -> None:
    compare_errors(lambda T, *args: getattr(functional(T), name)(*args), *arguments, match=message)


@pytest.mark.parametrize(
    "norm",
    [
        "F.batch_norm(x, None, None, w, b, True)", "F.batch_norm(x, b, w, w, None)", "F.instance_norm(x, None, None, w, b)",
        "F.layer_norm(x, (3,), w)", "F.group_norm(x, 1, w, b)", "F.rms_norm(x, (3,), w)", "F.rms_norm(x * 0.01, (3,))",
    ],
)  # fmt: skip
def test_half_precision_with_parameters_in_single(norm: str) -> None:
    inputs = Inputs("float32")
    x, w, b = inputs.normal(2, 3, 3).astype(np.float16), abs(inputs.normal(3)) + 1, inputs.normal(3)

    def run(T: Any, x: Any, w: Any, b: Any) -> Any:
        return eval(norm, {"F": functional(T), "x": x, "w": w.detach() if "b, w" in norm else w, "b": b.detach()})

    compare(run, x, w, b, second=False, tolerance={"float16": (1e-2, 1e-2), "float32": (1e-2, 1e-2)})
