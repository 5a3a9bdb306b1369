"""Swaps one after the other and all at once; sorting integers digit by digit."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.kernels.counting import stable_order
from tinytorch.kernels.shuffle import swapped_at_once, swapped_in_turn


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1000, 70_000])
def test_both_ways_to_swap_agree(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20 if n < 70_000 else 1):
        partners = rng.integers(np.arange(n), n) if n else np.arange(0)
        np.testing.assert_array_equal(swapped_at_once(partners), swapped_in_turn(partners))


@pytest.mark.parametrize("partners", [[0, 1, 2, 3], [3, 3, 3, 3], [1, 2, 3, 3], [3, 1, 3, 3], [2, 2, 2, 3]])
def test_swaps_that_are_not_random(partners: list[int]) -> None:
    np.testing.assert_array_equal(swapped_at_once(np.array(partners)), swapped_in_turn(np.array(partners)))


@pytest.mark.parametrize("limit", [1, 2, 1000, 2**16, 2**16 + 1, 2**32, 2**40])
def test_stable_order(limit: int) -> None:
    numbers = np.random.default_rng(0).integers(0, limit, 5000)
    np.testing.assert_array_equal(stable_order(numbers, limit), numbers.argsort(kind="stable"))
