"""``tinytorch.profiler``: where does the time go? As ``torch.profiler``.

::

    with profile() as prof:
        loss = model(x).sum()
        loss.backward()
    print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
    prof.export_chrome_trace("trace.json")          # for chrome://tracing or https://ui.perfetto.dev
"""

from tinytorch.profiler.averages import EventAverage, EventList
from tinytorch.profiler.profile import (
    Event,
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)

__all__ = ["Event", "EventAverage", "EventList", "ProfilerAction", "ProfilerActivity", "profile", "record_function",
           "schedule", "tensorboard_trace_handler"]  # fmt: skip
