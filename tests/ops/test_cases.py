"""Every case of the tables, in both libraries (see tests/compare.py)."""

from __future__ import annotations

import pytest

from tests.ops import (
    cases_arithmetic,
    cases_compare,
    cases_complex,
    cases_creation,
    cases_fourier,
    cases_indexing,
    cases_linalg,
    cases_reduce,
    cases_setitem,
    cases_shape,
    cases_softmax,
    cases_storage,
    cases_unary,
)
from tests.ops.cases import Case
from tests.ops.run_cases import run

TABLES = (
    cases_arithmetic, cases_unary, cases_compare, cases_reduce, cases_shape, cases_indexing, cases_setitem,
    cases_linalg, cases_creation, cases_softmax, cases_complex, cases_fourier, cases_storage,
)  # fmt: skip
CASES = [
    pytest.param(case, id=f"{table.__name__.rpartition('_')[2]}: {case.name}")
    for table in TABLES
    for case in table.CASES
]


@pytest.mark.parametrize("case", CASES)
def test_same_as_pytorch(case: Case) -> None:
    """All dtypes and memory layouts of one case; thousands of tests of their own would cost more than they do."""
    for dtype, layout in case.variants():
        try:
            run(case, dtype, layout)
        except Exception as error:
            raise AssertionError(f"in {dtype}, memory by {layout}: {type(error).__name__}: {error}") from error
