"""Grouping tensors for the functions over lists (``torch.utils._foreach_utils``)."""

from __future__ import annotations

from typing import Any

from tinytorch.tensor import Tensor

__all__ = ["_device_has_foreach_support", "_group_tensors_by_device_and_dtype", "_has_foreach_support"]


def _group_tensors_by_device_and_dtype(tensorlistlist: Any, with_indices: bool = False) -> dict[Any, Any]:
    """``{(device, dtype): (lists, indices)}``: the lists cut down to the places where the first has such tensors."""
    groups: dict[Any, Any] = {}
    for index, first in enumerate(tensorlistlist[0]):
        lists, indices = groups.setdefault((first.device, first.dtype), ([[] for _ in tensorlistlist], []))
        for kept, whole in zip(lists, tensorlistlist, strict=True):
            if whole:
                kept.append(whole[index])
        if with_indices:
            indices.append(index)
    return groups


def _device_has_foreach_support(device: Any) -> bool:
    """True: those functions are loops."""
    return True


def _has_foreach_support(tensors: list[Any], device: Any) -> bool:
    """Whether all are tensors."""
    return all(tensor is None or type(tensor) is Tensor for tensor in tensors)
