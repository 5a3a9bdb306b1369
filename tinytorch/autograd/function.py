"""Function: a user's own op, with PyTorch's contract. Forward and backward both work on Tensors.

The built-in ops are :class:`~tinytorch.autograd.primitive.Primitive` subclasses, whose forward sees plain arrays. A
user's Function sees Tensors in forward, with recording switched off, so that code written for PyTorch runs unchanged.

>>> import tinytorch
>>> class Cube(Function):
...     @staticmethod
...     def forward(ctx, x):
...         ctx.save_for_backward(x)
...         return x ** 3
...
...     @staticmethod
...     def backward(ctx, grad_output):
...         (x,) = ctx.saved_tensors
...         return grad_output * 3 * x ** 2
>>> x = tinytorch.tensor(2.0, requires_grad=True)
>>> Cube.apply(x).backward()
>>> x.grad
tensor(12.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinytorch.autograd.modes import no_grad, state
from tinytorch.autograd.node import Node, next_number
from tinytorch.autograd.saving import SavedOutput
from tinytorch.autograd.watching import watched_forward, watchers
from tinytorch.dtypes import INEXACT
from tinytorch.tensor import Tensor
from tinytorch.tensor_base import MADE_IN_FUNCTION

__all__ = ["Function", "InplaceFunction", "NestedIOFunction", "once_differentiable"]


class Function(Node):
    """Base of a custom op; subclass it with static ``forward(ctx, ...)`` and ``backward(ctx, *grad_outputs)``, then use
    ``.apply``.

    ``ctx`` offers ``save_for_backward``, ``saved_tensors``, ``needs_input_grad``, ``mark_dirty``,
    ``mark_non_differentiable``, ``set_materialize_grads`` and takes attributes of your own. ``backward`` returns one
    gradient (or None) per argument of forward. With a static ``setup_context(ctx, inputs, output)``, forward takes no
    ctx.
    """

    reader_module = "torch.autograd.function"
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _are_tensors: tuple[bool, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if type(self) is Function:
            raise RuntimeError(
                f"{type(self)} should not be instantiated. Methods on autograd functions are all static."
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """RuntimeError: calling an object was how PyTorch 0.1 ran a Function."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method: MyFunction.apply(...)."
        )

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep what ``jvp`` wants to find in ``saved_tensors``. What was saved for backward stands there, too."""
        if self._saved == ():
            self._saved = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Declare inputs that forward changed in place (and returns)."""
        self._dirty = args

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Override to save for backward outside of forward."""
        raise NotImplementedError("setup_context is not implemented.")

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """An old name of ``saved_tensors``."""
        return self.saved_tensors

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """As of any node; there is an entry for each argument that is a tensor."""
        return tuple([entry for entry, is_tensor in zip(super().next_functions, self._are_tensors) if is_tensor])  # noqa: B905

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.name()} object at 0x{id(self):x}>"

    def name(self) -> str:
        """PyTorch's name for the node of a user's Function."""
        return f"{self.op_type.__name__}Backward"

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """An old second name of ``backward``."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function"
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Override for dual numbers (:mod:`.forward_ad`): the tangents of the results from those of the arguments.

        Called where there is no ``backward``, from which they follow anyway, and where nobody needs that: when nothing
        but dual numbers requires a gradient.
        """
        raise NotImplementedError("You must implement the jvp function for custom autograd.Function.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward on the arguments and record the op if any Tensor among them requires grad."""
        if watchers and not state.unwatched:
            return watched_forward(cls, args, kwargs)
        ctx = object.__new__(cls)
        needs = [isinstance(arg, Tensor) and arg.requires_grad for arg in args]
        ctx.needs_input_grad = tuple(needs)
        separate_setup = cls.setup_context is not Function.setup_context
        with no_grad():
            if separate_setup:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        single = not isinstance(output, tuple)
        results = (output,) if single else output
        if cls.jvp is not Function.jvp:
            from tinytorch.autograd.forward_ad import moved_by_jvp

            moved = moved_by_jvp(ctx, args, results)
            if moved is not None:
                return moved[0] if single else moved
        recording = state.grad_enabled and any(needs)
        if not all(any(dirty is value for value in results) for dirty in ctx._dirty):
            raise RuntimeError(
                f"{cls.__name__}: Some elements marked as dirty during the forward method were not returned as output. "
                "The inputs that are modified inplace must all be outputs of the Function."
            )
        results = tuple(
            _as_result(ctx, value, args, recording) if isinstance(value, Tensor) else value for value in results
        )
        if recording:
            _record(ctx, args, needs, results, outputs=(output,) if single else output)
        return results[0] if single else results


def _as_result(ctx: Function, value: Tensor, args: tuple[Any, ...], recording: bool) -> Tensor:
    """What apply returns for a tensor that forward returned: an input handed through becomes a tensor of its own."""
    if any(value is arg for arg in args):
        if any(value is dirty for dirty in ctx._dirty):
            if recording:
                inplace.check_differentiable_target(value)
            value._bump_version()
            return value
        with no_grad():
            value = value.view_as(value)
        value._edge, value._requires_grad = None, False
    if recording and value._base is not None:
        value._view_obstacle = MADE_IN_FUNCTION
    return value


def _record(
    ctx: Function, args: tuple[Any, ...], needs: list[bool], results: tuple[Any, ...], outputs: tuple[Any, ...]
) -> None:
    """Make ctx the node of ``results``."""
    ctx.edges = tuple(arg._gradient_edge() if need else None for arg, need in zip(args, needs, strict=True))
    ctx._are_tensors = tuple([isinstance(arg, Tensor) for arg in args])
    ctx.number = next_number()  # after those of the inputs: that of a view which was changed is made just now
    ctx.numbers = tuple(x for i, arg in enumerate(args) if isinstance(arg, (bool, int, float, str)) for x in (i, arg))
    ctx.call = state.call
    ctx.outputs = _shapes_and_dtypes(results)
    excluded = {id(tensor) for tensor in ctx._non_differentiable}
    ctx._saved = tuple(_packed(value, args, results, outputs) for value in ctx._saved)
    if state.saved_tensors_hooks is not None:
        ctx._saved = tuple(ctx._pack_by_hook(value) for value in ctx._saved)
    ctx._dirty, ctx._non_differentiable = (), ()
    for index, (result, original) in enumerate(zip(results, outputs, strict=True)):
        if isinstance(result, Tensor) and id(original) not in excluded and result._array.dtype.kind in INEXACT:
            value = result._alias() if any(result is arg for arg in args) else result
            value._edge, value._requires_grad = (ctx, index), True
            if value is not result:  # an argument that was changed in place, perhaps a view of more
                inplace.adopt_history(result, value)


def _shapes_and_dtypes(values: tuple[Any, ...]) -> Any:
    """What gradients of these outputs must look like; an output that is no tensor gets none."""
    return tuple((v._array.shape, v._array.dtype) if isinstance(v, Tensor) else ((), None) for v in values)


def _packed(value: Any, args: tuple[Any, ...], results: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """A saved tensor as :attr:`Node.saved_tensors` expects it; an output is kept without pointing at it."""
    if value is None:
        return None
    if not isinstance(value, Tensor):
        raise TypeError(f"save_for_backward can only save variables, but got {type(value).__name__}")
    if not any(value is arg for arg in args):
        for index, output in enumerate(outputs):
            if value is output:
                return SavedOutput(results[index], index)
    return value, value._version


FunctionCtx = Function  # what a type annotation calls ``ctx``; it is the node itself


class InplaceFunction(Function):
    """PyTorch's base for ops that may work in place; a Function like any other, as ``ctx.mark_dirty`` says what did."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Not supported: pass tensors as separate arguments of a :class:`Function` instead."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        raise NotImplementedError("NestedIOFunction is not supported; subclass autograd.Function with flat arguments.")


class NotTwiceDifferentiable(Node):
    """The node behind gradients that were computed in a way that cannot be differentiated."""

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a ``backward`` that computes on detached values: differentiating its result raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grad_outputs: Any) -> Any:
        recording = state.grad_enabled and any(isinstance(g, Tensor) and g.requires_grad for g in grad_outputs)
        with no_grad():
            grads = backward(ctx, *grad_outputs)
        if not recording:
            return grads
        single = not isinstance(grads, tuple)
        aliases = tuple(g._alias() if isinstance(g, Tensor) else g for g in ((grads,) if single else grads))
        node = NotTwiceDifferentiable()
        node.number = next_number()
        node.outputs = _shapes_and_dtypes(aliases)
        for index, gradient in enumerate(aliases):
            if isinstance(gradient, Tensor):
                gradient._edge, gradient._requires_grad = (node, index), True
        return aliases[0] if single else aliases

    return wrapper


from tinytorch.autograd import inplace  # noqa: E402
