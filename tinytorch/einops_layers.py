"""``einops.layers.torch`` with the modules of tinytorch: ``Rearrange``, ``Reduce`` and ``EinMix`` (needs einops)."""

from __future__ import annotations

from typing import Any

from einops.layers import RearrangeMixin, ReduceMixin
from einops.layers._einmix import _EinmixMixin

import tinytorch
from tinytorch.nn import Module, Parameter
from tinytorch.tensor import Tensor

__all__ = ["EinMix", "Rearrange", "Reduce"]


class Rearrange(RearrangeMixin, Module):
    """:func:`einops.rearrange` as a layer: ``Rearrange("b c h w -> b (c h w)")``."""

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = self._apply_recipe(input)
        return result


class Reduce(ReduceMixin, Module):
    """:func:`einops.reduce` as a layer: ``Reduce("b c h w -> b c", "mean")``."""

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = self._apply_recipe(input)
        return result


class EinMix(_EinmixMixin, Module):
    """A linear layer along any axes: ``EinMix("b t c -> b t d", weight_shape="c d", bias_shape="d", c=8, d=16)``."""

    def _create_parameters(
        self, weight_shape: list[int], weight_bound: float, bias_shape: list[int] | None, bias_bound: float
    ) -> None:
        self.weight = Parameter(tinytorch.zeros(weight_shape).uniform_(-weight_bound, weight_bound))
        self.bias = None
        if bias_shape is not None:
            self.bias = Parameter(tinytorch.zeros(bias_shape).uniform_(-bias_bound, bias_bound))

    def _create_rearrange_layers(
        self,
        pre_reshape_pattern: str | None,
        pre_reshape_lengths: dict[str, Any] | None,
        post_reshape_pattern: str | None,
        post_reshape_lengths: dict[str, Any] | None,
    ) -> None:
        self.pre_rearrange = (
            Rearrange(pre_reshape_pattern, **pre_reshape_lengths or {}) if pre_reshape_pattern else None
        )
        self.post_rearrange = (
            Rearrange(post_reshape_pattern, **post_reshape_lengths or {}) if post_reshape_pattern else None
        )

    def forward(self, input: Tensor) -> Tensor:
        if self.pre_rearrange is not None:
            input = self.pre_rearrange(input)
        result = tinytorch.einsum(self.einsum_pattern, input, self.weight)
        if self.bias is not None:
            result += self.bias
        return result if self.post_rearrange is None else self.post_rearrange(result)
