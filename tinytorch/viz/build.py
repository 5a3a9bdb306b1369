"""Builder: makes a :class:`~tinytorch.viz.data.Graph` op by op, for the walk back and for the recorder alike."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tinytorch.autograd.modes import ModuleCall
from tinytorch.kernels.half import widened
from tinytorch.nn.parameter import Parameter
from tinytorch.tensor import Tensor
from tinytorch.viz.data import Edge, Graph, Node, Scope
from tinytorch.viz.describe import SMALL, output_of, short, value_text
from tinytorch.viz.names import Names

__all__ = ["Builder", "norm_of"]


class Builder:
    """Hands out identifiers in order of creation, and keeps what belongs to which module call.

    Tensors are known by weak references, so a graph that grows during training keeps none of them alive.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self.calls: list[ModuleCall] = []
        self.used: set[str] = set()  # nodes whose results an op takes
        self.given: set[str] = set()  # leaves that are known to come from outside of all modules
        self._scopes: dict[int, str] = {}
        self._leaves: dict[int, tuple[weakref.ref[Tensor], weakref.ref[np.ndarray], Node]] = {}
        self._all_leaves: list[tuple[weakref.ref[Tensor], weakref.ref[np.ndarray], Node]] = []
        self._users: dict[str, list[str]] = {}  # scopes of the ops that use a leaf
        self._first: dict[str, str] = {}  # the first op of every scope

    def node(self, kind: str, name: str, **fields: Any) -> Node:
        """A new node under the next id."""
        node = Node(f"n{len(self.graph.nodes)}", kind, short(name, 300), **fields)
        self.graph.nodes[node.id] = node
        if kind == "op":
            for scope in self.graph.ancestors(node.scope):
                if scope in self._first:
                    break
                self._first[scope] = node.id
        return node

    def edge(self, source: str, target: Node, position: int, label: str, output: int = 0, note: str = "") -> Edge:
        """A new edge; a leaf learns who uses it."""
        edge = Edge(source, target.id, output, position, label, note)
        self.graph.edges.append(edge)
        self.used.add(source)
        if source in self._users:
            self._users[source].append(target.id)
        return edge

    # ------------------------------------------------------------------------------------ scopes

    def scope(self, call: ModuleCall | None) -> str:
        """The id of a module call's scope, made with all scopes round it when first asked for."""
        if call is None:
            return ""
        chain = []
        while call is not None and id(call) not in self._scopes:
            chain.append(call)
            call = call[1]
        parent = self._scopes[id(call)] if call is not None else ""
        for inner in reversed(chain):
            parent = self._new_scope(inner, parent)
        return parent

    def _new_scope(self, call: ModuleCall, parent: str) -> str:
        kind, module = call[0].kind.__name__, call[0].module()
        scope = Scope(f"s{len(self.graph.scopes)}", short(call[0].name, 300), short(kind, 300), parent)
        if module is not None:
            scope.description = short(module.extra_repr(), 300)
        self.graph.scopes[scope.id] = scope
        self._scopes[id(call)] = scope.id
        self.calls.append(call)
        return scope.id

    def _number_calls(self) -> None:
        """Tell several calls of one module from each other."""
        by_module: dict[int, list[Scope]] = {}
        for call in self.calls:
            by_module.setdefault(id(call[0]), []).append(self.graph.scopes[self._scopes[id(call)]])
        for scopes in by_module.values():
            for position, scope in enumerate(scopes):
                scope.call, scope.calls = position + 1, len(scopes)

    # ------------------------------------------------------------------------------------ tensors that no op made

    def leaf(self, tensor: Tensor, kind: str | None = None, values: bool = False) -> Node:
        """The node of a tensor that came from outside; one for each tensor, however often it is used."""
        known = self.known_leaf(tensor)
        if known is not None:
            return known
        array = tensor._array
        if kind is None:
            kind = "parameter" if isinstance(tensor, Parameter) else "input"
        node = self.node(kind, "", trainable=tensor._requires_grad)
        node.outputs = [output_of(array.shape, array.dtype)]
        node.metrics["memory"] = float(array.nbytes)
        if kind == "parameter":
            node.metrics["params"] = float(array.size)
        if array.size <= SMALL or values:
            node.value = value_text(array)
        entry = weakref.ref(tensor), weakref.ref(array), node
        self._leaves[id(tensor)] = entry  # an id may be given to another tensor when this one is gone
        self._all_leaves.append(entry)
        self._users[node.id] = []
        return node

    def known_leaf(self, tensor: Tensor) -> Node | None:
        """The leaf's node, if it has one."""
        entry = self._leaves.get(id(tensor))
        return entry[2] if entry is not None and entry[0]() is tensor else None

    def _place_leaves(self) -> None:
        """A parameter stands in the innermost scope that holds all its users. So does another tensor, unless it was
        given, or is what the scope begins with: then it came from outside.
        """
        for id_, users in self._users.items():
            if users and id_ not in self.given:
                leaf = self.graph.nodes[id_]
                leaf.scope = self._common([self.graph.nodes[user].scope for user in users])
                if leaf.kind == "input":
                    while leaf.scope and self._first[leaf.scope] in users:
                        leaf.scope = self.graph.scopes[leaf.scope].parent

    def _common(self, scopes: list[str]) -> str:
        first, *rest = [self.graph.ancestors(scope) for scope in dict.fromkeys(scopes)]
        others = [set(chain) for chain in rest]
        return next((scope for scope in first if all(scope in chain for chain in others)), "")

    # ------------------------------------------------------------------------------------ the end

    def add_unreached(self, model: Any) -> None:
        """Show parameters of the model that no path leads to."""
        for parameter in model.parameters():
            if parameter._requires_grad and self.known_leaf(parameter) is None:
                self.leaf(parameter, "parameter").notes.append("never reached")

    def finish(self, names: Names) -> Graph:
        """The graph, with everything known only at the end: names, gradients, places of leaves."""
        names.add_calls(self.calls)
        for call in self.calls:
            module = call[0].module()
            if call[1] is None:
                scope = self.graph.scopes[self._scopes[id(call)]]
                scope.name = short(names.of_module(module), 300) if module is not None else ""
        for tensor_reference, array_reference, node in self._all_leaves:
            tensor, array = tensor_reference(), array_reference()
            if array is not None:
                node.name = short(names.of_leaf(tensor, array), 300) or node.name
                if node.kind == "input" and names.is_buffer(array):
                    node.kind = "buffer"
            if tensor is not None and tensor._requires_grad:
                describe_gradient(node, tensor._grad)
        self._number_calls()
        self._place_leaves()
        return self.graph


def describe_gradient(node: Node, gradient: Tensor | None) -> None:
    """A leaf's gradient: its norm, and small ones in full; a dash for None."""
    if gradient is None:
        node.gradient = "–"
        return
    array = gradient._array
    node.metrics["grad_norm"] = norm_of(array)
    if array.size <= SMALL:
        node.gradient = value_text(array)


def norm_of(array: np.ndarray) -> float:
    """The Euclidean norm. One pass over memory, whatever the order of the axes; no overflow of the squares."""
    if array.dtype.kind not in "fVc" or not array.size:
        return 0.0
    flat = widened(array).ravel(order="K")
    norm = float(np.sqrt(np.vdot(flat, flat).real))
    if np.isfinite(norm) and norm > 1e-18:
        return norm
    largest = float(np.abs(flat).max())
    if not np.isfinite(largest) or largest == 0:
        return largest
    return largest * float(np.linalg.norm(flat.astype(np.float64) / largest))
