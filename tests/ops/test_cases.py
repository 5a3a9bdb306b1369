"""Every case of the tables, in both libraries (see tests/compare.py)."""

from __future__ import annotations

import pytest

from tests.ops import (
    cases_arithmetic,
    cases_compare,
    cases_creation,
    cases_indexing,
    cases_linalg,
    cases_reduce,
    cases_setitem,
    cases_shape,
    cases_softmax,
    cases_unary,
)
from tests.ops.cases import Case
from tests.ops.run_cases import run

TABLES = (
    cases_arithmetic, cases_unary, cases_compare, cases_reduce, cases_shape, cases_indexing, cases_setitem,
    cases_linalg, cases_creation, cases_softmax,
)  # fmt: skip
VARIANTS = [
    pytest.param(case, dtype, layout, id=f"{table.__name__.rpartition('_')[2]}: {case.name}-{dtype}-{layout}")
    for table in TABLES
    for case in table.CASES
    for dtype, layout in case.variants()
]


@pytest.mark.parametrize(("case", "dtype", "layout"), VARIANTS)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)
