"""Many swaps, one after the other, without a loop: the second half of a random permutation.

Fisher and Yates' shuffle swaps position i = 0, 1, ... with a position partners[i] >= i. `swapped_in_turn` says just
that. `swapped_at_once` finds the same result, from some hundred numbers on faster.

At its turn, position i gets for good what lies at its partner p, and p gets what lies at i. So what lies at p is either
p itself, or what lay at the last position that chose p before; and what lay *there* came from the last one that had
chosen that position, and so on, back to a number that had not moved. Sorted by partner, all that chose a position are
neighbours; and such chains are followed to their beginning by doubling: "where from" of "where from" halves the length
of every chain, which is a dozen links at most, or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytorch.kernels.counting import stable_order

__all__ = ["swapped", "swapped_at_once", "swapped_in_turn"]

_FEW = 350  # swaps that a loop has done before the work at once has begun


def swapped(partners: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, ..., n - 1 after position i = 0, 1, ..., n - 1 has swapped with position partners[i] >= i.

    >>> swapped(np.array([2, 2, 2]))
    array([2, 0, 1])
    """
    return swapped_in_turn(partners) if partners.size < _FEW else swapped_at_once(partners)


def swapped_in_turn(partners: NDArray[np.int64]) -> NDArray[np.int64]:
    """:func:`swapped`, as it is told."""
    numbers = list(range(partners.size))
    for i, j in enumerate(partners.tolist()):
        numbers[i], numbers[j] = numbers[j], numbers[i]
    return np.array(numbers, np.int64)


def swapped_at_once(partners: NDArray[np.int64]) -> NDArray[np.int64]:
    """:func:`swapped`, as the module tells."""
    n = partners.size
    choosers = stable_order(partners, n)
    chosen = partners[choosers]
    again = chosen[1:] == chosen[:-1]  # the chooser before has the same partner
    # Where a position gets its number from: the last one before it with the same partner, or else (n +) the partner.
    sources = chosen + n
    sources[1:] += again * (choosers[:-1] - sources[1:])  # a choice; np.where takes ten times as long on random ones
    source = np.empty_like(sources)
    source[choosers] = sources
    # Where the number came from that lies at a position at its turn: the last one before that chose it, or itself.
    numbers = np.concatenate((np.arange(n), np.arange(n)))
    origin = numbers[:n]
    alone = np.flatnonzero(partners == origin)  # those that chose themselves, a dozen
    origin[chosen] = choosers  # of several, the last assignment counts
    origin[alone] = np.where(source[alone] < n, source[alone], alone)
    while True:
        further = origin.take(origin)
        if (further == origin).all():
            return numbers.take(source)
        origin[:] = further
