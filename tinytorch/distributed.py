"""``tinytorch.distributed``: training in several processes is not supported, and :func:`is_available` says so.

The names are here because scripts import them at their top and use them only when started by a launcher::

    if dist.is_available() and dist.is_initialized():
        dist.barrier()
"""

from __future__ import annotations

import enum
from typing import Any, NoReturn

__all__ = [
    "ReduceOp",
    "all_gather",
    "all_reduce",
    "barrier",
    "broadcast",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "is_torchelastic_launched",
    "reduce",
    "scatter",
]


class ReduceOp(enum.Enum):
    """How values of several processes are joined."""

    SUM, PRODUCT, MIN, MAX, AVG = range(5)


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_torchelastic_launched() -> bool:
    """False."""
    return False


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """RuntimeError: there is one process."""
    raise RuntimeError(
        "tinytorch runs in one process: tinytorch.distributed.init_process_group is not supported. Start the script "
        "without a launcher; tinytorch.distributed.is_available() is False."
    )


def _not_initialized(*args: Any, **kwargs: Any) -> NoReturn:
    """ValueError, as in PyTorch before ``init_process_group``."""
    raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")


get_rank = get_world_size = get_backend = destroy_process_group = barrier = _not_initialized
all_reduce = all_gather = broadcast = gather = reduce = scatter = _not_initialized
