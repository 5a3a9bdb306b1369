"""Losses beside PyTorch's: every reduction, gradients of every argument, second derivatives, warnings and errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.functional import FLOATS, Inputs, functional
from tinytorch import ops

COMPARED = ("DifferenceLoss",)  # the base of several kinds of nodes, never a node itself
REDUCTIONS = ("mean", "sum", "none")
TOLERANCE = {"float32": (1e-4, 1e-5)}


def loss(name: str, **options: Any) -> Any:
    """The loss as a function for ``compare``."""
    return lambda T, *args: getattr(functional(T), name)(*args, **options)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mse_loss", {}),
        ("l1_loss", {}),
        ("smooth_l1_loss", {}),
        ("smooth_l1_loss", {"beta": 0.3}),
        ("smooth_l1_loss", {"beta": 0}),
        ("huber_loss", {}),
        ("huber_loss", {"delta": 2.5}),
    ],
    ids=str,
)
def test_regression(name: str, options: dict[str, Any], reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    for shape in ((4, 3), (5,), (), (2, 3, 4), (0, 3)):
        function = loss(name, reduction=reduction, **options)
        compare(function, inputs.normal(*shape), inputs.normal(*shape), tolerance=TOLERANCE)
    whole = np.round(inputs.normal(4, 3)), np.round(inputs.normal(4, 3))  # differences of 0, and at the kinks
    second = name in ("mse_loss", "l1_loss")
    compare(loss(name, reduction=reduction, **options), *whole, second=second)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_regression_with_weights(name: str, reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    arrays = inputs.normal(4, 3), inputs.normal(4, 3), inputs.uniform(0.5, 2, 4, 3)
    compare(lambda T, x, y, w: getattr(functional(T), name)(x, y, reduction=reduction, weight=w), *arrays)
    compare_errors(
        lambda T, x, y, w: getattr(functional(T), name)(x, y, reduction=reduction, weight=w), *arrays[:2], inputs.normal(3),
        match="Weights and input must have the same size.",
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using a target size:UserWarning")
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_regression_broadcasts_and_promotes(name: str) -> None:
    single, double = Inputs("float32"), Inputs("float64")
    compare(loss(name), double.normal(4, 1), double.normal(3))
    compare(loss(name), double.normal(4, 3), np.arange(3), gradient=False)
    loose = {"float32": (1e-4, 1e-5), "float64": (1e-4, 1e-5)}
    if name != "huber_loss":  # PyTorch gives float32 there, the one exception to its promotion
        compare(loss(name), single.normal(4, 3), double.normal(4, 3), tolerance=loose)
    x = tinytorch.zeros(3, 1)
    with pytest.warns(
        UserWarning, match=r"Using a target size \(torch.Size\(\[3\]\)\) that is different to the input size"
    ):
        getattr(ops, name)(x, tinytorch.zeros(3))


def test_mse_is_one_node() -> None:
    result = ops.mse_loss(tinytorch.randn(3, requires_grad=True), tinytorch.randn(3))
    assert result.grad_fn.name() == "MseLossBackward0"
    assert result.grad_fn.attributes == {"reduction": "mean"}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    p, t = inputs.uniform(0.05, 0.95, 4, 3), inputs.uniform(0, 1, 4, 3)
    function = loss("binary_cross_entropy", reduction=reduction)
    compare(function, p, t, tolerance=TOLERANCE)
    for weight in (inputs.uniform(0.5, 2, 4, 3), inputs.uniform(0.5, 2, 3)):
        # PyTorch has no derivative for this weight, and no second one with respect to the target
        compare(
            lambda T, p, t, w: functional(T).binary_cross_entropy(p, t, w.detach(), reduction=reduction), p, t, weight,
            tolerance=TOLERANCE,
        )  # fmt: skip
    certain = np.array([0, 1, 0, 1], dtype), np.array([0, 1, 1, 0], dtype)
    compare(
        lambda T, p, t: functional(T).binary_cross_entropy(p, t.detach(), reduction=reduction), *certain, second=False,
        tolerance={"float32": (1e-4, 0), "float64": (1e-7, 0)},
    )  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_with_logits(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    x, t = 2 * inputs.normal(4, 3), inputs.uniform(0, 1, 4, 3)
    function = loss("binary_cross_entropy_with_logits", reduction=reduction)
    compare(function, x, t, tolerance=TOLERANCE)
    compare(function, np.array([0, 500, -500, 1], dtype), np.array([1, 0, 1, 0], dtype))

    def weighted(T: Any, x: Any, t: Any, w: Any, positive: Any) -> Any:
        w, positive = (None if given is None else given.detach() for given in (w, positive))  # constants for PyTorch
        return functional(T).binary_cross_entropy_with_logits(x, t, w, reduction=reduction, pos_weight=positive)

    weight, positive = inputs.uniform(0.5, 2, 3), inputs.uniform(0.5, 2, 3)
    for given in ((weight, None), (None, positive), (weight, positive)):
        compare(weighted, x, t, *given, tolerance=TOLERANCE)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_kl_div(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    log_p, t = inputs.normal(4, 3), inputs.uniform(0.1, 1, 4, 3)
    compare(loss("kl_div", reduction=reduction), log_p, t, tolerance=TOLERANCE)
    compare(loss("kl_div", reduction=reduction, log_target=True), log_p, np.log(t), tolerance=TOLERANCE)
    t[0, 0] = 0
    compare(loss("kl_div", reduction=reduction), log_p, t, gradient=False, tolerance=TOLERANCE)


def test_kl_div_warns_of_mean() -> None:
    with pytest.warns(UserWarning, match="'mean' divides the total loss by both the batch size and the support size"):
        ops.kl_div(tinytorch.zeros(3), tinytorch.ones(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ops.kl_div(tinytorch.zeros(3), tinytorch.ones(3), reduction="batchmean")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("log_input", [False, True])
def test_poisson(log_input: bool, full: bool, reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    function = loss("poisson_nll_loss", log_input=log_input, full=full, reduction=reduction)
    compare(function, inputs.uniform(0.5, 2, 4, 3), inputs.uniform(0, 6, 4, 3), tolerance=TOLERANCE)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
def test_gaussian(full: bool, reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    function = loss("gaussian_nll_loss", full=full, reduction=reduction, eps=0.6)
    for shape in ((4, 3), (4, 1), (4,)):
        variance = inputs.uniform(0.1, 2, *shape)
        compare(function, inputs.normal(4, 3), inputs.normal(4, 3), variance, tolerance=TOLERANCE)
    compare(function, inputs.normal(4, 3), inputs.normal(4, 3), 0.7, tolerance=TOLERANCE)


def signs(inputs: Inputs, *shape: int, dtype: str = "int64") -> np.ndarray:
    """Random 1 and -1."""
    return (2 * inputs.rng.integers(0, 2, shape) - 1).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_margins(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    x, other, target = inputs.normal(6, 4), inputs.normal(6, 4), signs(inputs, 6, 4)
    for options in ({}, {"margin": 0.4}):
        compare(loss("hinge_embedding_loss", reduction=reduction, **options), x, target, tolerance=TOLERANCE)
        compare(loss("margin_ranking_loss", reduction=reduction, **options), x, other, target, tolerance=TOLERANCE)
        compare(
            loss("cosine_embedding_loss", reduction=reduction, **options), x, other, target[:, 0], tolerance=TOLERANCE
        )
    compare(
        loss("cosine_embedding_loss", reduction=reduction),
        x[0],
        other[0],
        np.asarray(target[0, 0]),
        tolerance=TOLERANCE,
    )

    def soft(T: Any, x: Any, target: Any) -> Any:
        return functional(T).soft_margin_loss(x, target.detach(), reduction=reduction)

    compare(soft, x, target.astype(dtype), tolerance=TOLERANCE)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_margins_between_classes(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    x, weight = inputs.normal(6, 4), inputs.uniform(0.5, 2, 4)
    target = inputs.rng.integers(0, 4, 6)
    for p in (1, 2):
        for w in (None, weight):

            def function(T: Any, x: Any, t: Any, w: Any, p: int = p) -> Any:
                w = None if w is None else w.detach()
                return functional(T).multi_margin_loss(x, t, p=p, margin=0.8, weight=w, reduction=reduction)

            # the backward of PyTorch's multi_margin_loss has no derivative
            compare(function, x, target, w, second=False, tolerance=TOLERANCE)
    compare(
        loss("multi_margin_loss", reduction=reduction), x[0], np.asarray(target[0]), second=False, tolerance=TOLERANCE
    )
    compare(loss("multi_margin_loss", reduction=reduction), x[0], target[:1], second=False, tolerance=TOLERANCE)
    several = np.array([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [2, -1, -1, -1], [1, 3, 0, -1], [0, -1, 0, 0]])
    name = "multilabel_margin_loss"
    compare(loss(name, reduction=reduction), x, several, second=False, tolerance=TOLERANCE)
    compare(loss(name, reduction=reduction), x[0], several[0], second=False, tolerance=TOLERANCE)
    multi_hot = inputs.rng.integers(0, 2, (6, 4)).astype(dtype)
    for w in (None, weight):
        compare(
            lambda T, x, t, w: functional(T).multilabel_soft_margin_loss(x, t, w, reduction=reduction), x, multi_hot, w,
            tolerance=TOLERANCE,
        )  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_triplets(reduction: str, dtype: str) -> None:
    inputs = Inputs(dtype)
    arrays = inputs.normal(6, 4), inputs.normal(6, 4), inputs.normal(6, 4)
    for options in ({}, {"margin": 0.5, "swap": True}, {"p": 1}, {"p": 3, "eps": 1e-3}):
        compare(loss("triplet_margin_loss", reduction=reduction, **options), *arrays, tolerance=TOLERANCE)
    compare(loss("triplet_margin_with_distance_loss", reduction=reduction), *arrays, tolerance=TOLERANCE)
    distance = {"distance_function": lambda a, b: ((a - b) ** 2).sum(-1), "swap": True}
    compare(loss("triplet_margin_with_distance_loss", reduction=reduction, **distance), *arrays, tolerance=TOLERANCE)


@pytest.mark.parametrize("name", ["mse_loss", "binary_cross_entropy", "poisson_nll_loss", "soft_margin_loss", "kl_div"])
@pytest.mark.parametrize(
    "flags", [(None, False), (False, None), (True, None), (None, True), (False, False), (True, True)]
)
@pytest.mark.filterwarnings("ignore:size_average and reduce args will be deprecated")
def test_deprecated_flags(name: str, flags: tuple[Any, Any]) -> None:
    inputs = Inputs("float64")
    arrays = inputs.uniform(0.1, 0.9, 4, 3), inputs.uniform(0.1, 0.9, 4, 3)
    compare(loss(name, size_average=flags[0], reduce=flags[1]), *arrays, gradient=False)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated, please use reduction="):
        getattr(ops, name)(*map(tinytorch.from_numpy, arrays), size_average=flags[0], reduce=flags[1])


@pytest.mark.filterwarnings("ignore:Using a target size:UserWarning")
def test_errors() -> None:
    three, four, whole = np.full(3, 0.5), np.full(4, 0.5), np.ones(3, np.int64)
    pair, rows = np.full((3, 4), 0.5), np.zeros(3, np.int64)
    for name, arguments, options, message in (
        ("mse_loss", (three, three), {"reduction": "average"}, "average is not a valid value for reduction"),
        ("mse_loss", (three, four), {}, "The size of tensor a (3) must match the size of tensor b (4)"),
        ("mse_loss", (whole, whole), {}, "not implemented for 'Long'"),
        ("l1_loss", (whole, whole), {}, "could not infer output dtype"),
        ("smooth_l1_loss", (three, three), {"beta": -1.0}, "does not support negative values for beta."),
        ("huber_loss", (three, three), {"delta": 0.0}, "does not support non-positive values for delta."),
        ("binary_cross_entropy", (three, four), {}, "is deprecated. Please ensure they have the same size."),
        ("binary_cross_entropy", (three + 1, three), {}, "all elements of input should be between 0 and 1"),
        ("binary_cross_entropy", (three * np.nan, three), {}, "all elements of input should be between 0 and 1"),
        ("binary_cross_entropy", (three, whole), {}, "Found dtype Long but expected Double"),
        ("binary_cross_entropy", (three, three, four), {}, ""),
        (
            "binary_cross_entropy_with_logits",
            (three, four),
            {},
            "Target size (torch.Size([4])) must be the same as input size",
        ),
        (
            "binary_cross_entropy_with_logits",
            (three, whole),
            {},
            "result type Double can't be cast to the desired output type Long",
        ),
        ("kl_div", (three, three), {"reduction": "average"}, "average is not a valid value for reduction"),
        ("gaussian_nll_loss", (three, three, -three), {}, "var has negative entry/entries"),
        ("gaussian_nll_loss", (pair, pair, np.ones((2, 4))), {}, "var is of incorrect size"),
        ("gaussian_nll_loss", (three, three, three), {"reduction": "average"}, "average is not valid"),
        ("multi_margin_loss", (pair, rows), {"p": 3}, "only p == 1 and p == 2 supported"),
        ("multi_margin_loss", (pair, rows + 4), {}, "target out of range"),
        ("multi_margin_loss", (pair, rows[:2]), {}, "Expected target size [3], but got [2]"),
        (
            "multi_margin_loss",
            (pair, rows),
            {"weight": None, "margin": 1.0, "reduction": "x"},
            "x is not a valid value",
        ),
        ("multilabel_margin_loss", (pair, rows), {}, "inconsistent target size: [3]"),
        ("multilabel_margin_loss", (pair, pair), {}, "expected scalar type Long but found Double"),
        ("multilabel_margin_loss", (four, np.full(4, 9)), {}, "argument #2 'target' is out of range"),
        (
            "cosine_embedding_loss",
            (pair, pair, pair),
            {},
            "0D or 1D target tensor expected, multi-target not supported",
        ),
        ("cosine_embedding_loss", (four, four, whole[:1]), {}, "1D target tensor expects 2D input tensors"),
        ("margin_ranking_loss", (three, three, pair), {}, "All input tensors should have same dimension"),
        ("triplet_margin_loss", (pair, pair, pair), {"margin": -1.0}, "margin must be greater than 0, got -1.0"),
        ("triplet_margin_loss", (pair, pair, four), {}, "expected to have the same number of dimensions"),
    ):
        compare_errors(loss(name, **options), *arguments, match=message)


@pytest.mark.parametrize("turned", [False, True])
def test_large_logistic_loss(turned: bool) -> None:
    """The kernel's gradient and the readable one, in pieces, in both memory orders and of a repeated gradient."""
    rng = np.random.default_rng(0)
    x, t = (a.T if turned else a for a in (40 * rng.standard_normal((600, 700)), rng.random((600, 700))))
    ours, target = tinytorch.from_numpy(x).requires_grad_(), tinytorch.from_numpy(t).requires_grad_()
    total = functional(tinytorch).binary_cross_entropy_with_logits(ours, target, reduction="sum")
    np.testing.assert_allclose(total.item(), (np.logaddexp(0, -x) + (1 - t) * x).sum(), rtol=1e-12)
    for create_graph in (False, True):
        gx, gt = tinytorch.autograd.grad(total, (ours, target), retain_graph=True, create_graph=create_graph)
        np.testing.assert_allclose(gx.detach().numpy(), 1 / (1 + np.exp(-x)) - t, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(gt.detach().numpy(), -x)


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
def test_ctc_loss_of_sequences_of_all_lengths(dtype: str, zero_infinity: bool) -> None:
    """Short and empty targets, sequences that end early, letters in doubles, and a target that has no alignment."""
    x = Inputs(dtype).normal(9, 7, 5)
    targets = np.array(
        [[1, 2, 3, 4], [1, 1, 2, 2], [3, 0, 0, 0], [0, 0, 0, 0], [2, 2, 2, 2], [4, 3, 4, 3], [1, 2, 1, 0]]
    )
    steps, lengths = np.array([9, 9, 1, 5, 5, 4, 7]), np.array([4, 4, 1, 0, 4, 4, 3])
    if not zero_infinity:  # without an alignment, PyTorch's gradient is nan
        x, targets, steps, lengths = np.delete(x, 4, 1), *[np.delete(a, 4, 0) for a in (targets, steps, lengths)]

    def losses(T: Any, x: Any) -> Any:
        arguments = [T.tensor(a) for a in (targets, steps, lengths)]
        by_time = x.transpose(0, 1).contiguous().log_softmax(-1).transpose(0, 1)  # most models put the batch first
        return functional(T).ctc_loss(by_time, *arguments, reduction="none", zero_infinity=zero_infinity)

    compare(losses, x, second=False, tolerance=TOLERANCE)
