"""Chapter 1, part 4. The engine: reverse-mode differentiation of a recorded graph.

After: tinytorch/autograd/primitive.py
Next: tinytorch/autograd/part.py

Goal: run every node's derivative once, after all contributions to its output have arrived.

``backward`` starts with the gradient of a result and walks the graph from results to leaves. At each node the chain
rule says: the gradient of an input is the node's own derivative applied to the gradient of its output
(``node.backward``). A tensor that was used several times receives several contributions, which are *added*.

Order matters: a node may run only after every contribution to its output has arrived. Since a node is created
after the nodes of its inputs, taking nodes by **descending creation number** is such a topological order; a heap hands
out the largest number among the nodes that a gradient has reached. There is no recursion, so the depth of a graph is
limited by memory alone.

>>> import tinytorch
>>> a = tinytorch.tensor(3.0, requires_grad=True)
>>> b = a + a
>>> c = b + b
>>> c.backward()
>>> a.grad                                    # dc/da = 4: the second Add runs before the first, once
tensor(4.)

**Complex numbers** (to be left out at first). A real loss L of z = x + iy has two slopes, and PyTorch keeps both in one
complex gradient, ``∂L/∂x + i ∂L/∂y``: the direction in which L grows fastest. With it, a small step dz changes L by
Re(conj(grad_z) dz). For a complex-differentiable y = f(z), dy = f'(z) dz, so the same change is Re(conj(grad_y) f'(z)
dz), for every dz. Comparing the two,

    conj(grad_z) = conj(grad_y) · f'(z)        that is   grad_z = conj( conj(grad_y) · f'(z) )

which is what :func:`_between_conjugations` does: conjugate what comes in, run the op's ordinary backward, conjugate
what comes out. So ops are written as for real numbers, and only those that are not complex-differentiable (conj, abs,
svd...) know of complex gradients themselves (``complex_backward``). A real input of a complex op takes the real part:
:func:`~tinytorch.autograd.fitting.fitted`.

What to leave out where only some gradients are asked for (``Wanted`` below) is the next part.

What PyTorch does. The same order (``sequence_nr``, highest first, in a priority queue), counting dependencies as well,
and with a thread for each GPU. Messages and errors are the same; ``retain_graph`` and ``create_graph`` mean the same.

Pitfalls. A second contribution must not be added into the first one's array when somebody else owns that array: ``a +
a`` hands the same gradient to both of its inputs. And ``.grad`` must never be that array either.

Exercises. In ``b = a + a; c = b + b`` take the nodes in *ascending* order of creation: which gradients come out for b
and a? In the right order, which nodes does the heap hold, step by step?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.autograd.accumulate import accumulate
from tinytorch.autograd.calling_hooks import after_node, before_node, on_arrival, run_leaf_hooks
from tinytorch.autograd.deferred import Deferred
from tinytorch.autograd.fitting import fitted
from tinytorch.autograd.modes import state
from tinytorch.autograd.node import Edge, Node
from tinytorch.autograd.part import Wanted
from tinytorch.autograd.saving import OnArrays, relying_on
from tinytorch.autograd.starts import as_tuple, start_gradients
from tinytorch.autograd.watching import watched_backward, watchers
from tinytorch.tensor import Tensor

__all__ = ["backward", "grad"]

_new = object.__new__
_ndarray = np.ndarray


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add d(tensors)/d(leaf), weighted by ``grad_tensors``, into ``leaf.grad`` of every leaf
    (``torch.autograd.backward``).

    Args:
        tensors: where to start; a scalar needs no ``grad_tensors``.
        grad_tensors: the gradient of each of them, same shape.
        retain_graph: keep what was saved, so that the graph can be walked again. Default: ``create_graph``.
        create_graph: record the backward pass too, so that gradients can be differentiated.
        inputs: accumulate into these tensors only.

    Raises:
        RuntimeError: non-scalar start without gradient, wrong gradient shape, nothing that requires grad, a graph
            already freed, a saved tensor changed in place.
    """
    starts = as_tuple(tensors)
    gradients = start_gradients(starts, grad_tensors, "grad_tensors")
    targets = None if inputs is None else as_tuple(inputs)
    if targets is not None and not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for target in targets or ():
        if isinstance(target, Tensor) and not target.is_leaf:
            target.retain_grad()  # from now on, as in PyTorch
    captured = _run(starts, gradients, retain_graph, create_graph, targets)
    if targets is not None:
        for target, gradient in zip(targets, captured, strict=True):
            if gradient is not None and target.is_leaf:
                accumulate(target, [gradient], create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, returned; no ``.grad`` is touched
    (``torch.autograd.grad``).

    Inputs that do not influence the outputs raise, unless ``allow_unused`` (then: None) or ``materialize_grads``
    (zeros). With ``is_grads_batched`` every ``grad_outputs`` has a first dimension more, and so have the results: one
    gradient for each index.
    """
    if is_grads_batched:
        return _batch_of_grads(outputs, inputs, grad_outputs, create_graph, allow_unused, materialize_grads)
    starts, targets = as_tuple(outputs), as_tuple(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if allow_unused is None:
        allow_unused = materialize_grads
    elif materialize_grads and not allow_unused:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: False.")
    gradients = start_gradients(starts, grad_outputs, "grad_outputs")
    results = _run(starts, gradients, retain_graph, create_graph, targets)
    if materialize_grads:
        return tuple([ops.zeros_like(t) if g is None else g for g, t in zip(results, targets, strict=True)])
    if not allow_unused and any(result is None for result in results):
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
            "this is the desired behavior."
        )
    return tuple(results)


def _batch_of_grads(
    outputs: Any, inputs: Any, grad_outputs: Any, create_graph: bool, allow_unused: bool | None, materialize_grads: bool
) -> tuple[Tensor | None, ...]:
    """One walk for each index of the first dimension of ``grad_outputs``; the results stacked."""
    batches = [None if weight is None else ops.unbind(weight, 0) for weight in as_tuple(grad_outputs)]
    size = max(len(batch) for batch in batches if batch is not None)
    found = []
    for index in range(size):
        weights = [None if batch is None else batch[index] for batch in batches]
        found.append(grad(outputs, inputs, weights, True, create_graph, True, allow_unused, False, materialize_grads))
    columns = zip(*found, strict=True)
    return tuple([None if column[0] is None else ops.stack(list(column)) for column in columns])


# ------------------------------------------------------------------------------------------ the walk


def _run(
    starts: tuple[Tensor, ...],
    gradients: list[Tensor | None],
    retain_graph: bool | None,
    create_graph: bool,
    targets: tuple[Tensor, ...] | None,
) -> list[Tensor | None]:
    """Walk the graph. Without targets, accumulate into all leaves; with targets, return their gradients."""
    keep = create_graph if retain_graph is None else retain_graph
    walk = _Walk(create_graph)
    for target in targets or ():
        if not isinstance(target, Tensor):
            raise RuntimeError(f"all inputs have to be Tensors, but got {type(target).__name__}")
    wanted = None if targets is None else Wanted(starts, targets)
    for start, gradient in zip(starts, gradients, strict=True):
        edge = start._gradient_edge()
        if gradient is not None and (wanted is None or wanted.asks_for(edge[0])):
            walk.deliver(edge, gradient)
    before, outer, outer_end = (state.grad_enabled, state.walk, state.at_end)
    at_end: list[Callable[[], None]] = []
    try:
        state.grad_enabled, state.walk, state.at_end = create_graph, None if create_graph else walk, at_end
        _run_nodes(walk, wanted, keep)
        for entry in walk.leaves.values():
            entry[1] = _as_tensor(entry[1])
            if wanted is None or wanted.asks_for(entry[0]):
                run_leaf_hooks(entry)
            if wanted is None:
                leaf = entry.pop(0)
                accumulate(leaf, entry, create_graph)
    finally:
        state.grad_enabled, state.walk, state.at_end = before, outer, outer_end
        walk.deferred.cancel()
    for function in at_end:
        function()
    if wanted is None:
        return []
    return wanted.results(walk.leaves)


def _run_nodes(walk: _Walk, wanted: Wanted | None, keep: bool) -> None:
    """Run all nodes that gradients reach. Nothing here holds a gradient any more when that is done, so that leaves
    may take them over without a copy (:mod:`.accumulate`).
    """
    special = {} if wanted is None else wanted.special
    while walk.heap:
        node, received = walk.next_node()
        if node.hooks is None and not watchers and id(node) not in special:
            grads = _run_node(node, received, walk.create_graph)
        else:
            received = [_as_tensor(gradient) for gradient in received]
            reached = _run_with_company(node, received, wanted, walk.create_graph)
            if reached is None:  # nothing beyond is wanted: it did not run, and keeps what it saved for another walk
                continue
            grads = reached
        if not keep and (node._saved or node._intermediates):
            node._release()
        for edge, gradient in zip(node.edges, grads):  # noqa: B905 - _run_node saw to equal lengths
            if edge is not None and gradient is not None:
                walk.deliver(edge, gradient, node)
    for edge, result in walk.deferred.results():
        walk.deliver(edge, result)


class _Walk:
    """Gradients under way.

    Where a gradient has arrived there is an entry, ``[node, gradient of output 0, of output 1...]`` or ``[leaf,
    gradient]``: for nodes in ``waiting``, by creation number, for leaves in ``leaves``, by id. ``heap``
    says which node is next: negative creation numbers, as a heap hands out the smallest. Gradients are Tensors, or bare
    arrays where nobody wants to differentiate them. Where two contributions have met, the sum is in a list of its own:
    nobody else holds it, so that the next is added in place.
    """

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph
        self.heap: list[int] = []
        self.waiting: dict[int, list[Any]] = {}
        self.leaves: dict[int, list[Any]] = {}
        self.deferred = Deferred()

    def deliver(self, edge: Edge, gradient: Any, sender: Node | None = None) -> None:
        """Bring a gradient to the end of an edge, in the shape and dtype that it must have there."""
        target, index = edge
        if isinstance(target, Node):
            shape, dtype = target.output_shape, target.output_dtype
            if shape is None:
                shape, dtype = target.several_outputs[index]
            entries, key = self.waiting, -target.number
        else:
            shape, dtype = target._array.shape, target._array.dtype
            entries, key = self.leaves, id(target)
        try:
            array = gradient if type(gradient) is _ndarray else gradient._array
        except AttributeError:  # a custom backward's
            raise RuntimeError(f"expected Variable or None (got {type(gradient).__name__})") from None
        if array.shape != shape or (array.dtype is not dtype and array.dtype != dtype):
            gradient = fitted(_as_tensor(gradient), shape, dtype, sender)
        entry = entries.get(key)
        if entry is not None:
            present = entry[index + 1]
            entry[index + 1] = gradient if present is None else self._add(present, gradient)
            return
        entries[key] = entry = [target, gradient]
        if entries is self.waiting:
            heappush(self.heap, key)
            if target.several_outputs:
                entry[1:] = [None] * len(target.several_outputs)
                entry[index + 1] = gradient

    def _add(self, present: Any, gradient: Any) -> Any:
        if self.create_graph:
            return present + gradient
        array = gradient if type(gradient) is _ndarray else gradient._array
        if type(present) is list:
            present[0] += array
            return present
        if type(present) is not _ndarray:
            if present.is_sparse:
                return _as_tensor(gradient) + present
            present = present._array
        return [np.asarray(present + array)]

    def deliver_sparse(self, leaf: Tensor, gradient: Tensor) -> None:
        """Bring a leaf a sparse gradient. Sparse and dense make a dense one."""
        entry = self.leaves.setdefault(id(leaf), [leaf, None])
        entry[1] = gradient if entry[1] is None else _as_tensor(entry[1]) + gradient

    def next_node(self) -> tuple[Node, list[Any]]:
        """The reached node with the largest creation number, and the gradients of its outputs."""
        node, *arrived = self.waiting.pop(heappop(self.heap))
        for gradient in arrived:
            if type(gradient) is list:
                return node, [gradient[0] if type(gradient) is list else gradient for gradient in arrived]
        return node, arrived


def _run_node(node: Node, received: list[Any], create_graph: bool) -> Sequence[Any]:
    """One application of the chain rule: the gradients of the node's inputs, Tensors or bare arrays."""
    relied_on = node._relied_on
    if relied_on:
        node._check_relied_on()
    dtype = node.outputs[0][1] if node.output_shape is None else node.output_dtype
    conjugates = dtype.kind == "c" and not node.complex_backward
    if node.backward_on_arrays and not create_graph and not conjugates:
        return _on_arrays(node, received[0])
    backward: Any = partial(_between_conjugations, node.backward) if conjugates else node.backward
    received = [_as_tensor(gradient) for gradient in received]
    grads = backward(node, *(received if len(received) == 1 else _materialized(node, received)))
    if type(grads) is not tuple:
        grads = (grads,)
    if relied_on and create_graph:  # then a second derivative relies on the same indices and masks
        for gradient in grads:
            if gradient is not None and all(gradient is not other for other in received):
                relying_on(gradient, *[tensor for tensor, _ in relied_on])
    return grads if len(grads) == len(node.edges) else _without_extra_nones(node, grads)


def _materialized(node: Node, received: list[Tensor | None]) -> list[Tensor | None]:
    """Zeros for the outputs from which no gradient came, unless the node wants to hear of that."""
    if not node.materialize_grads or len(received) == 1:
        return received
    return [
        Tensor._wrap(np.zeros(shape, dtype)) if gradient is None and dtype is not None else gradient
        for gradient, (shape, dtype) in zip(received, node.outputs, strict=True)
    ]


def _run_with_company(
    node: Node, received: list[Tensor | None], wanted: Wanted | None, create_graph: bool
) -> Sequence[Tensor | None] | None:
    """The same with hooks, targets and watchers; None for a node whose outputs are targets, and nothing beyond it."""
    if node.hooks is not None:
        on_arrival(node.hooks, received)
    needs = None
    if wanted is not None:
        wanted.capture(node, received)
        needs = wanted.needs(node)
        if True not in needs:
            return None
    if node.hooks is not None:
        received = before_node(node.hooks, received)
    run = partial(_run_for, needs, node, received, create_graph)
    return watched_backward(node, received, run, create_graph) if watchers else run()


def _run_for(
    needs: tuple[bool, ...] | None, node: Node, received: list[Tensor | None], create_graph: bool
) -> Sequence[Tensor | None]:
    """The node run for the inputs that lead to targets, and the hooks after it."""
    all_needs = node.needs_input_grad
    if needs is not None:
        node.needs_input_grad = needs
    try:
        grads = _run_node(node, received, create_graph)
    finally:
        node.needs_input_grad = all_needs
    grads = tuple([_as_tensor(gradient) for gradient in grads])
    if node.hooks is not None and node.hooks.after:
        grads = after_node(node.hooks, grads, tuple(_materialized(node, received)))
    return grads if needs is None else [g if need else None for g, need in zip(grads, needs, strict=False)]


def _between_conjugations(backward: Any, node: Node, *received: Tensor | None) -> Any:
    """A backward that knows nothing of complex numbers, for complex gradients (see the module's text)."""
    grads = backward(node, *[g if g is None else ops.conj(g) for g in received])
    if type(grads) is not tuple:
        return grads if grads is None else ops.conj(grads)
    return tuple([g if g is None else ops.conj(g) for g in grads])


def _on_arrays(node: Node, grad: Any) -> Sequence[Any]:
    """The node's backward, on bare arrays: see :class:`~tinytorch.autograd.primitive.Primitive`."""
    array = grad if type(grad) is _ndarray else grad._array
    if node._saved == ():
        grads = node.backward(node, array)
    else:
        ctx = _new(OnArrays)
        ctx.node, ctx.needs_input_grad, ctx.saved_tensors = node, node.needs_input_grad, node._unpack(as_arrays=True)
        grads = node.backward(ctx, array)
    if type(grads) is not tuple:
        grads = (grads,)
    # NumPy turns 0-dimensional results into scalars.
    return grads if array.ndim else [None if g is None else np.asarray(g) for g in grads]


def _as_tensor(gradient: Any) -> Any:
    """A gradient of the walk as a Tensor; None stays None."""
    if type(gradient) is list:
        gradient = gradient[0]
    return Tensor._wrap(gradient) if type(gradient) is _ndarray else gradient


def _without_extra_nones(node: Node, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """PyTorch lets a backward return more values than there are inputs, if the rest is None."""
    expected = len(node.edges)
    if len(grads) < expected or any(gradient is not None for gradient in grads[expected:]):
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {expected}, got {len(grads)})"
        )
    return grads[:expected]
