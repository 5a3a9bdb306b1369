"""region_scatter, predicates: compared with PyTorch."""

from __future__ import annotations

import numpy as np

from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, real, values, whole
from tests.ops.run_cases import over, run

INF, NAN = float("inf"), float("nan")
AT = fixed("int64", [2, 0])

CASES = [
    Case("select_scatter", lambda T, x, s: (T.select_scatter(x, s, 0, 1), x.select_scatter(s[:3], 1, -1)), real(3, 4), real(4)),
    Case("slice_scatter", lambda T, x, s: (T.slice_scatter(x, s, 0, 1), x.slice_scatter(s, 0, 0, 3, 2)),
         real(3, 4), real(2, 4)),
    Case("diagonal_scatter", lambda T, x, s: (T.diagonal_scatter(x, s), x.diagonal_scatter(s, 1)), real(3, 4), real(3)),
    Case("fill_diagonal_", lambda T, x: ((x * 1).fill_diagonal_(2), (x[:, :2] * 1).fill_diagonal_(0.5, wrap=True), (x[0, 0] * T.ones(2, 2, 2, dtype=x.dtype)).fill_diagonal_(1)),
         real(7, 3), layouts=("rows", "gaps")),
    *[Case(f"index_reduce {r} {inc}", lambda T, x, i, s, r=r, inc=inc: T.index_reduce(x, 0, i, s, r, include_self=inc), real(3, 4), AT, real(2, 4), second=False)
      for r in ("prod", "mean", "amax", "amin") for inc in (True, False)],
    Case("index_reduce_", lambda T, x, i, s: (x * 1).index_reduce_(1, i, s, "amax"), real(2, 3), AT, real(2, 2), second=False),
    Case("renorm", lambda T, x: (T.renorm(x, 2, 0, 0.5), x.renorm(1, 1, 2.0), (x * 1).renorm_(2, 0, 100.0)), real(3, 4)),
    Case("predicates", lambda T, x, i: (T.isposinf(x), x.isneginf(), x.isreal(), i.isposinf(), T.is_floating_point(x), T.is_complex(i), T.numel(x),
                                        T.is_signed(x), T.is_tensor(3), T.is_nonzero(i[0]), x.is_same_size(i), i.is_signed()), values(INF, -INF, NAN, 1.0), whole(4)),
    Case("comparisons", lambda T, x, y: (T.greater(x, y), x.less(0), T.less_equal(x, y), x.greater_equal(y), T.not_equal(x, y)), real(3), real(3)),
    Case("adjoint", lambda T, x: (x.mH, x[0].H, x.adjoint(), x.polygamma(1), (x + 9).mvlgamma(2)), real(2, 3, 4, low=1.0, high=2.0), tolerance={"float32": (1e-4, 1e-4), "float64": (1e-8, 1e-9)}),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_errors() -> None:
    x, v = np.ones((3, 4)), np.ones(3)
    compare_errors(lambda T, x, v: T.select_scatter(x, v, 0, 1), x, v, match="slice size")
    compare_errors(lambda T, x: T.slice_scatter(x, x[:1], 0, 0, 2), x)
    compare_errors(lambda T, x, v: T.diagonal_scatter(x, v[:2]), x, v)
    compare_errors(lambda T, x: T.index_reduce(x, 0, T.tensor([0]), x[:1], "sum"), x)
    compare_errors(lambda T, v: (v * 1).fill_diagonal_(1), v)
    compare_errors(lambda T, x: T.renorm(x, 2, 0, -1.0), x)
    compare_errors(lambda T, x: T.is_nonzero(x), x)
    compare_errors(lambda T, x: T.numel(3), x)
    compare_errors(lambda T, v: v.H, v)
