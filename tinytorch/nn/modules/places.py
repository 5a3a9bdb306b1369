"""Where PyTorch keeps layers that stand in another file here: ``from torch.nn.modules.activation import
MultiheadAttention`` is to work.

The files named below end in a ``__getattr__`` that asks :func:`found_elsewhere`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["found_elsewhere"]

_MARGIN_LOSSES = (
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
)  # fmt: skip
_SPECIAL_POOLS = (
    "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d", "_LPPoolNd", "_MaxUnpoolNd",
)  # fmt: skip
_LAZY_CONVOLUTIONS = (
    "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
)  # fmt: skip
#: By PyTorch's file: which of our files have what else it holds.
_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "activation": {"attention": ("MultiheadAttention", "NonDynamicallyQuantizableLinear")},
    "batchnorm": {
        "lazy": ("LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d"),
        "sync_batchnorm": ("SyncBatchNorm",),
    },
    "container": {"parameter_container": ("ParameterDict", "ParameterList"), "module": ("_addindent",)},
    "conv": {"lazy": _LAZY_CONVOLUTIONS},
    "linear": {"lazy": ("LazyLinear",), "attention": ("NonDynamicallyQuantizableLinear",)},
    "loss": {"linear_cross_entropy": ("LinearCrossEntropyLoss",), "loss_margin": _MARGIN_LOSSES},
    "pooling": {"pooling_special": _SPECIAL_POOLS},
    "rnn": {"rnn_cells": ("GRUCell", "LSTMCell", "RNNCell", "RNNCellBase")},
    "transformer": {
        "transformer_layers": ("TransformerDecoderLayer", "TransformerEncoderLayer", "_get_activation_fn"),
    },
}


def found_elsewhere(module: str, name: str) -> Any:
    """What PyTorch's ``module`` has under ``name``, from the file that has it here; AttributeError if none."""
    for file, names in _PLACES[module.rsplit(".", 1)[1]].items():
        if name in names:
            return getattr(import_module(f"tinytorch.nn.modules.{file}"), name)
    from tinytorch.missing import missing

    raise missing(module, name)
