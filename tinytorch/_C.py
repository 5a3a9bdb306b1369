"""What public programs call of ``torch._C``, PyTorch's part in C++: hooks into machinery that is not here."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

from tinytorch.linalg import LinAlgError as _LinAlgError
from tinytorch.tensor import Tensor as _Tensor
from tinytorch.tensor_base import TensorBase
from tinytorch.torch_function import disabled_torch_function as _disabled_torch_function_impl
from tinytorch.torch_function import state, without_overrides

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "TensorBase", "Value", "_LinAlgError",
           "_TensorMeta", "_are_functorch_transforms_active", "_disabled_torch_function_impl", "_get_tracing_state",
           "_is_torch_function_enabled",
           "_is_torch_function_mode_enabled", "_is_tracing", "_jit_set_profiling_executor",
           "_jit_set_profiling_mode", "_len_torch_function_stack", "_log_api_usage_once"]  # fmt: skip


class DisableTorchFunctionSubclass(contextlib.ContextDecorator):
    """``with DisableTorchFunctionSubclass():`` no class's ``__torch_function__`` is called inside; modes' are."""

    _modes_too = False

    def __enter__(self) -> None:
        self._block = without_overrides(self._modes_too)
        self._block.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._block.__exit__(None, None, None)


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """Inside neither classes nor modes override functions."""

    _modes_too = True


def _is_torch_function_enabled() -> bool:
    """Whether classes are asked now."""
    return state.enabled


def _is_torch_function_mode_enabled() -> bool:
    """Whether a mode is asked now."""
    return bool(state.modes)


def _len_torch_function_stack() -> int:
    """How many modes are entered."""
    return len(state.modes)


_TensorMeta = type(_Tensor)


class Value:
    """A value of a graph of TorchScript, for annotations: there are none."""


def _are_functorch_transforms_active() -> bool:
    """False: the transforms of ``torch.func`` call the function itself, on ordinary tensors."""
    return False


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


def __getattr__(name: str) -> Any:
    if name == "_nn":
        from tinytorch.nn import functional  # late: nn takes a while to import
        from tinytorch.nn.modules.to_arguments import parse_to

        names = ("avg_pool2d", "gelu", "linear", "one_hot", "scaled_dot_product_attention", "softplus")
        return SimpleNamespace(_parse_to=parse_to, **{name: getattr(functional, name) for name in names})
    raise AttributeError(f"module 'torch._C' has no attribute '{name}'")
