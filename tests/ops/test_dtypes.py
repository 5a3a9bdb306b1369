"""Every op with a tensor of every dtype: what PyTorch refuses is refused, what it takes gives a result of its dtype.

Ops that would work on anything, an order of complex numbers say, are where a wrong dtype passes silently.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import tinytorch

DTYPES = ("bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "complex64")

#: Expressions: ``m(2, 3)`` is a tensor of ones of the dtype, ``labels`` are int64.
EXPRESSIONS = (
    "T.matmul(m(3, 3), m(3, 3))", "T.mm(m(3, 3), m(3, 3))", "T.mv(m(3, 3), m(3))", "T.dot(m(3), m(3))",
    "T.vdot(m(3), m(3))", "T.bmm(m(2, 3, 3), m(2, 3, 3))", "T.matmul(m(3), m(3))", "m(3, 3) @ m(3)",
    "m(2, 3, 3) @ m(3, 3)", "T.addmm(m(3, 3), m(3, 3), m(3, 3))", "T.addmv(m(3), m(3, 3), m(3))",
    "T.baddbmm(m(2, 3, 3), m(2, 3, 3), m(2, 3, 3))", "T.addbmm(m(3, 3), m(2, 3, 3), m(2, 3, 3))",
    "T.addr(m(3, 3), m(3), m(3))", "T.outer(m(3), m(3))", "T.ger(m(3), m(3))", "T.inner(m(3), m(3))",
    "T.einsum('ij,jk->ik', m(3, 3), m(3, 3))", "T.tensordot(m(3, 3), m(3, 3), 1)", "T.kron(m(3, 3), m(3, 3))",
    "F.linear(m(3, 3), m(3, 3))", "F.linear(m(3, 3), m(3, 3), m(3))", "T.linalg.multi_dot([m(3, 3)] * 3)",
    "T.chain_matmul(m(3, 3), m(3, 3))", "T.matrix_power(m(3, 3), 3)", "T.matrix_power(m(3, 3), 0)",
    "F.bilinear(m(2, 3), m(2, 3), m(4, 3, 3))", "T.pow(m(3), m(3))", "T.pow(m(3), 2)", "T.pow(2, m(3))", "m(3) ** True",
    "T.float_power(m(3), m(3))", "T.clamp(m(3), 0, 1)", "T.clamp(m(3), m(3), m(3))", "T.clamp_min(m(3), 0)",
    "T.clamp_max(m(3), 0)", "T.clip(m(3), 0.0, 1.0)", "T.abs(m(3))", "-m(3)", "m(3) - m(3)", "1 - m(3)",
    "T.add(m(3), m(3), alpha=2)", "T.positive(m(3))", "T.addcmul(m(3), m(3), m(3))",
    "T.addcmul(m(3), m(3), m(3), value=2)", "T.addcdiv(m(3), m(3), m(3))", "T.lerp(m(3), m(3), 0.5)", "T.sign(m(3))",
    "T.sgn(m(3))", "m(3).cumsum(0)", "m(3).cumprod(0)", "m(3).cummax(0)", "T.cross(m(3), m(3), dim=0)",
    "T.trace(m(3, 3))", "T.diff(m(3))", "T.norm(m(3))", "T.remainder(m(3), m(3))", "T.fmod(m(3), m(3))",
    "T.floor_divide(m(3), m(3))", "m(3) / m(3)", "T.gcd(m(3), m(3))", "m(3) & m(3)", "m(3) << m(3)", "~m(3)",
    "T.logical_not(m(3))", "T.maximum(m(3), m(3))", "T.amax(m(3))", "T.max(m(3))", "T.max(m(3), 0)", "T.argmax(m(3))",
    "T.sort(m(3))", "T.topk(m(3), 2)", "T.kthvalue(m(3), 2)", "T.median(m(3))", "T.mode(m(3))", "T.quantile(m(3), 0.5)",
    "T.unique(m(3))", "T.unique_consecutive(m(3))", "T.unique(m(3, 3), dim=0)", "T.isin(m(3), m(3))",
    "T.bincount(m(3))", "T.histc(m(3))", "T.searchsorted(m(3), m(3))", "T.bucketize(m(3), m(3))", "T.tril(m(3, 3))",
    "T.heaviside(m(3), m(3))", "T.floor(m(3))", "T.round(m(3))", "T.trunc(m(3))", "T.frac(m(3))", "T.std(m(3))",
    "T.var(m(3))", "T.logsumexp(m(3), 0)", "T.softmax(m(3), 0)", "T.cdist(m(3, 3), m(3, 3))", "T.dist(m(3), m(3))",
    "T.renorm(m(3, 3), 2, 0, 1.0)", "T.polar(m(3), m(3))", "T.hypot(m(3), m(3))", "T.atan2(m(3), m(3))",
    "T.nextafter(m(3), m(3))", "T.copysign(m(3), m(3))", "T.ldexp(m(3), m(3))", "T.logaddexp(m(3), m(3))",
    "T.xlogy(m(3), m(3))", "T.nan_to_num(m(3))", "T.square(m(3))", "T.reciprocal(m(3))", "T.rsqrt(m(3))", "T.exp(m(3))",
    "T.prod(m(3))", "T.mean(m(3))", "T.aminmax(m(3))", "T.nansum(m(3))", "T.logcumsumexp(m(3), 0)",
    "T.corrcoef(m(3, 3))", "T.cov(m(3, 3))", "T.trapezoid(m(3))", "T.vander(m(3))", "T.flip(m(3), [0])",
    "T.bernoulli(m(3))", "T.multinomial(m(3), 1)", "T.poisson(m(3))", "T.normal(m(3), m(3))", "m(3).uniform_()",
    "m(3).normal_()", "T.rand_like(m(3))", "T.randn_like(m(3))", "m(3).exponential_()", "m(3).bernoulli_()",
    "m(3).random_()", "m(3).cauchy_()", "m(3).geometric_(0.5)", "m(3).log_normal_()",
    "T.tril_indices(3, 3, dtype=m(1).dtype)", "T.triu_indices(3, 3, dtype=m(1).dtype)", "T.arange(3, dtype=m(1).dtype)",
    "T.linspace(0, 1, 3, dtype=m(1).dtype)", "T.eye(3, dtype=m(1).dtype)", "T.hann_window(3, dtype=m(1).dtype)",
    "T.randint(3, (2,), dtype=m(1).dtype)", "T.randperm(3, dtype=m(1).dtype)", "T.rand(3, dtype=m(1).dtype)",
    "T.randn(3, dtype=m(1).dtype)", "F.nll_loss(m(2, 3), labels)", "F.nll_loss(m(2, 3), labels, m(3))",
    "F.nll_loss(m(2, 3, 1, 1), T.ones((2, 1, 1), dtype=T.int64))", "F.cross_entropy(m(2, 3), labels)",
    "F.cross_entropy(m(2, 3), m(2, 3))", "F.multi_margin_loss(m(2, 3), labels)",
    "F.multilabel_margin_loss(m(2, 3), T.zeros((2, 3), dtype=T.int64))",
    "F.multilabel_soft_margin_loss(m(2, 3), m(2, 3))", "F.mse_loss(m(2, 3), m(2, 3))", "F.l1_loss(m(2, 3), m(2, 3))",
    "F.smooth_l1_loss(m(2, 3), m(2, 3))", "F.huber_loss(m(2, 3), m(2, 3))", "F.binary_cross_entropy(m(2, 3), m(2, 3))",
    "F.binary_cross_entropy_with_logits(m(2, 3), m(2, 3))", "F.kl_div(m(2, 3), m(2, 3))",
    "F.poisson_nll_loss(m(2, 3), m(2, 3))", "F.cosine_embedding_loss(m(2, 3), m(2, 3), labels)",
    "F.margin_ranking_loss(m(2), m(2), labels)", "F.triplet_margin_loss(m(2, 3), m(2, 3), m(2, 3))",
    "F.ctc_loss(m(4, 1, 3), T.ones((1, 2), dtype=T.int64), [4], [2])", "F.cosine_similarity(m(2, 3), m(2, 3))",
    "F.pdist(m(2, 3))", "F.pairwise_distance(m(2, 3), m(2, 3))", "F.grid_sample(m(1, 1, 3, 3), m(1, 2, 2, 2))",
    "F.affine_grid(m(1, 2, 3), (1, 1, 2, 2))", "F.unfold(m(1, 1, 3, 3), 2)", "F.fold(m(1, 4, 4), (3, 3), 2)",
    "F.dropout(m(2, 3), 0.5)", "F.dropout(m(2, 3), 1.0)", "F.dropout(m(2, 3), 0.5, False)",
    "F.alpha_dropout(m(2, 3), 0.5, True)", "F.dropout2d(m(2, 3, 2, 2), 0.5, True)",
    "F.feature_alpha_dropout(m(2, 3, 2, 2), 0.5, True)", "F.max_pool2d(m(1, 1, 4, 4), 2)",
    "F.max_pool1d(m(1, 1, 4), 2)", "F.max_pool3d(m(1, 1, 4, 4, 4), 2)",
    "F.max_unpool2d(m(1, 1, 2, 2), T.tensor([[[[0, 2], [8, 10]]]]), 2)",
    "F.max_unpool1d(m(1, 1, 2), T.tensor([[[0, 2]]]), 2)", "F.avg_pool2d(m(1, 1, 4, 4), 2)",
    "F.avg_pool1d(m(1, 1, 4), 2)", "F.adaptive_avg_pool2d(m(1, 1, 4, 4), 2)", "F.adaptive_max_pool2d(m(1, 1, 4, 4), 2)",
    "F.fractional_max_pool2d(m(1, 1, 4, 4), 2, (2, 2))", "F.fractional_max_pool3d(m(1, 1, 4, 4, 4), 2, (2, 2, 2))",
    "F.lp_pool2d(m(1, 1, 4, 4), 2.0, 2)", "F.conv1d(m(1, 1, 4), m(1, 1, 2))", "F.conv2d(m(1, 1, 4, 4), m(1, 1, 2, 2))",
    "F.batch_norm(m(2, 3), None, None, training=True)", "F.layer_norm(m(2, 3), (3,))", "F.group_norm(m(2, 4), 2)",
    "F.instance_norm(m(2, 3, 4))", "F.rms_norm(m(2, 3), (3,))", "F.normalize(m(2, 3))", "F.embedding(labels, m(3, 3))",
    "F.embedding(m(2), T.ones(3, 3))", "F.embedding_bag(T.ones((1, 2), dtype=T.int64), m(3, 3))", "F.one_hot(m(2))",
    "F.interpolate(m(1, 1, 4, 4), scale_factor=2)", "F.interpolate(m(1, 1, 4, 4), scale_factor=2, mode='bilinear')",
    "F.interpolate(m(1, 1, 4, 4), size=2, mode='area')", "F.pixel_shuffle(m(1, 4, 2, 2), 2)",
    "F.pixel_unshuffle(m(1, 1, 4, 4), 2)", "F.channel_shuffle(m(1, 4, 2, 2), 2)", "F.pad(m(1, 1, 3), (1, 1))",
    "F.pad(m(1, 1, 3), (1, 1), mode='reflect')", "F.pad(m(1, 1, 3), (1, 1), mode='replicate')",
    "F.pad(m(1, 1, 3), (1, 1), mode='circular')", "F.scaled_dot_product_attention(m(1, 2, 3), m(1, 2, 3), m(1, 2, 3))",
    "F.gumbel_softmax(m(2, 3))",
    "F.threshold(m(2, 4), 0.1, 2)", "F.prelu(m(2, 4), m(1))", "F.softmin(m(2, 4), 1)", "F.log_softmax(m(2, 4), 1)", "T.mvlgamma(m(2) * 3, 2)",
    "T.clamp_min(m(3), m(3))", "T.clamp(m(3), m(3))", "T.clamp(m(3), True)", "m(3) < 1j", "m(3).lt_(m(3))", "m(3).eq_(m(3))",
    "m(3).gt_(T.tensor(1j))", "T.ones(2) + T.tensor(1j, dtype=T.complex128)", "m(1)[0] * T.ones(2, dtype=T.complex128)",
    "m(3).abs_()", "m(3).absolute_()", "m(3).float_power_(2)", "T.linalg.vecdot(m(3), m(3))", "T.linalg.vander(m(3))", "T.gradient(m(3))",
    "T.bitwise_not(m(3))", "T.ldexp(m(3), T.tensor([1, 2, 3]))", "T.index_reduce(m(3), 0, T.tensor([0]), m(1), 'prod')",
    "T.scatter_reduce(m(3), 0, T.tensor([0]), m(1), 'amax')", "T.randint_like(m(3), 3)", "T.linalg.svdvals(m(3, 3))",
    "T.linalg.cholesky(m(1, 1))", "T.linalg.eigvals(m(1, 1))", "T.pow(True, m(3))", "m(3).cumsum(0, dtype=m(1).dtype)", "m(3).cumprod(0, dtype=m(1).dtype)",
    "T.all(m(2, 3), dim=())", "T.nansum(m(3), dtype=T.complex64)", "T.nanmean(m(3), dtype=T.int64)", "T.linalg.vector_norm(m(3), dtype=T.float32)",
    "T.hash_tensor(m(0))", "T.hash_tensor(m(0), 0)", "T.narrow_copy(m(3), 1, 0, 1)", "T.constant_pad_nd(m(3), (1, 1), 1j)", "2 / m(3)", "2.5 / m(3)", "F.local_response_norm(m(0, 2, 3), 2)",
)  # fmt: skip

#: Functions of one tensor.
ACTIVATIONS = """
    relu relu6 elu selu celu gelu silu mish leaky_relu hardtanh hardswish hardsigmoid hardshrink softshrink
    tanhshrink softplus softsign sigmoid tanh logsigmoid rrelu glu
""".split()  # noqa: SIM905
FUNCTIONS = """
    acos acosh asin asinh atan atanh ceil cos cosh deg2rad rad2deg digamma erf erfc erfinv exp2 expm1 i0
    isfinite isinf isnan isposinf isreal lgamma log log10 log1p log2 logit sigmoid signbit sin sinc sinh sqrt
    tan tanh angle conj real imag isneginf
""".split()  # noqa: SIM905
CASES = [*EXPRESSIONS, *[f"F.{name}(m(2, 4))" for name in ACTIVATIONS], *[f"T.{name}(m(2, 4))" for name in FUNCTIONS]]


def outcome(expression: str, library: Any, dtype: str) -> str:
    """The dtype of the (first) result, or the type of the error."""

    def m(*shape: int) -> Any:
        return library.ones(shape, dtype=getattr(library, dtype))

    labels = library.ones(2, dtype=library.int64)
    try:
        result = eval(expression, {"T": library, "F": library.nn.functional, "m": m, "labels": labels})
    except NotImplementedError:
        return "RuntimeError"  # PyTorch's NotImplementedError is one, and which of the two it is varies
    except Exception as error:
        return type(error).__name__
    first = result[0] if isinstance(result, (tuple, list)) else result
    return str(getattr(first, "dtype", type(first).__name__)).removeprefix("torch.")


@pytest.mark.parametrize("expression", CASES)
def test_same_dtypes_as_pytorch(expression: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {dtype: outcome(expression, torch, dtype) for dtype in DTYPES}
        ours = {dtype: outcome(expression, tinytorch, dtype) for dtype in DTYPES}
    assert ours == theirs
