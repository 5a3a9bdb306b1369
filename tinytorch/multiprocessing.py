"""Processes (``torch.multiprocessing``): Python's :mod:`multiprocessing`, and one function run by several of them.

Tensors go through its queues and pipes. One that ``share_memory_()`` was called on arrives as the same memory, any
other as a copy; its sender must still run when it is taken out of the queue::

    def train(rank, model): ...

    if __name__ == "__main__":
        model.share_memory()
        spawn(train, args=(model,), nprocs=2)           # train(0, model) and train(1, model)
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing import connection as _connection
from multiprocessing import reduction as _reduction  # noqa: F401 - knows how connections are pickled
from typing import Any

from tinytorch import shared_memory  # noqa: F401 - knows how tensors are sent

__all__ = [
    *multiprocessing.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip

LONGEST_REPORT = 30_000
"""Characters: a pipe holds them, so that nobody needs to read before the process can end."""
PATIENCE = 30.0
"""Seconds that a process has to end when it is asked to, before it is killed."""


def get_all_sharing_strategies() -> set[str]:
    """How memory can be shared: by sending file descriptors."""
    return {"file_descriptor"}


def get_sharing_strategy() -> str:
    """'file_descriptor'."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepts PyTorch's strategies and changes nothing: segments are few, so descriptors do not run out.

    Raises:
        ValueError: another one.
    """
    if new_strategy not in {"file_descriptor", "file_system"}:
        raise ValueError(f"unknown sharing strategy {new_strategy!r}: 'file_descriptor' or 'file_system'")


class ProcessException(Exception):
    """A process has failed.

    Attributes:
        error_index: which one.
        error_pid: its number in the system.
    """

    def __init__(self, msg: str, error_index: int, error_pid: int | None) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """The function has raised; the message has its traceback."""


class ProcessExitedException(ProcessException):
    """The process has ended before its time: killed by a signal, or by ``sys.exit``."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int | None, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


class ProcessContext:
    """Processes that run one function; ``join`` waits for them."""

    def __init__(self, processes: list[Any], reports: list[Any]) -> None:
        self.processes, self._reports = processes, reports
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """Their numbers in the system."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one ends, at most ``timeout`` seconds. True when all have ended.

        Raises:
            ProcessRaisedException, ProcessExitedException: one has failed. The others are then ended, too; they have
                ``grace_period`` seconds to do so by themselves.
        """
        for sentinel in _connection.wait(list(self.sentinels), timeout) if self.sentinels else ():
            index = self.sentinels.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                self._end_all(grace_period)
                raise self._failure(index)
        return not self.sentinels

    def _end_all(self, grace_period: float | None) -> None:
        if grace_period is not None:
            self._wait(grace_period)
        for end in ("terminate", "kill"):
            for process in self.processes:
                if process.is_alive():
                    getattr(process, end)()
            self._wait(PATIENCE if grace_period is None else grace_period)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0.0, until - time.monotonic()))

    def _failure(self, index: int) -> ProcessException:
        process, report = self.processes[index], self._reports[index]
        try:
            text = report.recv() if report.poll() else None
        except EOFError:
            text = None
        if text is not None:
            start = f"\n\n-- Process {index} terminated with the following error:\n"
            return ProcessRaisedException(start + text, index, process.pid)
        code = process.exitcode
        if code >= 0:
            return ProcessExitedException(f"process {index} terminated with exit code {code}", index, process.pid, code)
        name = signal.Signals(-code).name
        return ProcessExitedException(f"process {index} terminated with signal {name}", index, process.pid, code, name)


def _run(function: Callable[..., Any], index: int, args: tuple[Any, ...], report: Any) -> None:
    try:
        function(index, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        report.send(traceback.format_exc()[-LONGEST_REPORT:])
        sys.exit(1)


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run ``fn(i, *args)`` in ``nprocs`` processes, i = 0, 1, ...

    Args:
        join: wait for them; else return a :class:`ProcessContext` at once.
        daemon: they end when this process does.
        start_method: 'spawn', 'fork' or 'forkserver'. All but fork need picklable arguments, and a script that starts
            them must do so below ``if __name__ == "__main__"``.

    Raises:
        ProcessRaisedException, ProcessExitedException: one has failed; the others have been ended.
    """
    context = multiprocessing.get_context(start_method)
    processes, reports = [], []
    for index in range(nprocs):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, index, args, theirs), daemon=daemon)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        processes.append(process)
        reports.append(ours)
    running = ProcessContext(processes, reports)
    if not join:
        return running
    while not running.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """:func:`start_processes` with new interpreters; warns if asked for something else."""
    if start_method != "spawn":
        warnings.warn(
            f"spawn() starts processes by 'spawn', not by {start_method!r}: use start_processes(..., "
            f"start_method={start_method!r})",
            FutureWarning,
            stacklevel=2,
        )
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
