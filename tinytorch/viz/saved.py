"""What ops keep for their backward: the memory that training takes, apart from parameters and their gradients."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tinytorch.autograd.node import Node as AutogradNode
from tinytorch.autograd.saving import SavedOutput
from tinytorch.viz.data import Graph, Saved
from tinytorch.viz.describe import output_of

__all__ = ["Storages", "saved_by", "total_saved"]


class Storages:
    """Numbers pieces of memory, so that what is saved twice is counted once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[np.ndarray], int]] = {}
        self._count = 0

    def number(self, array: np.ndarray) -> int:
        """The number of the memory that an array shows."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        known = self._known.get(id(owner))
        if known is None or known[0]() is not owner:
            known = self._known[id(owner)] = weakref.ref(owner), self._count
            self._count += 1
        return known[1]

    def saved(self, name: str, array: np.ndarray) -> Saved:
        """The description of a saved array."""
        output = output_of(array.shape, array.dtype)
        return Saved(name, output.shape, output.dtype, output.nbytes, self.number(array))


def saved_by(node: AutogradNode, names: list[str], storages: Storages) -> list[Saved]:
    """What a node keeps, under the names of its arguments; ``"result"`` for an output."""
    found = []
    parents: list[Any] = [None if edge is None else (id(edge[0]), edge[1]) for edge in node.edges]
    for place, saved in enumerate(node._saved or ()):
        if isinstance(saved, SavedOutput):
            found.append(storages.saved("result", saved.array))
        elif isinstance(saved, tuple):
            edge = saved[0]._edge or (saved[0], 0)
            key = (id(edge[0]), edge[1])
            position = parents.index(key) if key in parents else place
            name = names[position] if position < len(names) else f"saved{place}"
            found.append(storages.saved(name, saved[0]._array))
    for array in node._intermediates or ():
        if isinstance(array, np.ndarray):
            found.append(storages.saved("intermediate", array))
    return found


def total_saved(graph: Graph) -> int:
    """Bytes of all that is saved in a graph, each piece of memory once."""
    pieces: dict[int, int] = {}
    for node in graph.nodes.values():
        for saved in node.saved:
            pieces[saved.storage] = max(saved.nbytes, pieces.get(saved.storage, 0))
    return sum(pieces.values())
