"""How much to work on at a time, so that the passes of a formula find their data in a cache.

(After: `pieces`, `threads`. Next: `elementwise`.)

Two kinds of processors were measured. Of AMD's (Zen 4), the last-level cache is nearly as fast as the one before:
pieces may be as large as it. Of Intel's (Granite Rapids), it is far away, and a pass over what lies in the second-level
cache (2 MB for each core) takes a third of the time: hardswish of a million numbers and its gradient 1.6 ms in pieces
of 2^17 numbers, 2.4 in pieces of 2^19 (one thread).

Several threads are another matter. Whenever one comes back from a call of NumPy it needs Python's global lock, and
waits if another has it: the same formula on two threads takes 1.7 ms in pieces of 2^17 numbers, 1.35 in pieces of 2^18.
And the formulas of normalization and pooling, a dozen calls for each block, are best in a block or two for each thread.

So these sizes depend on the processor and on the number of threads. They are for formulas whose numbers do not depend
on where the cuts are: elementwise ones, and those of channels that are summed one by one.

Convolutions sum over their blocks: these must be the same for any number of threads. Their calls are products, and do
not mind larger blocks; on two threads 64 channels at 28 x 28 (16 images, 3 x 3, by Winograd) take 4.0 ms in two blocks,
6.1 in eight. On AMD's processors the two are equal.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from tinytorch.kernels.pieces import BLOCK_BYTES, Piece, cache_blocks, ceil_div
from tinytorch.kernels.threads import get_num_threads

__all__ = ["CACHED_NUMBERS", "channel_blocks", "last_level_is_fast", "piece_size"]


CACHED_NUMBERS = 1 << 18
"""Numbers of a matrix that a second-level cache of two megabytes holds beside others."""


@cache
def last_level_is_fast() -> bool:
    """Whether the last-level cache, and memory read in order, keep up with the arithmetic: on AMD's processors.

    Where they do not, convolutions work in larger blocks, as said above.
    """
    return _vendor() == "AuthenticAMD"


def _vendor() -> str:
    """'AuthenticAMD', 'GenuineIntel'...; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux; Windows has it in a sentence
        import platform  # late: `import tinytorch` stays cheap

        return platform.processor().rpartition(", ")[2]
    return next((line.partition(": ")[2] for line in lines if line.startswith("vendor_id")), "")


def piece_size() -> int:
    """How many numbers of each array an elementwise formula works on together."""
    if last_level_is_fast():
        return 1 << 19
    return 1 << 18 if get_num_threads() > 1 else 1 << 17


def channel_blocks(rows: np.ndarray) -> list[Piece]:
    """`pieces.cache_blocks` for formulas that treat each row (the first dimension) by itself, as said above."""
    if last_level_is_fast():
        return cache_blocks(rows)
    threads = get_num_threads()
    if threads == 1:
        return cache_blocks(rows, BLOCK_BYTES // 2)
    return cache_blocks(rows, min(max(BLOCK_BYTES, ceil_div(rows.nbytes, threads)), 2 * BLOCK_BYTES))
