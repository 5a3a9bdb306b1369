"""``tinytorch.mtia``: there is none; ``is_available()`` is False."""

from __future__ import annotations

from typing import Any

from tinytorch.accelerators import Absent

_absent = Absent("MTIA")

is_available = is_initialized = is_bf16_supported = _absent.false
device_count = memory_allocated = max_memory_allocated = memory_reserved = _absent.zero
manual_seed = manual_seed_all = seed = seed_all = empty_cache = synchronize = _absent.nothing
init = current_device = set_device = get_device_name = get_device_properties = Event = Stream = _absent.unavailable


def __getattr__(name: str) -> Any:
    _absent.missing(name)
