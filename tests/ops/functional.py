"""The functions of ``torch.nn.functional`` in either library, and inputs for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

FLOATS = ("float64", "float32")


def functional(library: Any) -> Any:
    """Where a library keeps conv2d and the like."""
    return torch.nn.functional if library is torch else library.ops


class Inputs:
    """Random arrays of one dtype, and in several memory orders."""

    def __init__(self, dtype: str, seed: int = 0) -> None:
        self.dtype = dtype
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal numbers, row-major."""
        return np.asarray(self.rng.standard_normal(shape).astype(self.dtype))

    def batch_last(self, *shape: int) -> np.ndarray:
        """The same with the first dimension running fastest in memory, as convolutions hand images on."""
        return np.moveaxis(self.normal(*shape[1:], shape[0]), -1, 0)

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Uniform in [low, high)."""
        return np.asarray(self.rng.uniform(low, high, shape).astype(self.dtype))
