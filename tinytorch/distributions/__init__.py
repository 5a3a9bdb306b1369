"""Probability distributions: draws, densities, divergences (``torch.distributions``).

>>> import tinytorch as torch
>>> from tinytorch.distributions import Normal
>>> _ = torch.manual_seed(0)
>>> Normal(0.0, 2.0).log_prob(torch.tensor(1.0))
tensor(-1.7371)

Draws are PyTorch's own for the same seed. Each file holds one distribution; :mod:`.distribution` says what they have in
common, :mod:`.transforms` how one is made into another.
"""

import importlib
from typing import Any

from tinytorch.distributions import constraints, kl, kl_mixed, transforms
from tinytorch.distributions.bernoulli import Bernoulli
from tinytorch.distributions.beta import Beta
from tinytorch.distributions.binomial import Binomial
from tinytorch.distributions.categorical import Categorical
from tinytorch.distributions.cauchy import Cauchy
from tinytorch.distributions.constraint_registry import biject_to, transform_to
from tinytorch.distributions.continuous_bernoulli import ContinuousBernoulli
from tinytorch.distributions.dirichlet import Dirichlet
from tinytorch.distributions.distribution import Distribution, ExponentialFamily
from tinytorch.distributions.exponential import Exponential
from tinytorch.distributions.fishersnedecor import FisherSnedecor
from tinytorch.distributions.gamma import Chi2, Gamma
from tinytorch.distributions.generalized_pareto import GeneralizedPareto
from tinytorch.distributions.geometric import Geometric
from tinytorch.distributions.gumbel import Gumbel
from tinytorch.distributions.half_cauchy import HalfCauchy
from tinytorch.distributions.half_normal import HalfNormal
from tinytorch.distributions.independent import Independent
from tinytorch.distributions.inverse_gamma import InverseGamma
from tinytorch.distributions.kl import kl_divergence, register_kl
from tinytorch.distributions.kumaraswamy import Kumaraswamy
from tinytorch.distributions.laplace import Laplace
from tinytorch.distributions.lkj_cholesky import LKJCholesky
from tinytorch.distributions.log_normal import LogNormal
from tinytorch.distributions.logistic_normal import LogisticNormal
from tinytorch.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tinytorch.distributions.mixture_same_family import MixtureSameFamily
from tinytorch.distributions.multinomial import Multinomial
from tinytorch.distributions.multivariate_normal import MultivariateNormal
from tinytorch.distributions.negative_binomial import NegativeBinomial
from tinytorch.distributions.normal import Normal
from tinytorch.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from tinytorch.distributions.pareto import Pareto
from tinytorch.distributions.poisson import Poisson
from tinytorch.distributions.relaxed_bernoulli import RelaxedBernoulli
from tinytorch.distributions.relaxed_categorical import RelaxedOneHotCategorical
from tinytorch.distributions.studentT import StudentT
from tinytorch.distributions.transformed_distribution import TransformedDistribution
from tinytorch.distributions.transforms import *  # noqa: F403 - PyTorch has all transforms here, too
from tinytorch.distributions.uniform import Uniform
from tinytorch.distributions.von_mises import VonMises
from tinytorch.distributions.weibull import Weibull
from tinytorch.distributions.wishart import Wishart


def __getattr__(name: str) -> Any:
    if name in ("chi2", "exp_family"):
        return importlib.import_module(f"{__name__}.{name}")
    from tinytorch.missing import missing

    raise missing(__name__, name)
