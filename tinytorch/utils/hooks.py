"""Where PyTorch keeps the handle that registering a hook returns (``torch.utils.hooks``)."""

from tinytorch.autograd.node import RemovableHandle

__all__ = ["RemovableHandle"]
