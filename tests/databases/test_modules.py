"""PyTorch's own samples of layers (``module_db``), a few per layer, as a test; ``run_modules`` runs all of them."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.testing._internal.common_modules import module_db

import tinytorch
from tests.databases.run_modules import run_module
from tests.databases.run_ops import Report

#: Checks known to fail, (layer, kind of check), and why.
KNOWN: dict[tuple[str, str], str] = {}
#: Public names of torch.nn that tinytorch.nn does not have, and why.
MISSING = {
    "Container": "deprecated since 2017; Module is all that it was",
    "factory_kwargs": "a helper of PyTorch's own layers",
    "intrinsic": "quantization",
    "qat": "quantization",
    "quantizable": "quantization",
    "quantized": "quantization",
}


@pytest.mark.parametrize("info", module_db, ids=lambda info: info.module_cls.__name__)
def test_samples(info):
    report = Report()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_module(info, report, [torch.float64], most=4)
    failed = {key: messages for key, messages in report.failed.items() if key not in KNOWN}
    assert not failed, "\n".join(f"{key}: {messages[0]}" for key, messages in failed.items())
    assert report.passed


def test_every_public_name_is_there():
    public = {name for name in dir(torch.nn) if not name.startswith("_")}
    missing = {name for name in public if not hasattr(tinytorch.nn, name)}
    assert missing == MISSING.keys()
