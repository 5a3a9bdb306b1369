"""nn.functional: what the layers' tests do not reach - kinks, extreme numbers, arguments, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
import tinytorch.nn
from tests.compare import compare, compare_errors
from tests.nn.layers import both

RNG = np.random.default_rng(0)
#: Where the pieces meet.
KINKS = np.array([-6.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0])
EXTREME = np.array([-1e4, -800.0, -100.0, -30.0, 30.0, 100.0, 800.0, 1e4])

ACTIVATIONS = {
    "relu": lambda F, x: F.relu(x),
    "relu6": lambda F, x: F.relu6(x),
    "leaky_relu": lambda F, x: F.leaky_relu(x, 0.2),
    "elu": lambda F, x: F.elu(x, 1.5),
    "celu": lambda F, x: F.celu(x, 2.0),
    "selu": lambda F, x: F.selu(x),
    "gelu": lambda F, x: F.gelu(x),
    "gelu tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x),
    "mish": lambda F, x: F.mish(x),
    "softplus": lambda F, x: F.softplus(x),
    "softplus beta": lambda F, x: F.softplus(x, 2.0, 5.0),
    "softplus negative beta": lambda F, x: F.softplus(x, -1.0, 5.0),
    "logsigmoid": lambda F, x: F.logsigmoid(x),
    "sigmoid": lambda F, x: F.sigmoid(x),
    "tanh": lambda F, x: F.tanh(x),
    "hardtanh": lambda F, x: F.hardtanh(x, -1.0, 3.0),
    "hardswish": lambda F, x: F.hardswish(x),
    "softsign": lambda F, x: F.softsign(x),
    "tanhshrink": lambda F, x: F.tanhshrink(x),
    "softshrink": lambda F, x: F.softshrink(x, 0.5),
    "hardshrink": lambda F, x: F.hardshrink(x, 0.5),
    "threshold": lambda F, x: F.threshold(x, 0.5, -3.0),
    "rrelu": lambda F, x: F.rrelu(x, 0.1, 0.3, training=False),
    "softmin": lambda F, x: F.softmin(x, 0),
    "prelu": lambda F, x: F.prelu(x, x.detach()[:1] * 0 + 0.3),
}


@pytest.mark.parametrize("where", ["kinks", "extreme", "special", "empty", "0-d"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, where):
    numbers = {"kinks": KINKS, "extreme": EXTREME, "special": np.array([np.inf, -np.inf, np.nan, 1.0]), "empty": np.zeros((0, 3)),
               "0-d": np.array(0.7)}[where]  # fmt: skip
    beside = KINKS + 0.01  # at a kink itself the second derivative is a matter of taste
    if name in ("prelu", "softmin") and where in ("empty", "0-d"):
        pytest.skip("takes other shapes")

    def function(T, x):
        return ACTIVATIONS[name](T.nn.functional, x)

    # at infinity most derivatives are nan or not as their formula happens to be grouped
    compare(function, numbers, gradient=where != "special", second=where == "0-d")
    if where == "kinks":
        compare(function, beside)
        compare(function, numbers.astype(np.float32), second=False, tolerance={"float32": (2e-5, 1e-6)})


def test_activation_of_float16_and_integers():
    for name in ("relu", "leaky_relu", "elu", "silu", "hardtanh", "softplus"):
        compare(lambda T, x, name=name: getattr(T.nn.functional, name)(x), KINKS.astype(np.float16), second=False)
    compare(lambda T, x: (T.nn.functional.relu(x), T.nn.functional.threshold(x, 1, 2)), np.arange(-2, 3))
    for name in ("gelu", "elu", "silu", "softplus"):
        with pytest.raises((RuntimeError, NotImplementedError), match="not implemented for 'Long'"):
            getattr(tinytorch.nn.functional, name)(tinytorch.arange(3))


def test_erf_and_kernel_accuracy():
    from tinytorch.kernels.erf import erf

    x = np.concatenate([np.linspace(-7, 7, 20001), [1e-300, -1e-10, np.inf, -np.inf]])
    exact = np.array([math.erf(value) for value in x])
    np.testing.assert_allclose(erf(x), exact, rtol=5e-15, atol=0)
    compare(lambda T, x: T.erf(x), KINKS)


def normal(*shape):
    return RNG.standard_normal(shape)


FUNCTIONS = {
    "glu": (lambda F, T, x: F.glu(x, 0), normal(4, 3)),
    "normalize": (lambda F, T, x: (F.normalize(x), F.normalize(x, p=1, dim=0), F.normalize(x, p=3.0, dim=-1)), normal(3, 4)),
    "normalize zeros": (lambda F, T, x: F.normalize(x * 0.0), normal(2, 3)),
    "cosine_similarity": (lambda F, T, x, y: F.cosine_similarity(x, y, dim=0), normal(3, 4), normal(3, 4)),
    "cosine_similarity broadcast": (lambda F, T, x, y: F.cosine_similarity(x, y, dim=-1), normal(3, 4), normal(1, 4)),
    "pairwise_distance": (lambda F, T, x, y: F.pairwise_distance(x, y, p=3.0), normal(3, 4), normal(3, 4)),
    "bilinear": (lambda F, T, x, y, w, b: F.bilinear(x, y, w, b), normal(2, 3), normal(2, 4), normal(5, 3, 4), normal(5)),
    "attention": (lambda F, T, q, k, v: F.scaled_dot_product_attention(q, k, v), normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6)),
    "attention causal": (lambda F, T, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), normal(3, 4), normal(5, 4), normal(5, 6)),
    "attention masked": (lambda F, T, q, k, v: (
        F.scaled_dot_product_attention(q, k, v, attn_mask=T.tensor([[True, False, True], [True, True, True]])),
        F.scaled_dot_product_attention(q, k, v, attn_mask=T.tensor([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]], dtype=T.float64), scale=0.3)),
        normal(2, 4), normal(3, 4), normal(3, 6)),
    "pad zero": (lambda F, T, x: (F.pad(x, (1, 2)), F.pad(x, (0, 0, 2, 1)), F.pad(x, (1, 1, 1, 1, 2, 0))), normal(2, 3, 4)),
    "pad value": (lambda F, T, x: (F.pad(x, (1, 2), value=3.5), F.pad(x, (1, 0, 0, 1), "constant", -math.inf)), normal(3, 4)),
    "pad negative": (lambda F, T, x: (F.pad(x, (-1, 2)), F.pad(x, (-2, -1, 1, -1), value=7.0)), normal(3, 4)),
    "pad reflect": (lambda F, T, x: (F.pad(x, (3, 2), mode="reflect"), F.pad(x, (-1, 2), mode="reflect")), normal(2, 3, 4)),
    "pad reflect 3d": (lambda F, T, x: F.pad(x, (1, 2, 0, 1, 1, 1), mode="reflect"), normal(2, 3, 4, 3)),
    "pad replicate": (lambda F, T, x: F.pad(x, (5, 1, 2, 0), mode="replicate"), normal(2, 3, 4)),
    "pad circular": (lambda F, T, x: (F.pad(x, (4, 2), mode="circular"), F.pad(x, (1, -1), mode="circular")), normal(2, 3, 4)),
    "pixel_shuffle": (lambda F, T, x: (F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2)), normal(2, 3, 4, 2, 4)),
    "local_response_norm": (lambda F, T, x: F.local_response_norm(x, 4, alpha=0.3, beta=0.6, k=2.0), normal(2, 5, 3)),
    "embedding": (lambda F, T, w: F.embedding(T.tensor([[1, 2], [2, 0]]), w, padding_idx=-1), normal(3, 4)),
    "embedding of int32": (lambda F, T, w: F.embedding(T.tensor([1, 1], dtype=T.int32), w), normal(3, 4)),
    "one_hot": (lambda F, T, x: (F.one_hot(T.tensor([[1, 2], [0, 3]])), F.one_hot(T.tensor(2), 5), x), normal(1)),
    "in place": (lambda F, T, x: (F.relu_(x * 1.0), F.leaky_relu_(x * 2.0, 0.2), F.elu_(x * 1.0), F.hardtanh_(x * 1.0), F.threshold_(x * 1.0, 0.1, 5.0)),
                 normal(3, 4)),
    "unfold and fold": (lambda F, T, x: F.fold(F.unfold(x, 2, padding=1), (4, 5), 2, padding=1), normal(2, 3, 4, 5)),
    "interpolate": (lambda F, T, x: (F.interpolate(x, scale_factor=2.0), F.interpolate(x, (7, 3), mode="bilinear"),
                                     F.interpolate(x, (3, 2), mode="area"), F.interpolate(x, scale_factor=0.7, mode="nearest-exact")),
                    normal(2, 3, 4, 5)),
    "pdist": (lambda F, T, x: F.pdist(x, 3.0), normal(4, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    function, *inputs = FUNCTIONS[name]
    second = name not in ("normalize zeros", "pdist")  # nan in PyTorch; PyTorch has none
    compare(
        lambda T, *tensors: function(T.nn.functional, T, *tensors),
        *inputs,
        second=second,
        tolerance={"float64": (1e-9, 1e-11)},
    )


def test_embedding_by_frequency():
    def look_up(T, table):
        library = tinytorch if T is not torch else torch
        return library.nn.functional.embedding(library.tensor([[0, 1], [0, 0]]), table, scale_grad_by_freq=True)

    compare(look_up, normal(3, 2), second=False)  # the gradient is no derivative, so its own cannot be checked
    found = []
    for T in (torch, tinytorch):
        table = T.tensor([[1.0, math.inf], [2.0, 3.0], [0.0, 1.0]], requires_grad=True)
        rows = look_up(T, table)
        (gradient,) = T.autograd.grad(
            (rows[..., 0] * T.arange(4.0).reshape(2, 2)).pow(2).sum(), table, create_graph=True
        )
        (second,) = T.autograd.grad(gradient.sum(), table)
        found.append([rows.tolist(), gradient.tolist(), second.tolist()])
    assert found[0] == found[1]


def test_embedding_with_max_norm_changes_the_table():
    def run(T):
        table = T.tensor(normal_table())
        looked_up = T.nn.functional.embedding(T.tensor([0, 2, 2]), table, max_norm=1.0)
        return table.numpy(), looked_up.numpy()

    def normal_table():
        return np.random.default_rng(3).standard_normal((4, 5)) * 2

    (our_table, ours), (their_table, theirs) = both(run)
    np.testing.assert_allclose(our_table, their_table, rtol=1e-12)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_random_functions_draw_pytorchs_numbers():
    x = normal(4, 3, 2, 2)

    def run(T):
        F, t = T.nn.functional, T.tensor(x)
        return [
            F.dropout(t, 0.3), F.dropout(t, 0.3, training=False), F.dropout(t, 1.0), F.dropout2d(t, 0.4), F.dropout3d(t, 0.4),
            F.dropout1d(t[0], 0.5), F.alpha_dropout(t, 0.3, training=True), F.rrelu(t, training=True),
        ]  # fmt: skip

    for our, their in zip(*both(run), strict=True):
        np.testing.assert_allclose(our.numpy(), their.numpy(), rtol=1e-6, atol=1e-7)


def test_gradients_of_dropout():
    def function(T, x):
        T.manual_seed(0)
        F = T.nn.functional
        return F.dropout(x, 0.3), F.dropout2d(x, 0.4), F.alpha_dropout(x, 0.3, training=True)

    compare(
        function, normal(3, 4, 2, 2), tolerance={"float64": (1e-6, 1e-7)}
    )  # alpha_dropout's constants are of single precision


def test_hardsigmoid():
    # PyTorch's has no second derivative, and a 1/6 of single precision
    compare(lambda T, x: T.nn.functional.hardsigmoid(x), KINKS, second=False, tolerance={"float64": (1e-7, 1e-7)})


def test_hardsigmoid_twice():
    """PyTorch has no second derivative of it. The gradient is linear in what comes in, with the slope as factor."""
    x, u = tinytorch.tensor([-4.0, -1.0, 2.0, 5.0], requires_grad=True), tinytorch.ones(4, requires_grad=True)
    (gradient,) = tinytorch.autograd.grad(tinytorch.nn.functional.hardsigmoid(x), x, u, create_graph=True)
    (slope,) = tinytorch.autograd.grad(gradient.sum(), u)
    np.testing.assert_allclose(slope.numpy(), [0, 1 / 6, 1 / 6, 0], rtol=1e-6)


def test_gumbel_softmax():
    logits = normal(5, 4)

    def run(T):
        t = T.tensor(logits, requires_grad=True)
        soft = T.nn.functional.gumbel_softmax(t, tau=0.7)
        hard = T.nn.functional.gumbel_softmax(t, tau=0.7, hard=True)
        ((soft + hard) * T.arange(4.0, dtype=T.float64)).sum().backward()
        return [soft.detach().numpy(), hard.detach().numpy(), t.grad.numpy()]

    for our, their in zip(*both(run), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-9, atol=1e-12)


LOSSES = {
    "L1Loss()": "xx", "L1Loss(reduction='sum')": "xx", "MSELoss()": "xx", "MSELoss(reduction='none')": "xx", "SmoothL1Loss(beta=0.5)": "xx",
    "HuberLoss(delta=0.7)": "xx", "HuberLoss('sum')": "xx", "BCELoss()": "pp", "BCELoss(T.tensor([0.5, 1.0, 2.0, 0.1]).double(), reduction='sum')": "pp",
    "BCEWithLogitsLoss()": "xp", "BCEWithLogitsLoss(pos_weight=T.tensor([0.5, 1.0, 2.0, 0.1]).double())": "xp",
    "KLDivLoss(reduction='batchmean')": "xp", "KLDivLoss(reduction='sum', log_target=True)": "xx", "NLLLoss()": "xc",
    "NLLLoss(T.tensor([0.5, 1.0, 2.0, 0.1]).double(), ignore_index=1)": "xc", "CrossEntropyLoss()": "xc",
    "CrossEntropyLoss(T.tensor([0.5, 1.0, 2.0, 0.1]).double(), ignore_index=2, label_smoothing=0.1)": "xc", "CrossEntropyLoss(reduction='none')": "xc",
    "CrossEntropyLoss(label_smoothing=0.2, reduction='sum')": "xp", "PoissonNLLLoss()": "xp", "PoissonNLLLoss(log_input=False, full=True)": "pp",
    "GaussianNLLLoss(full=True)": "xxp", "SoftMarginLoss()": "xs", "HingeEmbeddingLoss(0.6)": "xs", "MarginRankingLoss(0.2)": "xxs",
    "CosineEmbeddingLoss(0.1)": "xxv", "TripletMarginLoss(0.7, swap=True)": "xxx", "TripletMarginLoss(reduction='none', p=1)": "xxx",
    "TripletMarginWithDistanceLoss(margin=0.8)": "xxx", "MultiMarginLoss()": "xc", "MultiMarginLoss(p=2, margin=0.3, reduction='sum')": "xc",
    "MultiLabelSoftMarginLoss()": "xb", "MultiLabelMarginLoss()": "xl",
}  # fmt: skip


@pytest.mark.parametrize("text", LOSSES)
def test_loss_modules(text):
    """x: any numbers, p: in (0, 1), c: classes, s: signs, v: one sign per row, b: 0 or 1, l: lists of classes."""
    rng = np.random.default_rng(5)
    make = {
        "x": lambda: rng.standard_normal((6, 4)), "p": lambda: rng.uniform(0.05, 0.95, (6, 4)), "c": lambda: rng.integers(0, 4, 6),
        "s": lambda: np.sign(rng.standard_normal((6, 4))).astype(np.int64), "v": lambda: np.sign(rng.standard_normal(6)).astype(np.int64),
        "b": lambda: rng.integers(0, 2, (6, 4)), "l": lambda: np.array([[1, 2, -1, 0]] * 6),
    }  # fmt: skip
    inputs = [make[kind]() for kind in LOSSES[text]]

    def function(T, *tensors):
        loss = eval("T.nn." + text, {"T": tinytorch if T is not torch else torch})
        return loss(*tensors)

    compare(function, *inputs, second="MarginLoss" not in text or "Triplet" in text)  # PyTorch has none for these
    loss = [eval("T.nn." + text, {"T": T}) for T in (tinytorch, torch)]
    assert repr(loss[0]) == repr(loss[1])
    assert list(loss[0].state_dict()) == list(loss[1].state_dict())


def test_old_reduction_arguments():
    for arguments in ({"size_average": False}, {"reduce": False}, {"size_average": True, "reduce": True}):
        with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
            ours = tinytorch.nn.MSELoss(**arguments)
        with pytest.warns(UserWarning):
            theirs = torch.nn.MSELoss(**arguments)
        assert ours.reduction == theirs.reduction


ERRORS = {
    "dropout": lambda T: T.nn.functional.dropout(T.ones(2), 1.5),
    "one_hot float": lambda T: T.nn.functional.one_hot(T.ones(2)),
    "one_hot negative": lambda T: T.nn.functional.one_hot(T.tensor([-1])),
    "one_hot too large": lambda T: T.nn.functional.one_hot(T.tensor([3]), 3),
    "one_hot empty": lambda T: T.nn.functional.one_hot(T.zeros(0, dtype=T.int64)),
    "pad odd": lambda T: T.nn.functional.pad(T.ones(3), (1, 2, 3)),
    "pad too many": lambda T: T.nn.functional.pad(T.ones(3), (1, 2, 3, 4)),
    "pad mode": lambda T: T.nn.functional.pad(T.ones(1, 3), (1, 1), mode="mirror"),
    "pad reflect too far": lambda T: T.nn.functional.pad(T.ones(1, 1, 3), (3, 0), mode="reflect"),
    "pad circular too far": lambda T: T.nn.functional.pad(T.ones(1, 1, 3), (4, 0), mode="circular"),
    "pad to less than nothing": lambda T: T.nn.functional.pad(T.ones(3), (-2, -2)),
    "gelu": lambda T: T.nn.functional.gelu(T.ones(3), approximate="sigmoid"),
    "hardtanh": lambda T: T.nn.functional.hardtanh(T.ones(3), 2.0, 1.0),
    "celu": lambda T: T.nn.functional.celu(T.ones(3), 0.0),
    "softshrink": lambda T: T.nn.functional.softshrink(T.ones(3), -1.0),
    "embedding of floats": lambda T: T.nn.functional.embedding(T.ones(3), T.ones(3, 3)),
    "embedding outside": lambda T: T.nn.functional.embedding(T.tensor([3]), T.ones(3, 3)),
    "dropout1d": lambda T: T.nn.functional.dropout1d(T.ones(3)),
    "glu": lambda T: T.nn.functional.glu(T.tensor(1.0)),
    "pixel_shuffle": lambda T: T.nn.functional.pixel_shuffle(T.ones(1, 3, 2, 2), 2),
    "lanczos": lambda T: T.nn.functional.interpolate(T.ones(1, 1, 3, 3), 2, mode="lanczos"),
    "lanczos corners": lambda T: T.nn.functional.interpolate(T.ones(1, 1, 3, 3), 2, mode="lanczos", antialias=True, align_corners=True),
    "local_response_norm": lambda T: T.nn.functional.local_response_norm(T.ones(2, 2), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    compare_errors(ERRORS[name])


def test_names_are_pytorchs():
    for name in tinytorch.nn.functional.__all__:
        assert hasattr(torch.nn.functional, name), name
        assert callable(getattr(tinytorch.nn.functional, name))


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_interpolate_finds_its_places_in_single_precision(mode: str, align_corners: bool) -> None:
    """Far from the corner the places of pixels, rounded otherwise, would differ by a thousandth of a pixel's worth."""
    image = np.random.default_rng(0).standard_normal((1, 1, 8, 3000)).astype(np.float32)
    for options in ({"size": (8, 1700)}, {"scale_factor": (1, 1.3)}, {"size": (8, 2100), "antialias": True}):
        theirs, ours = (
            T.nn.functional.interpolate(T.tensor(image), mode=mode, align_corners=align_corners, **options).numpy()
            for T in (torch, tinytorch)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(3, 4), (9, 11), (7, 7), (20, 3)])
def test_interpolate_lanczos(size: tuple[int, int]) -> None:
    def resize(T: Any, x: Any) -> Any:
        library = tinytorch if T is not torch else torch
        return library.nn.functional.interpolate(x, size, mode="lanczos", antialias=True)

    pixels = np.random.default_rng(0).random((2, 3, 7, 8))
    compare(resize, pixels)
    theirs, ours = (resize(T, T.tensor((pixels * 255).astype(np.uint8))).tolist() for T in (torch, tinytorch))
    assert ours == theirs


def test_embedding_bag_takes_its_old_order_of_arguments():
    for T in (torch, tinytorch):
        table, bags = T.arange(6.0).reshape(3, 2), T.tensor([[0, 2]])
        with pytest.warns(UserWarning, match="Argument order"):
            found = T.nn.functional.embedding_bag(table, bags)
        assert found.tolist() == [[2, 3]]
