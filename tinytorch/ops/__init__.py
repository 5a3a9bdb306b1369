"""Every op: primitives with their derivatives, and functions composed of them. All take and return Tensors.

Public ops are listed in each file's ``__all__``; a few helpers that several files need follow at the end.
"""

from tinytorch.ops.broadcast import broadcast_shapes, broadcast_tensors, broadcast_to, cast, expand, is_expandable, operands, result_type, sum_to, to
from tinytorch.ops.creation import arange, array_from_data, as_tensor, asarray, clone, empty, empty_like, eye, from_dlpack, from_numpy, full, full_like, linspace, logspace, ones, ones_like, range_, scalar_tensor, tensor, zeros, zeros_like
from tinytorch.ops.arithmetic import add, div, divide, floor_divide, fmod, mul, multiply, neg, negative, pow, reciprocal, remainder, rsub, square, sub, subtract, true_divide
from tinytorch.ops.unary import abs, absolute, ceil, clamp, clamp_max, clamp_min, clip, cos, exp, exp2, expm1, fix, floor, frac, log, log10, log1p, log2, relu, round, rsqrt, sigmoid, sign, sin, sqrt, tan, tanh, trunc
from tinytorch.ops.compare import allclose, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, eq, equal, ge, gt, isclose, isfinite, isinf, isnan, le, logical_and, logical_not, logical_or, logical_xor, lt, masked_fill, maximum, minimum, ne, where
from tinytorch.ops.reduce import all, amax, amin, any, argmax, argmin, cumsum, logsumexp, max, mean, min, prod, std, std_mean, sum, var, var_mean
from tinytorch.ops.shape import cat, chunk, concat, concatenate, contiguous, flatten, flip, hstack, is_contiguous, matrix_transpose, moveaxis, movedim, narrow, permute, ravel, repeat, reshape, reshape_as, select, split, squeeze, stack, swapaxes, swapdims, t, tile, transpose, unbind, unflatten, unsqueeze, view, view_as, vstack
from tinytorch.ops.indexing import argwhere, basic_index, gather, getitem, index_put, index_select, nonzero, scatter_add_along, setitem, take_along_dim
from tinytorch.ops.linalg import addmm, bmm, dot, linear, matmul, mm, mv, outer
from tinytorch.ops.softmax import cross_entropy, log_softmax, nll_loss, softmax
from tinytorch.ops.conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from tinytorch.ops.pool import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from tinytorch.ops.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_max_pool1d, adaptive_max_pool2d
from tinytorch.ops.norm import batch_norm, instance_norm
from tinytorch.ops.layer_norm import group_norm, layer_norm, rms_norm
from tinytorch.ops.broadcast import is_number, promote_all, to_float
from tinytorch.ops.creation import copy, fill
from tinytorch.ops.shape import restore_row_major
from tinytorch.ops.reduction_modes import reduced
from tinytorch.ops.random import alpha_dropout, bernoulli, bernoulli_, cauchy_, dropout, exponential_, feature_dropout, geometric_, log_normal_, multinomial, normal, normal_, rand, rand_like, randint, randint_like, randn, randn_like, random_, randperm, trunc_normal_, uniform_
from tinytorch.ops.activation import celu, elu, erf, gelu, glu, hardshrink, hardsigmoid, hardswish, hardtanh, leaky_relu, logsigmoid, mish, prelu, relu6, rrelu, selu, silu, softplus, softshrink, softsign, tanhshrink, threshold
from tinytorch.ops.trigonometric import acos, acosh, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan, atan2, atanh, cosh, deg2rad, hypot, rad2deg, sinc, sinh
from tinytorch.ops.special_functions import digamma, erfc, erfinv, lgamma, logaddexp, logaddexp2, logit, mvlgamma, polygamma, xlogy
from tinytorch.ops.mixtures import addcdiv, addcmul, copysign, float_power, fmax, fmin, heaviside, ldexp, lerp, nan_to_num, positive, sgn, signbit
from tinytorch.ops.integers import bitwise_left_shift, bitwise_right_shift, gcd, lcm
from tinytorch.ops.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tinytorch.ops.loss_likelihood import binary_cross_entropy, binary_cross_entropy_with_logits, gaussian_nll_loss, kl_div, poisson_nll_loss
from tinytorch.ops.loss_margin import cosine_embedding_loss, hinge_embedding_loss, margin_ranking_loss, multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss, soft_margin_loss, triplet_margin_loss, triplet_margin_with_distance_loss
from tinytorch.ops.compare_in_place import compared
from tinytorch.ops.sorting import argsort, bucketize, kthvalue, median, mode, msort, nanmedian, searchsorted, sort, topk
from tinytorch.ops.unique import bincount, count_nonzero, histc, isin, unique, unique_consecutive
from tinytorch.ops.scatter import index_add, index_copy, index_fill, masked_scatter, masked_select, put, scatter, scatter_add, take
from tinytorch.ops.scatter_reduce import scatter_reduce
from tinytorch.ops.diagonal import block_diag, diag, diag_embed, diagflat, diagonal, trace, tril, tril_indices, triu, triu_indices
from tinytorch.ops.matrix_products import addbmm, addmv, addr, baddbmm, chain_matmul, cross, ger, inner, kron, matrix_power, multi_dot, tensordot, vdot
from tinytorch.ops.einsum import einsum
