"""Selecting by partition, by repeated maximum, or by sorting; distinct integers by counting or by sorting: the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.kernels import order
from tinytorch.ops.unique import _counted


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_largest_in_turn_is_sorted_order(dtype: type, descending: bool) -> None:
    x = np.random.default_rng(0).permuted(np.tile(np.arange(1, 201), (3, 1)), axis=1).astype(dtype)
    for dim, rows in ((1, x), (0, x.T)):
        found = order.largest_in_turn(rows, 5, dim, descending)
        np.testing.assert_array_equal(found, np.take(order.order(rows, dim, descending), range(5), dim))


def test_largest_in_turn_gives_up_where_it_cannot_tell() -> None:
    x = np.ones((2, 100), np.float32)
    for bad in (np.nan, -np.inf):
        x[1] = bad
        assert order.largest_in_turn(x, 3, 1, True) is None
    assert order.largest_in_turn(np.zeros((1, 100), np.uint8), 3, 1, True) is None


@pytest.mark.parametrize("k", [0, 3, 49])
def test_the_middle_is_that_of_sorted_order(k: int) -> None:
    x = np.random.default_rng(0).standard_normal((4, 50, 3))
    index, tied = order.middle(x, k, 1)
    np.testing.assert_array_equal(index, np.take(order.order(x, 1, False), [k], 1))
    assert not tied.any()
    tied = np.round(x)
    index, equals = order.middle(tied, k, 1)
    np.testing.assert_array_equal(index, np.take(order.order(tied, 1, False), [k], 1))
    assert k != 3 or equals.any()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_counted_integers(dtype: str) -> None:
    limits = np.iinfo(dtype)
    ends = (max(limits.min, -(2**63)), min(limits.max, 2**63 - 1))
    for low, high in ((ends[0], ends[0] + 200), (ends[1] - 200, ends[1]), (0, 120)):
        x = np.random.default_rng(0).integers(low, high, (30, 20), dtype, endpoint=True)
        found = _counted(x, True)
        assert found is not None
        expected = np.unique(x, return_inverse=True, return_counts=True)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
        assert found[0].dtype == x.dtype
    assert _counted(np.array([0, 10**6]), False) is None


@pytest.mark.parametrize("name", ["topk", "kthvalue", "median", "nanmedian"])
def test_nan_and_infinity(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((4, 200)).astype(np.float32)
    x[0, 3], x[1, 5], x[2, 7] = np.nan, np.inf, -np.inf
    arguments = (3,) if name in ("topk", "kthvalue") else ()
    theirs = getattr(torch, name)(torch.from_numpy(x), *arguments, dim=1)
    ours = getattr(tinytorch, name)(tinytorch.from_numpy(x), *arguments, dim=1)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
