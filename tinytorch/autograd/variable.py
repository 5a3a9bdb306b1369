"""Where PyTorch keeps ``Variable``."""

from tinytorch.autograd import (
    Variable,
)

__all__ = ["Variable"]
