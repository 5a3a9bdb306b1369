"""Distributions of yes and no: given by a probability p, or by its log odds ln(p / (1 - p)), the *logit*.

Logits may be any number, so they are what networks give; probabilities are what people read. Whichever was not given
is computed when somebody asks for it.
"""

from __future__ import annotations

from typing import Any

from tinytorch.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from tinytorch.tensor import Tensor

__all__ = ["ProbsOrLogits", "check_one_given"]


def check_one_given(probs: Any, logits: Any) -> None:
    """ValueError unless exactly one of the two was given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class ProbsOrLogits:
    """The part of a distribution that has ``probs`` and ``logits``."""

    _param: Tensor  # the one that was given

    def _take(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        """Keep the one that was given, broadcast with other parameters, which are returned."""
        check_one_given(probs, logits)
        *others, self._param = broadcast_all(*others, logits if probs is None else probs)  # type: ignore[assignment]
        setattr(self, "logits" if probs is None else "probs", self._param)
        return tuple(others)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter that was given."""
        return self._param.shape
