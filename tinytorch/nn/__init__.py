"""Neural networks: modules with parameters, and the functions behind them (``torch.nn``).

Start with :mod:`tinytorch.nn.modules.module` (what a Module is) and :mod:`tinytorch.nn.modules.linear` (the
simplest layer).
"""

from importlib import import_module
from typing import Any

from tinytorch.nn import functional, init, modules, parallel, parameter, utils
from tinytorch.nn.modules import *  # noqa: F403
from tinytorch.nn.parallel import DataParallel
from tinytorch.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "DataParallel", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "init",
           "modules", "parallel", "parameter", "utils", *modules.__all__]  # fmt: skip

#: Modules that load when they are first named.
_LAZY = ("_reduction", "attention", "common_types", "grad")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"tinytorch.nn.{name}")
    from tinytorch.missing import missing

    raise missing(__name__, name)
