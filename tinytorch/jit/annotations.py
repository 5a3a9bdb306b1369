"""Types for annotations, as scripted code imports them (``torch.jit.annotations``)."""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035 - the names that are imported from here

__all__ = ["Any", "Dict", "List", "Optional", "Tuple", "Union"]
