"""A bell that wakes a thread within ten microseconds, because the thread does not sleep.

To wake a sleeping thread takes 50 microseconds (the system has to find it a core, and the core may sleep as well): the
time of a pass over 200,000 numbers, twice for each piece of shared work, once to begin and once to say that it is done.
So OpenMP's threads, which PyTorch uses, stay awake for a while after each piece, looking at a variable again and again.

A Python thread that looks again and again would hold the global lock, and nobody else would get on. But NumPy lets go
of the lock during a long reduction, ``any`` (`np.logical_or.reduce`) stops at the first True, and a view whose stride
is 0 shows the same byte as often as one likes. So one call of NumPy is a loop that waits for a byte to become True:

>>> bell = Bell()
>>> bell.ring()
>>> bell.wait()
True
>>> bell.clear()
>>> bell.wait()                                                       # a millisecond later: nobody rang
False

Two threads share a millisecond in 46 microseconds more than half of it, instead of 143 (``python -m
tests.benchmarks.limits``). ReLU of a million numbers and its gradient take 0.84 of the time, softmax 0.87, the training
step of an MLP 0.81: beside ``OMP_WAIT_POLICY=passive python -m tests.benchmarks --threads 2 --only relu softmax MLP``.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["Bell"]

BYTES = 60
READS = 48_000
"""So often a byte is read before the next one is looked at. Together they last a millisecond."""
AFTERWARDS = 6
"""Further rows of bytes that are True from the start: fifteen microseconds."""
RUNG, SILENT = b"\1" * BYTES, bytes(BYTES)
STAY_AWAKE = os.environ.get("OMP_WAIT_POLICY", "").upper() != "PASSIVE"
"""What users say to OpenMP's threads (and so to PyTorch's) when waiting must not use a core."""


class Bell:
    """`ring` it, and whoever is in `wait` goes on; who comes later need not wait, until somebody calls `clear`.

    The first row of the view is the bell. The other rows are True from the start; to look at them takes some fifteen
    microseconds, in which the one who rang leaves Python for a call of NumPy: a thread that came back from `wait` at
    once would find the global lock taken, and would sleep after all. (A pass over 2^18 numbers in two parts: 73
    microseconds, nearly always; with a third of these rows 75 to 190.)
    """

    __slots__ = ("_bytes", "_view")

    def __init__(self) -> None:
        memory = np.zeros((1 + AFTERWARDS, BYTES), bool)
        memory[1:] = True
        self._bytes = memoryview(memory[0]).cast("B")
        self._view = as_strided(memory, (1 + AFTERWARDS, BYTES, READS), (BYTES, 1, 0), writeable=False)

    def ring(self) -> None:
        """Those who wait go on."""
        self._bytes[:] = RUNG

    def clear(self) -> None:
        """From now on they wait again."""
        self._bytes[:] = SILENT

    def wait(self) -> bool:
        """Stay awake until it rings, or for a millisecond; whether it rang."""
        if STAY_AWAKE:
            np.logical_or.reduce(self._view, axis=(1, 2))
        return bool(self._bytes[0])
