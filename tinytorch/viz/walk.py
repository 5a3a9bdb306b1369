"""Chapter 17, part 2. graph: the graph behind a result, found by walking back from it.

After: tinytorch/viz/data.py
Next: tinytorch/autograd/functional.py

Goal: see that the graph is there already, and only has to be read off.

Autograd has recorded everything already, so this costs nothing until it is asked for. Only what takes part in
autograd is there; :func:`tinytorch.viz.trace` records the rest too.

What PyTorch does. ``grad_fn.next_functions`` is the same walk, one node at a time.

Pitfalls. A recursive walk ends at depth 1,000: this one keeps a list of what is left to visit.

Exercises. Print the graph of a network's loss twice, the second time with another seed. What changes?
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from tinytorch.autograd.node import Node as AutogradNode
from tinytorch.autograd.part import reachable
from tinytorch.autograd.saving import SavedOutput
from tinytorch.tensor import Tensor
from tinytorch.viz.build import Builder
from tinytorch.viz.data import Graph, Node
from tinytorch.viz.describe import (
    SMALL,
    argument_names,
    attribute_texts,
    node_name,
    number_text,
    output_of,
    value_text,
)
from tinytorch.viz.names import Names, variables_of
from tinytorch.viz.saved import Storages, saved_by
from tinytorch.viz.title import title_of

__all__ = ["graph"]


def graph(
    tensor: Tensor | Sequence[Tensor],
    model: Any = None,
    *,
    names: dict[str, Any] | None = None,
    values: bool = False,
) -> Graph:
    """The graph that made ``tensor`` (or several tensors), back to its leaves.

    Args:
        tensor: one result or several.
        model: a module whose names the parameters get. Usually not needed: the modules that ran are known. With it,
            parameters that the result does not depend on are shown too, as "never reached".
        names: names for tensors: ``{"x": x}``. Variables of the caller name what has no other name.
        values: write mean, standard deviation and range of large leaves too. Small values are always shown.

    Raises TypeError for what is no tensor. A tensor without history gives a graph of one node.

    >>> import tinytorch
    >>> a = tinytorch.tensor(2.0, requires_grad=True)
    >>> b = tinytorch.tensor(-3.0, requires_grad=True)
    >>> c = (a * b + 10).tanh()
    >>> print(graph(c))
    c: 3 ops, 12 B saved for backward
    a   input        scalar  value 2.0  grad –
    b   input        scalar  value -3.0  grad –
    n2  mul(a, b)    scalar
    n3  add(n2, 10)  scalar
    c   tanh(n3)     scalar  value 0.9993
    """
    return graph_with_variables(tensor, model, names, values, variables_of(sys._getframe(1)))


def graph_with_variables(tensor: Any, model: Any, names: Any, values: bool, variables: dict[str, Any]) -> Graph:
    """:func:`graph` with the caller's variables given."""
    roots = (tensor,) if isinstance(tensor, Tensor) else tuple(tensor)
    for root in roots:
        if not isinstance(root, Tensor):
            raise TypeError(f"graph() needs a Tensor or several, but got {type(root).__name__}")
    if not roots:
        raise TypeError("graph() needs at least one Tensor")
    return _Walk(Names(model, names, variables), model, values).run(roots)


class _Walk:
    """One walk back from results to leaves, written down in the order in which things happened."""

    def __init__(self, names: Names, model: Any, values: bool) -> None:
        self.names, self.model, self.values = names, model, values
        self.builder = Builder()
        self.storages = Storages()
        self.ids: dict[int, str] = {}  # id(autograd node) -> id in the graph

    def run(self, roots: tuple[Tensor, ...]) -> Graph:
        """The graph of these results."""
        nodes = sorted(reachable(roots)[0], key=lambda node: node.number)
        for node in nodes:
            self.add(node)
        results = [self.result(root) for root in roots]
        if self.model is not None:
            self.builder.add_unreached(self.model)
        graph = self.builder.finish(self.names)
        graph.results = list(dict.fromkeys(results))
        graph.title = title_of(graph)
        return graph

    def add(self, node: AutogradNode) -> None:
        """An op, after the leaves that it uses first."""
        kind: Any = node.op_type
        names = argument_names(kind)
        sources = self.sources(node)
        new = self.builder.node("op", node_name(node), scope=self.builder.scope(node.call), backward=node.name())
        self.ids[id(node)] = new.id
        self.describe(new, node, names)
        for position, source, output in sources:
            self.builder.edge(source, new, position, _name(names, position), output)

    def sources(self, node: AutogradNode) -> list[tuple[int, str, int]]:
        """Where the node's inputs come from: (position, id in the graph, which output), leaves made on the way."""
        ends: list[tuple[int, Any, int]] = [
            (position, *edge) for position, edge in enumerate(node.edges) if edge is not None
        ]
        known = {position for position, *_ in ends} | set(node.numbers[::2])
        ends += [(position, tensor, 0) for position, tensor in self.saved_constants(node, known)]
        ends.sort(key=lambda end: end[0])
        return [
            (position, self.ids[id(end)] if isinstance(end, AutogradNode) else self.leaf(end), output)
            for position, end, output in ends
        ]

    def leaf(self, tensor: Tensor) -> str:
        """The id of a leaf."""
        return self.builder.leaf(tensor, values=self.values).id

    def saved_constants(self, node: AutogradNode, known: set[int]) -> list[tuple[int, Tensor]]:
        """Inputs that need no gradient, as far as backward needs them: with their positions."""
        places = [position for position in range(len(node.edges)) if position not in known]
        tensors = [
            saved[0]
            for saved in node._saved or ()
            if isinstance(saved, tuple) and not saved[0]._requires_grad and saved[0]._edge is None
        ]
        return list(zip(places, tensors, strict=False))

    def describe(self, new: Node, node: AutogradNode, names: list[str]) -> None:
        """What the node keeps besides its edges."""
        new.attributes = attribute_texts(node.attributes, node.outputs[0][0])
        new.constants = {
            _name(names, position) or str(position): number_text(number)
            for position, number in zip(node.numbers[::2], node.numbers[1::2], strict=True)
        }
        new.outputs = [output_of(shape, dtype) for shape, dtype in node.outputs]
        new.metrics["memory"] = float(sum(output.nbytes for output in new.outputs))
        new.label = self.names.of_result(node)
        self.describe_saved(new, node, names)

    def describe_saved(self, new: Node, node: AutogradNode, names: list[str]) -> None:
        """The tensors that the node keeps for backward."""
        new.saved = saved_by(node, names, self.storages)
        for saved in node._saved or ():
            if isinstance(saved, SavedOutput) and saved.array.size <= SMALL and saved.memory.version == saved.version:
                new.value = value_text(saved.array)

    def result(self, root: Tensor) -> str:
        """The id of a result's node, which learns its value."""
        edge = root._gradient_edge() if root.requires_grad else (root, 0)
        if not isinstance(edge[0], AutogradNode):
            return self.leaf(root)
        node = self.builder.graph.nodes[self.ids[id(edge[0])]]
        if len(node.outputs) == 1 and (root._array.size <= SMALL or self.values):
            node.value = value_text(root._array)
        return node.id


def _name(names: list[str], position: int) -> str:
    return names[position] if position < len(names) else ""
