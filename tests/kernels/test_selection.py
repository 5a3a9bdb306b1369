"""Which index PyTorch reports among equal elements."""

from __future__ import annotations

import numpy as np
import torch

import tinytorch
from tinytorch.kernels.selection import kth_index, sorted_indices, topk_indices


def rows() -> list[np.ndarray]:
    """Short and long rows with few different values, some with nan."""
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for size in (1, 2, 3, 4, 7, 16, 17, 33, 64, 130, 300):
        for values in (1, 2, 5, 40):
            row = rng.integers(0, values, size)
            found += [row, np.where(rng.random(size) < 0.1, np.nan, row.astype(float))]
    return found


def test_kthvalue_and_topk() -> None:
    rng = np.random.default_rng(1)
    for row in rows():
        tensor = torch.from_numpy(row)
        for k in {1, len(row), int(rng.integers(1, len(row) + 1))}:
            assert kth_index(row, k - 1) == int(torch.kthvalue(tensor, k).indices)
            for largest in (True, False):
                expected = torch.topk(tensor, k, largest=largest).indices.tolist()
                assert topk_indices(row, k, largest) == expected
                expected = torch.topk(tensor, k, largest=largest, sorted=False).indices.tolist()
                assert topk_indices(row, k, largest, in_order=False) == expected


def test_mode() -> None:
    for row in rows():
        assert int(tinytorch.mode(tinytorch.from_numpy(row)).indices) == int(torch.mode(torch.from_numpy(row)).indices)


def test_sorted_indices_sort() -> None:
    """Also rows that make quicksort fall back on the heap."""
    rng = np.random.default_rng(2)
    for row in (*rows(), np.arange(500) % 17, np.concatenate([np.arange(200), np.arange(200)[::-1]]), rng.random(900)):
        indices = sorted_indices(row)
        assert sorted(indices) == list(range(len(row)))
        if not np.isnan(row).any():
            np.testing.assert_array_equal(row[indices], np.sort(row))
