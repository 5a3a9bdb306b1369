"""``tinytorch.masked`` compared with ``torch.masked``."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors

X = np.random.default_rng(0).standard_normal((3, 4, 2))
INTS = np.random.default_rng(1).integers(-5, 5, (3, 4, 2))
MASK = np.random.default_rng(2).integers(0, 3, (3, 4, 2)) > 0
REDUCTIONS = ["sum", "prod", "amax", "amin", "mean", "logsumexp", "var", "std", "norm"]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    first = (2.0,) if name == "norm" else ()

    def all_forms(T, x, m):
        f = getattr(T.masked, name)
        return (
            f(x, *first, mask=m), f(x, *first, 1, mask=m), f(x, *first, (0, -1), keepdim=True, mask=m), f(x, *first, 0),
            f(x, *first, 1, mask=m[:, :, :1]), f(x, *first, 0, mask=m, dtype=T.float64), f(x, *first, (), mask=m),
        )  # fmt: skip

    second = name != "logsumexp"  # PyTorch's is nan at masked-out places
    compare(all_forms, X, MASK, second=second)
    compare(all_forms, X.astype(np.float32), MASK, second=second)


@pytest.mark.parametrize("name", ["sum", "prod", "amax", "amin", "argmax", "argmin", "var"])
def test_integers(name: str) -> None:
    compare(lambda T, x, m: (getattr(T.masked, name)(x, 1, mask=m), getattr(T.masked, name)(x)), INTS, MASK)
    compare(
        lambda T, x, m: getattr(T.masked, name)(x, 1, mask=m, keepdim=True), INTS.astype(np.uint8), MASK
    )  # wraps around


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "cumsum", "cumprod"])
def test_same_shape(name: str) -> None:
    mask = MASK.copy()
    mask[:, 0] = True  # a row without any element is nan
    compare(lambda T, x, m: (getattr(T.masked, name)(x, 1, mask=m).exp(), getattr(T.masked, name)(x, 1)), X, mask)


def test_others() -> None:
    compare(lambda T, x, m: (T.masked.normalize(x, 2.0, 1, mask=m), T.masked.normalize(x, 1.0, -1)), X, MASK)
    compare(lambda T, x, m: T.masked.median(x, 1, mask=m), X, MASK)
    compare(lambda T, x, m: T.masked.median(x, 1, mask=m, keepdim=True), INTS, MASK | (np.arange(4)[:, None] == 0))
    compare(lambda T, x, m: (T.masked.argmax(x, 1, mask=m), T.masked.argmin(x, mask=m)), X, MASK, gradient=False)
    compare(
        lambda T, x, y, m, n: (T.masked.logaddexp(x, y, input_mask=m), T.masked.logaddexp(x, y, other_mask=n)),
        X, X[::-1].copy(), MASK, MASK[::-1].copy(), second=False,
    )  # fmt: skip
    compare(lambda T, x, m: (T.masked.var(x, 1, False, mask=m), T.masked.std(x, 1, correction=0, mask=m)), X, MASK)
    compare(lambda T, x: (T.masked.sum(x, 0, keepdim=True), T.masked.mean(x, -1)), np.array(2.0))


def test_nothing_left() -> None:
    none = np.zeros((3, 4, 2), bool)
    for name in (*REDUCTIONS, "median"):
        compare(lambda T, x, m, name=name: getattr(T.masked, name)(x, dim=1, mask=m), X, none, gradient=False)


def test_errors() -> None:
    compare_errors(lambda T, x, m: T.masked.sum(x, (0, 0), mask=m), X, MASK, match="appears multiple times")
    compare_errors(lambda T, x, m: T.masked.sum(x, 5, mask=m), X, MASK, match="out of range")
    compare_errors(lambda T, x, m: T.masked.sum(x, mask=m[None]), X, MASK, match="dimensionality")
    compare_errors(lambda T, x, m: T.masked.sum(x, mask=m[:2]), X, MASK)
    compare_errors(lambda T, x, m: T.masked.mean(x, mask=m), INTS, MASK, match="Could not infer output dtype")
    compare_errors(lambda T, x, m: T.masked.median(x, 1, mask=m), INTS, np.zeros_like(MASK), match="fully masked out")
    compare_errors(lambda T, x, m: T.masked.amax(x, mask=m), MASK, MASK)
    with pytest.raises(NotImplementedError, match="mask=mask"):
        tinytorch.masked.masked_tensor(tinytorch.ones(2), tinytorch.ones(2).bool())
    with pytest.raises(NotImplementedError, match="no MaskedTensor"):
        tinytorch.masked.MaskedTensor()
    with pytest.raises(NotImplementedError, match="no MaskedTensor"):
        tinytorch.masked.as_masked_tensor(tinytorch.ones(2), tinytorch.ones(2).bool())
    assert not tinytorch.masked.is_masked_tensor(tinytorch.ones(2))


def test_every_name_of_pytorch() -> None:
    assert set(tinytorch.masked.__all__) == set(torch.masked.__all__)
