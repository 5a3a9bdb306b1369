"""float_parts, finite_differences, positions, and arguments of statistics compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, positive, real, values, whole
from tests.ops.run_cases import run

INF, NAN = float("inf"), float("nan")
FEW = ("rows",)

CASES = [
    Case("frexp", lambda T, x: T.frexp(x), real(3, 4, low=-100, high=100)),
    Case("frexp specials", lambda T, x: x.frexp(), values(0.0, -0.0, 1.0, INF, -INF, NAN, 1e-310)),
    Case("frexp half", lambda T, x: T.frexp(x), fixed("float16", [3.0, 0.1]), gradient=False),
    Case("nextafter", lambda T, x, y: (T.nextafter(x, y), x.nextafter(y)), real(3, 4), real(4)),
    Case("nextafter specials", lambda T, x, y: T.nextafter(x, y), values(1.0, 0.0, INF, NAN, 1.0), values(1.0, 1.0, 0.0, 1.0, NAN)),
    Case("nextafter_", lambda T, x, y: (x * 1).nextafter_(y), real(3), real(3)),
    Case("nonzero_static", lambda T, x: (T.nonzero_static(x, size=3), x.nonzero_static(size=20, fill_value=-7)), whole(3, 4)),
    Case("nonzero_static 0-d", lambda T, x: T.nonzero_static(x, size=2), whole()),
    Case("unravel_index", lambda T, i: (T.unravel_index(i, (2, 3, 4)), T.unravel_index(i, 30)), whole(5, low=0, high=24)),
    Case("unravel_index outside", lambda T, i: T.unravel_index(i, (4, 5)), fixed("int32", [-1, 25]), layouts=FEW),
    Case("gradient", lambda T, x: T.gradient(x), real(4, 5)),
    Case("gradient of order 2", lambda T, x: T.gradient(x, edge_order=2, spacing=0.5), real(4, 5)),
    Case("gradient along", lambda T, x: (T.gradient(x, dim=1), T.gradient(x, dim=(2, 0), spacing=(2.0, 3))), real(3, 4, 5)),
    Case("gradient on coordinates", lambda T, x, a: T.gradient(x, dim=0, spacing=(a,)), real(4, 5), values(0.0, 1.0, 3.0, 3.5)),
    Case("gradient on coordinates 2", lambda T, x, a: T.gradient(x, dim=(1,), spacing=[a], edge_order=2), real(3, 4),
         values(0.0, 1.0, 3.0, 3.5)),
    Case("gradient of integers", lambda T, x: (T.gradient(x), T.gradient(x, spacing=2, edge_order=2)), whole(5)),
    Case("copysign with second", lambda T, a, b: T.copysign(a, b), values(1.0, -3.0), values(-2.0, 4.0)),
    Case("cov weights", lambda T, x, f, a: (T.cov(x, fweights=f), T.cov(x, aweights=a), T.cov(x, fweights=f, aweights=a)),
         real(3, 5), whole(5, low=1), positive(5)),
    Case("round_ decimals", lambda T, x: (x * 1).round_(decimals=1), real(5)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_same_as_pytorch(case: Case) -> None:
    for dtype, layout in case.variants():
        run(case, dtype, layout)


def bad(function: Any, match: str | None = None) -> None:
    """A misuse of a (4, 4) matrix of doubles, and of int64."""
    compare_errors(function, np.ones((4, 4)), np.arange(4), match=match)


def test_errors() -> None:
    bad(lambda T, x, i: T.frexp(i), match="only supports floating-point")
    bad(lambda T, x, i: T.nextafter(i, i), match="not implemented for 'Long'")
    bad(lambda T, x, i: T.nextafter(x, 2.0))
    bad(lambda T, x, i: T.nonzero_static(i, size=-1), match="non-negative")
    bad(lambda T, x, i: T.unravel_index(x, (4, 5)), match="integer dtype")
    bad(lambda T, x, i: T.unravel_index(i, (-1, 5)), match="negative")
    bad(lambda T, x, i: T.unravel_index(i, (1.0, 5)), match="must be tuple of ints")
    bad(lambda T, x, i: T.gradient(i.byte()), match="uint8")
    bad(lambda T, x, i: T.gradient(x, edge_order=3), match="edge_order=1 and edge_order=2")
    bad(lambda T, x, i: T.gradient(x, dim=(0, 0)), match="appears multiple times")
    bad(lambda T, x, i: T.gradient(x, spacing=[1.0, 2.0], dim=0), match="same length")
    bad(lambda T, x, i: T.gradient(x, spacing=[1.0]), match="dim argument was not given")
    bad(lambda T, x, i: T.gradient(x[:2], edge_order=2), match="at least edge_order+1")
    bad(lambda T, x, i: T.gradient(x, spacing=(x, x)), match="one dimension")
    bad(lambda T, x, i: T.gradient(x, spacing="a"))
    bad(lambda T, x, i: T.gradient(x, dim=3), match="out of range")
    bad(lambda T, x, i: T.cov(x, fweights=x), match="one or fewer dimensions")
    bad(lambda T, x, i: T.cov(x, fweights=x[0]), match="integral dtype")
    bad(lambda T, x, i: T.cov(x, fweights=i[:2]), match="same numel")
    bad(lambda T, x, i: T.cov(x, fweights=-i), match="negative")
    bad(lambda T, x, i: T.cov(x, fweights=i * 0), match="sum to zero")
    bad(lambda T, x, i: T.cov(x, aweights=i), match="floating point dtype")
    bad(lambda T, x, i: T.cov(x > 0), match="bool")
    bad(lambda T, x, i: T.isclose(x, x, rtol=-0.5), match="rtol must be")
    bad(lambda T, x, i: T.isclose(x, x, atol=-0.5), match="atol must be")
    bad(lambda T, x, i: T.isclose(x, 2.0))
    bad(lambda T, x, i: T.renorm(x.sum(), 2, 0, 1.0), match="at least 2 dimensions")
    bad(lambda T, x, i: T.renorm(x, -2, 0, 1.0), match="non-positive-norm")
