"""``tinytorch.accelerator``: the accelerator that this machine has, whatever its make. None."""

from __future__ import annotations

from typing import Any

from tinytorch.accelerators import Absent

_absent = Absent("accelerator")

is_available = _absent.false
device_count = _absent.zero
current_accelerator = synchronize = empty_cache = _absent.nothing
current_device_index = set_device_index = current_stream = set_stream = _absent.unavailable


def __getattr__(name: str) -> Any:
    _absent.missing(name)
