"""Where PyTorch keeps ``Chi2``."""

from tinytorch.distributions.gamma import Chi2

__all__ = ["Chi2"]
