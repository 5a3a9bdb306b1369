"""Where PyTorch keeps the handle that registering a hook returns (``torch.utils.hooks``)."""

from tinytorch.autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle"]
