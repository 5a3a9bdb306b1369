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
_MISSING = frozenset(
    [
        "AdaptiveAvgPool3d", "AdaptiveLogSoftmaxWithLoss", "AdaptiveMaxPool3d", "AvgPool3d", "BatchNorm3d",
        "CTCLoss", "CircularPad3d", "ConstantPad3d", "Container", "Conv3d", "ConvTranspose3d",
        "CrossMapLRN2d", "DataParallel", "EmbeddingBag", "FeatureAlphaDropout", "FractionalMaxPool2d",
        "FractionalMaxPool3d", "InstanceNorm3d", "LPPool1d", "LPPool2d", "LPPool3d",
        "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
        "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d",
        "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear", "LinearCrossEntropyLoss",
        "LinearCrossEntropyOptions", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
        "NLLLoss2d", "ReflectionPad3d",
        "ReplicationPad3d", "SyncBatchNorm",
        "UninitializedBuffer",
        "UninitializedParameter", "ZeroPad3d",
    ]
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MISSING:
        raise AttributeError(
            f"tinytorch.nn has no {name} (PyTorch's torch.nn.{name} is not implemented); write it as a Module of the "
            "layers that are there"
        )
    raise AttributeError(f"module 'tinytorch.nn' has no attribute '{name}'")
