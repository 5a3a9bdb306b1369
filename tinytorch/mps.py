"""``tinytorch.mps``: there is none; ``is_available()`` is False."""

from __future__ import annotations

from typing import Any

from tinytorch.accelerators import Absent

_absent = Absent("MPS")

is_available = _absent.false
device_count = current_allocated_memory = driver_allocated_memory = _absent.zero
manual_seed = seed = empty_cache = synchronize = _absent.nothing
get_rng_state = set_rng_state = set_per_process_memory_fraction = Event = _absent.unavailable


def __getattr__(name: str) -> Any:
    _absent.missing(name)
