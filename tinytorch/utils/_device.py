"""Where new tensors are put if a function is not told: ``with torch.device("meta"):``, ``set_default_device("meta")``.

Such a block is a mode (:mod:`tinytorch.torch_function`) that gives ``device=`` to the functions that make tensors::

    with torch.device("meta"):
        model = Model()             # parameters without values, in no time
    model.load_state_dict(state, assign=True)

A block that would change nothing, ``with torch.device("cpu"):`` where the CPU is the default, enters no mode.

What PyTorch does. The same, in a file of this name.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

import tinytorch
from tinytorch import torch_function
from tinytorch.device import CPU, device
from tinytorch.overrides import TorchFunctionMode

__all__ = ["DeviceContext", "current_device", "set_default"]

#: The functions that are given the device: those that make tensors, but no ``*_like``, which follow their argument.
_MAKERS = (
    "arange", "as_tensor", "asarray", "bartlett_window", "blackman_window", "empty", "empty_permuted", "empty_strided",
    "eye", "full", "hamming_window", "hann_window", "kaiser_window", "linspace", "logspace", "ones", "rand", "randint",
    "randn", "randperm", "range", "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros",
)  # fmt: skip


@functools.cache
def _makers() -> frozenset[Any]:
    from tinytorch import fft

    return frozenset([*(getattr(tinytorch, name) for name in _MAKERS), fft.fftfreq, fft.rfftfreq])


class DeviceContext(TorchFunctionMode):
    """Put new tensors on a device, unless the call names one."""

    def __init__(self, where: Any) -> None:
        self.device = device(where)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _makers() and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": self.device}
        return func(*args, **kwargs)


def _contexts() -> list[DeviceContext]:
    """Those that are entered in this thread, the innermost last."""
    return [mode for mode in torch_function.state.modes if isinstance(mode, DeviceContext)]


def current_device() -> device:
    """Where a tensor is put now that is made without ``device=``."""
    return contexts[-1].device if (contexts := _contexts()) else CPU


class _Blocks(threading.local):
    """The ``with`` blocks of a thread that have not ended: the context of each; None for one that changes nothing."""

    def __init__(self) -> None:
        self.entered: list[DeviceContext | None] = []


_blocks = _Blocks()


def enter(where: device) -> None:
    """The start of ``with where:``."""
    context = DeviceContext(where) if where.type != current_device().type else None
    if context is not None:
        torch_function.enter(context)
    _blocks.entered.append(context)


def leave() -> None:
    """Its end."""
    context = _blocks.entered.pop()
    if context is not None:
        torch_function.leave(context)


class _Default(DeviceContext):
    """The context that :func:`set_default` has entered: around all others."""


def set_default(where: device) -> None:
    """Put new tensors on this device from now on, in this thread."""
    for mode in _contexts():
        if isinstance(mode, _Default):
            torch_function.leave(mode)
    if where != CPU:
        torch_function.enter(_Default(where), outermost=True)
