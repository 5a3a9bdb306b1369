"""What every distribution has: shapes, parameters that are checked, samples, densities.

Three shapes: ``sample_shape`` (how many draws, the caller's choice), ``batch_shape`` (independent distributions side by
side, one for each set of parameters) and ``event_shape`` (one draw of one of them: () for a number, (n,) for a vector).
``sample(sample_shape)`` has the shape ``sample_shape + batch_shape + event_shape``; ``log_prob`` of it has the shape
``sample_shape + batch_shape``.

``rsample`` writes a draw as a differentiable function of the parameters and of noise that does not depend on them
(the reparametrization trick, Kingma and Welling 2014), so that gradients flow through it; ``sample`` does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.engine import grad
from tinytorch.autograd.modes import no_grad
from tinytorch.distributions import constraints
from tinytorch.distributions.utils import lazy_property
from tinytorch.size import Size
from tinytorch.tensor import Tensor

__all__ = ["Distribution", "ExponentialFamily"]


class Distribution:
    """Base of all distributions (``torch.distributions.Distribution``).

    A subclass names its parameters in ``arg_constraints``, sets them as attributes already broadcast to
    ``batch_shape``, then calls ``super().__init__``. With ``validate_args`` (the default) parameters and the values
    given to ``log_prob`` are checked, and ValueError is raised for bad ones.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__
    arg_constraints: Any = {}

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()
        super().__init__()  # a subclass may have another base beside this one

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Switch checking on or off for all distributions made from now on."""
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """A new, empty object for ``expand`` to fill, or ``_instance`` if a subclass's ``expand`` gave one."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return object.__new__(type(self)) if _instance is None else _instance

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue  # what is allowed depends on other parameters
            if name not in self.__dict__ and isinstance(getattr(type(self), name), lazy_property):
                continue  # derived from the parameter that was given
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def _check_value(self, value: Tensor) -> None:
        """Check what was given to ``log_prob`` or ``cdf``, unless checking is off."""
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value: Tensor) -> None:
        """Raise ValueError unless ``value`` fits the shapes and lies in the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        first_event_dim = value.dim() - len(self._event_shape)
        if value.shape[first_event_dim:] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = self._batch_shape + self._event_shape
        for size, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if size != 1 and wanted != 1 and size != wanted:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `support` to enable sample validation.", stacklevel=3)
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    # ------------------------------------------------------------------------------------ shapes

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: that of independent distributions side by side."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw of one distribution."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        """The shape of ``sample(sample_shape)``."""
        return Size(tuple(sample_shape) + tuple(self._batch_shape) + tuple(self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded (not copied) to another ``batch_shape``.

        All tensors and distributions among the attributes have ``batch_shape`` in front; the rest is kept.
        """
        new = object.__new__(type(self)) if _instance is None else _instance
        old, batch_shape = len(self._batch_shape), Size(batch_shape)
        for name, value in self.__dict__.items():
            if isinstance(value, Tensor):
                value = value.expand(tuple(batch_shape) + tuple(value.shape[old:]))
            elif isinstance(value, Distribution):
                value = value.expand(batch_shape)
            new.__dict__[name] = value
        new._batch_shape = batch_shape
        return new

    # ------------------------------------------------------------------------------------ what a subclass gives

    @property
    def support(self) -> constraints.Constraint:
        """The constraint that all draws satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """Where the density is largest."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw, differentiably in the parameters. NotImplementedError where there is no way."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``; deprecated."""
        warnings.warn("sample_n will be deprecated. Use .sample((n,)) instead", UserWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density (or probability) at ``value``."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw up to ``value``."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of :meth:`cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expectation of ``-log_prob``."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """``exp(entropy)``."""
        return self.entropy().exp()

    # ------------------------------------------------------------------------------------ printing

    def __repr__(self) -> str:
        shown = {name: self.__dict__[name] for name in self.arg_constraints if name in self.__dict__}
        return f"{type(self).__name__}({', '.join(f'{name}: {_brief(value)}' for name, value in shown.items())})"


def _brief(value: Tensor) -> Any:
    return value if value.numel() == 1 else value.size()


class ExponentialFamily(Distribution):
    """Densities of the form ``exp(<t(x), θ> - F(θ) + k(x))`` with natural parameters θ and log normalizer F.

    Their entropy is ``F(θ) - <∇F(θ), θ> - E[k(x)]`` (Nielsen and Nock 2010), which autograd works out.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    _log_normalizer: Callable[..., Tensor]

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        params = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*params)
        gradients = grad(normalizer.sum(), params, create_graph=True)
        result = normalizer - self._mean_carrier_measure
        for param, gradient in zip(params, gradients, strict=True):
            inner = param * gradient
            result = result - inner.reshape((*tuple(self._batch_shape), -1)).sum(-1)
        return result


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Normal noise in the dtype of ``like``."""
    return ops.randn(tuple(shape), dtype=like.dtype)
