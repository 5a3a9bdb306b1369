"""``torch.library``: a Python function as an op, with a gradient of its own (:func:`custom_op`).

PyTorch's compiler does not look into such an op, so programs wrap in it what only Python can do. Here it is a function
with checked inputs and outputs, and an :class:`~tinytorch.autograd.Function` where it has a gradient.

>>> import numpy as np, tinytorch as torch
>>> @torch.library.custom_op("example::cube", mutates_args=())
... def cube(x: torch.Tensor) -> torch.Tensor:
...     return torch.from_numpy(x.numpy() ** 3)
>>> def setup_context(ctx, inputs, output):
...     ctx.save_for_backward(*inputs)
>>> def backward(ctx, grad):
...     return grad * 3 * ctx.saved_tensors[0] ** 2
>>> cube.register_autograd(backward, setup_context=setup_context)
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> torch.ops.example.cube(x).sum().backward()
>>> x.grad
tensor([ 3., 12.])
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tinytorch import ops
from tinytorch.autograd import Function, is_grad_enabled, no_grad
from tinytorch.autograd.graph import increment_version
from tinytorch.tensor import Tensor

__all__ = ["CustomOpDef", "custom_op", "load_library", "opcheck", "register_autograd", "register_fake",
           "register_kernel"]  # fmt: skip

_known: dict[str, CustomOpDef] = {}


class CustomOpDef:
    """An op made by :func:`custom_op`: call it as the function."""

    def __init__(self, name: str, fn: Callable[..., Any], mutates_args: Iterable[str]) -> None:
        self._qualname, self._kernel, self._signature = name, fn, _checked_signature(fn)
        self._mutated = tuple([mutates_args] if isinstance(mutates_args, str) else mutates_args)
        unknown = [arg for arg in self._mutated if arg not in self._signature.parameters]
        if unknown:
            raise ValueError(f"mutates_args names {unknown}, which are no arguments of {fn.__name__}{self._signature}")
        self._backward: Callable[..., Any] | None = None
        self._setup_context: Callable[..., Any] | None = None
        self._fake: Callable[..., Any] | None = None
        self._function = _function_of(self)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    @property
    def default(self) -> CustomOpDef:
        """The op itself, under the name that ``torch.ops`` gives an op's only overload."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise RuntimeError(f"{self._qualname}() {error}; it is declared as {self._signature}") from None
        bound.apply_defaults()
        lists = [value for value in bound.arguments.values() if isinstance(value, (tuple, list))]
        if is_grad_enabled() and any(tensor.requires_grad for tensor in _tensors(lists)):
            raise NotImplementedError(f"{self._qualname}: tensors in lists receive no gradient: detach, or stack them")
        for name in self._mutated:
            changed = bound.arguments[name]
            if changed is not None:
                increment_version(changed)
        return self._function.apply(bound.kwargs, *bound.args)

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """Give the op a gradient: ``backward(ctx, *grads)`` returns one for each argument, made of tensor ops.

        ``setup_context(ctx, inputs, output)`` saves for it what it needs; it also takes ``keyword_only_inputs`` if the
        op has arguments of that kind. RuntimeError for an op that changes its arguments.
        """
        if self._mutated:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self}. Please create a functional "
                "operator and register an autograd formula for that."
            )
        self._backward, self._setup_context = backward, setup_context

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """Take note of the function that computes shapes alone; here only :func:`opcheck` calls it."""
        self._fake = fn
        return fn

    def register_kernel(self, device_types: Any, fn: Callable[..., Any] | None = None, /) -> Any:
        """Replace the function on the CPU; one for other devices is never called. Also a decorator."""
        if fn is None:
            return lambda fn: self.register_kernel(device_types, fn)
        if device_types is None or "cpu" in ([device_types] if isinstance(device_types, str) else device_types):
            self._kernel = fn
        return fn


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make the annotated function ``fn`` an op called ``"namespace::name"``, also under ``torch.ops``. A decorator.

    ``mutates_args`` names the arguments that it changes in place. It may not return an argument (RuntimeError).
    ValueError where annotations or the namespace are missing.
    """
    if fn is None:
        return lambda fn: custom_op(name, fn, mutates_args=mutates_args)
    namespace, _, short = name.partition("::")
    if not namespace or not short:
        raise ValueError(f"custom_op: the name must be 'namespace::name', got {name!r}")
    op = _known[name] = CustomOpDef(name, fn, mutates_args)
    space = getattr(ops, namespace, None)
    if space is None:
        space = types.SimpleNamespace()
        setattr(ops, namespace, space)
    if isinstance(space, types.SimpleNamespace):
        setattr(space, short, op)
    return op


def load_library(path: str) -> NoReturn:
    """Raises OSError, as PyTorch does for a file that is none of its compiled extensions: they cannot be used here.

    Packages that have slower Python code for their compiled ops then take that.
    """
    raise OSError(f"{path}: this library loads no compiled extensions; use what the package has in Python instead")


def _checked_signature(fn: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(fn)
    for parameter in signature.parameters.values():
        if parameter.annotation is inspect.Parameter.empty:
            raise ValueError(
                f"infer_schema(func): Parameter {parameter.name} must have a type annotation. Got func with signature "
                f"{signature})"
            )
    if signature.return_annotation is inspect.Signature.empty:
        raise ValueError(
            "infer_schema(func): No return type annotation was provided. Please add one. Got func with signature "
            f"{signature})"
        )
    return signature


def _function_of(op: CustomOpDef) -> Any:
    """The Function whose forward is the op's; its first argument are those by keyword only."""

    class Op(Function):
        @staticmethod
        def forward(ctx: Any, keywords: dict[str, Any], *inputs: Any) -> Any:
            output = op._kernel(*inputs, **keywords)
            given = [value for value in (*inputs, *keywords.values()) if isinstance(value, Tensor)]
            for tensor in _tensors(output):
                if any(tensor is value or tensor._base is value for value in given):
                    raise RuntimeError(
                        f"{op._qualname}: The output of this custom operator (1) must not also be an input to this "
                        "custom operator and (2) may not alias any inputs to this custom operator. Please use clone()."
                    )
            if op._setup_context is not None:
                more = {"keyword_only_inputs": keywords} if keywords else {}
                op._setup_context(ctx=ctx, inputs=inputs, output=output, **more)
            return output

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            if op._backward is None:
                raise RuntimeError(
                    f"Trying to backward through {op._qualname.replace('::', '.')}.default but no autograd formula was "
                    "registered. Please use register_autograd to add one."
                )
            found = op._backward(ctx, *grads)
            return (None, *(found if isinstance(found, tuple) else (found,)))

    Op.__name__ = Op.__qualname__ = f"GeneratedBackwardFor_{op._qualname.replace('::', '_')}_default"
    return Op


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for item in value for tensor in _tensors(item)] if isinstance(value, (tuple, list)) else []


def _op(op: Any) -> CustomOpDef:
    found = _known.get(op) if isinstance(op, str) else op
    if not isinstance(found, CustomOpDef):
        raise ValueError(f"{op!r} is no op that was made by tinytorch.library.custom_op")
    return found


def register_autograd(
    op: Any, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None, lib: Any = None
) -> None:
    """As the op's method, for an op or its name."""
    _op(op).register_autograd(backward, setup_context=setup_context)


def register_fake(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """As the op's method, for an op or its name; also a decorator."""
    return _op(op).register_fake if func is None else _op(op).register_fake(func)


def register_kernel(op: Any, device_types: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """As the op's method, for an op or its name; also a decorator."""
    return _op(op).register_kernel(device_types, func)


def opcheck(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, **options: Any) -> dict[str, str]:
    """Call the op with sample inputs and check what was declared; AssertionError says what does not hold.

    Checked are that it changes only what it said it would (``test_schema``), and that the function for shapes finds
    those of the result (``test_faketensor``); PyTorch's tests of its compiler have nothing to test here.
    """
    op, kwargs = _op(op), kwargs or {}
    bound = op._signature.bind(*args, **kwargs)
    before = {name: [t.detach().clone() for t in _tensors(value)] for name, value in bound.arguments.items()}
    with no_grad():
        result = op(*args, **kwargs)
        for name, value in bound.arguments.items():
            same = all(ops.equal(old, new) for old, new in zip(before[name], _tensors(value), strict=True))
            assert same or name in op._mutated, f"{op} changed {name}, which mutates_args does not name"
        found = {"test_schema": "SUCCESS"}
        if op._fake is not None:
            shapes = [(t.shape, t.dtype) for t in _tensors(op._fake(*args, **kwargs))]
            expected = [(t.shape, t.dtype) for t in _tensors(result)]
            assert shapes == expected, f"{op}: the fake function finds {shapes}, the results are {expected}"
            found["test_faketensor"] = "SUCCESS"
    return found


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
