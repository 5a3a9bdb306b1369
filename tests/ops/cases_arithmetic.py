"""Cases: + - * / // % ** between tensors and numbers, broadcasting, type promotion, casts."""

from __future__ import annotations

import operator

from tests.ops.cases import Case, counts, fixed, positive, real, same, truth, values, whole

INF, NAN = float("inf"), float("nan")
OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
BINARY = "add sub subtract rsub mul multiply div divide true_divide remainder fmod"
FEW = ("rows",)


def _number_cases() -> list[Case]:
    """Python numbers on either side of every operator."""
    cases = []
    for sign, apply in OPERATORS.items():
        for number in (2, 1.5, True, -3):
            if number is True and sign in ("-", "**"):  # refused (tests/ops/test_errors.py); not finished in PyTorch
                continue
            if sign != "**" or number != -3:
                name = f"x{sign}{number}"
                cases.append(Case(name, lambda T, x, f=apply, n=number: f(x, n), positive(2, 3), gradient=sign != "//"))
            name, smooth = f"{number}{sign}x", sign not in ("//", "%")  # PyTorch has no derivative for number % x
            cases.append(Case(name, lambda T, x, f=apply, n=number: f(n, x), positive(2, 3), gradient=smooth))
            if not (sign == "**" and number == -3):
                name = f"int x{sign}{number}"
                cases.append(Case(name, lambda T, x, f=apply, n=number: f(x, n), counts(2, 3), layouts=FEW))
            name = f"{number}{sign}int x"
            cases.append(Case(name, lambda T, x, f=apply, n=number: f(n, x), counts(2, 3), layouts=FEW))
    return cases


def _promotion_cases() -> list[Case]:
    """Every pair of dtypes, each with and without dimensions, under + and /."""
    kinds = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
    cases = []
    for a in kinds:
        for b in kinds:
            for shape_a, shape_b in (((2,), (2,)), ((2,), ()), ((), ())):
                left, right = (
                    truth(*s) if k == "bool" else counts(*s, kind=k) for k, s in ((a, shape_a), (b, shape_b))
                )
                name = f"{a}{list(shape_a)} and {b}{list(shape_b)}"
                cases.append(
                    Case(
                        name,
                        lambda T, x, y: (x + y, y * x, x / (y + 1), T.result_type(x, y)),
                        left,
                        right,
                        layouts=FEW,
                        tolerance={"float64": (1e-3, 1e-3), "float32": (1e-3, 1e-3)},
                    )  # of float16
                )
    return cases


def _number_promotion_cases() -> list[Case]:
    """A tensor of every dtype with Python numbers of every kind."""
    cases = []
    for kind in ("float64", "float32", "float16", "int64", "int32", "uint8", "bool"):
        for shape in ((2,), ()):
            sample = truth(*shape) if kind == "bool" else counts(*shape, kind=kind)
            for number in (True, 3, 0.5):
                cases.append(
                    Case(
                        f"{kind}{list(shape)} and {number}",
                        lambda T, x, n=number: (x + n, n * x, x / n, T.result_type(x, n), T.where(x > 1, x, n)),
                        sample,
                        layouts=FEW,
                    )
                )
    return cases


CASES = [
    *same(BINARY, real(2, 3), real(2, 3, low=0.5)),
    *same("add sub mul div remainder", real(4, 1, 3), real(2, 1, low=0.5)),
    *same("floor_divide", real(4, 1, 3), real(2, 1, low=0.5), gradient=False),
    *same("add sub mul div remainder fmod", real(), real(2, 3, low=0.5)),
    *same("add sub mul div remainder fmod", real(2, 3), real(low=0.5)),
    *same("add sub mul div", real(), real(low=0.5)),
    *same("add mul div", real(0, 3), real(1, 3)),
    *same("add mul div", real(2, 0), real(1)),
    *same("add sub mul div floor_divide remainder fmod", whole(3, 4), counts(4), layouts=FEW),
    *same("add mul floor_divide remainder fmod", whole(3, kind="int32"), counts(3, kind="int32"), layouts=FEW),
    *same("add sub mul floor_divide remainder fmod", whole(3, low=0, kind="uint8"), counts(3, kind="uint8"), layouts=FEW),
    *same("add mul", truth(3), truth(3), layouts=FEW),
    Case("no integers by zero", lambda T, x: (T.remainder(x, 0), T.fmod(x, 0), T.floor_divide(x, 0)), whole(2, 0), layouts=FEW),
    *same("floor_divide", values(1.0, -1.0, 0.0, NAN, INF, 3.0, -7.5), values(0.0, 0.0, 0.0, 1.0, 2.0, INF, 2.0), gradient=False),
    *same("div remainder fmod", values(1.0, -1.0, 0.0, NAN, INF, 3.0), values(0.0, 0.0, 0.0, 1.0, 2.0, INF)),
    *same("remainder fmod", values(-7.5, 7.5, -7.5, 7.5, 6.0, -6.0), values(2.0, -2.0, -2.0, 2.0, -3.0, 3.0)),
    *same("floor_divide remainder fmod", fixed("int64", [-7, 7, -7, 7]), fixed("int64", [2, -2, -2, 2]), layouts=FEW),
    Case("same tensor twice", lambda T, x: (x + x, x * x, x / x, x - x, x**x), positive(2, 3)),
    Case("alpha", lambda T, x, y: (T.add(x, y, alpha=2), T.sub(x, y, alpha=0.5), T.rsub(x, y, alpha=3)), real(2, 3), real(3)),
    Case("alpha on ints", lambda T, x, y: (T.add(x, y, alpha=2), T.sub(x, y, alpha=3)), whole(3), whole(3), layouts=FEW),
    Case("alpha with number", lambda T, x: (x.add(3, alpha=2), x.sub(1.5, alpha=2)), real(2, 3)),
    Case("rounding trunc", lambda T, x, y: T.div(x, y, rounding_mode="trunc"), real(2, 3), real(3, low=0.5)),
    Case("rounding floor", lambda T, x, y: x.div(y, rounding_mode="floor"), real(2, 3), real(3, low=0.5)),
    Case("rounding ints", lambda T, x, y: (T.div(x, y, rounding_mode="trunc"), x.div(y, rounding_mode="floor")),
         fixed("int64", [-7, 7, -7, 7]), fixed("int64", [2, -2, -2, 2]), layouts=FEW),
    Case("pow", lambda T, x, y: T.pow(x, y), positive(2, 3), real(3)),
    Case("pow by tensor 0-d", lambda T, x, y: x**y, positive(2, 3), real()),
    Case("pow int exponent tensor", lambda T, x, y: x**y, real(2, 3), whole(3, low=0)),
    Case("pow numbers", lambda T, x: (x**2, x**3, x**0, x**1, x**0.5, x**-1, x**-2.5, x**2.0), positive(2, 3)),
    Case("number to the power", lambda T, x: (2**x, 0.5**x, 1**x, T.pow(3.0, x)), real(2, 3)),
    Case("0 to the power", lambda T, x: 0**x, values(2.0, 0.0, 1.5), second=False),
    Case("pow at 0", lambda T, x: (x**2, x**1, x**0, x**3), values(0.0, -1.0, 2.0)),
    Case("pow tensor at 0", lambda T, x, y: x**y, values(0.0, 0.0, 2.0), values(0.0, 2.0, 0.0), second=False),
    Case("pow negative base", lambda T, x: (x**2, x**3, x**0.5), values(-2.0, -0.5, 1.0)),
    Case("int pow", lambda T, x, y: (x**2, x**y, x**0, 2**y, x**0.5), whole(4), counts(4), layouts=FEW),
    Case("int pow negative tensor", lambda T, x, y: x**y, fixed("int64", [1, -1, -1, 2]), fixed("int64", [-3, -3, -2, -1]),
         layouts=FEW),
    Case("uint8 pow", lambda T, x: (x**2, x**3), fixed("uint8", [3, 20, 200]), layouts=FEW),
    Case("uint8 wraps", lambda T, x: (x + 10, x - 10, x * 2, -x), fixed("uint8", [3, 20, 250]), layouts=FEW),
    Case("int32 wraps", lambda T, x: (x + 1, x * 2), fixed("int32", [2**31 - 1, -(2**31)]), layouts=FEW),
    *same("neg negative reciprocal square", positive(2, 3)),
    *same("neg reciprocal square", positive()),
    *same("neg square", real(2, 0, 3)),
    *same("neg reciprocal square", whole(3), layouts=FEW),
    Case("square bool", lambda T, x: T.square(x), truth(3), layouts=FEW),
    Case("unary signs", lambda T, x: (-x, +x, abs(x)), real(2, 3)),
    Case("chain", lambda T, x, y: (x * y + y / x - x) * (y + 2) ** 2, positive(2, 3), positive(3)),
    Case("int tensor with float tensor", lambda T, x, y: (x * y, y - x, x / y, y**x), counts(2, 3), positive(3)),
    Case("bool tensor with float tensor", lambda T, x, y: (x * y, x + y, y / (x + 1)), truth(2, 3), positive(3)),
    Case("float16", lambda T, x, y: (x * y, x + 1, x / 3, -x), fixed("float16", [1.5, 2.0]), fixed("float16", [0.5, -2.0]),
         second=False),
    Case("mixed dtypes", lambda T, x, y: (x * y, x / y, x - y, x**y), fixed("float32", [1.5, 2.0]), fixed("float64", [0.5, 2.0])),
    Case("mixed dtypes 0-d", lambda T, x, y: (x * y, x / y, y**x), fixed("float32", [1.5, 2.0]), fixed("float64", 0.5),
         tolerance={"float64": (1e-5, 1e-5)}),
    Case("expand", lambda T, x: (x.expand(4, 2, 3), x.expand(2, -1), x.expand((2, 2, 3))), real(1, 3)),
    Case("expand 0-d", lambda T, x: (x.expand(2, 3), x.expand(3)), real()),
    Case("expand to nothing", lambda T, x: x.expand(0, 2, 3), real(1, 3)),
    Case("sum_to_size", lambda T, x: (x.sum_to_size(1, 3), x.sum_to_size(3), x.sum_to_size((2, 3))), real(2, 3)),
    Case("expand as", lambda T, x, y: x.expand_as(y) * y, real(1, 3), real(2, 3)),
    Case("broadcast_to", lambda T, x: T.broadcast_to(x, (2, 4, 3)), real(4, 1)),
    Case("broadcast_tensors", lambda T, x, y, z: T.broadcast_tensors(x, y, z), real(4, 1), real(3), real()),
    Case("broadcast_shapes", lambda T: T.broadcast_shapes((2, 1), (3,), (1, 1, 1), 3)),
    Case("casts", lambda T, x: (x.double(), x.float(), x.to(T.float32), x.to(dtype=T.float64), x.half()), real(2, 3),
         tolerance={"float64": (1e-3, 1e-3), "float32": (1e-3, 1e-3)}),
    Case("casts to integers", lambda T, x: (x.int(), x.long(), x.short(), x.char(), x.bool(), (x.abs() + 1).byte()), real(2, 3)),
    Case("casts of integers", lambda T, x: (x.float(), x.double(), x.int(), x.bool(), x.to(T.uint8)), whole(3), layouts=FEW),
    Case("cast in the middle", lambda T, x: (x.double() * 3).float() * x, real(2, 3), tolerance={"float64": (1e-6, 1e-6)}),
    Case("type_as", lambda T, x, y: (x.type_as(y), y.type_as(x)), fixed("float32", [1.5]), fixed("float64", [2.5])),
    *_number_cases(),
    *_promotion_cases(),
    *_number_promotion_cases(),
]  # fmt: skip
