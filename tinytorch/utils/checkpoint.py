"""Checkpointing: less memory for another forward pass (``torch.utils.checkpoint``; Chen et al. 2016).

The nodes that a checkpointed function records forget what they saved. When backward reaches the first of them, the
function runs once more, with the same random numbers, and every old node gets what the new node in its place has saved.
The graph itself is the one that was recorded, so everything that works on graphs works here: ``autograd.grad``,
gradients with respect to the parameters inside, second derivatives.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tinytorch.autograd.modes import enable_grad, is_grad_enabled, no_grad
from tinytorch.autograd.node import Node, next_number
from tinytorch.autograd.saving import SavedOutput
from tinytorch.random import fork_rng, get_rng_state, set_rng_state
from tinytorch.tensor import Tensor
from tinytorch.utils._pytree import tree_leaves, tree_map_only

__all__ = ["CheckpointError", "check_backward_validity", "checkpoint", "checkpoint_sequential", "detach_variable",
           "get_device_states", "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
           "set_device_states"]  # fmt: skip


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors outside the graph, with ``requires_grad`` as it was; everything else as it is."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type:  {type(inputs).__name__}")
    return tuple([_outside_graph(value) if isinstance(value, Tensor) else value for value in inputs])


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if no input requires grad: then no gradient leads through."""
    if not any(value.requires_grad for value in inputs if isinstance(value, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: the default of ``context_fn``."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether the second run may end early; it always runs to its end here."""
    yield


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether errors say more; a :class:`CheckpointError` says what it knows."""
    yield


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The generators of the accelerators that hold ``args``: none. For programs that restore random numbers."""
    return [], []


def set_device_states(devices: Any, states: Any, **kwargs: Any) -> None:
    """Nothing to set: see :func:`get_device_states`."""


class CheckpointError(RuntimeError):
    """The function did not do the same the second time."""


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    debug: bool = False,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate results are computed again in backward instead of kept.

    Args:
        use_reentrant: both of PyTorch's ways give the same gradients here. With True, nothing is recorded if no
            argument requires grad, as there.
        preserve_rng_state: draw the same random numbers the second time (dropout needs it).
        context_fn: makes two contexts, for the first and the second run of the function.
        determinism_check, debug, early_stop: accepted; a graph that differs is always an error.

    Raises:
        CheckpointError: in backward, if the function recorded other ops the second time.
        ValueError: ``context_fn`` or keyword arguments of the function together with ``use_reentrant``; an unknown
            ``determinism_check``.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
            "recommended, as it is with PyTorch; both do the same here.",
            stacklevel=2,
        )
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    if use_reentrant and kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if use_reentrant and context_fn is not noop_context_fn:
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    if not is_grad_enabled():
        return function(*args, **kwargs)
    if use_reentrant and not any(tensor.requires_grad for tensor in tensors):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        with no_grad():
            return function(*args, **kwargs)
    state = get_rng_state() if preserve_rng_state else None
    start = next_number()
    first, second = context_fn()
    with first:
        output = function(*args, **kwargs)
    nodes = _nodes_since(start, output)
    if nodes:
        _Segment(function, args, kwargs, state, nodes, second)
    return output


def _nodes_since(start: int, output: Any) -> list[Node]:
    """The nodes recorded since ``start`` that ``output`` was made of, in the order in which they were recorded."""
    stack = [t.grad_fn for t in tree_leaves(output) if isinstance(t, Tensor) and t.requires_grad]
    found: dict[int, Node] = {}
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node.number > start and node.number not in found:
            found[node.number] = node
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    return [found[number] for number in sorted(found)]


class _Segment:
    """The nodes of one checkpointed call, without what they had saved until backward needs it."""

    def __init__(self, function: Any, args: Any, kwargs: Any, rng_state: Any, nodes: list[Node], context: Any) -> None:
        self.context = context
        self.function, self.args, self.kwargs, self.rng_state = function, args, kwargs, rng_state
        self.nodes = nodes
        inside = {id(node) for node in nodes}
        self.handles = []
        for node in nodes:
            node._saved = tuple([_emptied(value, inside) for value in node._saved])
            node._intermediates = tuple([None for _ in node._intermediates])
            self.handles.append(node.register_prehook(self._fill))

    def _fill(self, grads: Any) -> None:
        """Before the first node's backward: run the function again and give each node what it had saved."""
        for handle in self.handles:
            handle.remove()
        self.handles = []
        start = next_number()
        rng = fork_rng() if self.rng_state is not None else contextlib.nullcontext()
        with enable_grad(), rng, self.context:
            if self.rng_state is not None:
                set_rng_state(self.rng_state)
            args, kwargs = tree_map_only(Tensor, _outside_graph, (self.args, self.kwargs))
            output = self.function(*args, **kwargs)
        again = _nodes_since(start, output)
        if [node.op_type for node in again] != [node.op_type for node in self.nodes]:
            raise CheckpointError(
                f"torch.utils.checkpoint: the function recorded other operations in backward ({len(again)}) than in "
                f"forward ({len(self.nodes)}). It must do the same each time it is called."
            )
        for old, new in zip(self.nodes, again, strict=True):
            for empty, full in zip(old._saved, new._saved, strict=True):
                _refill(empty, full)
            old._intermediates = new._intermediates
        self.nodes = []


def _outside_graph(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(tensor.requires_grad)


def _emptied(saved: Any, inside: set[int]) -> Any:
    """What a node saved, without the numbers if they were computed inside the segment."""
    if isinstance(saved, SavedOutput):
        saved.array = None  # type: ignore[assignment]
    elif isinstance(saved, tuple):
        tensor, _ = saved
        if tensor._edge is not None and id(tensor._edge[0]) in inside:
            shell = Tensor._wrap(None)  # type: ignore[arg-type]
            shell._edge, shell._requires_grad = tensor._edge, tensor._requires_grad
            return shell, 0
    return saved


def _refill(empty: Any, full: Any) -> None:
    if isinstance(empty, SavedOutput):
        empty.array = full.array
    elif isinstance(empty, tuple) and empty[0]._array is None:
        empty[0]._array = full[0]._array


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A Sequential (or list of functions) run in ``segments`` parts, all but the last checkpointed."""
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    parts = list(functions.children() if hasattr(functions, "children") else functions)
    size = len(parts) // segments

    def run(chunk: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for part in chunk:
                x = part(x)
            return x

        return forward

    for start in range(0, size * (segments - 1), size):
        chunk = run(parts[start : start + size])
        input = checkpoint(chunk, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(parts[size * (segments - 1) :])(input)
