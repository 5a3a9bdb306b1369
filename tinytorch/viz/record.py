"""Recorder: writes a graph down while the program runs, and measures.

It watches every op (:mod:`tinytorch.autograd.watching`). Tensors are known to it by weak references only, and what it
keeps of them is text and numbers, so memory is freed as if nobody watched.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.modes import ModuleCall, state
from tinytorch.autograd.node import Node as AutogradNode
from tinytorch.autograd.watching import Watcher
from tinytorch.tensor import Tensor
from tinytorch.viz.build import Builder, norm_of
from tinytorch.viz.data import Edge, Graph, Node
from tinytorch.viz.describe import (
    SMALL,
    argument_names,
    attribute_texts,
    number_text,
    op_name,
    output_of,
    value_text,
)
from tinytorch.viz.flops import flops
from tinytorch.viz.names import Names
from tinytorch.viz.saved import Storages, saved_by
from tinytorch.viz.stats import dead_units, stats_of

__all__ = ["Recorder"]

RECTIFIERS = ("relu", "clamp", "clamp_between")  # ops that give zero for a whole range of inputs

MAX_OPS = 100_000  # of a loop that somebody watches by mistake


class Recorder(Watcher):
    """Records ops of this thread while in use as a context manager.

    Args:
        values: look at every result: mean, standard deviation, range, zeros, NaN and inf.
    """

    def __init__(self, values: bool = False) -> None:
        self.values = values
        self.builder = Builder()
        self.storages = Storages()
        self.remarks: list[str] = []
        self._made: dict[int, tuple[Any, str, int]] = {}  # id(tensor or array) -> (weak reference, node, output)
        self._memory: dict[tuple[int, tuple[int, ...]], tuple[Any, str, int]] = {}
        self._nodes: dict[int, tuple[Any, str]] = {}  # id(autograd node) -> (weak reference, node)
        self._edges: dict[str, dict[int, Edge]] = {}
        self._ops = 0

    # ------------------------------------------------------------------------------------ forward

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op runs: time it, and write it down."""
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
        if self._ops < MAX_OPS:
            self.add(op_name(op), argument_names(op), inputs, attributes, result, seconds)
            self._ops += 1
            if self._ops == MAX_OPS:
                self.remarks.append(f"only the first {MAX_OPS:,} ops were recorded")
        return result

    def add(
        self, name: str, names: list[str], inputs: tuple[Any, ...], attributes: dict[str, Any], result: Any,
        seconds: float | None = None, call: ModuleCall | None = None,
    ) -> Node:  # fmt: skip
        """Write down an op with its inputs and results (None if it failed)."""
        results = [each for each in (result if isinstance(result, tuple) else (result,)) if isinstance(each, Tensor)]
        tensors = [(place, each) for place, each in enumerate(inputs) if isinstance(each, Tensor)]
        sources = [(place, tensor, *self.source(tensor)) for place, tensor in tensors]
        node = self.builder.node("op", name, scope=self.builder.scope(call or state.call))
        node.attributes = attribute_texts(attributes, results[0]._array.shape if results else None)
        for place, value in enumerate(inputs):
            if value is not None and not isinstance(value, Tensor):
                node.constants[_name(names, place) or str(place)] = number_text(value)
        for place, tensor, source, output, cut in sources:
            note = cut or self.cut(tensor, results)
            edge = self.builder.edge(source, node, place, _name(names, place), output, note)
            self._edges.setdefault(node.id, {})[place] = edge
        self.connect_arrays(node, attributes, len(inputs))
        self.measure(node, inputs, attributes, results, seconds)
        self.remember(node, results, names)
        return node

    def connect_arrays(self, node: Node, attributes: dict[str, Any], position: int) -> None:
        """Draw edges for indices and targets, which an op takes as plain arrays."""
        for name, value in attributes.items():
            for array in value if isinstance(value, tuple) else (value,):
                made = self.maker_of_memory(array) if isinstance(array, np.ndarray) else None
                if made is not None:
                    self.builder.edge(made[0], node, position, name, made[1])
                    node.attributes.pop(name, None)
                    position += 1

    def source(self, tensor: Tensor) -> tuple[str, int, str]:
        """Which node made a tensor, which output it is, and what cut it off: ``"detach"``."""
        made = self.maker(tensor)
        if made is not None:
            return made[0], made[1], ""
        made = self.maker(tensor._array)
        if made is not None and not (tensor._requires_grad and tensor._edge is None):
            return made[0], made[1], "detach" if self.carries(made[0]) and not tensor._requires_grad else ""
        leaf = self.builder.leaf(tensor)
        if self.values and not leaf.stats:
            leaf.stats = stats_of(tensor._array)
        self.know(tensor, leaf.id, 0)
        return leaf.id, 0, ""

    def carries(self, id: str) -> bool:
        """Whether a node's result takes part in autograd."""
        node = self.builder.graph.nodes[id]
        return bool(node.backward) if node.kind == "op" else node.trainable

    def know(self, tensor: Tensor, id: str, output: int) -> None:
        """Remember who made a tensor, its array, and - for indices, which ops take as plain arrays - its memory."""
        array = tensor._array
        self._made[_id(tensor)] = weakref.ref(tensor), id, output
        self._made[_id(array)] = weakref.ref(array), id, output
        if array.dtype.kind in "iub":
            self._memory[_address(array)] = weakref.ref(array), id, output

    def maker(self, thing: Any) -> tuple[str, int] | None:
        """The node, and which of its outputs, that a tensor or an array came from, if that is known."""
        made = self._made.get(id(thing))
        return (made[1], made[2]) if made is not None and made[0]() is thing else None

    def maker_of_memory(self, array: np.ndarray) -> tuple[str, int] | None:
        """The same for an array that may be a view of what is known."""
        made = self._memory.get(_address(array)) if array.dtype.kind in "iub" else None
        return (made[1], made[2]) if made is not None and made[0]() is not None else self.maker(array)

    def cut(self, tensor: Tensor, results: list[Tensor]) -> str:
        """Why no gradient comes back to an input that could have one."""
        if not tensor._requires_grad or not results or any(result._requires_grad for result in results):
            return ""
        return "no_grad" if not state.grad_enabled else "not differentiable"

    def measure(
        self, node: Node, inputs: tuple[Any, ...], attributes: dict[str, Any], results: list[Tensor],
        seconds: float | None,
    ) -> None:  # fmt: skip
        """Shapes, time, work, and what the values look like."""
        arrays = [result._array for result in results]
        node.outputs = [output_of(array.shape, array.dtype) for array in arrays]
        if not arrays:
            return
        shapes = [value._array.shape if isinstance(value, Tensor) else None for value in inputs]
        node.metrics["memory"] = float(sum(array.nbytes for array in arrays if not _shares(array, inputs)))
        node.metrics["flops"] = flops(node.name, shapes, [array.shape for array in arrays], attributes)
        if seconds is not None:
            node.metrics["time"] = seconds
        if arrays[0].size <= SMALL:
            node.value = value_text(arrays[0])
        if self.values:
            node.stats = stats_of(arrays[0])
            if node.name in RECTIFIERS and arrays[0].size:
                dead, units = dead_units(arrays[0])
                node.stats.update(dead=float(dead), units=float(units))

    def remember(self, node: Node, results: list[Tensor], names: list[str]) -> None:
        """Know these tensors, and the autograd node behind them, when they are met again."""
        for index, result in enumerate(results):
            self.know(result, node.id, index)
            if result._edge is not None and isinstance(result._edge[0], AutogradNode):
                autograd_node = result._edge[0]
                node.backward = autograd_node.name()
                node.saved = saved_by(autograd_node, names, self.storages)
                self._nodes[id(autograd_node)] = weakref.ref(autograd_node), node.id

    def changed(self, tensor: Tensor, result: Tensor) -> None:
        """A tensor has a new value: from now on it is what that op made."""
        made = self.maker(result)
        if made is not None:
            base = tensor._base
            if base is not None:  # a region of the base is new, and so is the base
                self.add("put_region", ["base", "value"], (base, result), {}, base)
            self.know(tensor, *made)

    # ------------------------------------------------------------------------------------ backward

    def backward(self, node: AutogradNode, received: list[Any], run: Callable[[], Any]) -> Any:
        """A node's backward runs: time it, and measure the gradients that come in and go out."""
        start = time.perf_counter()
        grads = run()
        seconds = time.perf_counter() - start
        known = self._nodes.get(id(node))
        if known is None or known[0]() is not node:
            return grads
        mine = self.builder.graph.nodes[known[1]]
        mine.metrics["time_backward"] = mine.metrics.get("time_backward", 0.0) + seconds
        mine.metrics["grad_norm"] = _together([norm_of(g._array) for g in received if g is not None])
        if received[0] is not None and received[0]._array.size <= SMALL:
            mine.gradient = value_text(received[0]._array)
        for place, gradient in enumerate(grads):
            edge = self._edges.get(mine.id, {}).get(place)
            if edge is not None and gradient is not None:
                edge.grad_norm = norm_of(gradient._array)
                if gradient._array.size <= SMALL and gradient._array.dtype.kind in "fV":
                    edge.gradient = gradient._array.ravel().astype(float).tolist()
        return grads

    # ------------------------------------------------------------------------------------ the end

    def finish(self, names: Names, results: list[str] | None = None) -> Graph:
        """The graph so far. Recording may go on; the graph is a copy."""
        for tensor_id, name in names.variables.items():
            made = self._made.get(tensor_id)
            if made is not None and id(made[0]()) == tensor_id:
                self.builder.graph.nodes[made[1]].label = name
        graph = self.builder.finish(names).copy()
        graph.results = results or []
        graph = _without_bookkeeping(graph)
        used = {edge.source for edge in graph.edges}
        ends = [node.id for node in graph.nodes.values() if node.kind == "op" and node.id not in used]
        graph.results = ends if results is None else results
        graph.remarks = list(self.remarks)
        return graph

    def node_of(self, tensor: Tensor) -> str:
        """The node that made a tensor, or its leaf."""
        return self.source(tensor)[0]


_id = id  # the builtin, where a node's id goes by that name


def _address(array: np.ndarray) -> tuple[int, tuple[int, ...]]:
    return array.__array_interface__["data"][0], array.shape


def _name(names: list[str], position: int) -> str:
    return names[position] if position < len(names) else ""


def _together(norms: list[float]) -> float:
    return float(np.sqrt(sum(norm * norm for norm in norms))) if len(norms) != 1 else norms[0]


def _shares(array: np.ndarray, inputs: tuple[Any, ...]) -> bool:
    """Whether a result is a view of an input, which takes no memory of its own."""
    return array.base is not None and any(
        isinstance(value, Tensor) and np.may_share_memory(array, value._array) for value in inputs
    )


def _without_bookkeeping(graph: Graph) -> Graph:
    """The graph without ops that only update buffers, such as a layer's count of batches."""
    sources = {edge.source for edge in graph.edges}
    users: dict[str, list[str]] = {}
    for edge in graph.edges:
        users.setdefault(edge.target, []).append(edge.source)
    dropped = {
        id
        for id, inputs in users.items()
        if id not in sources and id not in graph.results and all(graph.nodes[i].kind == "buffer" for i in inputs)
    }
    graph.edges = [edge for edge in graph.edges if edge.target not in dropped]
    used = {edge.source for edge in graph.edges}
    dropped |= {node.id for node in graph.nodes.values() if node.kind == "buffer" and node.id not in used}
    graph.nodes = {id: node for id, node in graph.nodes.items() if id not in dropped}
    return graph
