"""Activations, distances, interpolation and attention: compared with torch.nn.functional."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare
from tests.ops.cases import Case, real
from tests.ops.run_cases import over, run

ACTIVATIONS = {
    "celu": [{}, {"alpha": 0.7}],
    "elu": [{}, {"alpha": 1.5}],
    "gelu": [{}, {"approximate": "tanh"}],
    "glu": [{"dim": 0}],
    "hardshrink": [{}, {"lambd": 0.2}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "hardtanh": [{}, {"min_val": -0.5, "max_val": 0.25}],
    "leaky_relu": [{}, {"negative_slope": 0.3}],
    "logsigmoid": [{}],
    "mish": [{}],
    "relu": [{}],
    "relu6": [{}],
    "selu": [{}],
    "silu": [{}],
    "softplus": [{}, {"beta": 2.0, "threshold": 1.5}],
    "softshrink": [{}, {"lambd": 0.2}],
    "softsign": [{}],
    "tanhshrink": [{}],
    "threshold": [{"threshold": 0.3, "value": -1.0}],
}
#: PyTorch's float64 backward of these computes with constants rounded to float32; ours does not.
FLOAT32_CONSTANTS = {"celu", "hardsigmoid", "hardswish"}


def options_of(name):
    options = {"tolerance": {"float64": (1e-6, 1e-8)}} if name in FLOAT32_CONSTANTS else {}
    return {**options, "second": False} if name == "hardsigmoid" else options  # PyTorch has no second derivative


CASES = [
    *[
        Case(
            f"{name} {options}",
            lambda T, x, n=name, o=options: getattr(T.nn.functional, n)(x, **o),
            real(4, 5, low=-8.0, high=8.0),
            **options_of(name),
        )
        for name, variants in ACTIVATIONS.items()
        for options in variants
    ],
    Case("prelu", lambda T, x, w: T.nn.functional.prelu(x, w), real(3, 4, 2), real(4)),
    Case("prelu one weight", lambda T, x, w: T.nn.functional.prelu(x, w), real(3, 4), real(1)),
    Case("rrelu in evaluation", lambda T, x: T.nn.functional.rrelu(x), real(3, 4)),
    Case("cosine_similarity", lambda T, x, y: T.nn.functional.cosine_similarity(x, y, dim=-1), real(3, 4), real(3, 4)),
    Case("pairwise_distance", lambda T, x, y: T.nn.functional.pairwise_distance(x, y), real(3, 4), real(3, 4)),
    Case("normalize", lambda T, x: T.nn.functional.normalize(x, dim=1), real(3, 4)),
    *[
        Case(f"interpolate {mode}", lambda T, x, m=mode: T.nn.functional.interpolate(x, scale_factor=2, mode=m), real(1, 2, 3, 4))
        for mode in ("nearest", "bilinear")
    ],
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


@pytest.mark.parametrize("name", ["feature_dropout", "rrelu"])
def test_random_ones_draw_what_pytorch_draws(name: str) -> None:
    def drawn(T, x):
        torch.manual_seed(3)
        tinytorch.manual_seed(3)
        return T.feature_dropout(x, 0.4, True) if name == "feature_dropout" else T.nn.functional.rrelu(x, training=True)

    compare(drawn, np.random.default_rng(0).standard_normal((4, 6, 3)))
