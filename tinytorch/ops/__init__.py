"""Every op: primitives with their derivatives, and functions composed of them. All take and return Tensors.

Public ops are listed in each file's ``__all__``; a few helpers that several files need follow at the end.
"""

from tinytorch.ops.activation import (
    celu,
    elu,
    erf,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu6,
    rrelu,
    selu,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)
from tinytorch.ops.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from tinytorch.ops.apply import apply_, map2_, map_
from tinytorch.ops.arithmetic import (
    add,
    div,
    divide,
    mul,
    multiply,
    neg,
    negative,
    reciprocal,
    rsub,
    sub,
    subtract,
    true_divide,
)
from tinytorch.ops.broadcast import (
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    cast,
    expand,
    expand_as,
    in_dtype,
    is_expandable,
    is_number,
    operands,
    promote_all,
    result_type,
    sum_to,
    sum_to_size,
    to,
    to_float,
)
from tinytorch.ops.buffers import from_file, frombuffer, to_dlpack
from tinytorch.ops.chunks import _chunk_cat, _unsafe_masked_index, _unsafe_masked_index_put_accumulate
from tinytorch.ops.clamp import clamp, clamp_max, clamp_min, clip
from tinytorch.ops.compare import (
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    equal,
    ge,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    masked_fill,
    maximum,
    minimum,
    ne,
    where,
)
from tinytorch.ops.compare_in_place import compared
from tinytorch.ops.complex_numbers import (
    ViewAsComplex,
    adjoint,
    angle,
    complex,
    conj,
    conj_physical,
    imag,
    is_conj,
    is_neg,
    polar,
    real,
    real_pairs,
    resolve_conj,
    resolve_neg,
    sgn,
    view_as_complex,
    view_as_real,
)
from tinytorch.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from tinytorch.ops.copying import clone, copy, fill
from tinytorch.ops.creation import (
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from tinytorch.ops.ctc import ctc_loss
from tinytorch.ops.cumulative import cummax, cummin, cumprod, cumulative_trapezoid, diff, logcumsumexp, trapezoid, trapz
from tinytorch.ops.data import array_from_data
from tinytorch.ops.determinants import det, linalg_slogdet, logdet, slogdet
from tinytorch.ops.diagonal import (
    block_diag,
    diag,
    diag_embed,
    diagflat,
    diagonal,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from tinytorch.ops.distance import cosine_similarity, pairwise_distance
from tinytorch.ops.eigen import linalg_eig, linalg_eigh, linalg_eigvals, linalg_eigvalsh
from tinytorch.ops.einsum import einsum
from tinytorch.ops.embedding import embedding, embedding_bag, embedding_renorm_
from tinytorch.ops.extremes import amax, amin, argmax, argmin, max, min
from tinytorch.ops.factorizations import (
    cholesky,
    linalg_qr,
    linalg_svd,
    linalg_svdvals,
    qr,
    svd,
)
from tinytorch.ops.finite_differences import gradient
from tinytorch.ops.float_parts import frexp, nextafter
from tinytorch.ops.fold import channel_shuffle, col2im, im2col, native_channel_shuffle, pixel_shuffle, pixel_unshuffle
from tinytorch.ops.fractional_pool import fractional_max_pool2d, fractional_max_pool3d
from tinytorch.ops.gather import gather, scatter_add_along, take_along_dim
from tinytorch.ops.glu import glu
from tinytorch.ops.grid_sample import affine_grid, grid_sample
from tinytorch.ops.hashing import hash_tensor
from tinytorch.ops.histograms import histogram, histogramdd
from tinytorch.ops.householder import geqrf, householder_product, orgqr, ormqr
from tinytorch.ops.incomplete_gamma import igamma, igammac
from tinytorch.ops.indexing import (
    argwhere,
    basic_index,
    getitem,
    index_put,
    index_select,
    nonzero,
    setitem,
)
from tinytorch.ops.integers import bitwise_left_shift, bitwise_right_shift, gcd, lcm
from tinytorch.ops.interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from tinytorch.ops.joining import cat, chunk, concat, concatenate, hstack, repeat, split, stack, tile, unbind, vstack
from tinytorch.ops.layer_norm import group_norm, layer_norm, rms_norm
from tinytorch.ops.ldl import linalg_ldl_factor, linalg_ldl_factor_ex, linalg_ldl_solve
from tinytorch.ops.linalg import addmm, bmm, dot, linear, matmul, mm, mv, outer
from tinytorch.ops.linalg_ex import linalg_cholesky_ex, linalg_inv_ex, linalg_solve_ex
from tinytorch.ops.logsumexp import logsumexp
from tinytorch.ops.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from tinytorch.ops.loss_likelihood import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)
from tinytorch.ops.loss_margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from tinytorch.ops.lowrank import lobpcg, pca_lowrank, svd_lowrank
from tinytorch.ops.lp_pool import lp_pool1d, lp_pool2d, lp_pool3d
from tinytorch.ops.lu import (
    linalg_lu,
    linalg_lu_factor,
    linalg_lu_factor_ex,
    linalg_lu_solve,
    lu,
    lu_solve,
    lu_unpack,
)
from tinytorch.ops.matrix_exp import matrix_exp
from tinytorch.ops.matrix_norms import (
    linalg_cond,
    linalg_lstsq,
    linalg_matrix_rank,
    linalg_norm,
    linalg_pinv,
    matrix_norm,
    pinverse,
)
from tinytorch.ops.matrix_products import (
    addbmm,
    addmv,
    addr,
    baddbmm,
    bilinear,
    chain_matmul,
    cross,
    ger,
    inner,
    kron,
    matrix_power,
    multi_dot,
    tensordot,
    vander,
    vdot,
)
from tinytorch.ops.memory_formats import in_format, is_in_format
from tinytorch.ops.memory_order import is_viewable_there, make_row_major
from tinytorch.ops.mixtures import (
    addcdiv,
    addcmul,
    copysign,
    float_power,
    float_power_of_double,
    fmax,
    fmin,
    heaviside,
    ldexp,
    lerp,
    nan_to_num,
    positive,
    signbit,
)
from tinytorch.ops.modified_bessel import i0
from tinytorch.ops.norm import batch_norm, instance_norm
from tinytorch.ops.overwrite import NODES_WITHOUT_INPUTS, OVERWRITING, unconverted
from tinytorch.ops.pad import constant_pad_nd, pad
from tinytorch.ops.pairs import cdist, pdist
from tinytorch.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from tinytorch.ops.positions import nonzero_static, unravel_index
from tinytorch.ops.powers import pow, square
from tinytorch.ops.predicates import (
    detach,
    get_device,
    greater,
    greater_equal,
    is_complex,
    is_distributed,
    is_floating_point,
    is_inference,
    is_nonzero,
    is_same_size,
    is_signed,
    is_storage,
    is_tensor,
    isneginf,
    isposinf,
    isreal,
    less,
    less_equal,
    not_equal,
    numel,
    typename,
)
from tinytorch.ops.random import (
    alpha_dropout,
    bernoulli,
    dropout,
    feature_alpha_dropout,
    feature_dropout,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from tinytorch.ops.random_gamma import binomial, poisson
from tinytorch.ops.random_in_place import (
    bernoulli_,
    cauchy_,
    exponential_,
    geometric_,
    log_normal_,
    normal_,
    random_,
    trunc_normal_,
    uniform_,
)
from tinytorch.ops.ranges import arange, linspace, logspace, range_
from tinytorch.ops.rearrange import as_strided, fliplr, flipud, repeat_interleave, roll, rot90, unfold
from tinytorch.ops.reduce import all, any, cumsum, mean, prod, std, std_mean, sum, var, var_mean
from tinytorch.ops.reduction_modes import reduced
from tinytorch.ops.region_scatter import (
    diagonal_scatter,
    fill_diagonal,
    index_reduce,
    renorm,
    select_scatter,
    slice_scatter,
)
from tinytorch.ops.resize import (
    dim_order,
    is_set_to,
    reinterpreted,
    reported_strides,
    resize_,
    resize_as_,
    resized,
    set_,
    typed_storage,
    untyped_storage,
)
from tinytorch.ops.rounded_division import floor_divide, fmod, remainder
from tinytorch.ops.rounding import ceil, fix, floor, frac, round, sign, trunc
from tinytorch.ops.scatter import (
    index_add,
    index_copy,
    index_fill,
    masked_scatter,
    masked_select,
    put,
    scatter,
    scatter_add,
    take,
)
from tinytorch.ops.scatter_reduce import scatter_reduce
from tinytorch.ops.segment_reduce import segment_reduce
from tinytorch.ops.selecting import kthvalue, median, nanmedian, topk
from tinytorch.ops.shape import (
    contiguous,
    flatten,
    flip,
    is_contiguous,
    matrix_transpose,
    moveaxis,
    movedim,
    narrow,
    permute,
    ravel,
    reshape,
    reshape_as,
    restore_row_major,
    select,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    unflatten,
    unsqueeze,
    view,
    view_as,
)
from tinytorch.ops.shape_in_place import as_strided_, squeeze_, t_, transpose_, unsqueeze_
from tinytorch.ops.softmax import cross_entropy, log_softmax, nll_loss, softmax
from tinytorch.ops.solve import (
    cholesky_inverse,
    cholesky_solve,
    inverse,
    linalg_solve,
    linalg_solve_triangular,
    triangular_solve,
)
from tinytorch.ops.sorting import argsort, bucketize, mode, msort, searchsorted, sort
from tinytorch.ops.sparse_names import only_sparse, to_sparse
from tinytorch.ops.special_functions import (
    digamma,
    erfc,
    erfinv,
    lgamma,
    logaddexp,
    logaddexp2,
    logit,
    mvlgamma,
    polygamma,
    xlogy,
)
from tinytorch.ops.spectrogram import istft, stft
from tinytorch.ops.stacking import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    cartesian_prod,
    column_stack,
    combinations,
    dsplit,
    dstack,
    hsplit,
    meshgrid,
    one_hot,
    row_stack,
    split_with_sizes,
    tensor_split,
    vsplit,
)
from tinytorch.ops.statistics import aminmax, corrcoef, cov, nanmean, nanquantile, nansum, quantile
from tinytorch.ops.strided_scatter import as_strided_scatter, empty_permuted, empty_strided
from tinytorch.ops.tensor_equations import linalg_tensorinv, linalg_tensorsolve
from tinytorch.ops.trigonometric import (
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cosh,
    deg2rad,
    hypot,
    rad2deg,
    sinc,
    sinh,
)
from tinytorch.ops.unary import (
    abs,
    absolute,
    cos,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    relu,
    rsqrt,
    sigmoid,
    sin,
    sqrt,
    tan,
    tanh,
)
from tinytorch.ops.unique import bincount, count_nonzero, histc, isin, unique, unique_consecutive
from tinytorch.ops.unpool import max_unpool1d, max_unpool2d, max_unpool3d
from tinytorch.ops.unsafe_views import unsafe_chunk, unsafe_split, unsafe_split_with_sizes
from tinytorch.ops.vector_norms import dist, frobenius_norm, norm, nuclear_norm, vector_norm
from tinytorch.ops.view_copies import (
    alias_copy,
    as_strided_copy,
    detach_copy,
    diagonal_copy,
    expand_copy,
    narrow_copy,
    permute_copy,
    select_copy,
    slice_copy,
    split_copy,
    split_with_sizes_copy,
    squeeze_copy,
    t_copy,
    transpose_copy,
    unbind_copy,
    unfold_copy,
    unsqueeze_copy,
    view_as_complex_copy,
    view_as_real_copy,
    view_copy,
)
from tinytorch.ops.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window


def __getattr__(name: str) -> object:
    if name == "aten":
        from tinytorch.aten import aten

        return aten
    if name == "load_library":
        from tinytorch.library import load_library

        return load_library
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
