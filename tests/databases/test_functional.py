"""PyTorch's own samples of ``nn.functional`` (``op_db``), a few per function, as a test.

``python -m tests.databases.run_ops nn.functional.`` runs all of them, in all dtypes.
"""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import tinytorch
from tests.databases.run_ops import Report, full_name, run_op

#: Only here compared with PyTorch: names of ops, and of primitives in their graphs, for tests/ops/test_coverage.py.
COMPARED = [
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "bilinear", "conv3d", "conv_transpose3d", "ctc_loss",
    "embedding", "embedding_bag", "feature_alpha_dropout", "fractional_max_pool2d", "fractional_max_pool3d", "grid_sample",
    "interpolate", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "upsample_bilinear", "upsample_nearest",
    "AdaptiveAvgPool3d", "AvgPool3d", "MaxPool3d", "CtcLoss", "CtcGradient", "Resample",
]  # fmt: skip
#: Checks known to fail, (op, kind of check), and why.
KNOWN: dict[tuple[str, str], str] = {}

#: Public functions of torch.nn.functional that tinytorch does not have, and why.
MISSING = {
    "Optional": "a type", "assert_int_or_pair": "a helper of PyTorch's own functions",
    "boolean_dispatch": "a helper of PyTorch's own functions", "grouped_mm": "for GPUs", "scaled_grouped_mm": "for GPUs",
    "scaled_mm": "for GPUs", "handle_torch_function": "tensor-like classes of other packages are not supported",
    "has_torch_function": "as above", "has_torch_function_unary": "as above", "has_torch_function_variadic": "as above",
}  # fmt: skip

OPS = [op for op in op_db if full_name(op).startswith("nn.functional.")]


@pytest.mark.parametrize("op", OPS, ids=full_name)
def test_samples(op):
    report = Report()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_op(op, report, [torch.float64], most=4)
    failed = {key: messages for key, messages in report.failed.items() if key not in KNOWN}
    assert not failed, "\n".join(f"{key}: {messages[0]}" for key, messages in failed.items())


def test_every_public_function_is_there():
    functions = {name: value for name, value in vars(torch.nn.functional).items() if not name.startswith("_")}
    public = {name for name, value in functions.items() if callable(value) and not isinstance(value, type)}
    missing = {name for name in public if not hasattr(tinytorch.nn.functional, name)}
    assert missing == MISSING.keys()
