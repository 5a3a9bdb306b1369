"""Looking up images between the pixels, and the sums of weighted rows behind it, beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinytorch
from tests.compare import compare
from tinytorch.ops.weighted_rows import RowProducts, SpreadRows, WeightedRows

INDEX = np.array([[0, 4, 5, 2, 0, 1], [1, 5, 5, 2, 3, 0]])  # row 5 is the row of zeros


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape)


def padded(T: Any, rows: Any) -> Any:
    return T.cat([rows, T.zeros_like(rows[:1])])[T.tensor(INDEX)]


def weighted_rows(T: Any, rows: Any, weight: Any) -> Any:
    if isinstance(rows, tinytorch.Tensor):
        return WeightedRows.apply(rows, weight, index=INDEX)
    return (padded(T, rows) * weight[..., None]).sum(0)


def spread_rows(T: Any, y: Any, weight: Any) -> Any:
    if isinstance(y, tinytorch.Tensor):
        return SpreadRows.apply(y, weight, index=INDEX, count=5)
    products = (y * weight[..., None]).reshape(-1, y.shape[1])
    return T.zeros(6, y.shape[1], dtype=y.dtype).index_add(0, T.tensor(INDEX.ravel()), products)[:5]


def row_products(T: Any, rows: Any, y: Any) -> Any:
    if isinstance(rows, tinytorch.Tensor):
        return RowProducts.apply(rows, y, index=INDEX)
    return (padded(T, rows) * y).sum(-1)


def test_weighted_rows_and_their_derivatives() -> None:
    for width in (3, 4):  # an even number of columns is added in pairs
        compare(weighted_rows, numbers(5, width), numbers(2, 6))
        compare(spread_rows, numbers(6, width), numbers(2, 6))
    compare(row_products, numbers(5, 3), numbers(6, 3))


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode: str, padding: str, corners: bool) -> None:
    places = 1.5 * np.random.default_rng(0).uniform(-1, 1, (2, 3, 4, 2))  # some outside

    def sample(T: Any, image: Any, grid: Any) -> Any:
        return T.nn.functional.grid_sample(image, grid, mode, padding, corners)

    compare(sample, numbers(2, 3, 5, 6), places, second=False)  # PyTorch has no second derivative
    if mode != "bicubic":
        volume = np.random.default_rng(1).uniform(-1.5, 1.5, (2, 2, 3, 2, 3))
        compare(sample, numbers(2, 3, 4, 5, 6), volume, second=False)
    x, grid = (tinytorch.tensor(a, requires_grad=True) for a in (numbers(1, 1, 3, 4), places[:1, :2, :2]))
    assert tinytorch.autograd.gradgradcheck(lambda x, grid: sample(tinytorch, x, grid), (x, grid))


def test_an_infinite_pixel_outside_of_a_window_is_not_seen() -> None:
    image = np.ones((1, 1, 3, 3))
    image[..., 0, 0] = np.inf
    compare(
        lambda T, x: T.nn.functional.grid_sample(x, T.full((1, 1, 1, 2), -2.0, dtype=x.dtype), align_corners=True),
        image, second=False,
    )  # fmt: skip
