"""Cases: matrix products for every combination of ranks, linear."""

from __future__ import annotations

from tests.ops.cases import Case, fixed, real, same, whole
from tests.ops.functional import functional

FEW = ("rows",)
#: Shapes of the two operands of matmul.
PAIRS = [
    ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (6, 1, 3, 4)), ((6, 5, 2, 3), (3,)), ((3,), (6, 5, 3, 4)), ((6, 5, 2, 3), (3, 4)), ((1, 1), (1, 1)),
    ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((0,), (0,)), ((5, 0, 3), (3, 4)), ((0, 2, 3), (3, 4)), ((0, 2, 3), (0, 3, 4)),
    ((2, 3), (3, 0)),
]  # fmt: skip

CASES = [
    *[case for a, b in PAIRS for case in same("matmul", real(*a), real(*b))],
    Case("operator @", lambda T, x, y: (x @ y, y @ x, x.T @ x, x @ x.t()), real(3, 4), real(4, 3)),
    Case("matmul of slices", lambda T, x, y: x[:, ::2] @ y[1:3], real(3, 4), real(4, 3)),
    *same("matmul mm", whole(2, 3), whole(3, 4), layouts=FEW),
    *same("matmul", whole(2, 3, kind="int32"), whole(3, kind="int32"), layouts=FEW),
    *same("mm", real(2, 3), real(3, 4)),
    *same("bmm", real(5, 2, 3), real(5, 3, 4)),
    *same("mv", real(2, 3), real(3)),
    *same("dot", real(3), real(3)),
    *same("dot", whole(3), whole(3), layouts=FEW),
    *same("outer", real(2), real(3)),
    Case("outer promotes", lambda T, x, y: T.outer(x, y), real(2), whole(3)),
    *same("addmm", real(2, 4), real(2, 3), real(3, 4)),
    Case("addmm broadcast", lambda T, b, x, y: (T.addmm(b, x, y, beta=2, alpha=0.5), b.addmm(x, y)), real(4), real(2, 3), real(3, 4)),
    Case("addmm beta 0", lambda T, b, x, y: T.addmm(b, x, y, beta=0), fixed("float64", [[float("nan")] * 4] * 2),
         fixed("float64", [[1.0, 2.0, 3.0], [0.5, 1.5, 2.5]]), fixed("float64", [[1.0] * 4] * 3)),
    Case("linear", lambda T, x, w, b: functional(T).linear(x, w, b), real(5, 3), real(2, 3), real(2)),
    Case("linear without bias", lambda T, x, w: functional(T).linear(x, w), real(5, 3), real(2, 3)),
    Case("linear of many", lambda T, x, w, b: functional(T).linear(x, w, b), real(4, 5, 3), real(2, 3), real(2)),
    Case("linear of one", lambda T, x, w, b: functional(T).linear(x, w, b), real(3), real(2, 3), real(2)),
    Case("linear of none", lambda T, x, w, b: functional(T).linear(x, w, b), real(0, 3), real(2, 3), real(2)),
    Case("linear weight vector", lambda T, x, w: functional(T).linear(x, w), real(5, 3), real(3)),
    Case("methods", lambda T, x, y, v: (x.matmul(y), x.mm(y), x.mv(v), v.dot(v), v.outer(v), v.matmul(y)), real(2, 3), real(3, 4), real(3)),
    Case("three layers", lambda T, x, a, b: ((x @ a).relu() @ b).tanh(), real(5, 3), real(3, 4), real(4, 2)),
]  # fmt: skip
