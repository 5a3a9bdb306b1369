"""Recording: every op, forward and backward, with its time, its work and the memory of its results.

The profiler is a :class:`~tinytorch.autograd.watching.Watcher`: the ops know nothing of it, and while nobody profiles
they pay nothing. Events nest (an op inside ``record_function``), so each has a total time and, without what ran inside
it, a *self* time.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from tinytorch.autograd.watching import Watcher, watchers
from tinytorch.profiler.averages import EventList, averages
from tinytorch.tensor import Tensor

__all__ = ["Event", "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
           "tensorboard_trace_handler"]  # fmt: skip


class ProfilerActivity(enum.Enum):
    """What to profile: there is only the CPU."""

    CPU = 0
    CUDA = 1


class ProfilerAction(enum.Enum):
    """What the profiler does in a step (``torch.profiler.ProfilerAction``)."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


@dataclasses.dataclass
class Event:
    """One op that ran, or one ``record_function`` block.

    Attributes:
        name: ``"conv2d"``, ``"Conv2dBackward0"``, or the block's.
        kind: ``"forward"``, ``"backward"`` or ``"user"``.
        start, duration: seconds; inner: seconds of the events inside this one.
        flops: floating-point operations (multiplications and additions); nbytes: memory of the results.
        shapes: of the inputs that are tensors.
    """

    name: str
    kind: str
    start: float
    thread: int
    duration: float = 0.0
    inner: float = 0.0
    flops: float = 0.0
    nbytes: int = 0
    shapes: list[list[int]] = dataclasses.field(default_factory=list)

    @property
    def self_time(self) -> float:
        """Seconds without the events inside."""
        return self.duration - self.inner


class profile(Watcher):
    """Record what runs inside the ``with`` block, in all threads (``torch.profiler.profile``).

    Args:
        activities: accepted; the CPU is what there is.
        schedule: what to do in which step, see :func:`schedule`; call :meth:`step` after each.
        on_trace_ready: called with the profiler when the steps to record are over, or at the end of the block.
        record_shapes, profile_memory, with_stack, with_flops, with_modules, experimental_config,
            execution_trace_observer, acc_events, use_cuda, custom_trace_id_callback, post_processing_timeout_s:
            accepted; shapes, memory and FLOPs are always recorded, stacks never.
    """

    everywhere = True

    def __init__(
        self, *, activities: Iterable[Any] | None = None, schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
        with_stack: bool = False, with_flops: bool = False, with_modules: bool = False,
        experimental_config: Any = None, execution_trace_observer: Any = None, acc_events: bool = False,
        use_cuda: bool | None = None, custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.recorded: list[Event] = []
        self._handed_over = False
        self._open = threading.local()  # .stack: the events that have begun and not ended

    # ------------------------------------------------------------------------------------ start and stop

    def start(self) -> None:
        """Begin, as the schedule says for step 0."""
        self._follow_schedule()

    def stop(self) -> None:
        """End, and hand the trace over."""
        super().stop()
        self._hand_over()

    def step(self) -> None:
        """Say that the next step begins."""
        super().stop()
        ended, self.step_num = self.step_num, self.step_num + 1
        if self.schedule(ended) is ProfilerAction.RECORD_AND_SAVE:
            self._hand_over()
        self._follow_schedule()

    def _follow_schedule(self) -> None:
        if self.schedule(self.step_num) in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            if self._handed_over:  # a new cycle; until now the last one could be read
                self.recorded, self._handed_over = [], False
            super().start()

    def _hand_over(self) -> None:
        if self.on_trace_ready is not None and self.recorded and not self._handed_over:
            self.on_trace_ready(self)
        self._handed_over = bool(self.recorded)

    # ------------------------------------------------------------------------------------ recording

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op runs."""
        from tinytorch.viz.describe import op_name  # the names and the counting are those of the graph pictures
        from tinytorch.viz.flops import flops

        event = self.begin(op_name(op), "forward")
        try:
            result = run()
        finally:
            self.end(event)
        arrays = _arrays(result if isinstance(result, tuple) else (result,))
        shapes = [value._array.shape if isinstance(value, Tensor) else None for value in inputs]
        event.shapes = [list(shape) for shape in shapes if shape is not None]
        event.nbytes = sum(array.nbytes for array in arrays)
        event.flops = flops(event.name, shapes, [array.shape for array in arrays], attributes)
        return result

    def backward(self, node: Any, received: list[Any], run: Callable[[], Any]) -> Any:
        """A node's backward runs."""
        event = self.begin(node.name(), "backward")
        try:
            grads = run()
        finally:
            self.end(event)
        event.shapes = [list(array.shape) for array in _arrays(received)]
        event.nbytes = sum(array.nbytes for array in _arrays(grads if isinstance(grads, tuple) else (grads,)))
        return grads

    def begin(self, name: str, kind: str) -> Event:
        """An event begins now, in this thread."""
        event = Event(name, kind, time.perf_counter(), threading.get_ident())
        self._open.__dict__.setdefault("stack", []).append(event)
        return event

    def end(self, event: Event) -> None:
        """It ends now."""
        stack: list[Event] = self._open.stack
        event.duration = time.perf_counter() - event.start
        stack.remove(event)
        if stack:
            stack[-1].inner += event.duration
        self.recorded.append(event)

    # ------------------------------------------------------------------------------------ reading

    def events(self) -> list[Event]:
        """Everything recorded, in the order in which it ended."""
        return self.recorded

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """Events of one name (and the same input shapes, if asked for) added up."""
        return averages(self.recorded, group_by_input_shape)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events as JSON that chrome://tracing and Perfetto show as a timeline."""
        first = min((event.start for event in self.recorded), default=0.0)
        entries = [
            {
                "name": event.name, "cat": event.kind, "ph": "X", "pid": os.getpid(), "tid": event.thread,
                "ts": 1e6 * (event.start - first), "dur": 1e6 * event.duration,
                "args": {"flops": event.flops, "bytes": event.nbytes, "shapes": event.shapes},
            }
            for event in self.recorded
        ]  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": entries, "displayTimeUnit": "ms"}, file)


def _arrays(values: Iterable[Any]) -> list[Any]:
    return [value._array for value in values if isinstance(value, Tensor)]


class record_function:
    """Name a piece of a program in the profile (``torch.profiler.record_function``): context manager and decorator."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        recording = [watcher for watcher in watchers if isinstance(watcher, profile)]
        self._events = [(profiler, profiler.begin(self.name, "user")) for profiler in recording]
        return self

    def __exit__(self, *exception: Any) -> None:
        for profiler, event in self._events:
            profiler.end(event)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def named(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return named


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Cycles of ``wait`` steps without profiling, ``warmup`` steps and ``active`` recorded ones
    (``torch.profiler.schedule``).

    ``skip_first`` steps come before all cycles, of which there are ``repeat``, or no end (0). ``skip_first_wait``
    not 0: the first cycle begins with its warmup.

    >>> plan = schedule(wait=1, warmup=0, active=2, repeat=1)
    >>> [plan(step).name for step in range(4)]
    ['NONE', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError("Invalid profiler schedule arguments")
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        if repeat and step // cycle >= repeat:
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == cycle - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """A value for ``on_trace_ready``: writes each trace into a folder, as Chrome's JSON."""

    def write(profiler: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = f"{worker_name or os.getpid()}.{time.time_ns() // 1_000_000}.pt.trace.json"
        profiler.export_chrome_trace(os.path.join(dir_name, name))

    return write
