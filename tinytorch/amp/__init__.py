"""Mixed precision, as far as a CPU needs it (``torch.amp``).

``GradScaler`` scales losses and skips steps with infinite gradients, for any dtype. ``autocast`` would run some ops in
bfloat16: it warns, and everything is computed in the dtype that it has.
"""

from tinytorch.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from tinytorch.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
