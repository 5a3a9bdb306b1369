"""Where PyTorch keeps the shuffling of channels."""

from tinytorch.nn.modules.channels import (
    ChannelShuffle,
)

__all__ = ["ChannelShuffle"]
