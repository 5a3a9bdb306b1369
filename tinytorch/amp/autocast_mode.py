"""autocast: a context in which nothing is cast, or an error that says why."""

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
    """False for every device."""
    device(device_type)
    return False


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
    """``with autocast("cuda"): ...`` warns and does nothing, since there is no such device; also a decorator.

    Raises:
        NotImplementedError: enabled on the CPU in a dtype other than float32.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device, self.fast_dtype = device(device_type).type, dtype
        if enabled and self.device != "cpu":
            warnings.warn(
                f"User provided device_type of '{self.device}', but {self.device.upper()} is not available. Disabling",
                stacklevel=2,
            )
            enabled = False
        if enabled and str(dtype) != "torch.float32":
            raise NotImplementedError(
                "autocast on the CPU computes in bfloat16 or float16, which is neither faster nor available here: pass "
                "enabled=False, and everything stays in float32."
            )
        self._enabled = enabled

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
