"""Chapter 1. Nodes and the engine.

After: tinytorch/learn/scalar_autograd.py
Next: tinytorch/autograd/saving.py

Goal: know what an op leaves behind, so that backward can be run later.

The idea. A ``Value`` of chapter 0 was two things in one, which are apart from now on. The numbers are a *tensor*
(chapter 2). What was remembered is a :class:`Node`, which running an op leaves behind::

    Value.sources  ->  Node.edges      to the nodes that made the inputs; a tensor that no op made is a leaf
    Value.slopes   ->  Node.backward   a function in place of numbers

Why a function? The slopes of all outputs with respect to all inputs are a matrix, the *Jacobian* J, as large as both
sizes multiplied and mostly zeros. The chain rule only wants its product with the gradient that arrives from above,
gradᵀ J, and that is a short formula for every op: for y = exp(x) just ``grad * y``. What the formula needs, here y, is
*saved* in the node when the op runs. Ops call their node ``ctx``, the context.

Nodes point *backward* only: from a result to what it was made of. So a graph is freed by reference counting when the
last result that needs it goes out of use. Printed, it is a line for each leaf and each op; a result without a name of
its own is called n2, n3...

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
['MulBackward0', 'AccumulateGrad']

An op's inputs exist before the op runs, so every node has a *larger creation number than the nodes it points to*.
The engine relies on that: descending creation numbers are a topological order.

What PyTorch does. The same in C++ (``torch/csrc/autograd/node.h``), where the creation number is ``sequence_nr``. There
a node only knows its backward; here it is also the ``ctx`` of its forward, and keeps name and attributes for pictures.

Pitfalls. Nothing may point *forward*, from a node to its result: that would be a cycle, and reference counting would
free neither. What a node keeps for backward is the next part: :mod:`.saving`.

Exercises. Draw the graph of ``d = a * a; e = d + d`` by hand, then ``print(viz.graph(e))``. How many edges has each
node? Answers: ``python -m tinytorch.learn answers 1``; more: ``python -m tinytorch.learn start --chapter 1``.
Check: ``python -m pytest tests/autograd/test_engine.py``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinytorch.autograd.hooks import NodeHooks, RemovableHandle
from tinytorch.autograd.packing import PackedByHook, SavedTensor
from tinytorch.autograd.saving import FREED, SavedOutput, Saving

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["AccumulateGrad", "Edge", "GradientEdge", "Node", "as_known", "known_as", "next_number"]

next_number = itertools.count().__next__

#: An edge leads to the node that made a tensor and says which of its outputs the tensor is; for a leaf it leads to
#: the leaf itself.
Edge = tuple[Any, int]
Outputs = tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]

#: What PyTorch calls the first and second inputs of most ops.
_PYTORCHS_INPUTS = {"self": 0, "input": 0, "other": 1, "exponent": 1, "mat2": 1}


class Node(Saving):
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
    output_shape: tuple[int, ...] | None = None  # of the only output: two attributes make fewer objects than `outputs`,
    output_dtype: Any = None  # and the garbage collector looks at every object that a graph keeps
    several_outputs: Outputs = ()
    needs_input_grad: Any = ()
    attributes: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed
    call: Any = None
    numbers: tuple[Any, ...] = ()
    materialize_grads: bool = True
    known_name: str = ""
    complex_backward: bool = True
    hooks: NodeHooks | None = None
    backward_on_arrays = False  # see Primitive
    reader_module = "builtins"  # where PyTorch has the classes of nodes

    @property
    def outputs(self) -> Outputs:
        return self.several_outputs if self.output_shape is None else ((self.output_shape, self.output_dtype),)

    @outputs.setter
    def outputs(self, outputs: Outputs) -> None:
        if len(outputs) == 1:
            ((self.output_shape, self.output_dtype),) = outputs
        else:
            self.several_outputs = outputs

    # ------------------------------------------------------------------------------------ for op authors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Declare outputs (such as indices) that never carry a gradient."""
        self._non_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """With False, the gradient of an unused output arrives in backward as None instead of zeros."""
        self.materialize_grads = bool(value)

    # ------------------------------------------------------------------------------------ for readers of graphs

    @property
    def op_type(self) -> Any:
        """The class of the op. It is the node's own, unless somebody has looked at it (:func:`as_known`)."""
        return type(self)

    @property
    def scope(self) -> str:
        """Qualified name of the module whose forward made the node, such as ``"block1.0"``."""
        return "" if self.call is None else self.call[0].name

    def name(self) -> str:
        """The node's name as PyTorch prints it: ``MulBackward0``."""
        return self.known_name or f"{self.op_type.__name__}Backward0"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """PyTorch's view of :attr:`edges`: leaves appear as :class:`AccumulateGrad`."""
        return tuple([_edge_for_readers(edge) for edge in self.edges])

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes on this node."""
        return self.__dict__.setdefault("_metadata", {})

    def saved_by_name(self) -> dict[str, Any]:
        """Saved values under the names that forward's signature gives its inputs; ``result`` for an output."""
        positions = self.saved_positions()
        values = self.saved_tensors
        return {name: values[position] for name, position in positions.items()}

    def saved_positions(self) -> dict[str, int]:
        """Where each of the values of :meth:`saved_by_name` stands among those saved."""
        if self._saved is None:
            raise RuntimeError(FREED)
        parameters = list(inspect.signature(type(self).forward).parameters)[1:]
        named: dict[str, int] = {}
        for position, saved in enumerate(self._saved):
            if saved is None:
                continue
            name, edge = f"saved{position}", None
            if isinstance(saved, tuple):
                edge = saved[0]._edge or (saved[0], 0)
            elif isinstance(saved, PackedByHook):
                edge = saved.edge
            if isinstance(saved, SavedOutput) or (edge is not None and edge[0] is self):
                index = saved.index if isinstance(saved, SavedOutput) else edge[1]  # type: ignore[index]
                name = "result" if len(self.outputs) == 1 else f"result{index}"
            elif edge is not None:
                for parameter, input_edge in zip(parameters, self.edges, strict=False):
                    if input_edge is not None and input_edge[0] is edge[0] and parameter not in named:
                        name = parameter
                        break
            named[name] = position
        return named

    def __dir__(self) -> list[str]:
        """Of the names of saved values those that there are, once each, as programs that draw graphs show them all."""
        names = [name for name in super().__dir__() if not name.startswith(("_saved_", "_raw_saved_"))]
        if self._saved:
            known = [{"x": "self", "a": "self", "b": "other"}.get(name, name) for name in self.saved_positions()]
            kept = [name for name in known if hasattr(type(self), f"_saved_{name}")]
            names += [f"{prefix}_{name}" for name in kept for prefix in ("_saved", "_raw_saved")]
        return names

    def __init_subclass__(cls, **options: Any) -> None:
        """Give the class what PyTorch's nodes show to debuggers and torchviz: saved values as ``_saved_<name>``, and
        as ``_raw_saved_<name>`` the way they are kept.
        """
        super().__init_subclass__(**options)
        if "forward" in cls.__dict__:
            code = cls.forward.__code__
            parameters = code.co_varnames[1 : code.co_argcount]
            aliases = [(theirs, parameters[i]) for theirs, i in _PYTORCHS_INPUTS.items() if i < len(parameters)]
            for name, ours in (*aliases, *zip(parameters, parameters), ("result", "result")):  # noqa: B905
                setattr(cls, f"_saved_{name}", property(partial(_saved_value, name=name, alias=ours)))
                setattr(cls, f"_raw_saved_{name}", property(partial(_raw_saved_value, name=name, alias=ours)))

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


def as_known(node: Any) -> Any:
    """The node, for a reader of the graph: from now on its class has the name that PyTorch's has.

    Programs that draw graphs ask for ``type(node).__name__``. So the node's class becomes one derived from the op's,
    which differs in its name alone.
    """
    name = node.name()
    if type(node).__name__ != name:
        node.__class__ = _class_named(node.op_type, name)
    return node


def _edge_for_readers(edge: Edge | None) -> tuple[Any, int]:
    """(node, output index), (accumulator of a leaf, 0) or (None, 0)."""
    if edge is None:
        return None, 0
    end, index = edge
    return (as_known(end), index) if isinstance(end, Node) else (AccumulateGrad(end), 0)


def _class_named(op_type: Any, name: str) -> type:
    """The class of this name below an op's; kept there, to end with it."""
    known = vars(op_type).get("_named")
    if known is None:
        op_type._named = known = {}
    if name not in known:
        places = {"__module__": op_type.reader_module, "__doc__": op_type.__doc__, "op_type": op_type, "_named": {}}
        known[name] = type(op_type)(name, (op_type,), places)
    return known[name]


def _saved_value(node: Node, name: str, alias: str) -> Any:
    """What ``node._saved_<name>`` gives: the saved value of that name in forward, or of ``alias``."""
    named = node.saved_by_name()
    if name not in named and alias not in named:
        raise AttributeError(f"'{node.name()}' object has no attribute '_saved_{name}'")
    return named.get(name, named.get(alias))


def _raw_saved_value(node: Node, name: str, alias: str) -> SavedTensor:
    """What ``node._raw_saved_<name>`` gives."""
    named = node.saved_positions()
    if name not in named and alias not in named:
        raise AttributeError(f"'{node.name()}' object has no attribute '_raw_saved_{name}'")
    return SavedTensor(node, named.get(name, named.get(alias, 0)))


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


class GradientEdge(NamedTuple):
    """An edge in the user's hands: :func:`~tinytorch.autograd.grad` takes it in a tensor's place."""

    node: Any  # of a leaf: its AccumulateGrad
    output_nr: int
    ownership_token: Any = None
