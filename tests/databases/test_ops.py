"""PyTorch's own database of ops (``op_db``), a few samples of each: values, gradients, errors beside PyTorch.

The whole of it, in all dtypes and forms, is run by ``python -m tests.databases.run_ops``. What fails, and why, stands in
``unsupported.py``.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

from tests.databases.run_ops import Report, full_name, run_errors, run_op
from tests.databases.unsupported import REASONS

DTYPES = (torch.float64, torch.float32, torch.int64)
SAMPLES = 2


@pytest.mark.parametrize("op", op_db, ids=full_name)
def test_op(op: Any) -> None:
    name = full_name(op)
    if name in REASONS:
        pytest.skip(REASONS[name])
    report = Report()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_op(op, report, DTYPES, SAMPLES, forms=False)
        if op.error_inputs_func is not None and f"{name} [error]" not in REASONS:
            run_errors(op, name, report)
    failed = [
        f"[{kind}] {message}"
        for (_, kind), messages in report.failed.items()
        if f"{name} [{kind}]" not in REASONS
        for message in messages
    ]
    assert not failed, "\n".join(failed)


def test_reasons_name_ops_of_the_database() -> None:
    assert {name.split(" [")[0] for name in REASONS} <= {full_name(op) for op in op_db}
