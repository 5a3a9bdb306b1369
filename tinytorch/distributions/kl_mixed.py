"""The divergence between distributions of different kinds on the real line, and of any two of one exponential family.

``KL(p, q) = -H(p) - E_p[ln q(x)]``, and for every q here ``ln q(x)`` is a sum of x, x², ln x, ln(1 - x) and
``exp(-x / s)``, whose expectations are known. Where p reaches beyond the support of q the divergence is infinite.
"""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.autograd.engine import grad
from tinytorch.distributions.bernoulli import Bernoulli
from tinytorch.distributions.beta import Beta
from tinytorch.distributions.binomial import Binomial
from tinytorch.distributions.cauchy import Cauchy
from tinytorch.distributions.continuous_bernoulli import ContinuousBernoulli
from tinytorch.distributions.distribution import ExponentialFamily
from tinytorch.distributions.exponential import Exponential
from tinytorch.distributions.gamma import Gamma
from tinytorch.distributions.gumbel import Gumbel
from tinytorch.distributions.kl import register_kl
from tinytorch.distributions.laplace import Laplace
from tinytorch.distributions.normal import Normal
from tinytorch.distributions.pareto import Pareto
from tinytorch.distributions.poisson import Poisson
from tinytorch.distributions.transforms import sum_rightmost
from tinytorch.distributions.uniform import Uniform
from tinytorch.tensor import Tensor

__all__: list[str] = []

# ------------------------------------------------------------------------------------------ expectations under p


def _mean_of_log(p: Any) -> Tensor:
    """E[ln x]."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return _mean_of_log_between(p.low, p.high)  # of a uniform distribution


def _mean_of_log_between(low: Tensor, high: Tensor) -> Tensor:
    """The mean of ln x from low to high: of its integral x ln x - x."""
    return (ops.xlogy(high, high) - ops.xlogy(low, low)) / (high - low) - 1


def _mean_of_decay(p: Any, scale: Tensor) -> Tensor:
    """E[exp(-x / scale)]."""
    if isinstance(p, Exponential):
        return p.rate * scale / (p.rate * scale + 1)
    if isinstance(p, Gamma):
        return (1 + (p.rate * scale).reciprocal()).pow(-p.concentration)
    return scale * ((-p.low / scale).exp() - (-p.high / scale).exp()) / (p.high - p.low)


# ------------------------------------------------------------------------------------------ what q says of them


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Pareto, Exponential)
def _from_exponential(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
@register_kl(Pareto, Gamma)
def _from_gamma(p: Any, q: Gamma) -> Tensor:
    normalizer = q.concentration.lgamma() - q.concentration * q.rate.log()
    return -p.entropy() + normalizer - (q.concentration - 1) * _mean_of_log(p) + q.rate * p.mean


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Pareto, Normal)
def _from_normal(p: Any, q: Normal) -> Tensor:
    squared = q.scale.pow(2)
    return -p.entropy() + 0.5 * ((2 * math.pi * squared).log() + (p.variance + (p.mean - q.loc).pow(2)) / squared)


@register_kl(Exponential, Gumbel)
@register_kl(Gamma, Gumbel)
@register_kl(Uniform, Gumbel)
def _from_gumbel(p: Any, q: Gumbel) -> Tensor:
    loc = q.loc / q.scale
    return -p.entropy() + q.scale.log() + p.mean / q.scale - loc + loc.exp() * _mean_of_decay(p, q.scale)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
@register_kl(Beta, ContinuousBernoulli)
def _from_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - ops.log1p(-q.probs) - q._cont_bern_log_norm()


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    # PyTorch counts the ends themselves as outside, here and in the next function
    return ops.where((p.high >= 1) | (p.low <= 0), math.inf, _from_continuous_bernoulli(p, q))


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    return ops.where((q.low >= 0) | (q.high <= 1), math.inf, -p.entropy() + (q.high - q.low).log())


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    return ops.where((q.low > 0) | (q.high < 1), math.inf, -p.entropy() + (q.high - q.low).log())


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    normalizer = a.lgamma() + b.lgamma() - (a + b).lgamma()
    logs = (a - 1) * _mean_of_log(p) + (b - 1) * _mean_of_log_between(1 - p.high, 1 - p.low)
    return ops.where((p.high > 1) | (p.low < 0), math.inf, -p.entropy() + normalizer - logs)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return ops.where(p.low < 0, math.inf, _from_exponential(p, q))


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    return ops.where(p.low < 0, math.inf, _from_gamma(p, q))


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    value = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * _mean_of_log(p)
    return ops.where(p.low < q.scale, math.inf, value)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    """Chyzak and Nielsen 2019."""
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Tensor:
    """``F(θ_q) - F(θ_p) - <∇F(θ_p), θ_q - θ_p>``: how far F at q lies above its tangent at p."""
    if type(p) is not type(q):
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
                                  f"{type(q).__name__}")  # fmt: skip
    params = [parameter.detach().requires_grad_() for parameter in p._natural_params]
    normalizer = p._log_normalizer(*params)
    result = q._log_normalizer(*q._natural_params) - normalizer
    gradients = grad(normalizer.sum(), params, create_graph=True)
    for theirs, ours, gradient in zip(q._natural_params, params, gradients, strict=True):
        term = (theirs - ours) * gradient
        result = result - sum_rightmost(term, theirs.dim() - len(q.batch_shape))
    return result


# ------------------------------------------------------------------------------------------ infinitely far apart


def _infinity(p: Any, q: Any) -> Tensor:
    return ops.full_like(p.mean, math.inf)


_REACHES_BEYOND: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}
for _p, _qs in _REACHES_BEYOND.items():
    for _q in _qs:
        register_kl(_p, _q)(_infinity)
