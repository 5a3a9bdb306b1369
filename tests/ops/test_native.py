"""``torch.*`` functions whose arguments differ from those of ``torch.nn.functional``, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compare import compare, compare_errors
from tests.ops.functional import Inputs


def _inputs() -> Any:
    return Inputs("float64").normal


def test_norms_with_statistics() -> None:
    normal = _inputs()
    x, weight, bias = normal(2, 4, 3), normal(4), normal(4)
    mean, var = normal(4), normal(4) ** 2

    def batch_norm(T: Any, x: Any, w: Any, b: Any, training: bool = True) -> Any:
        return T.native_batch_norm(x, w, b, T.tensor(mean), T.tensor(var), training, 0.1, 1e-5)

    compare(lambda T, *a: batch_norm(T, *a)[0], x, weight, bias)
    compare(lambda T, x: batch_norm(T, x, None, None)[1:], x, gradient=False)
    compare(lambda T, *a: batch_norm(T, *a, training=False)[0], x, weight, bias)
    compare(lambda T, x, w, b: T.batch_norm(x, w, b, None, None, True, 0.1, 1e-5, False), x, weight, bias)
    compare(lambda T, x, w, b: T.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False), x, weight, bias)
    compare(lambda T, x, w, b: T.native_layer_norm(x, [3], w, b, 1e-5)[0], x, normal(3), normal(3))
    compare(lambda T, x: T.native_layer_norm(x, [4, 3], None, None, 1e-5), x, gradient=False)
    compare(lambda T, x, w, b: T.native_group_norm(x, w, b, 2, 4, 3, 2, 1e-5)[0], x, weight, bias)
    compare(lambda T, x: T.native_group_norm(x, None, None, 2, 4, 3, 2, 1e-5), x, gradient=False)


def test_inner_functions_of_softmax_and_batch_norm() -> None:
    normal = _inputs()
    x, grad, weight, bias = normal(2, 4, 3), normal(2, 4, 3), normal(4), normal(4)
    compare(lambda T, g, x: T._log_softmax_backward_data(g, x.log_softmax(1), 1, T.float64), grad, x)
    compare(lambda T, g, x: T._softmax_backward_data(g, x.softmax(1), 1, T.float64), grad, x)
    compare(lambda T, x: T._safe_softmax(x.masked_fill(x[:, :, :1] > 0, -float("inf")), 2), x)
    compare(lambda T, x, w, b: T._native_batch_norm_legit(x, w, b, True, 0.1, 1e-5)[0], x, weight, bias)


@pytest.mark.parametrize("train", [True, False])
def test_dropout(train: bool) -> None:
    def seeded(call: Any) -> Any:
        def function(T: Any, x: Any) -> Any:
            T.manual_seed(0)
            return call(T, x)

        return function

    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    compare(seeded(lambda T, x: T.native_dropout(x, 0.5, train)), x)
    compare(seeded(lambda T, x: T.dropout_(x * 1, 0.5, train)), x)
    for name in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"):
        compare(seeded(lambda T, x, name=name: getattr(T, name)(x, p=0.5, train=train)), x)
    compare(seeded(lambda T, x: T.feature_dropout_(x * 1, 0.5, train)), x)
    compare(seeded(lambda T, x: T.alpha_dropout_(x * 1, 0.5, train)), x)
    compare(seeded(lambda T, x: T.feature_alpha_dropout_(x * 1, 0.5, train)), x)


def test_convolution() -> None:
    normal = _inputs()
    for size, transposed in (((6,), False), ((6, 5), True), ((4, 5, 6), False), ((4, 3, 4), True)):
        n = len(size)
        arguments = ([2] * n, [1] * n, [1] * n, transposed, [1 if transposed else 0] * n, 1)
        kernel = normal(2, 2, *[3] * n)
        compare(lambda T, x, w, b, a=arguments: T.convolution(x, w, b, *a), normal(1, 2, *size), kernel, normal(2))


def test_convolution_with_time_first() -> None:
    normal = _inputs()
    compare(lambda T, x, w, b: T.conv_tbc(x, w, b, 1), normal(6, 2, 3), normal(3, 3, 4), normal(4))
    compare(lambda T, x: T.max_pool1d_with_indices(x, 2), normal(2, 3, 6))


def test_grids() -> None:
    normal = _inputs()
    for corners in (True, False):
        for n in (2, 3):
            size = (2, 3, *range(3, 3 + n))
            compare(lambda T, t, s=size, c=corners: T.affine_grid_generator(t, s, c), normal(2, n, n + 1))
            compare(lambda T, t, s=size, c=corners: T.nn.functional.affine_grid(t, s, c), normal(2, n, n + 1))
    image, grid = normal(1, 2, 4, 5), normal(1, 3, 3, 2)
    compare(lambda T, x, g: T.grid_sampler(x, g, 0, 1, False), image, grid, second=False)
    compare(lambda T, x, g: T.grid_sampler_2d(x, g, 1, 0, True), image, grid, second=False)
    compare(
        lambda T, x, g: T.grid_sampler_3d(x, g, 0, 2, True), normal(1, 2, 3, 4, 5), normal(1, 2, 2, 2, 3), second=False
    )


def test_tables() -> None:
    indices, offsets, table = np.array([1, 0, 2, 1]), np.array([0, 3]), np.random.default_rng(0).normal(size=(4, 3))
    compare(lambda T, w, i: T.embedding(w, i, 1), table, indices)
    compare(lambda T, w, i, o: T.embedding_bag(w, i, o)[0], table, indices, offsets, second=False)
    compare(lambda T, w, i: T.embedding_renorm_(w * 1, i, 0.5, 2.0), table, indices, gradient=False)


def test_ctc_loss_by_number() -> None:
    def loss(T: Any, x: Any, targets: Any) -> Any:
        return T.ctc_loss(x.log_softmax(-1), targets, T.tensor([5, 4]), T.tensor([2, 1]), 0, 1)

    x, targets = np.random.default_rng(0).normal(size=(5, 2, 4)), np.array([1, 2, 3])
    compare(loss, x, targets, second=False)

    for reduction in (0, 2):
        compare(
            lambda T, x, r=reduction: T.ctc_loss(x.log_softmax(-1), T.tensor(targets), (5, 4), (2, 1), 0, r),
            x,
            second=False,
        )

    def twice(T: Any, x: Any) -> Any:
        (first,) = T.autograd.grad(loss(T, x, T.tensor(targets)), x, create_graph=True)
        return T.autograd.grad(first.sum(), x)

    compare_errors(twice, x, match="can be differentiated once")


@pytest.mark.parametrize("reduction", [(), (1,), (2,)])
def test_losses_by_number(reduction: tuple[int, ...]) -> None:
    """Without a reduction they do not reduce: PyTorch's functions do not either."""
    x, y, labels = np.random.default_rng(0).uniform(0.1, 0.9, (3, 2, 4))
    signs = np.sign(labels - 0.5)
    compare(lambda T, x, y: T.binary_cross_entropy_with_logits(x, y, None, None, *reduction), x, y)
    compare(lambda T, x, y: T.cosine_embedding_loss(x, y, T.tensor(signs[:, 0]), 0.1, *reduction), x, y)
    compare(lambda T, x: T.hinge_embedding_loss(x, T.tensor(signs), 1.0, *reduction), x)
    compare(lambda T, x, y: T.kl_div(x, y, *reduction), x, y)
    compare(lambda T, x, y: T.kl_div(x, y, *reduction, log_target=True), x, y)
    compare(lambda T, x, y: T.margin_ranking_loss(x, y, T.tensor(signs), 0.1, *reduction), x, y)
    compare(lambda T, x, y: T.poisson_nll_loss(x, y, True, False, 1e-8, *(reduction or (0,))), x, y)
    compare(lambda T, x, y: T.triplet_margin_loss(x, y, T.tensor(labels), 1.0, 2.0, 1e-6, False, *reduction), x, y)


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_lp_pool(p: float) -> None:
    positive = np.abs(_inputs()(2, 3, 6, 6, 6)) + 0.1
    compare(lambda T, x: T.nn.functional.lp_pool1d(x, p, 3, 2), positive[:, :, 0, 0])
    compare(lambda T, x: T.nn.functional.lp_pool2d(x, p, (2, 3), ceil_mode=True), positive[:, :, 0])
    compare(lambda T, x: T.nn.functional.lp_pool3d(x, p, 2, 3), positive)


def test_upsample() -> None:
    compare(
        lambda T, x: T.nn.functional.upsample(x, scale_factor=2, mode="bilinear", align_corners=True),
        _inputs()(1, 2, 3, 4),
    )
