"""Places that rounding decides: PyTorch's bits, or a gradient jumps."""

import numpy as np
import pytest
import torch

import tinytorch


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-3.14159, 3.14159), (1e-4, 0.02), (5, -3)])
def test_linspace(dtype, low, high):
    for n in (2, 5, 12, 28, 100, 2000):
        theirs = torch.linspace(low, high, n, dtype=getattr(torch, dtype)).numpy()
        np.testing.assert_array_equal(tinytorch.linspace(low, high, n, dtype=getattr(tinytorch, dtype)).numpy(), theirs)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("n", [5, 12, 28])
def test_the_identity_grid(n, align_corners):
    theta = np.tile(np.eye(3, dtype=np.float32)[:2], (2, 1, 1))
    size = (2, 1, n, n)
    theirs = torch.nn.functional.affine_grid(torch.from_numpy(theta), size, align_corners=align_corners)
    ours = tinytorch.nn.functional.affine_grid(tinytorch.from_numpy(theta), size, align_corners=align_corners)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "range_", [(0, 1, 0.001), (-1, 1, 0.01), (0, 100, 0.37), (0, 6.28, 0.05), (3, 17, 0.3), (5, -2, -0.7)]
)
def test_arange(dtype, range_):
    theirs = torch.arange(*range_, dtype=getattr(torch, dtype)).numpy()
    np.testing.assert_array_equal(tinytorch.arange(*range_, dtype=getattr(tinytorch, dtype)).numpy(), theirs)
