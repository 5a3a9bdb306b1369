"""Data parallelism: over no GPUs (``torch.nn.parallel``)."""

from __future__ import annotations

from typing import Any

from tinytorch.nn.modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """Calls ``module``: without GPUs there is nothing to spread over. Parameters' names get the prefix ``module.``"""

    module: Module

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if device_ids:
            raise RuntimeError(
                f"DataParallel(device_ids={device_ids}): tinytorch runs on the CPU only; leave device_ids out"
            )
        self.module, self.dim = module, dim
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The module's output."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """Not supported: raises RuntimeError."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("tinytorch trains in one process: use the module itself instead of DistributedDataParallel")
