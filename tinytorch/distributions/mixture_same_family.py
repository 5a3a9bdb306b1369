"""A mixture of distributions of one kind."""

from __future__ import annotations

from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.distributions import constraints
from tinytorch.distributions.categorical import Categorical
from tinytorch.distributions.distribution import Distribution
from tinytorch.tensor import Tensor

__all__ = ["MixtureSameFamily"]


class _MixtureConstraint(constraints.Constraint):
    """The components' constraint, for values without the dimension of the components."""

    def __init__(self, base: constraints.Constraint) -> None:
        self.base, self.is_discrete, self.event_dim = base, base.is_discrete, base.event_dim

    def check(self, value: Tensor) -> Tensor:
        unsqueezed = value.unsqueeze(-1 - self.event_dim)
        result = self.base.check(unsqueezed)
        if value.dim() < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return result.reshape((*tuple(result.shape[: value.dim() - self.event_dim]), -1)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base!r})"


class MixtureSameFamily(Distribution):
    """First a component k ~ ``mixture_distribution``, then a draw from the k-th of ``component_distribution``.

    The components lie along the last batch dimension of ``component_distribution``.
    """

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        batch = tuple(component_distribution.batch_shape)
        for size, other in zip(reversed(mixture_distribution.batch_shape), reversed(batch[:-1]), strict=False):
            if size != 1 and other != 1 and size != other:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape[:-1]`({batch[:-1]})"
                )
        components = mixture_distribution.logits.shape[-1]
        if batch[-1] != components:
            raise ValueError(
                f"`mixture_distribution component` ({components}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({batch[-1]})"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = components
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(batch[:-1], event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        component = self._component_distribution.expand((*batch_shape, self._num_component))
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        mixture = self._mixture_distribution.expand(batch_shape)
        MixtureSameFamily.__init__(new, mixture, component, self._validate_args)
        return new

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        return _MixtureConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the component's index."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        """The components' probabilities, with a dimension of size 1 for each of the event's."""
        probs = self._mixture_distribution.probs
        return probs.reshape(tuple(probs.shape) + (1,) * self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        weights, dim = self._weights(), -1 - self._event_ndims
        within = (weights * self._component_distribution.variance).sum(dim)
        between = (weights * (self._component_distribution.mean - self.mean.unsqueeze(dim)).pow(2.0)).sum(dim)
        return within + between

    def cdf(self, x: Tensor) -> Tensor:
        probabilities = self._component_distribution.cdf(x.unsqueeze(-1 - self._event_ndims))
        return (probabilities * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        self._check_value(x)
        log_component = self._component_distribution.log_prob(x.unsqueeze(-1 - self._event_ndims))
        log_weight = ops.log_softmax(self._mixture_distribution.logits, -1)
        return ops.logsumexp(log_component + log_weight, -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = len(tuple(sample_shape)) + len(self._batch_shape)
            event = tuple(self._event_shape)
            index = chosen.reshape(tuple(chosen.shape) + (1,) * (self._event_ndims + 1))
            return drawn.gather(dim, index.expand((*tuple(chosen.shape), 1, *event))).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
