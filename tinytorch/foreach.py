"""One op over lists of tensors (``torch._foreach_add_`` and its kin), for optimizers that are written that way.

Every function takes a list as its first argument. Further arguments are lists of the same length, one for each tensor,
or one value for all. Those with a trailing underscore change the tensors in place and return the list; the others
return a tuple of new tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinytorch import ops
from tinytorch.autograd import inplace
from tinytorch.ops.checks import check_all_tensors
from tinytorch.tensor import Tensor

_Each = Callable[..., Any]


def _rows(first: Any, others: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The arguments of each call. Raises RuntimeError when the lists' lengths differ or there is no tensor."""
    lists = [value for value in (first, *others) if isinstance(value, (list, tuple))]
    lengths = [len(value) for value in lists]
    if not lists or not lengths[0]:
        raise RuntimeError("Tensor list must have at least one tensor.")
    check_all_tensors(lists[0])
    for length in lengths[1:]:
        if length != lengths[0]:
            raise RuntimeError(f"Tensor lists must have the same number of tensors, got {lengths[0]} and {length}")
    columns = [value if isinstance(value, (list, tuple)) else [value] * lengths[0] for value in (first, *others)]
    return list(zip(*columns, strict=True))


def _each(function: _Each) -> _Each:
    def over_lists(self: Any, *others: Any, **options: Any) -> tuple[Tensor, ...]:
        return tuple([function(*row, **options) for row in _rows(self, others)])

    return over_lists


def _each_in_place(function: _Each) -> _Each:
    def over_lists(self: Any, *others: Any, **options: Any) -> Any:
        rows = _rows(self, others)
        for x, *_ in rows:  # all of them before the first is changed
            inplace.check_writable(x)
            if x.requires_grad:
                inplace.check_differentiable_target(x)
        for row in rows:
            function(*row, **options)
        return self

    return over_lists


def _weighted(over_lists: _Each) -> _Each:
    """For ``self + value * ...`` of two more lists; ``value`` is a number, a list of them or a tensor of them."""

    def with_value(self: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
        return over_lists(self, tensor1, tensor2, value.tolist() if isinstance(value, Tensor) else value)

    return with_value


def _foreach_norm(self: Any, ord: Any = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The norm of each tensor, all its elements as one vector."""
    from tinytorch.linalg import vector_norm

    return tuple([vector_norm(x, ord, dtype=dtype) for (x,) in _rows(self, ())])


_foreach_addcdiv = _weighted(_each(lambda x, a, b, value: ops.addcdiv(x, a, b, value=value)))
_foreach_addcdiv_ = _weighted(_each_in_place(lambda x, a, b, value: x.addcdiv_(a, b, value=value)))
_foreach_addcmul = _weighted(_each(lambda x, a, b, value: ops.addcmul(x, a, b, value=value)))
_foreach_addcmul_ = _weighted(_each_in_place(lambda x, a, b, value: x.addcmul_(a, b, value=value)))
_foreach_clone = _each(Tensor.clone)
_foreach_copy_ = _each_in_place(Tensor.copy_)
_foreach_max = _each(Tensor.max)
_foreach_pow = _each(ops.pow)
_foreach_pow_ = _each_in_place(Tensor.pow_)
_foreach_zero_ = _each_in_place(Tensor.zero_)
_foreach_add = _each(Tensor.add)
_foreach_add_ = _each_in_place(Tensor.add_)
_foreach_sub = _each(Tensor.sub)
_foreach_sub_ = _each_in_place(Tensor.sub_)
_foreach_mul = _each(Tensor.mul)
_foreach_mul_ = _each_in_place(Tensor.mul_)
_foreach_div = _each(Tensor.div)
_foreach_div_ = _each_in_place(Tensor.div_)
_foreach_clamp_max = _each(Tensor.clamp_max)
_foreach_clamp_max_ = _each_in_place(Tensor.clamp_max_)
_foreach_clamp_min = _each(Tensor.clamp_min)
_foreach_clamp_min_ = _each_in_place(Tensor.clamp_min_)
_foreach_lerp = _each(Tensor.lerp)
_foreach_lerp_ = _each_in_place(Tensor.lerp_)
_foreach_abs = _each(Tensor.abs)
_foreach_abs_ = _each_in_place(Tensor.abs_)
_foreach_acos = _each(Tensor.acos)
_foreach_acos_ = _each_in_place(Tensor.acos_)
_foreach_asin = _each(Tensor.asin)
_foreach_asin_ = _each_in_place(Tensor.asin_)
_foreach_atan = _each(Tensor.atan)
_foreach_atan_ = _each_in_place(Tensor.atan_)
_foreach_ceil = _each(Tensor.ceil)
_foreach_ceil_ = _each_in_place(Tensor.ceil_)
_foreach_cos = _each(Tensor.cos)
_foreach_cos_ = _each_in_place(Tensor.cos_)
_foreach_cosh = _each(Tensor.cosh)
_foreach_cosh_ = _each_in_place(Tensor.cosh_)
_foreach_erf = _each(Tensor.erf)
_foreach_erf_ = _each_in_place(Tensor.erf_)
_foreach_erfc = _each(Tensor.erfc)
_foreach_erfc_ = _each_in_place(Tensor.erfc_)
_foreach_exp = _each(Tensor.exp)
_foreach_exp_ = _each_in_place(Tensor.exp_)
_foreach_expm1 = _each(Tensor.expm1)
_foreach_expm1_ = _each_in_place(Tensor.expm1_)
_foreach_floor = _each(Tensor.floor)
_foreach_floor_ = _each_in_place(Tensor.floor_)
_foreach_frac = _each(Tensor.frac)
_foreach_frac_ = _each_in_place(Tensor.frac_)
_foreach_lgamma = _each(Tensor.lgamma)
_foreach_lgamma_ = _each_in_place(Tensor.lgamma_)
_foreach_log = _each(Tensor.log)
_foreach_log_ = _each_in_place(Tensor.log_)
_foreach_log10 = _each(Tensor.log10)
_foreach_log10_ = _each_in_place(Tensor.log10_)
_foreach_log1p = _each(Tensor.log1p)
_foreach_log1p_ = _each_in_place(Tensor.log1p_)
_foreach_log2 = _each(Tensor.log2)
_foreach_log2_ = _each_in_place(Tensor.log2_)
_foreach_neg = _each(Tensor.neg)
_foreach_neg_ = _each_in_place(Tensor.neg_)
_foreach_reciprocal = _each(Tensor.reciprocal)
_foreach_reciprocal_ = _each_in_place(Tensor.reciprocal_)
_foreach_round = _each(Tensor.round)
_foreach_round_ = _each_in_place(Tensor.round_)
_foreach_rsqrt = _each(Tensor.rsqrt)
_foreach_rsqrt_ = _each_in_place(Tensor.rsqrt_)
_foreach_sigmoid = _each(Tensor.sigmoid)
_foreach_sigmoid_ = _each_in_place(Tensor.sigmoid_)
_foreach_sign = _each(Tensor.sign)
_foreach_sign_ = _each_in_place(Tensor.sign_)
_foreach_sin = _each(Tensor.sin)
_foreach_sin_ = _each_in_place(Tensor.sin_)
_foreach_sinh = _each(Tensor.sinh)
_foreach_sinh_ = _each_in_place(Tensor.sinh_)
_foreach_sqrt = _each(Tensor.sqrt)
_foreach_sqrt_ = _each_in_place(Tensor.sqrt_)
_foreach_tan = _each(Tensor.tan)
_foreach_tan_ = _each_in_place(Tensor.tan_)
_foreach_tanh = _each(Tensor.tanh)
_foreach_tanh_ = _each_in_place(Tensor.tanh_)
_foreach_trunc = _each(Tensor.trunc)
_foreach_trunc_ = _each_in_place(Tensor.trunc_)
_foreach_maximum, _foreach_maximum_ = _foreach_clamp_min, _foreach_clamp_min_
_foreach_minimum, _foreach_minimum_ = _foreach_clamp_max, _foreach_clamp_max_
