"""Which worker is this? What a dataset may ask while it is being read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info", "set_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """One worker process of a data loader.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: what its generators were seeded with.
        dataset: its copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_current: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process, which one it is; None elsewhere (``torch.utils.data.get_worker_info``).

    A stream asks in order to give only its part: ``range(info.id, n, info.num_workers)``.
    """
    return _current


def set_worker_info(info: WorkerInfo) -> None:
    """From now on this process is that worker."""
    global _current
    _current = info
