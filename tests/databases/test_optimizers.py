"""PyTorch's own settings of optimizers (``optim_db``) as a test; ``run_optimizers`` prints all that fails."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.testing._internal.common_optimizers import optim_db

from tests.databases.run_ops import Report
from tests.databases.run_optimizers import run_optimizer


@pytest.mark.parametrize(
    "info",
    optim_db,
    ids=lambda info: info.optim_cls.__name__,
)
def test_settings(info):
    report = Report()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_optimizer(info, report, [torch.float64])
    failed = [message for messages in report.failed.values() for message in messages]
    assert not failed, "\n".join(failed)
    assert report.passed
