"""Mixed precision, as far as a CPU needs it (``torch.amp``).

``GradScaler`` scales losses and skips steps with infinite gradients, for any dtype. ``autocast`` would run some ops in
bfloat16, which NumPy does not have: asking for it on the CPU is an error; for a device that is not there it warns and
does nothing, as in a PyTorch without GPUs.
"""

from tinytorch.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from tinytorch.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
