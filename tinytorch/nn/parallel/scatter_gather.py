"""Spreading tensors over GPUs and collecting them (``torch.nn.parallel.scatter_gather``): there are none."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["gather", "scatter", "scatter_kwargs"]


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> NoReturn:
    """Raises RuntimeError."""
    raise RuntimeError(f"scatter to {target_gpus}: tinytorch runs on the CPU only; pass the whole batch to the module")


def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Any, dim: int = 0) -> NoReturn:
    """Raises RuntimeError."""
    scatter(inputs, target_gpus, dim)


def gather(outputs: Any, target_device: Any, dim: int = 0) -> NoReturn:
    """Raises RuntimeError."""
    raise RuntimeError("gather: tinytorch runs on the CPU only, where one result is whole; use tinytorch.cat")
