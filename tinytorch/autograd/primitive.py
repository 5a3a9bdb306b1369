"""Chapter 1, part 3. Primitive: an op with its own derivative. Forward on arrays, right beside backward on Tensors.

After: tinytorch/autograd/saving.py
Next: tinytorch/autograd/engine.py

Goal: write an op and its derivative in one place.

Every op of tinytorch is either a primitive or composed of primitives. This is all there is to one::

    class Mul(Primitive):
        @staticmethod
        def forward(ctx, a, b):                                  # NumPy arrays (or Python numbers)
            need_a, need_b = ctx.needs_input_grad
            ctx.save_for_backward(a if need_b else None, b if need_a else None)
            return a * b

        @staticmethod
        def backward(ctx, grad):                                 # Tensors
            a, b = ctx.saved_tensors
            return grad * b if b is not None else None, grad * a if a is not None else None

Calling it, :meth:`Primitive.apply`, is four steps. The code below is these, for several outputs and views as well, and
written out so that a small op pays for no call that it can do without::

    arrays = [x._array for x in inputs]                     1. take the arrays out of the Tensors
    output = cls.forward(ctx, *arrays)                      2. compute; forward says what to save
    result = Tensor over output                             3. a Tensor again
    ctx.edges = [where each input's gradient goes]          4. if any input requires grad: record
    result._edge = (ctx, 0)

``backward`` is written in Tensor ops, so it can itself be recorded and differentiated again, to any order. It may
return gradients in the *broadcast* shape: the engine sums them to each input's shape, in one place. Nor does it
conjugate anything for complex numbers: that is the engine's work, too.

What PyTorch does. A table of formulas (``derivatives.yaml``), from which C++ is generated. Users' own ops are classes
like this one, there and here: :mod:`.function`.

Pitfalls. What ``save_for_backward`` keeps lives as long as the graph: save only what backward reads. What
``save_intermediates`` keeps counts as a constant, so a number that depends on an input must not go there, or second
derivatives are wrong.

Exercises. ``Square`` saves x and returns ``grad * x * 2``. What becomes of its second derivative when it keeps the
number ``x * 2`` with ``save_intermediates`` instead? And why may ``Index`` keep the shape of x that way?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.node import Node, next_number
from tinytorch.autograd.watching import by_detour, detours

if TYPE_CHECKING:
    from tinytorch.autograd.modes import ModuleCall
    from tinytorch.tensor import Tensor

__all__ = ["Primitive"]

_ALL_NEEDED = [(True,) * n for n in range(8)]

_new = object.__new__
_ndarray = np.ndarray


class Primitive(Node):
    """Base of all built-in ops; see the module's text. The instance that ``forward`` gets as ``ctx`` is the graph node.

    ``forward(ctx, *arrays, **attributes)`` returns one array or a tuple of arrays. ``returns_view = True`` says that
    the result may share memory with the first input; autograd then follows in-place changes through it.
    ``complex_backward = True`` is for ops that are not complex-differentiable, whose backward conjugates by itself, and
    spares views and sums, which have nothing to conjugate, the two conjugations that would cancel.
    ``computes = False`` is for ops that only move numbers, or say themselves in which dtype they compute.
    ``backward_on_arrays = True`` says that ``backward`` computes with what arrays have as well as Tensors, operators
    (``+ - * /``) and shapes, or with functions that take both. Then, when nobody wants to differentiate the gradient,
    the engine runs the very same lines on the bare arrays, and a small op costs less.
    ``exact_numbers``: the positions of inputs where Python numbers are not rounded to half precision with the rest.
    """

    returns_view = False
    complex_backward = False
    computes = True
    exact_numbers: tuple[int, ...] = ()
    needs_input_grad: Any = (False,) * 64  # unless recorded

    @classmethod
    def apply(cls, *inputs: Any, **attributes: Any) -> Any:
        """Run the op on Tensors (and None, Python numbers), and record it if any of them requires grad.

        Returns one Tensor, or a tuple of them as ``forward`` does.
        """
        if detours and (result := by_detour(cls, inputs, attributes)) is not None:
            return result
        ctx = _new(cls)
        arrays: list[Any] = []  # 1. take the arrays out of the Tensors, and note where their gradients go
        edges: list[Any] = []
        needed = 0
        numbers: tuple[Any, ...] = ()
        for value in inputs:
            if isinstance(value, Tensor):
                if value._base is not None:
                    value._follow_base()
                arrays.append(value._array)
                if value._requires_grad:
                    edges.append(value._edge or (value, 0))
                    needed += 1
                    continue
            else:
                if value is not None:
                    numbers = (*numbers, len(arrays), value)
                arrays.append(value)
            edges.append(None)
        mode = state.__dict__
        recording = needed and mode["grad_enabled"]
        if recording:
            # One tuple for all nodes whose inputs are all needed: the garbage collector has fewer objects to look at.
            ctx.needs_input_grad = (
                _ALL_NEEDED[needed]
                if needed == len(edges) and needed < len(_ALL_NEEDED)
                else tuple([edge is not None for edge in edges])
            )
        try:  # 2. compute
            output = cls.forward(ctx, *arrays, **attributes) if attributes else cls.forward(ctx, *arrays)
        except ValueError as error:
            raise cls.explain(error, *arrays) from None
        except TypeError as error:
            if not str(error).startswith(("ufunc", "array type")):
                raise
            raise cls._without_loop(arrays) from None
        if type(output) is tuple:
            return cls._finish_many(ctx, inputs, arrays, output, attributes, edges if recording else None)
        result = _new(Tensor)  # 3. a Tensor again
        # NumPy turns 0-dimensional results into scalars; tensors always hold arrays.
        result._array = array = output if type(output) is _ndarray else np.asarray(output)
        if recording:  # 4. make ctx a node of the graph
            ctx._record(edges, attributes, mode["call"])
            ctx.output_shape, ctx.output_dtype = array.shape, array.dtype
            if numbers:
                ctx.numbers = numbers
            result._edge = (ctx, 0)
            result._requires_grad = True
            if ctx._saved:
                if array is not output:
                    ctx._saved = tuple([array if saved is output else saved for saved in ctx._saved])
                ctx._pack(inputs, arrays, (result,), mode["saved_tensors_hooks"])
        elif mode["inference"]:
            result._inference = True
        if cls.returns_view:
            result._link_to_base(inputs[0])
        return result

    def _record(self, edges: list[Any], attributes: dict[str, Any], call: ModuleCall | None) -> None:
        """Make this ctx a node of the graph."""
        self.number = next_number()
        self.edges = tuple(edges)
        if attributes:
            self.attributes = attributes
        if call is not None:
            self.call = call

    @classmethod
    def _finish_many(
        cls, ctx: Any, inputs: Any, arrays: Any, outputs: Any, attributes: dict[str, Any], edges: list[Any] | None
    ) -> tuple[Any, ...]:
        """The end of :meth:`apply` for several outputs; ``edges`` when it is recorded."""
        results = tuple([Tensor._wrap(o if type(o) is _ndarray else np.asarray(o)) for o in outputs])
        if edges is not None:
            ctx._record(edges, attributes, state.call)
            ctx.outputs = tuple([(result._array.shape, result._array.dtype) for result in results])
            excluded = [id(array) for array in getattr(ctx, "_non_differentiable", ())]
            ctx._non_differentiable = ()
            for index, (result, output) in enumerate(zip(results, outputs, strict=True)):
                if id(output) not in excluded:
                    result._edge = (ctx, index)
                    result._requires_grad = True
            if ctx._saved:
                ctx._pack(inputs, arrays, results, state.saved_tensors_hooks)
        if state.inference:
            for result in results:
                result._inference = True
        if cls.returns_view:
            inputs[0]._link_views(results)
        return results

    @classmethod
    def record_result(cls, result: Tensor, inputs: tuple[Any, ...], **attributes: Any) -> None:
        """Record that ``result``, which exists already, is what this op would give for ``inputs``.

        For ops whose forward has nothing to compute: a change in place seen as a new value of the same tensor.
        """
        ctx = _new(cls)
        needs = tuple([isinstance(value, Tensor) and value._requires_grad for value in inputs])
        ctx.needs_input_grad = needs
        edges = [value._edge or (value, 0) if need else None for value, need in zip(inputs, needs, strict=True)]
        ctx._record(edges, attributes, state.call)
        ctx.outputs = ((result._array.shape, result._array.dtype),)
        result._edge, result._requires_grad = (ctx, 0), True

    @classmethod
    def explain(cls, error: ValueError, *arrays: Any) -> Exception:
        """The error that the user sees when NumPy refused the arrays; ops override it to speak of their arguments."""
        shapes = ", ".join(str(list(a.shape)) for a in arrays if isinstance(a, np.ndarray))
        if "broadcast together" in str(error):
            return RuntimeError(f"{cls.__name__.lower()}(): the shapes {shapes} do not match: they do not broadcast")
        return RuntimeError(f"{cls.__name__.lower()}(): {error} (input shapes: {shapes})")

    @classmethod
    def _without_loop(cls, arrays: list[Any]) -> Exception:
        """The error for dtypes that NumPy's function has no loop for."""
        kinds = sorted({a.dtype.name for a in arrays if isinstance(a, np.ndarray)})
        return NotImplementedError(f"{cls.__name__.lower()}() is not implemented for {', '.join(kinds)}")

    @staticmethod
    def forward(ctx: Any, *arrays: Any, **attributes: Any) -> Any:
        """Compute the result from arrays."""
        raise NotImplementedError


# Tensor's methods call ops, ops are primitives, and primitives make Tensors: the package's one import circle.
# `tinytorch.tensor` defines the class before it imports anything that leads here, so the name exists by now.
from tinytorch.tensor import Tensor  # noqa: E402
