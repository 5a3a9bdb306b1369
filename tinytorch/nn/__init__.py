"""Neural networks: modules with parameters, and the functions behind them (``torch.nn``).

Start with :mod:`tinytorch.nn.modules.module` (what a Module is) and :mod:`tinytorch.nn.modules.linear` (the
simplest layer).
"""

from typing import Any

from tinytorch.nn import functional, init, modules, parameter, utils
from tinytorch.nn.modules import *  # noqa: F403
from tinytorch.nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "parameter", "utils", *modules.__all__]

#: What PyTorch's nn has and this one does not.


def __getattr__(name: str) -> Any:
    if name in ("parallel", "DataParallel"):  # loaded when first asked for
        import importlib

        parallel = importlib.import_module("tinytorch.nn.parallel")
        return parallel if name == "parallel" else parallel.DataParallel
    from tinytorch.missing import missing

    raise missing(__name__, name)
