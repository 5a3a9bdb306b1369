"""Steps: sign and rounding. Flat between the jumps, so their derivative is 0 wherever there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import elementwise
from tinytorch.ops.arguments import NOT_GIVEN
from tinytorch.ops.broadcast import Elementwise
from tinytorch.ops.checks import check_floating, refuse, refuse_bool, refuse_complex
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = ["ceil", "fix", "floor", "frac", "round", "sign", "trunc"]


class Step(Elementwise):
    """Piecewise constant functions (sign, floor, round...): the derivative is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, function: Any) -> np.ndarray:
        refuse_complex(function.__name__.strip("_"), x)
        return function(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return ops.zeros_like(grad)


@accepts_exact_out
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1; its derivative is 0. NotImplementedError for complex numbers, which :func:`sgn` is for."""
    return known_as(Step.apply(input, function=_sign), "SignBackward0")


def _sign(x: np.ndarray) -> np.ndarray:
    return x.copy() if x.dtype.kind == "b" else elementwise.sign(x) if x.dtype.kind in FLOATS else np.sign(x)


@accepts_exact_out
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest integer not above; its derivative is 0."""
    refuse_bool("floor_vml_cpu", input)
    return known_as(Step.apply(input, function=np.floor), "FloorBackward0")


@accepts_exact_out
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest integer not below; its derivative is 0."""
    refuse_bool("ceil_vml_cpu", input)
    return known_as(Step.apply(input, function=np.ceil), "CeilBackward0")


@accepts_exact_out
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The integer part; its derivative is 0."""
    refuse_bool("trunc_vml_cpu", input)
    return known_as(Step.apply(input, function=np.trunc), "TruncBackward0")


@accepts_exact_out
def round(input: Tensor, *, decimals: int = NOT_GIVEN, out: Tensor | None = None) -> Tensor:
    """The nearest integer, ties to even; or so many ``decimals``."""
    if decimals is NOT_GIVEN:
        decimals = 0
    else:
        refuse("iu", "round_vml_cpu", input)
        decimals = min(max(decimals, -400), 400)  # 10^decimals is 0 or inf long before
    refuse_bool("round_vml_cpu", input)
    refuse("c" if decimals == 0 else "ciu", "round_vml_cpu" if decimals == 0 else "round_cpu", input)
    if decimals == 0:
        step = Step.apply(input, function=np.rint if input._array.dtype.kind in FLOATS else np.array)
        return known_as(step, "RoundBackward0")
    return known_as(Step.apply(input, function=lambda x: np.round(x, decimals)), "RoundBackward1")


@accepts_exact_out
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The fractional part, with the sign of ``input``."""
    check_floating("frac_cpu", input)
    return known_as(input - trunc(input), "FracBackward0")


fix = trunc


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
