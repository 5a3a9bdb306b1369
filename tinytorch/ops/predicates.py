"""Questions about tensors and their elements, and PyTorch's long names for comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_tensor, refuse_complex
from tinytorch.ops.compare import ge, gt, le, lt, ne
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = [
    "detach",
    "get_device",
    "greater",
    "greater_equal",
    "is_complex",
    "is_distributed",
    "is_floating_point",
    "is_inference",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "isneginf",
    "isposinf",
    "isreal",
    "less",
    "less_equal",
    "not_equal",
    "numel",
    "typename",
]


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is a storage."""
    from tinytorch.storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input.is_inference()


def is_distributed(input: Tensor) -> bool:
    """False: a tensor lives in one process."""
    return False


def detach(input: Tensor) -> Tensor:
    """The same memory outside of the graph."""
    return input.detach()


def get_device(input: Tensor) -> int:
    """-1: the CPU has no number."""
    return -1


def typename(obj: Any) -> str:
    """The full name of an object's type; of a tensor the old one, ``'torch.FloatTensor'``."""
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", "builtins") or "builtins"
    prefix = "" if module in ("builtins", "__builtin__") else module.replace("tinytorch", "torch", 1) + "."
    return prefix + named.__qualname__


def numel(input: Tensor) -> int:
    """The number of elements."""
    check_tensor("numel", "input", 1, input)
    return input._array.size


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is floating (complex is not)."""
    check_tensor("is_floating_point", "input", 1, input)
    return input._array.dtype.kind in FLOATS


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    check_tensor("is_complex", "input", 1, input)
    return input._array.dtype.kind == "c"


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return input.dtype.is_signed


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not zero. RuntimeError for any other number of elements."""
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return input._array.shape == other._array.shape


@accepts_exact_out
def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is +inf; nowhere for integers."""
    refuse_complex("isposinf", input._array)
    return Tensor._wrap(np.asarray(input._array == np.inf))


@accepts_exact_out
def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is -inf; nowhere for integers."""
    refuse_complex("isneginf", input._array)
    return Tensor._wrap(np.asarray(input._array == -np.inf))


@checks_arguments
def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is 0: everywhere, for real tensors."""
    return Tensor._wrap(np.asarray(np.isreal(input._array)))


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
