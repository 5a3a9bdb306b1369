"""``torch.nn._reduction``, with which losses written outside of PyTorch read their ``reduction`` argument."""

from __future__ import annotations

import warnings

from tinytorch.ops.reduction_modes import chosen_reduction

__all__ = ["get_enum", "legacy_get_enum", "legacy_get_string"]


def get_enum(reduction: str) -> int:
    """PyTorch's number of a reduction: none 0, mean 1, sum 2. ValueError for another name."""
    return ("none", "mean", "sum").index(chosen_reduction(None, None, reduction))


def legacy_get_string(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """The reduction that the two old flags mean; None stands for True."""
    with warnings.catch_warnings():
        if not emit_warning:
            warnings.simplefilter("ignore")
        return chosen_reduction(size_average is None or size_average, reduce is None or reduce, "mean")


def legacy_get_enum(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> int:
    """Its number."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))
