"""Types for annotations, as scripted code imports them (``torch.jit.annotations``)."""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035 - the names that are imported from here

__all__ = ["Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "List", "Optional", "Tuple",
           "Union"]  # fmt: skip


class _BroadcastingList:
    """``BroadcastingList2[int]``: two of them, or one that stands for both."""

    def __getitem__(self, types: Any) -> None:
        """Nothing: an annotation alone."""


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()
