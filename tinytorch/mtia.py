"""``tinytorch.mtia``: there is none; ``is_available()`` is False."""

from __future__ import annotations

from typing import Any

from tinytorch.accelerators import Absent


def __getattr__(name: str) -> Any:
    return Absent("MTIA").usual(name)
