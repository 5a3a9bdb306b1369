"""Every case of the tables, in both libraries (see tests/compare.py)."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.compare import compare
from tests.ops import (
    cases_arithmetic,
    cases_compare,
    cases_creation,
    cases_indexing,
    cases_linalg,
    cases_reduce,
    cases_setitem,
    cases_shape,
    cases_unary,
)
from tests.ops.cases import Case

TABLES = (
    cases_arithmetic, cases_unary, cases_compare, cases_reduce, cases_shape, cases_indexing, cases_setitem,
    cases_linalg, cases_creation,
)  # fmt: skip
VARIANTS = [
    pytest.param(case, dtype, layout, id=f"{table.__name__.rpartition('_')[2]}: {case.name}-{dtype}-{layout}")
    for table in TABLES
    for case in table.CASES
    for dtype, layout in case.variants()
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_names_are_unique(table: Any) -> None:
    names = [case.name for case in table.CASES]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize(("case", "dtype", "layout"), VARIANTS)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # NumPy's; PyTorch is silent about log(0)
        warnings.filterwarnings("ignore", category=UserWarning, module="torch")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinytorch\.")
        compare(case.function, *case.inputs(dtype, layout), **case.options)
