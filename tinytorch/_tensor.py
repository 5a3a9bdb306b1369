"""``torch._tensor``, where some programs import Tensor from."""

from tinytorch.tensor import Tensor

__all__ = ["Tensor"]
