"""``torch.jit``: Python code runs as it is, so scripting and tracing return what they were given.

Saving TorchScript is not possible; ``tinytorch.save(model.state_dict(), path)`` keeps the weights.
"""

from __future__ import annotations

import builtins
import contextlib
from typing import Any, Final

from tinytorch.nn.modules.module import Module

__all__ = [
    "Attribute",
    "Error",
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "fork",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]  # fmt: skip


class ScriptModule(Module):
    """What a scripted Module would be an instance of: none is, but a class may be derived from it."""


class ScriptFunction:
    """What a scripted function would be an instance of: none is."""


class TracerWarning(Warning):
    """Never given here; it can be named in a filter of warnings."""


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function, class or Module itself."""
    return obj


def trace(func: Any, example_inputs: Any = None, **kwargs: Any) -> Any:
    """The function or Module itself. Unlike a trace it goes on following branches."""
    return func


def trace_module(mod: Any, inputs: Any, **kwargs: Any) -> Any:
    """The Module itself, as :func:`trace` gives it."""
    return mod


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether ``obj`` is of the type; of a container's type, only the container's own part counts."""
    return builtins.isinstance(obj, getattr(target_type, "__origin__", None) or target_type)


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value itself."""
    return the_value


def script_method(fn: Any) -> Any:
    """The method itself."""
    return fn


def script_if_tracing(fn: Any) -> Any:
    """The function itself."""
    return fn


_overload = _overload_method = _script_if_tracing = script_if_tracing  # as copies of torchvision's models write it


def export(fn: Any) -> Any:
    """The method itself."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself; also a decorator with options."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn: Any) -> Any:
    """The function itself."""
    return fn


def freeze(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """The module itself."""
    return mod


def optimize_for_inference(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """The module itself."""
    return mod


class Error(RuntimeError):
    """Never raised here; it can be named in an ``except`` clause."""


def Attribute(value: Any, type: Any) -> Any:
    """The value itself."""
    return value


def interface(obj: Any) -> Any:
    """The class itself."""
    return obj


def set_fusion_strategy(strategy: Any) -> list[Any]:
    """No strategy: nothing is compiled."""
    return []


def enable_onednn_fusion(enabled: bool) -> None:
    """Does nothing: nothing is compiled."""


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


optimized_execution = strict_fusion = contextlib.nullcontext


def fork(func: Any, *args: Any, **kwargs: Any) -> Any:
    """The result of ``func``, at once."""
    return func(*args, **kwargs)


def wait(future: Any) -> Any:
    """What :func:`fork` gave."""
    return future


def save(m: Any, f: Any, *args: Any, **kwargs: Any) -> None:
    """Raises RuntimeError: there is no TorchScript here."""
    raise RuntimeError(
        "tinytorch has no TorchScript to save: use tinytorch.save(model.state_dict(), path) and build the model from "
        "its class when loading."
    )


def load(f: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises RuntimeError: there is no TorchScript here."""
    raise RuntimeError("tinytorch cannot run TorchScript: load the model's state_dict into its class instead.")
