"""Process-wide switches that scripts set at their start, for precision, reproducibility and placement.

Here every op is deterministic and computes in its dtype, on the CPU, whatever the switches say; they are checked and
remembered.
"""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch.device import CPU, check_device
from tinytorch.device import device as DeviceType

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_device",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]

_PRECISIONS = ("highest", "high", "medium")
_DEBUG_MODES = ("default", "warn", "error")
_state: dict[str, Any] = {"precision": "highest", "debug_mode": 0, "interop_threads": 1, "warn_always": False}


def set_float32_matmul_precision(precision: str) -> None:
    """``"highest"``, ``"high"`` or ``"medium"``: how exact float32 products have to be. They are always exact here."""
    if precision not in _PRECISIONS:
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the setting stays", stacklevel=2)
        return
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What was set; ``"highest"`` at first."""
    return _state["precision"]


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask that equal inputs give equal bits. They always do here."""
    _state["debug_mode"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """What was set; False at first."""
    return _state["debug_mode"] > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What was set; False at first."""
    return _state["debug_mode"] == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0, 1, 2 or ``"default"``, ``"warn"``, ``"error"``: another way to say :func:`use_deterministic_algorithms`."""
    if isinstance(debug_mode, str) and debug_mode in _DEBUG_MODES:
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, 2 or one of {_DEBUG_MODES}, got {debug_mode}")
    _state["debug_mode"] = debug_mode


def get_deterministic_debug_mode() -> int:
    """What was set, as a number; 0 at first."""
    return _state["debug_mode"]


def set_default_device(device: Any) -> None:
    """Where new tensors are put that are made without ``device=``: the CPU (or None), or "meta", where they have no
    values (:mod:`tinytorch.utils._device`). RuntimeError for every other device.
    """
    where = CPU if device is None else DeviceType(device)
    if where.type != "meta":
        check_device(where)
    from tinytorch.utils import _device

    _device.set_default(where)


def get_default_device() -> DeviceType:
    """What was set, or the device of the innermost ``with torch.device(...)``; the CPU at first."""
    from tinytorch.utils import _device

    return _device.current_device()


def set_num_interop_threads(num: int) -> None:
    """Remembered: ops run one after the other."""
    if num <= 0:
        raise RuntimeError("Expected nthreads > 0")
    _state["interop_threads"] = num


def get_num_interop_threads() -> int:
    """What was set; 1 at first."""
    return _state["interop_threads"]


def set_warn_always(b: bool) -> None:
    """Remembered."""
    _state["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What was set; False at first."""
    return _state["warn_always"]


def set_flush_denormal(mode: bool) -> bool:
    """False: NumPy does not offer it."""
    return False
