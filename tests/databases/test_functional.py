"""Every public function of ``torch.nn.functional`` is there. (``test_ops.py`` compares them on PyTorch's samples.)"""

from __future__ import annotations

import torch

import tinytorch

#: Compared with PyTorch by test_ops.py alone: names of ops, and of primitives in their graphs, for tests/ops/test_coverage.py.
COMPARED = [
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "bilinear", "conv3d", "conv_transpose3d", "ctc_loss",
    "embedding", "embedding_bag", "feature_alpha_dropout", "fractional_max_pool2d", "fractional_max_pool3d", "grid_sample",
    "interpolate", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "upsample_bilinear", "upsample_nearest",
    "AdaptiveAvgPool3d", "AvgPool3d", "MaxPool3d", "CtcLoss", "CtcGradient", "Resample",
]  # fmt: skip
#: Public functions of torch.nn.functional that tinytorch does not have, and why.
MISSING = {
    "Optional": "a type", "assert_int_or_pair": "a helper of PyTorch's own functions",
    "boolean_dispatch": "a helper of PyTorch's own functions", "grouped_mm": "for GPUs", "scaled_grouped_mm": "for GPUs",
    "scaled_mm": "for GPUs",
}  # fmt: skip


def test_every_public_function_is_there():
    functions = {name: value for name, value in vars(torch.nn.functional).items() if not name.startswith("_")}
    public = {name for name, value in functions.items() if callable(value) and not isinstance(value, type)}
    missing = {name for name in public if not hasattr(tinytorch.nn.functional, name)}
    assert missing == MISSING.keys()
