"""tinytorch: tensors with automatic differentiation on NumPy, under PyTorch's names. The public surface, nothing else.

    import tinytorch as torch
    import tinytorch.nn as nn
"""

import warnings as _warnings
from math import e, inf, nan, pi
from typing import Any as _Any

# autograd comes first: it closes the package's import circle (see the end of tensor_base)
from tinytorch import autograd, backends, cuda, linalg, nn, optim, random, utils
from tinytorch.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinytorch.device import device
from tinytorch.dtypes import (
    bool, can_cast, cdouble, cfloat, complex64, complex128, double, finfo, float, float16, float32, float64,
    get_default_dtype, half, iinfo, int, int8, int16, int32, int64, long, promote_types, set_default_dtype, short,
    uint8, uint16, uint32, uint64,
)
from tinytorch.dtypes import dtype
from tinytorch.formatting import set_printoptions
from tinytorch.kernels.threads import get_num_threads, set_num_threads
from tinytorch.ops import (
    abs, absolute, acos, acosh, adaptive_avg_pool1d, adaptive_max_pool1d, add, addbmm, addcdiv, addcmul,
    addmm, addmv, addr, all, allclose, alpha_dropout, amax, amin, aminmax, any, arange, arccos, arccosh,
    arcsin, arcsinh, arctan, arctan2, arctanh, argmax, argmin, argsort, argwhere, as_strided, as_tensor,
    asarray, asin, asinh, atan, atan2, atanh, atleast_1d, atleast_2d, atleast_3d, avg_pool1d, baddbmm,
    batch_norm, bernoulli, binary_cross_entropy_with_logits, bincount, bitwise_and, bitwise_left_shift,
    bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, block_diag, bmm, broadcast_shapes,
    broadcast_tensors, broadcast_to, bucketize, cartesian_prod, cat, cdist, ceil, celu, chain_matmul,
    channel_shuffle, cholesky, cholesky_inverse, cholesky_solve, chunk, clamp, clamp_max, clamp_min, clip,
    clone, column_stack, combinations, concat, concatenate, constant_pad_nd, conv1d, conv2d,
    conv_transpose1d, conv_transpose2d, copysign, corrcoef, cos, cosh, cosine_embedding_loss,
    cosine_similarity, count_nonzero, cov, cross, cummax, cummin, cumprod, cumsum, cumulative_trapezoid,
    deg2rad, det, diag, diag_embed, diagflat, diagonal, diagonal_scatter, diff, digamma, dist, div, divide,
    dot, dropout, dsplit, dstack, einsum, empty, empty_like, eq, equal, erf, erfc, erfinv, exp, exp2, expm1,
    eye, feature_dropout, fill, fix, flatten, flip, fliplr, flipud, float_power, floor, floor_divide, fmax,
    fmin, fmod, frac, from_dlpack, from_numpy, full, full_like, gather, gcd, ge, ger, greater, greater_equal,
    group_norm, gt, hardshrink, heaviside, hinge_embedding_loss, histc, hsplit, hstack, hypot, index_add,
    index_copy, index_fill, index_put, index_reduce, index_select, inner, instance_norm, inverse, is_complex,
    is_floating_point, is_nonzero, is_same_size, is_signed, is_tensor, isclose, isfinite, isin, isinf, isnan,
    isneginf, isposinf, isreal, kl_div, kron, kthvalue, layer_norm, lcm, ldexp, le, lerp, less, less_equal,
    lgamma, linspace, log, log10, log1p, log2, log_softmax, logaddexp, logaddexp2, logcumsumexp, logdet,
    logical_and, logical_not, logical_or, logical_xor, logit, logspace, logsumexp, lt, margin_ranking_loss,
    masked_fill, masked_scatter, masked_select, matmul, matrix_exp, matrix_power, max, max_pool1d,
    max_pool2d, maximum, mean, median, meshgrid, min, minimum, mm, mode, moveaxis, movedim, msort, mul,
    multinomial, multiply, mv, mvlgamma, nan_to_num, nanmean, nanmedian, nanquantile, nansum, narrow, ne,
    neg, negative, nonzero, norm, normal, not_equal, numel, ones, ones_like, outer, pairwise_distance, pdist,
    permute, pinverse, pixel_shuffle, pixel_unshuffle, poisson_nll_loss, polygamma, positive, pow, prelu,
    prod, put, qr, quantile, rad2deg, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
    ravel, reciprocal, relu, remainder, renorm, repeat_interleave, reshape, result_type, rms_norm, roll,
    rot90, round, row_stack, rrelu, rsqrt, rsub, scalar_tensor, scatter, scatter_add, scatter_reduce,
    searchsorted, select, select_scatter, selu, sgn, sigmoid, sign, signbit, sin, sinc, sinh, slice_scatter,
    slogdet, softmax, sort, split, split_with_sizes, sqrt, square, squeeze, stack, std, std_mean, sub,
    subtract, sum, svd, swapaxes, swapdims, t, take, take_along_dim, tan, tanh, tensor, tensor_split,
    tensordot, threshold, tile, topk, trace, transpose, trapezoid, trapz, tril, tril_indices,
    triplet_margin_loss, triu, triu_indices, true_divide, trunc, unbind, unflatten, unique,
    unique_consecutive, unsqueeze, var, var_mean, vdot, vsplit, vstack, where, xlogy, zeros, zeros_like,
)
from tinytorch.ops import range_ as range
from tinytorch.random import (
    Generator, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state,
)
from tinytorch.serialization import load, save
from tinytorch.size import Size
from tinytorch.tensor import Tensor

# Division by zero, overflow and nan are values in PyTorch, not warnings. Only warnings raised from this package's own lines are
# silenced; NumPy's settings in the user's code stay as they are.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinytorch\.")

__version__ = "0.1.0"
strided = "torch.strided"
contiguous_format, preserve_format, channels_last = "contiguous_format", "preserve_format", "channels_last"


def __getattr__(name: str) -> _Any:
    import difflib

    near = difflib.get_close_matches(name, globals(), n=1)
    hint = f" The nearest name that is there: '{near[0]}'." if near else ""
    raise AttributeError(f"module 'tinytorch' has no attribute '{name}'.{hint}")
