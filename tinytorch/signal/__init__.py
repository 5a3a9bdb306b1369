"""Signal processing (``torch.signal``): window functions."""

from tinytorch.signal import windows

__all__ = ["windows"]
