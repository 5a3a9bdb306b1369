"""Where PyTorch keeps the shuffling of pixels."""

from tinytorch.nn.modules.channels import (
    PixelShuffle,
    PixelUnshuffle,
)

__all__ = ["PixelShuffle", "PixelUnshuffle"]
