"""Cases: elementwise functions of one tensor, and clamp."""

from __future__ import annotations

from tests.ops.cases import Case, fixed, positive, real, same, truth, values, whole

INF, NAN = float("inf"), float("nan")
ANYWHERE = "exp exp2 expm1 abs absolute sign sin cos tanh sigmoid relu floor ceil round trunc fix frac"
ABOVE_ZERO = "log log2 log10 log1p sqrt rsqrt tan reciprocal"
SPECIAL = values(0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 0.5, 1.5, 2.5, -0.5, 100.0, -100.0)
FEW = ("rows",)
LOOSE = {"float32": (1e-4, 1e-5)}

CASES = [
    *same(ANYWHERE, real(3, 4)),
    *same(ABOVE_ZERO, positive(3, 4)),
    *same(ANYWHERE + " " + ABOVE_ZERO, positive()),
    *same(ANYWHERE + " " + ABOVE_ZERO, real(2, 0)),
    *same("exp log sqrt rsqrt sin cos tan tanh sigmoid exp2 expm1 log2 log10 log1p", whole(4, low=1), layouts=FEW),
    *same("exp tanh sigmoid sqrt", truth(4), layouts=FEW),
    *same("exp sigmoid sqrt", whole(4, kind="uint8", low=0), layouts=FEW),
    *same("abs sign relu floor ceil round trunc", whole(5), layouts=FEW),
    *same("abs sign relu floor", whole(5, kind="int32"), layouts=FEW),
    *same("sign abs", whole(5, kind="uint8", low=0), layouts=FEW),
    *same("exp2 abs sign tanh sigmoid relu floor ceil round trunc", SPECIAL),
    *same("exp expm1 log log2 log10 log1p sqrt rsqrt reciprocal", SPECIAL, second=False),
    Case("frac special", lambda T, x: T.frac(x), values(0.0, 1.5, -1.5, 2.0, -7.25)),
    Case("relu at 0", lambda T, x: T.relu(x) * x, values(0.0, -0.0, 1.0, -1.0)),
    Case("abs at 0", lambda T, x: abs(x) * x, values(0.0, -0.0, 1.0, -1.0)),
    Case("sign bool", lambda T, x: T.sign(x), truth(4), layouts=FEW),
    Case("round to even", lambda T, x: T.round(x), values(0.5, 1.5, 2.5, -0.5, -1.5, 3.49999)),
    Case("round decimals", lambda T, x: T.round(x, decimals=1), values(0.26, 1.55, -2.51, 10.0)),
    Case("round negative decimals", lambda T, x: T.round(x, decimals=-1), values(14.0, 16.0, -26.0)),
    Case("clamp", lambda T, x: T.clamp(x, -0.5, 0.5), real(3, 4)),
    Case("clip", lambda T, x: T.clip(x, -1, 1), real(3, 4)),
    Case("clamp one side", lambda T, x: (x.clamp(min=0), x.clamp(max=0.5), T.clamp_min(x, 0.1), T.clamp_max(x, 0)), real(3, 4)),
    Case("clamp on the limits", lambda T, x: T.clamp(x, -1.0, 1.0) * x, values(-1.0, 1.0, 0.0, 2.0, -2.0, NAN)),
    Case("clamp limits crossed", lambda T, x: T.clamp(x, 1.0, -1.0), real(3, 4)),
    Case("clamp with nan limit", lambda T, x: T.clamp(x, NAN, 1.0), real(3)),
    Case("clamp ints", lambda T, x: (x.clamp(-1, 2), x.clamp(min=0), x.clamp(max=1.5)), whole(5), layouts=FEW),
    Case("clamp int32", lambda T, x: x.clamp(-1, 2), whole(5, kind="int32"), layouts=FEW),
    Case("clamp tensors", lambda T, x, a, b: T.clamp(x, a, b), real(3, 4), real(4, high=0), real(3, 1, low=0)),
    Case("clamp tensor min", lambda T, x, a: x.clamp(min=a), real(3, 4), real(4)),
    Case("clamp tensor max", lambda T, x, a: x.clamp(max=a), real(3, 4), real(4)),
    Case("clamp tensor ties", lambda T, x, a: (x.clamp(min=a), x.clamp(max=a)), values(0.0, 1.0, NAN), values(0.0, 2.0, 1.0)),
    Case("clamp tensors crossed", lambda T, x, a, b: T.clamp(x, a, b), real(4), real(4, low=0.5), real(4, high=-0.5)),
    Case("large sigmoid", lambda T, x: (T.sigmoid(x), T.tanh(x)), values(-1e4, -90.0, 90.0, 1e4)),
    Case("chain", lambda T, x: T.tanh(T.exp(T.sin(x)) * T.sqrt(x + 3)), real(3, 4)),
    Case("float16", lambda T, x: (T.exp(x), T.tanh(x), T.sqrt(x)), fixed("float16", [0.5, 1.5]), second=False),
    Case("clone", lambda T, x: (T.clone(x), x.clone() * x), real(3, 4)),
    Case("methods", lambda T, x: (
        x.exp(), x.exp2(), x.expm1(), x.log(), x.log2(), x.log10(), x.log1p(), x.sqrt(), x.rsqrt(), x.abs(), x.sign(), x.sin(),
        x.cos(), x.tan(), x.tanh(), x.sigmoid(), x.relu(), x.floor(), x.ceil(), x.trunc(), x.frac(), x.round(), x.neg(),
        x.reciprocal(), x.square(), x.absolute(), x.negative(), x.fix(), x.clip(1, 1.5), x.clamp_min(1), x.clamp_max(1)),
        positive(2, 3)),
]  # fmt: skip
