"""What public programs call of ``torch._C``, PyTorch's part in C++: hooks into machinery that is not here."""

from __future__ import annotations

import contextlib
from typing import Any

from tinytorch.linalg import LinAlgError as _LinAlgError

__all__ = ["DisableTorchFunctionSubclass", "Value", "_LinAlgError", "_get_tracing_state", "_is_tracing",
           "_jit_set_profiling_executor", "_jit_set_profiling_mode", "_log_api_usage_once"]  # fmt: skip

#: Inside of it no ``__torch_function__`` is called, as nowhere else.
DisableTorchFunctionSubclass = contextlib.nullcontext


class Value:
    """A value of a graph of TorchScript, for annotations: there are none."""


def _log_api_usage_once(*args: Any) -> None:
    """Nothing is counted."""


def _get_tracing_state() -> None:
    """None: nothing is being traced."""


def _is_tracing() -> bool:
    """False."""
    return False


def _jit_set_profiling_mode(enabled: bool) -> bool:
    """False: there is no compiler to set."""
    return False


_jit_set_profiling_executor = _jit_set_profiling_mode
