"""Where PyTorch keeps it (``torch.cuda.amp.grad_scaler``)."""

from tinytorch.cuda.amp import GradScaler

__all__ = ["GradScaler"]
