"""Chapter 1, part 2. Saving: what a node keeps of its forward, and how it notices that it was changed since.

After: tinytorch/autograd/node.py
Next: tinytorch/autograd/primitive.py

Goal: know what "saved for backward" means, and what it costs.

The idea. The derivative of a · b needs a and b, that of tanh its own result. A node keeps them until backward has run.
Three things can go wrong, and each has its own device here:

* A node that kept its own *output* would own itself, for the output's tensor points at the node: memory leaks. So an
  output is saved as what it is made of (:class:`SavedOutput`) and rebuilt.
* A saved tensor may be changed in place before backward reads it. So all tensors over the same memory share a counter
  of changes (:class:`Memory`): it is noted when saving, compared when reading, and the read raises if they differ.
* What was saved may be large. So it is freed as soon as its backward has run, unless ``retain_graph`` says otherwise.

Indices and masks have no gradient, and ops keep them as plain arrays. The tensors that these came from are watched in
the same way: :func:`relying_on`.

>>> import tinytorch
>>> x = tinytorch.ones(2, requires_grad=True)
>>> y = x.exp()
>>> y.grad_fn._saved_result                       # exp saved its result: the derivative is the result
tensor([2.7183, 2.7183], grad_fn=<ExpBackward0>)
>>> y.mul_(2).sum().backward()  # doctest: +ELLIPSIS
Traceback (most recent call last):
RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: ...

What PyTorch does. ``SavedVariable`` and ``VariableVersion`` in C++: the same three devices, the same messages.

Pitfalls. An array that is neither input nor output can be kept too (``save_intermediates``), but it counts as a
constant: a second derivative does not look into it.

Exercises. Which of x and y does the node of ``y = x * 3`` keep? And that of ``y = x * x``, and of ``y = x + x``?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.packing import PackedByHook

if TYPE_CHECKING:
    from tinytorch.autograd.node import Edge, Node
    from tinytorch.tensor import Tensor

__all__ = ["FREED", "ForeignMemory", "Memory", "OnArrays", "SavedOutput", "Saving", "relying_on"]

_ndarray = np.ndarray

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)

_MADE_IN_INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd; clone() them outside inference mode first."
)


class Memory:
    """What all tensors over the same memory share.

    Attributes:
        version: how often it was changed in place.
        shared: whether views, detached tensors or NumPy arrays may see it, so that no single tensor may move it.
    """

    __slots__ = ("shared", "version")

    def __init__(self, shared: bool = False) -> None:
        self.version = 0
        self.shared = shared


class ForeignMemory(Memory):
    """Memory of an array that the user brought: its strides are what they are in PyTorch, too."""

    __slots__ = ()


class SavedOutput:
    """A node's own result, saved without pointing at it (the result points at the node: that would be a cycle)."""

    __slots__ = ("array", "index", "kind", "memory", "version")

    def __init__(self, output: Tensor, index: int) -> None:
        self.kind, self.array, self.index = type(output), output._array, index
        self.memory = memory = output._own_memory()
        self.version = memory.version

    def as_tensor(self, node: Saving) -> Tensor:
        """The result again, in its place in the graph."""
        tensor = self.kind._wrap(self.array)
        tensor._edge, tensor._requires_grad, tensor._memory = (node, self.index), True, self.memory
        return tensor


class Saving:
    """The part of a node that keeps values for backward."""

    _saved: Any = ()  # None once freed
    _intermediates: Any = ()  # None once freed
    _relied_on: Any = ()  # indices and masks: (tensor, version)

    if TYPE_CHECKING:  # what the rest of the node has

        @property
        def scope(self) -> str: ...

        def name(self) -> str: ...

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs of this op for backward, where :attr:`saved_tensors` gives them back as Tensors.

        None and Python numbers pass through. Saving only what ``needs_input_grad`` asks for saves memory.
        """
        self._saved = tensors

    def save_intermediates(self, *arrays: Any) -> None:
        """Keep arrays that are neither inputs nor outputs; :attr:`intermediates` gives them back as they are.

        They are constants to autograd, so a backward may use them under ``create_graph`` only where they really
        are constant (masks, indices).
        """
        self._intermediates = arrays

    @property
    def intermediates(self) -> tuple[Any, ...]:
        """What :meth:`save_intermediates` kept."""
        if self._intermediates is None:
            raise RuntimeError(FREED)
        return self._intermediates

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What :meth:`save_for_backward` kept; raises RuntimeError when freed, or changed in place since."""
        return tuple(self._unpack(as_arrays=False))

    def _check_relied_on(self) -> None:
        """Raise if an index or a mask was changed since."""
        for tensor, version in self._relied_on:
            memory = tensor._memory
            if memory is not None and memory.version != version:
                raise self._changed_in_place(tensor._array, tensor._edge, version, memory.version)

    def _unpack(self, as_arrays: bool) -> list[Any]:
        """The saved values, as Tensors or as the arrays in them, unless their memory was changed since."""
        if self._saved is None:
            raise RuntimeError(FREED)
        unpacked: list[Any] = []
        for saved in self._saved:
            if type(saved) is tuple:  # an input
                tensor, version = saved
                memory = tensor._memory
                if memory is not None and memory.version != version:
                    raise self._changed_in_place(tensor._array, tensor._edge, version, memory.version)
                unpacked.append(tensor._array if as_arrays else tensor)
            elif type(saved) is SavedOutput:
                if saved.memory.version != saved.version:
                    raise self._changed_in_place(saved.array, (self, saved.index), saved.version, saved.memory.version)
                unpacked.append(saved.array if as_arrays else saved.as_tensor(self))
            elif type(saved) is PackedByHook:
                tensor = saved.as_tensor()
                unpacked.append(tensor._array if as_arrays else tensor)
            else:
                unpacked.append(saved)
        return unpacked

    def _pack(self, inputs: Any, input_arrays: Any, outputs: Any, hooks: Any) -> None:
        """Turn saved arrays into saved tensors, by identity: an input is kept as its Tensor, an output by position.

        ``hooks``: the ``saved_tensors_hooks`` in use, if any.
        """
        packed: list[Any] = []
        for position, value in enumerate(self._saved):
            if type(value) is _ndarray or isinstance(value, _ndarray):
                if position >= len(input_arrays) or input_arrays[position] is not value:  # rarely, but for outputs
                    position = _position_of(value, input_arrays)
                if position < 0:
                    value = self._pack_output(value, outputs)
                else:
                    tensor = inputs[position]
                    if tensor._inference:
                        raise RuntimeError(_MADE_IN_INFERENCE)
                    memory = tensor._memory
                    value = (tensor, 0 if memory is None else memory.version)
            packed.append(value)
        self._saved = packed if hooks is None else [self._pack_by_hook(value) for value in packed]

    def _pack_by_hook(self, saved: Any) -> Any:
        """What the innermost ``saved_tensors_hooks`` makes of a saved tensor."""
        if not isinstance(saved, (tuple, SavedOutput)):
            return saved
        tensor = saved[0] if isinstance(saved, tuple) else saved.as_tensor(self)
        return PackedByHook(tensor, *state.saved_tensors_hooks)

    def _pack_output(self, value: np.ndarray, outputs: Any) -> SavedOutput:
        for index, output in enumerate(outputs):
            if output._array is value:
                return SavedOutput(output, index)
        raise RuntimeError(
            f"{type(self).__name__}.save_for_backward got an array that is neither an input nor an output of the op. "
            "Keep intermediate results with ctx.save_intermediates."
        )

    def _changed_in_place(self, array: np.ndarray, edge: Edge | None, saved: int, now: int) -> RuntimeError:
        from tinytorch.dtypes import SCALAR_NAMES, from_numpy_dtype

        made_by = f", which is output {edge[1]} of {edge[0].name()}," if edge is not None else ""
        return RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[torch.{SCALAR_NAMES[from_numpy_dtype(array.dtype)]}Tensor {list(array.shape)}]{made_by} is at version "
            f"{now}; expected version {saved} instead. It was saved by {self.name()}"
            + (f" in module '{self.scope}'" if self.scope else "")
            + ". Hint: use the out-of-place form of the operation, or clone() the tensor before changing it; "
            "autograd.set_detect_anomaly(True) shows the line that saved it."
        )

    def _release(self) -> None:
        """Free what was saved. A node that saved nothing stays usable, as in PyTorch."""
        if self._saved:
            self._saved = None
        if self._intermediates and any(isinstance(value, np.ndarray) for value in self._intermediates):
            self._intermediates = None


def relying_on(result: Tensor, *tensors: Tensor) -> Tensor:
    """``result``, whose backward raises if one of these indices or masks is changed in place until then.

    What such a backward computes relies on them, too: the engine passes them on to the nodes of second derivatives.
    """
    edge = result._edge
    if edge is not None:
        node = edge[0]
        for tensor in tensors:
            if tensor._inference:
                raise RuntimeError(_MADE_IN_INFERENCE)
            memory = tensor._memory
            node._relied_on += ((tensor, 0 if memory is None else memory.version),)
    return result


def _position_of(value: np.ndarray, arrays: Any) -> int:
    """Where this very array stands among ``arrays``; -1 if it doesn't."""
    for position, array in enumerate(arrays):
        if array is value:
            return position
    return -1


class OnArrays:
    """The ``ctx`` of a backward that runs on bare arrays: the node's, with arrays for saved tensors."""

    __slots__ = ("needs_input_grad", "node", "saved_tensors")

    node: Node
    needs_input_grad: Any
    saved_tensors: Any

    @property
    def attributes(self) -> dict[str, Any]:
        """As the node's."""
        return self.node.attributes

    @property
    def intermediates(self) -> tuple[Any, ...]:
        """As the node's."""
        return self.node.intermediates

    @property
    def edges(self) -> Any:
        """As the node's."""
        return self.node.edges

    @property
    def hooks(self) -> Any:
        """As the node's."""
        return self.node.hooks
