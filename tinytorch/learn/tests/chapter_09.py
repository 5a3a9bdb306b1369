"""Checks of chapter 9: initialization."""

import tinytorch
from tinytorch.nn import init


def test_fan_in_and_fan_out() -> None:
    fans = init._calculate_fan_in_and_fan_out(tinytorch.empty(5, 3))
    assert fans == (3, 5), f"a Linear weight (out 5, in 3): (fan_in, fan_out) = {fans}?"
    fans = init._calculate_fan_in_and_fan_out(tinytorch.empty(8, 4, 3, 3))
    assert fans == (36, 72), f"a Conv2d weight (out 8, in 4, 3, 3): {fans}? Each output sums 4 · 3 · 3 products"


def test_kaiming_normal() -> None:
    tinytorch.manual_seed(0)
    for mode, fan in (("fan_in", 200), ("fan_out", 400)):
        weight = init.kaiming_normal_(
            tinytorch.empty(400, 200, dtype=tinytorch.float64), mode=mode, nonlinearity="relu"
        )
        found = fan * weight._array.var()
        assert abs(found - 2) < 0.05, f"{mode} · Var(w) should be about 2 for a ReLU, and it is {found:.3g}"
