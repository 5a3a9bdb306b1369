"""trigonometric, special_functions, mixtures, integers: compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, positive, real, same, truth, values, whole
from tests.ops.run_cases import over, run

INF, NAN = float("inf"), float("nan")
FEW = ("rows",)
ANYWHERE = "atan sinh cosh asinh sinc deg2rad rad2deg arctan arcsinh erf erfc sgn"
INSIDE = "asin acos atanh arcsin arccos arctanh erfinv"
ABOVE = "lgamma digamma"
LOOSE = {"float32": (1e-4, 1e-5), "float64": (1e-8, 1e-9)}

CASES = [
    *same(ANYWHERE, real(3, 4)),
    *same(INSIDE, real(3, 4, low=-0.8, high=0.8), tolerance=LOOSE),
    *same("acosh arccosh", real(3, 4, low=1.2)),
    *same(ABOVE, real(3, 4, low=0.3, high=20.0), tolerance=LOOSE),
    *same(ABOVE, real(7, low=-0.9, high=-0.2), tolerance=LOOSE),
    *same(ANYWHERE + " " + INSIDE, real(low=-0.8, high=0.8), tolerance=LOOSE),
    *same(ANYWHERE + " " + INSIDE + " " + ABOVE + " acosh", real(2, 0)),
    *same("asin atan sinh asinh erf erfc sinc deg2rad lgamma digamma erfinv", whole(4, low=0, high=2), layouts=FEW),
    *same("atan erf sinc lgamma", truth(4), layouts=FEW),
    *same("atan erfc asinh deg2rad", values([0.0, -0.0, 1.0, -30.0, 25.0])),
    *same("asin acos acosh atanh erfinv erfc erf atan lgamma digamma", values(0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 3.0),
          gradient=False),
    Case("lgamma of the largest", lambda T, x: (T.lgamma(x), T.lgamma(-x), T.mvlgamma(x, 2)), fixed("float64", [1.7e308, 2.6e305]), gradient=False),
    Case("K of the smallest", lambda T, x: (T.special.modified_bessel_k0(x), T.special.modified_bessel_k1(x)), fixed("float64", [1e-307, 3e-308, 1e-200]),
         gradient=False),
    Case("sinc of halves", lambda T, x: T.sinc(x), fixed("float16", [0.0, 0.3, 3.5, 6e4]), gradient=False),
    *[Case(f"polygamma {n}", lambda T, x, n=n: T.polygamma(n, x), real(3, 4, low=0.5, high=9.0), tolerance=LOOSE)
      for n in (0, 1, 2, 4)],
    Case("mvlgamma", lambda T, x: T.mvlgamma(x, 3), real(3, 4, low=2.0, high=9.0), tolerance=LOOSE),
    Case("logit", lambda T, x: (T.logit(x), x.logit(0.3), T.logit(x, eps=0.1)), real(3, 4, low=0.05, high=0.95)),
    *same("atan2 hypot logaddexp logaddexp2 fmax fmin copysign arctan2", real(3, 4), real(3, 1)),
    *same("atan2 hypot logaddexp logaddexp2 fmax fmin", real(), real(2, 3)),
    *same("atan2 fmax fmin copysign", whole(4), real(4)),
    *same("atan2 fmax fmin copysign", whole(4), whole(4, kind="int32"), layouts=FEW),
    *same("logaddexp logaddexp2", values(-INF, 1000.0, 3.0), values(2.0, 1000.0, 3.0), second=False),
    *same("fmax fmin", values(NAN, 1.0, 2.0, NAN), values(1.0, NAN, 2.0, NAN)),
    *same("copysign", values(0.0, -0.0, 2.0, -3.0), values(-0.0, 1.0, -1.0, 0.0), second=False),
    Case("atan2 origin", lambda T, a, b: T.atan2(a, b), values(0.0, 0.0, -0.0, 1.0), values(0.0, 1.0, -1.0, 0.0), second=False),
    Case("xlogy", lambda T, a, b: (T.xlogy(a, b), T.xlogy(a, 2.0), T.xlogy(3, b), a.xlogy(b)), real(3, 4), positive(4)),
    Case("xlogy at 0", lambda T, a, b: T.xlogy(a, b), values(0.0, 0.0, 0.0, 1.0), values(0.0, NAN, 2.0, 3.0), gradient=False),
    Case("xlogy ints", lambda T, a: T.xlogy(a, a), whole(4, low=0), layouts=FEW),
    Case("lerp", lambda T, a, b: (T.lerp(a, b, 0.3), a.lerp(b, 0.7), T.lerp(a, b, 1), T.lerp(a, b, -2.0)), real(3, 4), real(4)),
    Case("lerp tensor", lambda T, a, b, w: T.lerp(a, b, w), real(3, 4), real(4), real(3, 1)),
    Case("addcmul", lambda T, a, b, c: (T.addcmul(a, b, c), a.addcmul(b, c, value=-0.5)), real(3, 4), real(4), real(3, 1)),
    Case("addcmul ints", lambda T, a, b: T.addcmul(a, b, b, value=2), whole(3), whole(3, kind="int32"), layouts=FEW),
    Case("addcdiv", lambda T, a, b, c: (T.addcdiv(a, b, c), a.addcdiv(b, c, value=2)), real(3, 4), real(4), positive(3, 1)),
    Case("heaviside", lambda T, a, b: T.heaviside(a, b), values(-1.0, 0.0, -0.0, 2.0, NAN), real(5), gradient=False),
    Case("heaviside ints", lambda T, a, b: T.heaviside(a, b), whole(5), whole(5), layouts=FEW),
    Case("copysign number", lambda T, a: (T.copysign(a, -2), a.copysign(0.0), a.copysign(-0.0)), real(5)),
    Case("signbit", lambda T, a, i: (T.signbit(a), i.signbit()), values(0.0, -0.0, -INF, 3.0), whole(3)),
    Case("nan_to_num", lambda T, a: (T.nan_to_num(a), a.nan_to_num(1.0, 2.0, -3.0)), values(NAN, INF, -INF, 1.5)),
    Case("nan_to_num ints", lambda T, a: T.nan_to_num(a), whole(3), layouts=FEW),
    Case("float_power", lambda T, a, b: (T.float_power(a, b), a.float_power(2), T.float_power(2, b)), positive(3, 4), real(4)),
    Case("float_power ints", lambda T, a: T.float_power(a, 3), whole(4), layouts=FEW),
    Case("ldexp", lambda T, a, i: T.ldexp(a, i), real(4), whole(4, low=0)),
    Case("ldexp floats", lambda T, a, b: a.ldexp(b), real(4), real(4), gradient=False),
    Case("gcd lcm", lambda T, a, b: (T.gcd(a, b), a.lcm(b)), whole(3, 4, low=-20, high=20), whole(4, low=1, high=9)),
    Case("gcd mixed", lambda T, a, b: (T.gcd(a, b), T.lcm(a, b)), whole(4, kind="int32"), whole(4)),
    Case("shifts", lambda T, a, b: (a << b, a >> b, a << 2, a >> 1, 2 << b, 300 >> b, T.bitwise_left_shift(a, b), T.bitwise_right_shift(a, b)),
         whole(3, 4, low=-20, high=20), whole(4, low=0, high=5)),
    Case("shifts out of range", lambda T, a: (a << 70, a >> 70, a << -1, a >> -1), whole(4), layouts=FEW),
    Case("shifts of bytes", lambda T, a: ((a + 200) >> 7, (a + 200) >> 8), whole(4, kind="uint8", low=0), layouts=FEW),
    Case("shifts int8", lambda T, a, b: (a << b, a >> b), whole(4, kind="int8"), whole(4, kind="int8", low=0), layouts=FEW),
    Case("deg rad methods", lambda T, x: (x.deg2rad(), x.rad2deg(), x.sinc(), x.atan(), x.erf(), x.erfc(), x.sgn(), x.positive()),
         real(3)),
    Case("float16", lambda T, x: (T.asin(x), T.erf(x), T.sinc(x)), fixed("float16", [0.5, -0.25]), second=False),
]  # fmt: skip

IN_PLACE = [
    ("atan_ sinh_ cosh_ sinc_ deg2rad_ rad2deg_ erf_ erfc_ sgn_ exp2_ expm1_ frac_ fix_ tan_ absolute_ negative_ lgamma_"
     " log2_ log10_ log1p_ digamma_ asin_ acos_ erfinv_ arcsin_ logit_ nan_to_num_ logical_not_", ()),
    ("atan2_ hypot_ xlogy_ copysign_ logical_and_ logical_or_ logical_xor_ eq_ ne_ lt_ le_ gt_ ge_ multiply_ subtract_ divide_"
     " true_divide_", (positive(3),)),
    ("addcmul_ addcdiv_", (positive(3), positive(3))),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


@pytest.mark.parametrize(("name", "others"), [(name, others) for names, others in IN_PLACE for name in names.split()])
def test_in_place(name: str, others: Any) -> None:
    """``y = 1 · x``, then changed in place: value and gradients."""

    def change(T: Any, x: Any, *more: Any) -> Any:
        y = x * 1
        returned = getattr(y, name)(*more)
        assert returned is y
        return y, y * y

    first = real(3, low=0.2, high=0.8)
    run(Case(name, change, first, *others, layouts=FEW), "float64", "rows")


def test_in_place_with_numbers() -> None:
    def change(T: Any, x: Any, i: Any) -> Any:
        y = x.clone().lerp_(x * 2, 0.25).nan_to_num_(0.0)
        j = i.clone()
        j <<= 2
        j >>= 1
        return (
            y,
            j.bitwise_or_(8),
            i.clone().bitwise_and_(i),
            i.clone().bitwise_not_(),
            i.clone().gcd_(j),
            y.clone().clip_(0, 1),
        )

    run(Case("numbers", change, real(3), whole(3)), "float64", "rows")


def test_errors() -> None:
    x, i, flags = np.ones(3), np.arange(3), np.array([True])
    compare_errors(lambda T, x: T.heaviside(x, x.float()), x)
    compare_errors(lambda T, x: T.gcd(x, x), x, match="not implemented for 'Double'")
    compare_errors(lambda T, x: x << 1, x)
    compare_errors(lambda T, i: i << 1.5, i)
    compare_errors(lambda T, x: T.lerp(x, x.float(), 0.5), x, match="expected dtype")
    compare_errors(lambda T, i: T.lerp(i, i, 0.5), i)
    compare_errors(lambda T, i: T.addcdiv(i, i, i), i)
    compare_errors(lambda T, x: T.fmax(x, 1.0), x, match="must be Tensor")
    compare_errors(lambda T, x: T.atan2(x, 1.0), x)
    compare_errors(lambda T, i: T.hypot(i, i), i)
    compare_errors(lambda T, i: T.logaddexp(i, i), i)
    compare_errors(lambda T, b: T.positive(b), flags)
    compare_errors(lambda T, i: i.clone().atan_(), i)
    compare_errors(lambda T, x: T.atan2(x, x[:2]), x)
    compare_errors(lambda T, x: x.asin_(), x)


def test_erf_family_is_accurate() -> None:
    x = np.linspace(-6, 6, 4001)
    for name, limit in (("erf", 4e-15), ("erfc", 1e-14)):
        ours = getattr(tinytorch, name)(tinytorch.from_numpy(x)).numpy()
        theirs = getattr(torch, name)(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(ours, theirs, limit, 1e-15)
