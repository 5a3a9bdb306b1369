"""Threads: split one loop over the cores, without changing one bit of the result.

NumPy lets go of Python's global lock while it works on a large array, so ordinary Python threads do run
NumPy calls side by side. Three rules make that safe and worth it:

1. *The caller chooses the blocks, the machine chooses who runs them.* Block boundaries depend on the shapes
   alone, never on the number of threads, and every block writes to its own place. So the result has the same
   bits on one core and on sixteen. (Floating-point addition is not associative: a sum that is split at another
   place is another number.)
2. *Blocks are coarse.* A thread that comes back from NumPy must wait for the global lock, and waking up takes as long
   as a pass over 200,000 numbers. So a single NumPy call in a block should last a hundred microseconds or more. (A
   formula of 16 calls on 64 KB each took 1.3 ms on one thread and 3.3 ms on two.) Short work runs inline, and between
   two pieces of work the threads stay awake for a while (`bell`).
3. *One kind of threads.* BLAS is held to one thread (`blas` says why), and large products are cut into blocks here
   (`products.matmul`). A block that itself asks for blocks gets them inline.

What PyTorch has: `at::parallel_for` with a grain size, and `torch.set_num_threads`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from tinytorch.kernels.bell import Bell
from tinytorch.kernels.blas import hold_blas

Block = TypeVar("Block")

MIN_PARALLEL_MICROSECONDS = 250.0
"""Work estimated to last less than this on one thread is not worth the help of another one: sharing takes 50, or 140 if
that one sleeps, and whenever two threads meet at the global lock, one of them may sleep for 50."""

SHARE_MICROSECONDS = 125.0
"""Each of several threads should have so much to do, or they meet too often: on 16 cores, the CNN's training step with
batches of 16 takes 44 ms if all of them come to every region, and 30 if as many come as this allows."""
MOST = 8
"""No more threads share a region: the step with batches of 256 takes 172 ms on eight cores and 226 on sixteen."""


def _default_num_threads() -> int:
    """The cores that this process may use, or fewer when OMP_NUM_THREADS says so (as PyTorch does)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    wish = os.environ.get("OMP_NUM_THREADS", "")
    return int(wish) if wish.isdigit() and int(wish) > 0 else cores


_num_threads = _default_num_threads()
_pool: _Pool | None = None
_pool_lock = threading.Lock()


class _Here(threading.local):
    """What each thread knows of itself."""

    inside = False  # it runs a block
    _bell: Bell | None = None

    def bell(self) -> Bell:
        """Rings when others have done their part of what this thread waits for."""
        if self._bell is None:
            self._bell = Bell()
        return self._bell


_here = _Here()


def get_num_threads() -> int:
    """Number of threads that kernels may use at once (`torch.get_num_threads`)."""
    return _num_threads


def set_num_threads(n: int) -> None:
    """Let kernels use at most `n` threads from now on (`torch.set_num_threads`).

    NumPy's BLAS is held to one thread; see above.

    Raises TypeError when `n` is not an int and RuntimeError when it is not positive.
    """
    global _num_threads, _pool
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    with _pool_lock:
        old, _pool, _num_threads = _pool, None, n
    if old is not None:
        old.dismiss()
    hold_blas()


def run_blocks(fn: Callable[[Block], object], blocks: Sequence[Block], microseconds: float = float("inf")) -> None:
    """Call `fn(block)` for every block, on as many threads as allowed; return when all are done.

    `microseconds`: the caller's estimate for all blocks together on one thread; small work runs inline, in
    order. `fn` must write to places that no other block touches. The first exception that a block raises is
    raised here, after the blocks already started have ended.
    """
    helpers = min(_num_threads, len(blocks), MOST) - 1
    hold_blas()
    nested = _here.inside  # this thread is already one of those that share the cores
    if nested or helpers <= 0 or microseconds < MIN_PARALLEL_MICROSECONDS:
        for block in blocks:
            fn(block)
        return
    if helpers > microseconds / SHARE_MICROSECONDS - 1:
        helpers = max(1, int(microseconds / SHARE_MICROSECONDS) - 1)
    region = _Region(fn, blocks)
    region.invite(helpers)
    region.finish()


class Task:
    """A function that another thread may run while this one goes on: ``fn()``, once, by the time `finish` returns.

    What the function does in blocks may be shared with further threads.
    """

    def __init__(self, fn: Callable[[], object]) -> None:
        self._region = _Region(lambda _: fn(), (None,), nested=False)
        if _num_threads > 1 and not _here.inside:
            self._region.invite(1)

    def finish(self) -> None:
        """Wait for it, or run it here if nobody has begun; raises what it raised."""
        self._region.finish()

    def cancel(self) -> None:
        """Do not begin; wait for the end if it has begun."""
        self._region.cancel()


class _Region:
    """Blocks that several threads share.

    An executor of Python's library does the same; each of its tasks has a future with locks of its own, which takes
    20 microseconds more, as long as a small convolution needs for its blocks.
    """

    def __init__(self, fn: Callable[[Any], object], blocks: Sequence[Any], nested: bool = True) -> None:
        self.fn = fn
        self.nested = nested  # blocks within a block run inline
        self.invited = 0
        self.blocks = deque(blocks)
        self.invitations: deque[None] = deque()
        self.left: list[None] = []  # one for each helper that came and is through
        self.end: SimpleQueue[None] = SimpleQueue()  # the last of them puts something here, for who sleeps
        self.bell = _here.bell()  # and rings, for who is awake
        self.errors: list[BaseException] = []

    def drain(self) -> None:
        """Take blocks until none is left. `deque.popleft` is atomic, so no block runs twice."""
        before, _here.inside = _here.inside, self.nested
        try:
            while True:
                try:
                    block = self.blocks.popleft()
                except IndexError:
                    return
                self.fn(block)
        except BaseException:
            self.blocks.clear()  # the others stop early too
            raise
        finally:
            _here.inside = before

    def help(self) -> None:
        """What a helper does that has woken up, unless it comes too late."""
        try:
            self.invitations.pop()
        except IndexError:
            return
        try:
            self.drain()
        except BaseException as error:
            self.errors.append(error)
        self.left.append(None)
        if len(self.left) >= self.invited:
            self.end.put(None)
            self.bell.ring()

    def invite(self, helpers: int) -> None:
        """Wake up so many threads."""
        pool = _pool_or_none()
        if pool is not None:
            self.invited = min(helpers, pool.size)
            self.invitations.extend([None] * self.invited)
            for _ in range(self.invited):
                pool.invite(self)

    def finish(self) -> None:
        """Take blocks as well; return when all are done. Raises the first error."""
        try:
            self.drain()
        finally:
            self._wait()
        for error in self.errors:
            raise error

    def cancel(self) -> None:
        """Begin no more blocks; return when those begun are done."""
        self.blocks.clear()
        self._wait()

    def _wait(self) -> None:
        """Withdraw the invitations of those who sleep still; wait for the others, even when interrupted (Ctrl-C)."""
        while self.invitations:
            try:
                self.invitations.pop()
                self.invited -= 1
            except IndexError:  # somebody was faster
                break
        interrupt = None
        while len(self.left) < self.invited:
            try:
                get_soon(self.end, self.bell)
            except BaseException as error:
                self.blocks.clear()
                interrupt = error
        self.fn = _nothing  # who comes too late may hold this region for a while, but none of its arrays
        if interrupt is not None:
            raise interrupt


def _nothing(_: Any) -> None:
    """What is left to do."""


def get_soon(queue: SimpleQueue[Any], bell: Bell) -> Any:
    """``queue.get()``, staying awake for a while: who puts something into the queue rings the bell afterwards."""
    bell.clear()
    if queue.empty():
        bell.wait()
    return queue.get()


class _Pool:
    """Threads that wait for a region to invite them: awake for a while, as the next one often follows, then asleep."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.idle: deque[_Helper] = deque()
        self.late: deque[_Region] = deque()  # those that found nobody idle
        self.helpers = [_Helper(self) for _ in range(size)]

    def invite(self, region: _Region) -> None:
        """Wake up one thread: the one that has been idle for the shortest time, which is awake if any is."""
        try:
            self.idle.pop().call(region)
        except IndexError:
            self.late.append(region)

    def dismiss(self) -> None:
        """Let the threads end."""
        for helper in self.helpers:
            helper.call(None)


class _Helper:
    """One of these threads. Each has its own bell: only those wake up whom a region invites."""

    def __init__(self, pool: _Pool) -> None:
        self.pool = pool
        self.bell = Bell()
        self.calls: SimpleQueue[_Region | None] = SimpleQueue()
        threading.Thread(target=self._serve, name="tinytorch", daemon=True).start()

    def call(self, region: _Region | None) -> None:
        """Help there; None: end."""
        self.calls.put(region)
        self.bell.ring()

    def _serve(self) -> None:
        while (region := self._next_region()) is not None:
            region.help()
            del region  # its arrays must not live until the next one comes

    def _next_region(self) -> _Region | None:
        """One that found nobody idle, or the one that calls next; None: the end."""
        try:
            return self.pool.late.popleft()
        except IndexError:
            self.pool.idle.append(self)
            called: _Region | None = get_soon(self.calls, self.bell)
            return called


def _pool_or_none() -> _Pool | None:
    global _pool
    try:
        with _pool_lock:
            if _pool is None:
                _pool = _Pool(_num_threads - 1)
            return _pool
    except RuntimeError:  # the interpreter is shutting down: no new threads, the caller does everything
        return None


def _forget_threads_after_fork() -> None:
    """Threads do not survive a fork, and a lock may have been copied while held: start afresh in the child."""
    global _pool, _pool_lock, _here
    _pool, _pool_lock, _here = None, threading.Lock(), _Here()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads_after_fork)
