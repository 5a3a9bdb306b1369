"""Chapter 1. Nodes and the engine.

After: tinytorch/learn/scalar_autograd.py
Next: tinytorch/autograd/primitive.py

Goal: know what an op leaves behind, so that backward can be run later.

The idea. Running an op under autograd leaves a :class:`Node` behind. Nodes point *backward* only: from a result to the
nodes that made its inputs (``edges``). So a graph is freed by reference counting when the last result that needs it
goes out of use, and no garbage collector is needed.

>>> import tinytorch
>>> from tinytorch import viz
>>> a = tinytorch.tensor(2.0, requires_grad=True)
>>> b = tinytorch.tensor(3.0, requires_grad=True)
>>> c = a * b + a
>>> print(viz.graph(c))
c: 2 ops, 8 B saved for backward
a   input       scalar  value 2.0  grad –
b   input       scalar  value 3.0  grad –
n2  mul(a, b)   scalar
c   add(n2, a)  scalar  value 8.0
>>> [type(node).__name__ for node, _ in c.grad_fn.next_functions]       # the edges: to mul, and to the leaf a
['Mul', 'AccumulateGrad']

An op's inputs exist before the op runs, so every node has a *larger creation number than the nodes it points to*.
The engine relies on that: descending creation numbers are a topological order.

What PyTorch does. The same in C++ (``torch/csrc/autograd/node.h``), where the creation number is ``sequence_nr``. There
a node only knows its backward; here it is also the ``ctx`` of its forward, and keeps name and attributes for pictures.

Pitfalls. A node that kept its own *output* would own itself: memory leaks. So an output is saved as what it is made of
(:class:`SavedOutput`) and rebuilt. And a saved tensor may be changed in place before backward reads it: its version
(:class:`Memory`) is compared, and the read raises.

Exercises. Draw the graph of ``d = a * a; e = d + d`` by hand, then ``print(viz.graph(e))``. How many edges has each
node? More: ``python -m tinytorch.learn start --chapter 1``.
Check: ``python -m pytest tests/autograd/test_engine.py``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.packing import PackedByHook

if TYPE_CHECKING:
    from tinytorch.autograd.modes import ModuleCall
    from tinytorch.tensor import Tensor

__all__ = ["AccumulateGrad", "Edge", "Memory", "Node", "RemovableHandle", "known_as"]

next_number = itertools.count().__next__

#: An edge leads to the node that made a tensor and says which of its outputs the tensor is; for a leaf it leads to
#: the leaf itself.
Edge = tuple[Any, int]

_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)

_MADE_IN_INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd; clone() them outside inference mode first."
)


#: What PyTorch calls the first and second inputs of most ops.
_PYTORCHS_INPUTS = {"self": 0, "input": 0, "other": 1, "exponent": 1, "mat2": 1}


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


class SavedOutput:
    """A node's own result, saved without pointing at it (the result points at the node: that would be a cycle)."""

    __slots__ = ("array", "index", "kind", "memory", "version")

    def __init__(self, output: Tensor, index: int) -> None:
        self.kind, self.array, self.index = type(output), output._array, index
        self.memory = memory = output._own_memory()
        self.version = memory.version

    def as_tensor(self, node: Node) -> Tensor:
        """The result again, in its place in the graph."""
        tensor = self.kind._wrap(self.array)
        tensor._edge, tensor._requires_grad, tensor._memory = (node, self.index), True, self.memory
        return tensor


class OnArrays:
    """The ``ctx`` of a backward that runs on bare arrays: the node's, with arrays for saved tensors."""

    __slots__ = ("attributes", "intermediates", "needs_input_grad", "saved_tensors")

    def __init__(self, node: Node) -> None:
        self.saved_tensors = () if node._saved == () else node._unpack(as_arrays=True)
        self.intermediates = node._intermediates
        self.needs_input_grad = node.needs_input_grad
        self.attributes = node.attributes


class NodeHooks:
    """Hooks of one node, made only when somebody registers one."""

    def __init__(self) -> None:
        self.of_output: dict[int, dict[int, Callable[..., Any]]] = {}  # Tensor.register_hook, by output
        self.retained: dict[int, Any] = {}  # Tensor.retain_grad: weak references, by output
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook back; also a context manager."""

    _next_id = itertools.count()

    def __init__(self, hooks: dict[int, Any], *extra_dicts: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(RemovableHandle._next_id)
        self._extra = extra_dicts

    def remove(self) -> None:
        """Take the hook back; a second call does nothing."""
        for hooks in (self.hooks, *self._extra):
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()


class Node:
    """One recorded operation; the ``ctx`` of its forward and backward.

    Attributes:
        number: creation number; larger than that of every node this one depends on.
        edges: for each input in order, where its gradient goes: ``(node, output index)``, ``(leaf tensor, 0)``,
            or None.
        known_name: PyTorch's name for the node where it is another than the class's.
        outputs: ``(shape, NumPy dtype)`` of each output; what a gradient arriving here must look like.
        needs_input_grad: for each input, whether backward has to compute its gradient.
        attributes: keyword arguments of the op (``stride``, ``dim``...).
        call: the module call that made the node, None outside of modules.
        numbers: inputs that were Python numbers: their positions and values, in turn.
        complex_backward: whether backward expects and returns complex gradients in PyTorch's convention, as a user's
            does. Otherwise it is the derivative as for real numbers, and the engine conjugates around it.
    """

    # Class attributes are the defaults; an instance stores only what differs, which keeps recording cheap.
    number: int = -1
    edges: tuple[Edge | None, ...] = ()
    outputs: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...] = ()
    needs_input_grad: Any = ()
    attributes: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed
    call: ModuleCall | None = None
    numbers: tuple[Any, ...] = ()
    materialize_grads: bool = True
    known_name: str = ""  # how PyTorch prints the node, where that is not the class's name
    complex_backward: bool = True
    hooks: NodeHooks | None = None
    backward_on_arrays = False  # see Primitive
    _saved: Any = ()  # None once freed
    _intermediates: Any = ()  # None once freed

    # ------------------------------------------------------------------------------------ for op authors

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
            raise RuntimeError(_FREED)
        return self._intermediates

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What :meth:`save_for_backward` kept; raises RuntimeError when freed, or changed in place since."""
        return tuple(self._unpack(as_arrays=False))

    def _unpack(self, as_arrays: bool) -> list[Any]:
        """The saved values, as Tensors or as the arrays in them, unless their memory was changed since."""
        if self._saved is None:
            raise RuntimeError(_FREED)
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

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Declare outputs (such as indices) that never carry a gradient."""
        self._non_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """With False, the gradient of an unused output arrives in backward as None instead of zeros."""
        self.materialize_grads = bool(value)

    # ------------------------------------------------------------------------------------ saving and freeing

    def _pack(self, inputs: Any, input_arrays: Any, outputs: Any) -> None:
        """Turn saved arrays into saved tensors, by identity: an input is kept as its Tensor, an output by position."""
        packed: list[Any] = []
        for value in self._saved:
            if isinstance(value, np.ndarray):
                for tensor, array in zip(inputs, input_arrays):  # noqa: B905 - equally long
                    if array is value:
                        if tensor._inference:
                            raise RuntimeError(_MADE_IN_INFERENCE)
                        memory = tensor._memory
                        value = (tensor, 0 if memory is None else memory.version)
                        break
                else:
                    value = self._pack_output(value, outputs)
            packed.append(value)
        self._saved = packed if state.saved_tensors_hooks is None else [self._pack_by_hook(value) for value in packed]

    def _pack_by_hook(self, saved: Any) -> Any:
        """What the innermost ``saved_tensors_hooks`` makes of a saved tensor."""
        if not isinstance(saved, (tuple, SavedOutput)):
            return saved
        return PackedByHook(saved[0] if isinstance(saved, tuple) else saved.as_tensor(self))

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

    # ------------------------------------------------------------------------------------ for readers of graphs

    @property
    def scope(self) -> str:
        """Qualified name of the module whose forward made the node, such as ``"block1.0"``."""
        return "" if self.call is None else self.call[0].name

    def name(self) -> str:
        """The node's name as PyTorch prints it: ``MulBackward0``."""
        return self.known_name or f"{type(self).__name__}Backward0"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """PyTorch's view of :attr:`edges`: leaves appear as :class:`AccumulateGrad`."""
        return tuple(
            (None, 0) if edge is None else edge if isinstance(edge[0], Node) else (AccumulateGrad(edge[0]), 0)
            for edge in self.edges
        )

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes on this node."""
        return self.__dict__.setdefault("_metadata", {})

    def saved_by_name(self) -> dict[str, Any]:
        """Saved values under the names that forward's signature gives its inputs; ``result`` for an output."""
        if self._saved is None:
            raise RuntimeError(_FREED)
        parameters = list(inspect.signature(type(self).forward).parameters)[1:]
        named: dict[str, Any] = {}
        for position, (saved, value) in enumerate(zip(self._saved, self.saved_tensors, strict=True)):
            if value is None:
                continue
            name = f"saved{position}"
            if isinstance(saved, SavedOutput):
                name = "result" if len(self.outputs) == 1 else f"result{saved.index}"
            elif isinstance(saved, tuple):
                edge = saved[0]._edge or (saved[0], 0)
                for parameter, input_edge in zip(parameters, self.edges, strict=False):
                    if input_edge is not None and input_edge[0] is edge[0] and parameter not in named:
                        name = parameter
                        break
            named[name] = value
        return named

    def __getattr__(self, name: str) -> Any:
        # PyTorch shows saved values as `_saved_<name>`; torchviz and debuggers look for them.
        if name.startswith("_saved_"):
            named, wanted = self.saved_by_name(), name[len("_saved_") :]
            parameters = list(inspect.signature(type(self).forward).parameters)[1:]
            position = _PYTORCHS_INPUTS.get(wanted)
            if wanted not in named and position is not None and position < len(parameters):
                wanted = parameters[position]
            if wanted in named:
                return named[wanted]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's backward; it may return new ``grad_inputs``."""
        return self._add_hook(self._own_hooks().after, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before this node's backward; it may return new ``grad_outputs``."""
        return self._add_hook(self._own_hooks().before, hook)

    def _own_hooks(self) -> NodeHooks:
        if self.hooks is None:
            self.hooks = NodeHooks()
        return self.hooks

    @staticmethod
    def _add_hook(hooks: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        return handle

    def __repr__(self) -> str:
        return f"<{self.name()} object at 0x{id(self):x}>"

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """The op. See :class:`~tinytorch.autograd.primitive.Primitive` and :class:`~tinytorch.autograd.Function`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The op's derivative: gradients of the inputs from gradients of the outputs."""
        raise NotImplementedError(
            "You must implement the backward function for your custom autograd.Function to use it with "
            "backward mode AD."
        )


def known_as(result: Tensor, name: str) -> Tensor:
    """Let the last node of what several ops composed print under the name that PyTorch has for the whole.

    ``x.squeeze(0)`` is a Reshape here; printed, it says ``grad_fn=<SqueezeBackward1>`` as in PyTorch.
    """
    if result._edge is not None:
        result._edge[0].known_name = name
    return result


class AccumulateGrad:
    """Where a path of the graph ends: a leaf, into whose ``.grad`` the engine adds. Made on request for readers."""

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable
        self.next_functions: tuple[Any, ...] = ()

    @staticmethod
    def name() -> str:
        """PyTorch's name for it."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(id(self.variable))

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at 0x{id(self.variable):x}>"
