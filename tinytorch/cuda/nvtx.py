"""``torch.cuda.nvtx``: marks for NVIDIA's profiler. As in a PyTorch without CUDA each raises RuntimeError."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def _not_installed(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError(
        "NVTX functions not installed: there is no CUDA here. Mark with tinytorch.profiler.record_function."
    )


mark = range = range_end = range_pop = range_push = range_start = _not_installed
