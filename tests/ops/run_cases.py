"""Running a table of cases from a test file of its own: ``@over(CASES)`` above a test that calls :func:`run`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pytest

from tests.compare import compare
from tests.ops.cases import Case


def over(cases: Sequence[Case]) -> Any:
    """Parametrize a test over every variant (dtype, memory layout) of the cases."""
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    return pytest.mark.parametrize(
        ("case", "dtype", "layout"),
        [
            pytest.param(
                case, dtype, layout, id=f"{case.name}{position if case.name in twice else ''}-{dtype}-{layout}"
            )
            for position, case in enumerate(cases)
            for dtype, layout in case.variants()
        ],
    )


def run(case: Case, dtype: str, layout: str) -> None:
    """The case in both libraries, without NumPy warnings reaching the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # NumPy's; PyTorch is silent about log(0)
        warnings.filterwarnings("ignore", category=UserWarning, module="torch")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinytorch\.")
        compare(case.function, *case.inputs(dtype, layout), **case.options)
