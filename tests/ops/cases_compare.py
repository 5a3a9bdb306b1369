"""Cases: comparisons, logic, where, maximum and minimum."""

from __future__ import annotations

import operator

from tests.ops.cases import Case, fixed, real, same, truth, values, whole

INF, NAN = float("inf"), float("nan")
SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}
TIED = values(1.0, 2.0, NAN, INF, 0.0, 1.0), values(1.0, 1.0, NAN, INF, -0.0, NAN)
FEW = ("rows",)


def _signs() -> list[Case]:
    cases = []
    for sign, f in SIGNS.items():
        cases.append(Case(f"x{sign}y", lambda T, x, y, f=f: f(x, y), real(3, 4), real(4)))
        cases.append(Case(f"x{sign}number", lambda T, x, f=f: (f(x, 0), f(x, 0.5), f(1, x), f(0.5, x)), real(3, 4)))
        cases.append(
            Case(f"int{sign}number", lambda T, x, f=f: (f(x, 0), f(x, 0.5), f(1, x), f(x, True)), whole(5), layouts=FEW)
        )
        cases.append(
            Case(
                f"uint8{sign}number", lambda T, x, f=f: (f(x, 2), f(x, 1.5)), whole(5, kind="uint8", low=0), layouts=FEW
            )
        )
        cases.append(Case(f"int{sign}float", lambda T, x, y, f=f: f(x, y), whole(5), real(5)))
    return cases


CASES = [
    *_signs(),
    *same("eq ne lt le gt ge isclose", *TIED),
    *same("eq ne lt le gt ge", whole(3, 4), whole(4), layouts=FEW),
    *same("eq ne lt le gt ge", truth(3, 4), truth(4), layouts=FEW),
    *same("eq lt", real(0, 3), real(3)),
    *same("eq lt", real(), real()),
    *same("isnan isinf isfinite logical_not", values(0.0, 1.0, NAN, INF, -INF)),
    *same("isnan isinf isfinite logical_not", whole(4), layouts=FEW),
    *same("isnan logical_not", truth(4), layouts=FEW),
    *same("logical_and logical_or logical_xor", real(3, 4), real(4)),
    *same("logical_and logical_or logical_xor", truth(3, 4), truth(4), layouts=FEW),
    *same("logical_and logical_or logical_xor", whole(3, 4), real(4)),
    *same("logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor", whole(3, 4), whole(4), layouts=FEW),
    *same("bitwise_and bitwise_or bitwise_xor", truth(3, 4), truth(4), layouts=FEW),
    *same("bitwise_and bitwise_or bitwise_xor", whole(4, kind="uint8", low=0), whole(4, kind="int32"), layouts=FEW),
    *same("bitwise_not", whole(4), layouts=FEW),
    *same("bitwise_not", truth(4), layouts=FEW),
    *same("bitwise_not", whole(4, kind="uint8", low=0), layouts=FEW),
    Case("bit operators", lambda T, x, y: (x & y, x | y, x ^ y, ~x, x & 3, 5 | x, 1 ^ x), whole(4), whole(4), layouts=FEW),
    Case("bool operators", lambda T, x, y: (x & y, x | y, x ^ y, ~x, x & True, x | False), truth(4), truth(4), layouts=FEW),
    Case("equal", lambda T, x, y: (T.equal(x, y), T.equal(x, x), x.equal(x.clone()), T.equal(x, x[:1])), real(3, 4), real(3, 4)),
    Case("equal nan", lambda T, x: T.equal(x, x.clone()), values(NAN, 1.0)),
    Case("isclose", lambda T, x: (T.isclose(x, x + 1e-6), T.isclose(x, x + 1e-3, atol=1e-2), T.isclose(x, x * 1.1, rtol=0.2)),
         real(3, 4)),
    Case("isclose nan", lambda T, x: (T.isclose(x, x), T.isclose(x, x, equal_nan=True)), values(NAN, INF, 1.0)),
    Case("allclose", lambda T, x: (T.allclose(x, x + 1e-9), T.allclose(x, x + 1), x.allclose(x)), real(3, 4)),
    Case("allclose ints", lambda T, x: (T.allclose(x, x), T.allclose(x, x + 1)), whole(3), layouts=FEW),
    *same("where", truth(3, 4), real(3, 4), real(3, 4)),
    *same("where", truth(4), real(3, 1), real(4)),
    *same("where", truth(), real(3, 1), real(4)),
    *same("where", truth(3, 1), real(), real(4)),
    Case("where numbers", lambda T, c, x: (T.where(c, x, 0), T.where(c, 1.5, x), T.where(x > 0, x, x * 0.1)), truth(4), real(3, 4)),
    Case("where two numbers", lambda T, c: (T.where(c, 1, 2), T.where(c, 1.0, 0), T.where(c, True, False)), truth(4), layouts=FEW),
    Case("where mixed dtypes", lambda T, c, x, y: (T.where(c, x, y), T.where(c, y, x)), truth(4), real(4), whole(4)),
    Case("where 0-d promotes less", lambda T, c, x, y: T.where(c, x, y), truth(2), fixed("float32", [1.0, 2.0]), fixed("float64", 3.0)),
    Case("where int and float number", lambda T, c, x: T.where(c, x, 0.5), truth(4), whole(4), layouts=FEW),
    Case("where condition only", lambda T, x: T.where(x > 0), real(3, 4)),
    Case("where method", lambda T, c, x, y: x.where(c, y), truth(4), real(3, 4), real(4)),
    *same("maximum minimum max min", real(3, 4), real(4)),
    *same("maximum minimum", *TIED),
    *same("maximum minimum", real(), real(3)),
    *same("maximum minimum", whole(3, 4), whole(4), layouts=FEW),
    *same("maximum minimum", whole(4), real(4)),
    *same("maximum minimum", truth(4), truth(4), layouts=FEW),
    Case("fill", lambda T, x, v: (T.fill(x, 0.5), T.fill(x, v)), real(3, 4), real()),
    Case("masked_fill", lambda T, x, m: (T.masked_fill(x, m, 0.5), x.masked_fill(m, -3)), real(3, 4), truth(3, 4)),
    Case("masked_fill broadcast", lambda T, x, m: x.masked_fill(m, float("-inf")), real(2, 3, 4), truth(3, 1)),
    Case("masked_fill wider mask", lambda T, x, m: x.masked_fill(m, 1.0), real(4), truth(3, 4)),
    Case("masked_fill tensor", lambda T, x, m, v: x.masked_fill(m, v), real(3, 4), truth(4), real()),
    Case("masked_fill int", lambda T, x, m: (x.masked_fill(m, 7), x.masked_fill(m, True)), whole(4), truth(4), layouts=FEW),
    Case("methods", lambda T, x, y: (
        x.eq(y), x.ne(y), x.lt(y), x.le(y), x.gt(y), x.ge(y), x.maximum(y), x.minimum(y), x.logical_and(y), x.logical_or(y),
        x.logical_xor(y), x.logical_not(), x.isnan(), x.isinf(), x.isfinite(), x.isclose(y)), real(3, 4), real(4)),
    Case("int methods", lambda T, x, y: (x.bitwise_and(y), x.bitwise_or(y), x.bitwise_xor(y), x.bitwise_not()), whole(4), whole(4),
         layouts=FEW),
]  # fmt: skip
