"""Where PyTorch keeps ``ExponentialFamily``."""

from tinytorch.distributions.distribution import ExponentialFamily

__all__ = ["ExponentialFamily"]
