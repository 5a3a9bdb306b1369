"""Which of several equal elements comes out: the selection algorithms that PyTorch runs, step by step.

``kthvalue`` and ``topk`` do not sort everything: they partition until the wanted element is in its place. Values do not
depend on how, but where equal elements compete, the *index* that is reported depends on every swap. Only such rows
come here; all others are sorted by NumPy.

- kthvalue: Hoare's quickselect (1961) with the median of three as the pivot, as in *Numerical Recipes*;
- mode: C++'s ``sort``;
- topk: C++'s ``nth_element`` and then ``sort``, or ``partial_sort`` with a heap where k is below n/64, as the GNU
  library has them (introselect and introsort: Musser 1997).

In what follows ``before(a, b)`` says that element a must come before b, and a row is a list of indices, permuted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

__all__ = ["LONGEST", "kth_index", "sorted_indices", "topk_indices"]

LONGEST = 30_000
"""More elements are not worth the time that a loop in Python takes."""

_SHORT = 16
"""From this size down the GNU library sorts by insertion."""

Before = Callable[[int, int], bool]


def _order(row: NDArray[Any], largest: bool) -> Before:
    """nan counts as the largest."""
    values = row.tolist()
    if largest:
        return lambda a, b: (values[a] != values[a] and values[b] == values[b]) or values[a] > values[b]
    return lambda a, b: (values[b] != values[b] and values[a] == values[a]) or values[a] < values[b]


def kth_index(row: NDArray[Any], k: int) -> int:
    """The index of the k-th smallest (from 0), by quickselect.

    >>> import numpy as np
    >>> kth_index(np.array([2, 1, 2, 2]), 1)
    0
    """
    after = _order(row, largest=True)
    a = list(range(len(row)))
    left, right = 0, len(a) - 1
    while left < right:
        if right == left + 1:
            if after(a[left], a[right]):
                a[left], a[right] = a[right], a[left]
            break
        middle = left + (right - left) // 2
        a[middle], a[left + 1] = a[left + 1], a[middle]
        for i, j in ((left + 1, right), (left, right), (left + 1, left)):  # the median of the three comes to `left`
            if after(a[i], a[j]):
                a[i], a[j] = a[j], a[i]
        i, j, pivot = left + 1, right, a[left]
        while True:
            i += 1
            while after(pivot, a[i]):
                i += 1
            j -= 1
            while after(a[j], pivot):
                j -= 1
            if j < i:
                break
            a[i], a[j] = a[j], a[i]
        a[left], a[j] = a[j], a[left]
        if j <= k:
            left = i
        if j >= k:
            right = j - 1
    return a[k]


def topk_indices(row: NDArray[Any], k: int, largest: bool, in_order: bool = True) -> list[int]:
    """The indices of the k largest (or smallest) elements.

    >>> import numpy as np
    >>> topk_indices(np.array([1, 2, 2, 2]), 2, largest=True)
    [2, 3]
    """
    before = _order(row, largest)
    a = list(range(len(row)))
    if k * 64 <= len(a):
        _partial_sort(a, k, before)
    elif k:
        _nth_element(a, k - 1, before)
        if in_order:
            _sort(a, k - 1, before)
    return a[:k]


def sorted_indices(row: NDArray[Any]) -> list[int]:
    """The indices that sort the row by ``<``, equal elements in the order in which C++'s ``sort`` leaves them. (Among
    nan, which is neither before nor after anything, that is the order that the algorithm happens to end with.)
    """
    a = list(range(len(row)))
    values = row.tolist()
    _sort(a, len(a), lambda i, j: values[i] < values[j])
    return a


# ------------------------------------------------------------------------------------ nth_element and sort


def _partition(a: list[int], first: int, last: int, before: Before) -> int:
    """Hoare's partition of a[first:last] about the median of its second, middle and last element."""
    x, y, z = first + 1, first + (last - first) // 2, last - 1
    if before(a[x], a[y]):
        median = y if before(a[y], a[z]) else z if before(a[x], a[z]) else x
    else:
        median = x if before(a[x], a[z]) else z if before(a[y], a[z]) else y
    a[first], a[median] = a[median], a[first]
    pivot, low, high = a[first], first + 1, last
    while True:
        while before(a[low], pivot):
            low += 1
        high -= 1
        while before(pivot, a[high]):
            high -= 1
        if low >= high:
            return low
        a[low], a[high] = a[high], a[low]
        low += 1


def _insertion_sort(a: list[int], first: int, last: int, before: Before) -> None:
    for i in range(first + 1, last):
        moving, j = a[i], i
        if before(moving, a[first]):
            j = first
        else:
            while before(moving, a[j - 1]):
                j -= 1
        a[j : i + 1] = [moving, *a[j:i]]


def _nth_element(a: list[int], n: int, before: Before) -> None:
    first, last, depth = 0, len(a), 2 * (len(a).bit_length() - 1)
    while last - first > 3:
        if depth == 0:
            part = a[first:last]
            _heap_select(part, n + 1 - first, before)
            a[first:last] = part
            a[first], a[n] = a[n], a[first]
            return
        depth -= 1
        cut = _partition(a, first, last, before)
        first, last = (cut, last) if cut <= n else (first, cut)
    _insertion_sort(a, first, last, before)


def _sort(a: list[int], last: int, before: Before) -> None:
    """Sort a[:last]: partition down to short pieces, then one insertion sort over all."""
    pieces = [(0, last, 2 * (max(last, 1).bit_length() - 1))]
    while pieces:
        first, end, depth = pieces.pop()
        while end - first > _SHORT:
            if depth == 0:
                part = a[first:end]
                _partial_sort(part, len(part), before)
                a[first:end] = part
                break
            depth -= 1
            cut = _partition(a, first, end, before)
            pieces.append((cut, end, depth))
            end = cut
    _insertion_sort(a, 0, last, before)


# ------------------------------------------------------------------------------------ heaps


def _sift(a: list[int], hole: int, size: int, value: int, before: Before) -> None:
    """Put ``value`` in ``hole`` of a heap whose top is last in order: down to the bottom, then up to its place."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if before(a[child], a[child - 1]):
            child -= 1
        a[hole] = a[child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        a[hole] = a[child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and before(a[parent], value):
        a[hole] = a[parent]
        hole, parent = parent, (parent - 1) // 2
    a[hole] = value


def _heap_select(a: list[int], k: int, before: Before) -> None:
    for hole in range((k - 2) // 2, -1, -1):
        _sift(a, hole, k, a[hole], before)
    for i in range(k, len(a)):
        if before(a[i], a[0]):
            value, a[i] = a[i], a[0]
            _sift(a, 0, k, value, before)


def _partial_sort(a: list[int], k: int, before: Before) -> None:
    _heap_select(a, k, before)
    for last in range(k - 1, 0, -1):
        value, a[last] = a[last], a[0]
        _sift(a, 0, last, value, before)
