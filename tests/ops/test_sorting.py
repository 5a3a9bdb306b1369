"""sorting and unique: compared with PyTorch."""

from __future__ import annotations

import numpy as np

from tests.compare import compare, compare_errors
from tests.ops.cases import Case, fixed, real, truth, values, whole
from tests.ops.run_cases import over, run

INF, NAN = float("inf"), float("nan")
FEW = ("rows",)
REPEATS = fixed("int64", [[3, 1, 1, 2, 3, 3], [0, 0, 1, 1, 2, 2]])

CASES = [
    *[Case(f"sort {dim} {down}", lambda T, x, d=dim, b=down: (*T.sort(x, d, b), T.argsort(x, d, b)), real(2, 3, 4))
      for dim in (0, 1, -1) for down in (False, True)],
    Case("sort forms", lambda T, x: (*x.sort(), *x.sort(0), *T.sort(x, dim=0, descending=True, stable=True), x.msort(), x.argsort(0)),
         real(3, 4)),
    Case("sort nan", lambda T, x: (*x.sort(), *x.sort(descending=True)), values(NAN, 1.0, -INF, NAN, INF, 0.0)),
    Case("sort stable", lambda T, i: (*T.sort(i, stable=True), *T.sort(i, descending=True, stable=True)), REPEATS),
    Case("sort bools", lambda T, b: T.sort(b, stable=True), truth(7)),
    Case("sort empty", lambda T, x: (*x.sort(), *x.sort(0)), real(2, 0)),
    Case("sort 0-d", lambda T, x: (*x.sort(), *x.topk(1), *x.kthvalue(1), *x.median(0), x.median()), real()),
    Case("sort named", lambda T, x: (x.sort(1).values, x.sort(1).indices, T.topk(x, 2).values, T.kthvalue(x, 1).indices), real(3, 4)),
    *[Case(f"topk {k} {dim} {large}", lambda T, x, k=k, d=dim, g=large: T.topk(x, k, d, g), real(3, 4))
      for k in (0, 1, 3) for dim in (0, -1) for large in (True, False)],
    Case("topk methods", lambda T, x: (*x.topk(2), *x.topk(2, dim=0, largest=False)), real(3, 4)),
    Case("kthvalue", lambda T, x: (*T.kthvalue(x, 2), *x.kthvalue(1, 0, True), *x.kthvalue(3, dim=0)), real(3, 4)),
    Case("median", lambda T, x: (T.median(x), x.median(), *x.median(1), *T.median(x, 0, True), *T.median(x, -1)), real(3, 4)),
    Case("median odd", lambda T, x: (T.median(x), *x.median(1), *x.nanmedian(0), x.nanmedian()), real(5, 3)),
    Case("median nan", lambda T, x: (*x.median(1), *x.nanmedian(1), T.nanmedian(x)), values([[3.0, NAN, 1.0, 2.0], [4.0, 0.0, 7.0, 5.0]])),
    Case("median with nan", lambda T, x: T.median(x), values([3.0, NAN, 1.0]), second=False),
    Case("median ties", lambda T, x: (T.median(x), T.nanmedian(x)), values([1.0, 2.0, 2.0, 2.0, 5.0])),
    Case("median ints", lambda T, i: (i.median(), i.median(1).values), whole(3, 5)),
    Case("mode", lambda T, i: (*T.mode(i), *i.mode(0), *i.mode(1, True)), REPEATS),
    Case("mode floats", lambda T, x: T.mode(x, -1), values([[1.0, 2.0, 2.0], [0.5, 0.5, 0.0]])),
    Case("mode nan", lambda T, x: T.mode(x, -1), values([[1, NAN, 3, 2, NAN, 3], [2, 1, NAN, 1, NAN, 2], [NAN] * 6])),
    Case("searchsorted", lambda T, s, x: (T.searchsorted(s, x), T.searchsorted(s, x, right=True), T.searchsorted(s, 3.0),
                                          T.searchsorted(s, x, out_int32=True), T.searchsorted(s, x, side="right")),
         fixed("float64", [1.0, 2.0, 2.0, 4.0]), fixed("float64", [[0.0, 2.0], [4.0, 9.0]]), gradient=False),
    Case("searchsorted rows", lambda T, s, x: T.searchsorted(s, x), fixed("int64", [[1, 3, 5], [2, 4, 6]]), fixed("int64", [[3, 6], [3, 6]])),
    Case("searchsorted sorter", lambda T, s, x: T.searchsorted(s, x, sorter=T.argsort(s)), fixed("int64", [5, 1, 3]), fixed("int64", [3, 6])),
    Case("bucketize", lambda T, x, b: (T.bucketize(x, b), T.bucketize(x, b, right=True), T.bucketize(2.0, b)),
         fixed("float64", [[1.0, 2.5], [3.0, 0.0]]), fixed("float64", [1.0, 2.0, 3.0]), gradient=False),
    Case("unique", lambda T, i: (T.unique(i), *T.unique(i, return_inverse=True), *i.unique(return_counts=True),
                                 *i.unique(True, True, True)), REPEATS),
    Case("unique dim", lambda T, i: (T.unique(i, dim=0), *T.unique(i, dim=1, return_inverse=True, return_counts=True)),
         fixed("int64", [[1, 0, 1], [0, 0, 0], [1, 0, 1]])),
    Case("unique floats", lambda T, x: T.unique(x, return_counts=True), values(NAN, 2.0, 1.0, 2.0, NAN), gradient=False),
    Case("unique bools", lambda T, b: T.unique(b, return_inverse=True), truth(5)),
    Case("unique_consecutive", lambda T, i: (T.unique_consecutive(i), *i.unique_consecutive(True, True),
                                             *T.unique_consecutive(i, return_counts=True, dim=1)), REPEATS),
    Case("bincount", lambda T, i, w: (T.bincount(i), i.bincount(minlength=9), T.bincount(i, w), i.bincount(w.float())),
         fixed("int64", [3, 1, 1, 0]), fixed("float64", [0.5, 1.5, 2.0, 1.0]), gradient=False),
    Case("histc", lambda T, x: (T.histc(x, 5), x.histc(4, -1, 1), x.histc(bins=3, min=0, max=0)), real(20), gradient=False),
    Case("count_nonzero", lambda T, i: (T.count_nonzero(i), i.count_nonzero(0), i.count_nonzero((0, 1)), T.count_nonzero(i, dim=-1)),
         whole(3, 4, low=0, high=2)),
    Case("isin", lambda T, i, j: (T.isin(i, j), T.isin(i, 1), T.isin(i, j, invert=True)), whole(3, 4), whole(3)),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_errors() -> None:
    x, i = np.ones((2, 3)), np.arange(6).reshape(2, 3)
    compare_errors(lambda T, x: x.sort(2), x)
    compare_errors(lambda T, x: x.topk(4), x, match="out of range")
    compare_errors(lambda T, x: x.kthvalue(0), x)
    compare_errors(lambda T, x: x[:0].median(0), x)
    compare_errors(lambda T, x: x[:0].mode(0), x)
    compare_errors(lambda T, i: T.searchsorted(i, i[0]), i)
    compare_errors(lambda T, i: T.searchsorted(i[0], i[0], side="middle"), i)
    compare_errors(lambda T, i: T.searchsorted(i[0], i[0], right=True, side="left"), i)
    compare_errors(lambda T, i: T.bucketize(i, i), i)
    compare_errors(lambda T, i: T.bincount(i), i)
    compare_errors(lambda T, i: T.bincount(i[0] - 1), i)
    compare_errors(lambda T, x: T.bincount(x[0]), x)
    compare_errors(lambda T, i: T.histc(i), i)
    compare_errors(lambda T, x: T.histc(x, 0), x)
    compare_errors(lambda T, x: T.histc(x, 3, 5, 2), x)


def test_few_of_many() -> None:
    """Rows so long that the first are partitioned off, with ties and nan."""
    rng = np.random.default_rng(0)
    whole_numbers, real_numbers = rng.integers(0, 60, (2, 300)), rng.standard_normal((3, 200))
    real_numbers[0, 3] = np.nan
    for k in (1, 3, 20):
        compare(lambda T, x, k=k: (T.topk(x, k), T.topk(x, k, 1, False)), whole_numbers)
        compare(lambda T, x, k=k: (T.topk(x, k), T.topk(x.t(), k, 0, False)), real_numbers)
