"""What losses do with one number per element: keep them ('none'), average them ('mean') or add them up ('sum')."""

from __future__ import annotations

import warnings

from tinytorch.tensor import Tensor

__all__ = ["chosen_reduction", "reduced"]


def chosen_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction asked for, by name or by PyTorch's two deprecated flags, which are still found in old scripts.

    Raises ValueError for an unknown name.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=4,
        )
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=4)
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """A loss per element as it is ('none'), averaged ('mean') or summed ('sum')."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    return loss
