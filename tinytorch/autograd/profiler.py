"""``torch.autograd.profiler``, the older home of :mod:`tinytorch.profiler`."""

from __future__ import annotations

from typing import Any

from tinytorch import profiler
from tinytorch.profiler import record_function
from tinytorch.profiler.averages import EventAverage

__all__ = ["emit_itt", "emit_nvtx", "profile", "record_function"]


class emit_nvtx:
    """Marks for the profiler of a GPU, around every op: nothing if not ``enabled``.

    Raises:
        RuntimeError: on entering it enabled, as there is no GPU.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled

    def __enter__(self) -> emit_nvtx | None:
        if not self.enabled:
            return None
        raise RuntimeError(
            f"{type(self).__name__} marks ops for a profiler that is not here: use tinytorch.profiler.profile."
        )

    def __exit__(self, *error: object) -> None:
        pass


class emit_itt(emit_nvtx):
    """The same for Intel's VTune."""


class profile(profiler.profile):
    """The profiler as it was called before schedules: ``with profile() as prof: ...``, ``print(prof.table())``.

    ``enabled=False``: nothing is recorded. The other options are accepted, see :class:`tinytorch.profiler.profile`.
    """

    def __init__(
        self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None,
        record_shapes: bool = False, with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False,
        with_modules: bool = False, use_kineto: bool = False, use_cpu: bool = True, experimental_config: Any = None,
        acc_events: bool = False, custom_trace_id_callback: Any = None, post_processing_timeout_s: float | None = None,
        activity_filters: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.enabled = enabled

    def start(self) -> None:
        """Begin, if enabled."""
        if self.enabled:
            super().start()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of everything."""
        return self.key_averages().self_cpu_time_total

    def total_average(self) -> EventAverage:
        """One line for all events."""
        return self.key_averages().total_average()

    def table(self, **options: Any) -> str:
        """The events, added up by name, as text: see :meth:`tinytorch.profiler.EventList.table`."""
        return self.key_averages().table(**options)

    def __str__(self) -> str:
        return self.table()
