"""autocast: a context in which nothing is cast, and a warning that says so."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from tinytorch.device import device
from tinytorch.dtypes import bfloat16, dtype, float16

__all__ = [
    "autocast",
    "clear_autocast_cache",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
]


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` may be entered for the device without being switched off: True for the CPU."""
    return device(device_type).type == "cpu"


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False: nothing is ever cast."""
    return False


def is_autocast_cpu_enabled() -> bool:
    """False."""
    return False


def is_autocast_cache_enabled() -> bool:
    """True, as in PyTorch; there is nothing to cache."""
    return True


def clear_autocast_cache() -> None:
    """Does nothing: there is no cache."""


def get_autocast_dtype(device_type: str) -> dtype:
    """What autocast would compute in: bfloat16 on the CPU, else float16."""
    return bfloat16 if device_type == "cpu" else float16


def get_autocast_cpu_dtype() -> dtype:
    """bfloat16."""
    return bfloat16


def get_autocast_gpu_dtype() -> dtype:
    """float16."""
    return float16


class autocast:
    """``with autocast("cpu"): ...`` computes everything in the dtype it has; also a decorator.

    PyTorch would compute products and convolutions in ``dtype`` (bfloat16 on the CPU), and their results would have
    that dtype. Half precision is no faster than float32 here, so they stay in float32: more exact than PyTorch's, from
    which they differ by the rounding of the narrow type. A UserWarning says so. For a device that is not there it
    warns and does nothing, as in PyTorch.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else dtype
        self._enabled = enabled and self.device == "cpu" and self.fast_dtype in (bfloat16, float16)
        if self._enabled:
            warnings.warn(
                f"autocast('cpu', dtype={self.fast_dtype!r}) changes nothing here: everything is computed in float32",
                stacklevel=2,
            )
        elif enabled and self.device == "cpu":
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
        elif enabled:
            warnings.warn(
                f"User provided device_type of '{self.device}', but {self.device.upper()} is not available. Disabling",
                stacklevel=2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Decorates ``forward`` of a Function for autocast: changes nothing."""
    return functools.partial(custom_fwd, device_type=device_type) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Decorates ``backward`` of a Function for autocast: changes nothing."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd
