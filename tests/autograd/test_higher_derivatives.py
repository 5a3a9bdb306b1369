"""Second and third derivatives where formulas divide by something that is 0: checked by finite differences.

PyTorch raises or errs in several of these places, so it is no reference here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinytorch
from tinytorch.autograd import grad, gradcheck, gradgradcheck

PLACES = tinytorch.tensor([0, 1, 1, 1, 0])
PRODUCTS: dict[str, Callable[..., Any]] = {
    "scatter_reduce": lambda x, s: x.scatter_reduce(0, PLACES, s, "prod"),
    "without self": lambda x, s: x.scatter_reduce(0, PLACES, s, "prod", include_self=False),
    "index_reduce": lambda x, s: x.index_reduce(0, PLACES, s, "prod"),
}
MATRICES = {
    "rank 1": [[1.0, 2.0], [2.0, 4.0]],
    "rank 2 but for rounding": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    "zeros": np.zeros((2, 2)),
    "ones": np.ones((4, 4)),
    "one element": [[0.0]],
    "one of a stack": np.stack([np.eye(3), np.ones((3, 3))]),
    "complex": np.outer([1, 2j, 3], [1j, 2, 1]),
}


def double(values: Any) -> tinytorch.Tensor:
    return tinytorch.tensor(np.asarray(values), requires_grad=True)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_at_an_index_beside_zeros(name: str) -> None:
    inputs = double([0.0, 2.0, 3.0]), double([2.0, 0.0, 5.0, 0.0, 1.5])
    assert gradcheck(PRODUCTS[name], inputs) and gradgradcheck(PRODUCTS[name], inputs)


def test_third_derivative_of_a_product_at_an_index() -> None:
    s = double([0.0, 0.0, 0.0])
    d: Any = tinytorch.ones(1, dtype=s.dtype).scatter_reduce(0, tinytorch.tensor([0, 0, 0]), s, "prod").sum()
    for i in range(3):
        d = grad(d, s, create_graph=True)[0][i]
    assert d.item() == 1.0


@pytest.mark.parametrize("name", MATRICES)
def test_determinants_of_singular_matrices(name: str) -> None:
    a = double(MATRICES[name])
    assert gradcheck(tinytorch.det, (a,)) and gradgradcheck(tinytorch.det, (a,))


def test_third_derivative_of_a_determinant() -> None:
    a = double(np.zeros((3, 3)))
    d: Any = tinytorch.det(a)
    for i in range(3):
        d = grad(d, a, create_graph=True)[0][i, i]
    assert d.item() == 1.0
