"""What models ask of ``torch.onnx`` while they run. No ONNX is written here; see ``tinytorch.absent``."""

from __future__ import annotations

from typing import Any

__all__ = ["is_in_onnx_export"]


def is_in_onnx_export() -> bool:
    """False: models that take another way for it take their usual one."""
    return False


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
