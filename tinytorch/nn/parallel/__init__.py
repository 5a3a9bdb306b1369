"""Data parallelism, over no GPUs and one process (``torch.nn.parallel``): the model itself, under PyTorch's names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from tinytorch.nn.modules.module import Module
from tinytorch.nn.parallel.scatter_gather import gather, scatter

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "gather", "parallel_apply", "replicate",
           "scatter"]  # fmt: skip


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """``module(*inputs)``: without GPUs there is nothing to spread over."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*inputs, **(module_kwargs or {}))


def replicate(network: Module, devices: Any, detach: bool = False) -> NoReturn:
    """Raises RuntimeError: there are no devices for copies."""
    raise RuntimeError(f"replicate to {devices}: tinytorch runs on the CPU only; call the module itself")


def parallel_apply(
    modules: Sequence[Any], inputs: Sequence[Any], kwargs_tup: Any = None, devices: Any = None
) -> list[Any]:
    """Each module with its inputs, one after the other."""
    kwargs = kwargs_tup or [{}] * len(modules)
    given = [x if isinstance(x, (list, tuple)) else (x,) for x in inputs]
    return [module(*x, **options) for module, x, options in zip(modules, given, kwargs, strict=True)]


class DataParallel(Module):
    """Calls ``module``: without GPUs there is nothing to spread over, whatever ``device_ids`` says, as in PyTorch.

    Parameters' names get the prefix ``module.``
    """

    module: Module

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module, self.dim = module, dim
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The module's output."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """Calls ``module`` in the group of one process that :mod:`tinytorch.distributed` forms: its gradients are the mean.

    Raises ValueError before ``init_process_group``, or with ``device_ids``; RuntimeError for a module without
    parameters that require grad.
    """

    module: Module

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None, **options: Any,
    ) -> None:  # fmt: skip
        from tinytorch import distributed

        super().__init__()
        distributed.get_world_size(process_group)
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameters that require a "
                "gradient."
            )
        if device_ids or output_device is not None:
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with "
                f"single-device/multiple-device GPU modules or CPU modules, but got device_ids {device_ids}, "
                f"output_device {output_device}, and module parameters {{device(type='cpu')}}."
            )
        self.module, self.dim, self.broadcast_buffers = module, dim, broadcast_buffers
        self.device_ids = self.output_device = None
        self.require_backward_grad_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The module's output."""
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Inside, gradients are not averaged over the processes, but only accumulated: the same for one process."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """For processes with unequal numbers of batches: nothing to do."""
        yield
