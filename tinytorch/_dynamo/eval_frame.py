"""Where PyTorch keeps :class:`OptimizedModule`, by which programs ask whether a model is compiled."""

from tinytorch.compiler import OptimizedModule

__all__ = ["OptimizedModule"]
