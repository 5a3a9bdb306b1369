"""Devices: there is one, the CPU. The names exist so that scripts that ask "cuda or cpu?" run.

>>> device("cpu")
device(type='cpu')
>>> device("cpu") == device("cpu:0")
False
"""

from __future__ import annotations

from typing import Any

__all__ = ["device"]

_KNOWN = ("cpu", "cuda", "mps", "xpu", "meta", "mkldnn", "ipu", "hip", "vulkan", "xla", "hpu", "mtia", "privateuseone")


class device:
    """A device: ``device("cpu")``. Others can be named, but no tensor can be put on them."""

    __module__ = "tinytorch"  # as users know it
    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if isinstance(type, int):  # an accelerator's index
            raise RuntimeError(f"Cannot access accelerator device {type} when none is available.")
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type!r}")
        name, _, number = type.partition(":")
        if name not in _KNOWN:
            raise RuntimeError(f"Expected one of {', '.join(_KNOWN)} device type at start of device string: {type}")
        if number:
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}'")
            index = int(number)
        self.type, self.index = name, index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        """``with device("meta"):`` puts what is made inside on the device: the CPU, or the one without values."""
        if self.type != "meta":
            check_device(self)
        from tinytorch.utils import _device

        _device.enter(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        from tinytorch.utils import _device

        _device.leave()

    def __reduce__(self) -> Any:
        return device, (str(self),)


CPU = device("cpu")


class NoCudaError(AssertionError, RuntimeError):
    """A GPU was asked for. PyTorch without CUDA raises AssertionError, and RuntimeError for every other device."""


def check_device(where: Any) -> None:
    """Accept the CPU in any spelling (or None); raise for every other device."""
    if where is None or where is CPU:
        return
    if isinstance(where, bool):
        raise TypeError("argument 'device' must be torch.device, not bool")
    asked = device(where)
    if asked.type != "cpu":
        raise (NoCudaError if asked.type == "cuda" else RuntimeError)(
            f"tinytorch runs on the CPU only, and device '{asked}' was asked for. Use device='cpu', or choose the "
            "device with tinytorch.cuda.is_available(), which is False here."
        )
