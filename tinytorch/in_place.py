"""The ops that change their first argument in place, as functions: ``torch.relu_(x)`` is ``x.relu_()``.

The module is loaded when one of these names is first asked for.
"""

from __future__ import annotations

from typing import Any

from tinytorch.tensor import Tensor

__all__ = [
    "abs_",
    "acos_",
    "acosh_",
    "addmv_",
    "arccos_",
    "arccosh_",
    "arcsin_",
    "arcsinh_",
    "arctan_",
    "arctanh_",
    "asin_",
    "asinh_",
    "atan_",
    "atanh_",
    "ceil_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "clip_",
    "conj_physical_",
    "cos_",
    "cosh_",
    "deg2rad_",
    "detach_",
    "erf_",
    "erfc_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "fix_",
    "floor_",
    "frac_",
    "gcd_",
    "i0_",
    "index_put_",
    "lcm_",
    "ldexp_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "logit_",
    "nan_to_num_",
    "neg_",
    "negative_",
    "rad2deg_",
    "reciprocal_",
    "relu_",
    "round_",
    "rsqrt_",
    "sigmoid_",
    "sin_",
    "sinc_",
    "sinh_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "trunc_",
    "xlogy_",
    "zero_",
]


def abs_(input: Tensor) -> Tensor:
    """``input.abs_()``."""
    return input.abs_()


def acos_(input: Tensor) -> Tensor:
    """``input.acos_()``."""
    return input.acos_()


def acosh_(input: Tensor) -> Tensor:
    """``input.acosh_()``."""
    return input.acosh_()


def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``input.addmv_(mat, vec, beta=beta, alpha=alpha)``."""
    return input.addmv_(mat, vec, beta=beta, alpha=alpha)


def arccos_(input: Tensor) -> Tensor:
    """``input.arccos_()``."""
    return input.arccos_()


def arccosh_(input: Tensor) -> Tensor:
    """``input.arccosh_()``."""
    return input.arccosh_()


def arcsin_(input: Tensor) -> Tensor:
    """``input.arcsin_()``."""
    return input.arcsin_()


def arcsinh_(input: Tensor) -> Tensor:
    """``input.arcsinh_()``."""
    return input.arcsinh_()


def arctan_(input: Tensor) -> Tensor:
    """``input.arctan_()``."""
    return input.arctan_()


def arctanh_(input: Tensor) -> Tensor:
    """``input.arctanh_()``."""
    return input.arctanh_()


def asin_(input: Tensor) -> Tensor:
    """``input.asin_()``."""
    return input.asin_()


def asinh_(input: Tensor) -> Tensor:
    """``input.asinh_()``."""
    return input.asinh_()


def atan_(input: Tensor) -> Tensor:
    """``input.atan_()``."""
    return input.atan_()


def atanh_(input: Tensor) -> Tensor:
    """``input.atanh_()``."""
    return input.atanh_()


def ceil_(input: Tensor) -> Tensor:
    """``input.ceil_()``."""
    return input.ceil_()


def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input.clamp_(min, max)``."""
    return input.clamp_(min, max)


def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """``input.clamp_max_(max)``."""
    return input.clamp_max_(max)


def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """``input.clamp_min_(min)``."""
    return input.clamp_min_(min)


def clip_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input.clip_(min, max)``."""
    return input.clip_(min, max)


def conj_physical_(input: Tensor) -> Tensor:
    """``input.conj_physical_()``."""
    return input.conj_physical_()


def cos_(input: Tensor) -> Tensor:
    """``input.cos_()``."""
    return input.cos_()


def cosh_(input: Tensor) -> Tensor:
    """``input.cosh_()``."""
    return input.cosh_()


def deg2rad_(input: Tensor) -> Tensor:
    """``input.deg2rad_()``."""
    return input.deg2rad_()


def detach_(input: Tensor) -> Tensor:
    """``input.detach_()``."""
    return input.detach_()


def erf_(input: Tensor) -> Tensor:
    """``input.erf_()``."""
    return input.erf_()


def erfc_(input: Tensor) -> Tensor:
    """``input.erfc_()``."""
    return input.erfc_()


def exp2_(input: Tensor) -> Tensor:
    """``input.exp2_()``."""
    return input.exp2_()


def exp_(input: Tensor) -> Tensor:
    """``input.exp_()``."""
    return input.exp_()


def expm1_(input: Tensor) -> Tensor:
    """``input.expm1_()``."""
    return input.expm1_()


def fill_(input: Tensor, value: Any) -> Tensor:
    """``input.fill_(value)``."""
    return input.fill_(value)


def fix_(input: Tensor) -> Tensor:
    """``input.fix_()``."""
    return input.fix_()


def floor_(input: Tensor) -> Tensor:
    """``input.floor_()``."""
    return input.floor_()


def frac_(input: Tensor) -> Tensor:
    """``input.frac_()``."""
    return input.frac_()


def gcd_(input: Tensor, other: Any) -> Tensor:
    """``input.gcd_(other)``."""
    return input.gcd_(other)


def i0_(input: Tensor) -> Tensor:
    """``input.i0_()``."""
    return input.i0_()


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input.index_put_(indices, values, accumulate)``."""
    return input.index_put_(indices, values, accumulate)


def lcm_(input: Tensor, other: Any) -> Tensor:
    """``input.lcm_(other)``."""
    return input.lcm_(other)


def ldexp_(input: Tensor, other: Any) -> Tensor:
    """``input.ldexp_(other)``."""
    return input.ldexp_(other)


def log10_(input: Tensor) -> Tensor:
    """``input.log10_()``."""
    return input.log10_()


def log1p_(input: Tensor) -> Tensor:
    """``input.log1p_()``."""
    return input.log1p_()


def log2_(input: Tensor) -> Tensor:
    """``input.log2_()``."""
    return input.log2_()


def log_(input: Tensor) -> Tensor:
    """``input.log_()``."""
    return input.log_()


def logit_(input: Tensor, eps: float | None = None) -> Tensor:
    """``input.logit_(eps)``."""
    return input.logit_(eps)


def nan_to_num_(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``input.nan_to_num_(nan, posinf, neginf)``."""
    return input.nan_to_num_(nan, posinf, neginf)


def neg_(input: Tensor) -> Tensor:
    """``input.neg_()``."""
    return input.neg_()


def negative_(input: Tensor) -> Tensor:
    """``input.negative_()``."""
    return input.negative_()


def rad2deg_(input: Tensor) -> Tensor:
    """``input.rad2deg_()``."""
    return input.rad2deg_()


def reciprocal_(input: Tensor) -> Tensor:
    """``input.reciprocal_()``."""
    return input.reciprocal_()


def relu_(input: Tensor) -> Tensor:
    """``input.relu_()``."""
    return input.relu_()


def round_(input: Tensor, *, decimals: int = 0) -> Tensor:
    """``input.round_(decimals=decimals)``."""
    return input.round_(decimals=decimals)


def rsqrt_(input: Tensor) -> Tensor:
    """``input.rsqrt_()``."""
    return input.rsqrt_()


def sigmoid_(input: Tensor) -> Tensor:
    """``input.sigmoid_()``."""
    return input.sigmoid_()


def sin_(input: Tensor) -> Tensor:
    """``input.sin_()``."""
    return input.sin_()


def sinc_(input: Tensor) -> Tensor:
    """``input.sinc_()``."""
    return input.sinc_()


def sinh_(input: Tensor) -> Tensor:
    """``input.sinh_()``."""
    return input.sinh_()


def sqrt_(input: Tensor) -> Tensor:
    """``input.sqrt_()``."""
    return input.sqrt_()


def square_(input: Tensor) -> Tensor:
    """``input.square_()``."""
    return input.square_()


def tan_(input: Tensor) -> Tensor:
    """``input.tan_()``."""
    return input.tan_()


def tanh_(input: Tensor) -> Tensor:
    """``input.tanh_()``."""
    return input.tanh_()


def trunc_(input: Tensor) -> Tensor:
    """``input.trunc_()``."""
    return input.trunc_()


def xlogy_(input: Tensor, other: Any) -> Tensor:
    """``input.xlogy_(other)``."""
    return input.xlogy_(other)


def zero_(input: Tensor) -> Tensor:
    """``input.zero_()``."""
    return input.zero_()
