"""Where PyTorch keeps them (``torch.cuda.amp.autocast_mode``)."""

from tinytorch.cuda.amp import autocast, custom_bwd, custom_fwd

__all__ = ["autocast", "custom_bwd", "custom_fwd"]
