"""``tinytorch.accelerator``: the accelerator that this machine has, whatever its make. None."""

from __future__ import annotations

from typing import Any

from tinytorch.accelerators import Absent

_absent = Absent("accelerator")

is_available = _absent.false
device_count = memory_allocated = memory_reserved = max_memory_allocated = max_memory_reserved = _absent.zero
current_accelerator = synchronize = empty_cache = reset_peak_memory_stats = _absent.nothing
current_device_index = set_device_index = current_stream = set_stream = _absent.unavailable
current_device_idx = set_device_idx = device_index = Stream = Event = memory_stats = _absent.unavailable


def __getattr__(name: str) -> Any:
    _absent.missing(name)
