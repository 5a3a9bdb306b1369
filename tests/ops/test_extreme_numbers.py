"""Where formulas overflow, cancel or divide by 0: values and gradients as PyTorch's, and not a word from NumPy."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare

ROWS: dict[str, Any] = {
    "large": [[1e4, -1e4, 3.0], [2e4, 2e4, 2e4]],
    "far apart": [[88.0, -104.0, 0.0], [1e4, 0.0, -1e4]],
    "huge": [[3e38, -3e38, 1.0], [1e38, 1e38, 1e38]],
    "tiny": [[1e-30, -1e-30, 2e-30], [1e-38, 1e-38, 0.0]],
    "constant": [[7.0, 7.0, 7.0], [0.0, 0.0, 0.0]],
    "constant and large": [[1e4, 1e4, 1e4], [-1e6, -1e6, -1e6]],
    "offset": [[1e4, 1e4 + 1, 1e4 + 2], [-1e4, -1e4 - 1, -1e4 - 2]],
    "infinite": [[float("inf"), 1.0, 2.0], [float("-inf"), 1.0, float("-inf")]],
    "nan": [[float("nan"), 1.0, 2.0], [0.0, 1.0, 2.0]],
    "one element": [[3.0]],
}
OPS: dict[str, Callable[[Any, Any], Any]] = {
    "softmax": lambda T, x: x.softmax(1),
    "log_softmax": lambda T, x: x.log_softmax(1),
    "logsumexp": lambda T, x: x.logsumexp(1),
    "softplus": lambda T, x: T.nn.functional.softplus(x),
    "logsigmoid": lambda T, x: T.nn.functional.logsigmoid(x),
    "sigmoid": lambda T, x: x.sigmoid(),
    "tanh": lambda T, x: x.tanh(),
    "gelu": lambda T, x: T.nn.functional.gelu(x),
    "silu": lambda T, x: T.nn.functional.silu(x),
    "mish": lambda T, x: T.nn.functional.mish(x),
    "elu": lambda T, x: T.nn.functional.elu(x),
    "bce with logits": lambda T, x: T.nn.functional.binary_cross_entropy_with_logits(x, T.full_like(x, 0.25)),
    "cross_entropy": lambda T, x: T.nn.functional.cross_entropy(x, T.zeros(len(x), dtype=T.int64), reduction="sum"),
    "smooth labels": lambda T, x: T.nn.functional.cross_entropy(x, T.zeros(len(x), dtype=T.int64), label_smoothing=0.1),
    "smooth_l1": lambda T, x: T.nn.functional.smooth_l1_loss(x, T.zeros_like(x)),
    "soft_margin": lambda T, x: T.nn.functional.soft_margin_loss(x, T.ones_like(x)),
    "norm": lambda T, x: x.norm(dim=1),
    "var": lambda T, x: x.var(1, correction=0),
    "std": lambda T, x: x.std(1, correction=0),
    "layer_norm": lambda T, x: T.nn.functional.layer_norm(x, x.shape[1:]),
    "normalize": lambda T, x: T.nn.functional.normalize(x),
    "cosine": lambda T, x: T.nn.functional.cosine_similarity(x, T.ones_like(x)),
    "logaddexp": lambda T, x: T.logaddexp(x, -x),
    "log1p": lambda T, x: T.log1p(x),
    "expm1": lambda T, x: T.expm1(x),
    "hypot": lambda T, x: T.hypot(x, x),
    "prod": lambda T, x: x.prod(1),
    "cumprod": lambda T, x: x.cumprod(1),
    "atan2": lambda T, x: T.atan2(x, x),
    "sinc": lambda T, x: T.sinc(x),
    "xlogy": lambda T, x: T.xlogy(x, x),
    "logcumsumexp": lambda T, x: x.logcumsumexp(1),
}
#: Where rounding decides: the variance of numbers that are equal but for it.
LOOSE = {"float32": (1e-3, 1e-5), "float64": (1e-7, 1e-9)}
#: Where PyTorch's own formula overflows, or loses what is left to rounding, and tinytorch's does not; or both do, differently.
DIFFERENT = {
    "logsumexp": {"huge", "constant and large"},
    "logcumsumexp": {"large", "offset"},
    "soft_margin": {"large", "far apart", "huge", "constant and large", "offset", "infinite"},
    "gelu": {"huge", "infinite"},
    "mish": {"infinite"},
    "elu": {"nan"},
    "std": {"huge", "tiny"},
    "layer_norm": {"large", "huge", "constant and large"},
    "prod": {"huge", "infinite"},
}


@pytest.mark.parametrize("name", OPS)
def test_extremes(name: str) -> None:
    failed = []
    for rows, dtype in itertools.product(ROWS, ("float32", "float64")):
        if rows in DIFFERENT.get(name, ()):
            continue
        x = np.array(ROWS[rows], dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.filterwarnings(
                "ignore", category=RuntimeWarning, module=r"tinytorch\."
            )  # as `import tinytorch` does
            try:
                compare(OPS[name], x, second=False, tolerance=LOOSE)
            except Exception as error:
                failed.append(f"{rows}, {dtype}: {type(error).__name__}: {error}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("value", [7.0, 123.456, 10000.1, -1e6])
def test_constant_rows_normalize_to_nothing(value: float) -> None:
    for n in (3, 768):
        assert tinytorch.nn.functional.layer_norm(tinytorch.full((2, n), value), (n,)).abs().max() == 0


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("logit", [np.inf, -np.inf, np.nan])
def test_infinite_logits(logit, target):
    results = []
    for library in (torch, tinytorch):
        x = library.tensor([logit], requires_grad=True)
        loss = library.nn.functional.binary_cross_entropy_with_logits(x, library.tensor([target]))
        loss.backward()
        results.append([loss.item(), x.grad.item()])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)
