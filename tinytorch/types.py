"""Names for annotations (``torch.types``): ``def load(path: FileLike, device: Device) -> Tensor``."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any

from tinytorch.device import device
from tinytorch.dtypes import dtype
from tinytorch.size import Size
from tinytorch.tensor import Tensor

__all__ = ["Device", "FileLike", "Number", "Storage"]

_TensorOrTensors = Tensor | Sequence[Tensor]
_dtype, _device, _size = dtype, device, Size | list[builtins.int] | tuple[builtins.int, ...]
_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
Number = builtins.int | builtins.float | builtins.bool
Device = device | str | builtins.int | None
FileLike = str | os.PathLike[str] | IO[bytes]
Storage = Any
