"""Where PyTorch keeps anomaly detection."""

from tinytorch.autograd.anomaly import (
    detect_anomaly,
    set_detect_anomaly,
)

__all__ = ["detect_anomaly", "set_detect_anomaly"]
