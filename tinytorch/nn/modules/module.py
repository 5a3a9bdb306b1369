"""Chapter 8. Modules.

After: tinytorch/autograd/gradcheck.py
Next: tinytorch/nn/modules/registry.py

Goal: see a network as a tree of modules that own their parameters.

The idea. A module is a node of a tree: its parameters (tensors that are learned) and buffers (tensors that are kept,
but not learned, such as running means) are its own, its submodules are the branches. Everything that concerns a whole
network - ``parameters()``, ``train()``, ``to(float64)``, ``state_dict()``, printing - is a walk over that tree.

>>> import tinytorch.nn as nn
>>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
>>> [(name, tuple(p.shape)) for name, p in net.named_parameters()]
[('0.weight', (3, 2)), ('0.bias', (3,)), ('2.weight', (1, 3)), ('2.bias', (1,))]

The parts of the class stand in four files:

- :mod:`registry <tinytorch.nn.modules.registry>`: attributes that are parameters, buffers and submodules, and the
  walks
- :mod:`state_dict <tinytorch.nn.modules.state_dict>`: saving and loading
- :mod:`hooks <tinytorch.nn.modules.hooks>`: functions to be called around forward and backward
- here: calling a module, changing all of it at once, printing it

What PyTorch does. The same class in one file of 3,000 lines, with the same names in ``state_dict()``: weights travel
both ways. Here a call also notes the module's place ("block1.0") on each node that it records, for pictures and
errors.

Pitfalls. Modules in a plain list are not found by ``parameters()``: use ModuleList. ``net.forward(x)`` skips the
hooks: call ``net(x)``. ``eval()`` does not switch off recording, and ``no_grad()`` does not switch off dropout.

Exercises. A module that uses one Linear twice: how many parameters has it? What does ``state_dict()`` of it contain?
Answers: ``python -m tinytorch.learn answers 8``; more: ``python -m tinytorch.learn start --chapter 8``.
Check: ``python -m pytest tests/nn/test_module.py``.

"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from tinytorch import dtypes, ops
from tinytorch.autograd.accumulate import zero_gradient
from tinytorch.autograd.modes import ModuleName, no_grad, state
from tinytorch.device import check_device
from tinytorch.dtypes import INEXACT
from tinytorch.missing import elsewhere
from tinytorch.nn.modules.global_hooks import around_calls
from tinytorch.nn.modules.hooks import Hooks
from tinytorch.nn.modules.registry import Registry, tree_changes
from tinytorch.nn.modules.state_dict import StateDict, _IncompatibleKeys
from tinytorch.nn.modules.to_arguments import parse_to
from tinytorch.nn.parameter import is_lazy
from tinytorch.tensor import Tensor

__all__ = ["Module", "_IncompatibleKeys"]

T = TypeVar("T", bound="Module")

_MEMBERS = ("_parameters", "_buffers", "_modules")
_HOOKS = (
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks", "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called", "_backward_pre_hooks", "_backward_hooks",
    "_state_dict_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip


class Module(Registry, Hooks, StateDict):
    """Base of all layers and networks (``torch.nn.Module``).

    A subclass creates its parts in ``__init__`` (after ``super().__init__()``) and says in ``forward`` what to do
    with them.

    >>> import tinytorch
    >>> from tinytorch import nn
    >>> class Twice(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(3, 3)
    ...     def forward(self, x):
    ...         return self.fc(self.fc(x))
    >>> Twice()
    Twice(
      (fc): Linear(in_features=3, out_features=3, bias=True)
    )
    >>> [name for name, _ in Twice().named_parameters()]
    ['fc.weight', 'fc.bias']

    Attributes: ``training``: whether the module is in training mode (see :meth:`train`).
    """

    training: bool
    dump_patches = call_super_init = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            given = f"an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else f"{len(args)} too many"
            raise TypeError(f"{type(self).__name__}.__init__() takes no arguments but self, and got {given}")
        attributes = self.__dict__  # straight into it: __setattr__ works only once these exist
        attributes["training"] = True
        for name in _MEMBERS:
            attributes[name] = {}
        for name in _HOOKS:
            attributes[name] = OrderedDict()
        attributes["_non_persistent_buffers_set"] = set()
        attributes["_scope_names"] = _ScopeNames()
        if self.call_super_init:  # for classes with several bases: the next one is initialized, too
            super().__init__(*args, **kwargs)

    # ------------------------------------------------------------------------------------ calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass says it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run :meth:`forward` and the hooks. Nodes recorded meanwhile remember this call."""
        names = state.module_names
        if names is None:  # the outermost module: names count from here
            state.module_names = self._scope_names.of(self)
            try:
                return Module.__call__(self, *args, **kwargs)
            finally:
                state.module_names = None
        outer = state.call
        state.call = (names.get(id(self)) or ModuleName(type(self).__name__, self), outer)
        try:
            if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
                    or around_calls):  # fmt: skip
                return self._call_with_hooks(args, kwargs)
            return self.forward(*args, **kwargs)
        finally:
            state.call = outer

    # ------------------------------------------------------------------------------------ changing all of it

    def apply(self: T, fn: Callable[[Module], None]) -> T:
        """Call ``fn`` on every module below, then on this one (to initialize weights, say); returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: T, mode: bool = True) -> T:
        """Set training mode here and below: dropout drops, batch-norm uses the batch's statistics.

        Returns the module.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: T) -> T:
        """The opposite of :meth:`train`. It does not switch off recording; ``no_grad()`` does."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Let all parameters require grad or not (to freeze a part of a network)."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all parameters' gradients, or set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            else:
                zero_gradient(parameter)

    def _apply(self: T, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> T:
        """Replace the values of all parameters, their gradients, and all buffers by ``fn`` of them.

        Parameters stay the same objects, so an optimizer that holds them goes on working.
        """
        if recurse:
            for child in self.children():
                child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                applied = fn(parameter.data if is_lazy(parameter) else parameter)
                grad, parameter._grad = parameter._grad, None
                if applied is not parameter:  # which fn may have changed in place
                    parameter.data = applied
                if grad is not None:
                    applied = fn(grad)
                    parameter.grad = grad if applied is grad else applied.requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if is_lazy(buffer):
                buffer.data = fn(buffer.data)  # type: ignore[union-attr]
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def share_memory(self: T) -> T:
        """Move parameters and buffers to memory that processes share (:meth:`Tensor.share_memory_`)."""
        for tensor in itertools.chain(self.parameters(), self.buffers()):
            tensor.share_memory_()
            if tensor.grad is not None:
                tensor.grad.share_memory_()
        return self

    def to(self: T, *args: Any, **kwargs: Any) -> T:
        """``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(tensor)``.

        Only floating-point tensors change dtype. Raises TypeError for a dtype that is neither floating nor complex,
        RuntimeError for a device other than the CPU; of parameters moved to "meta" no more than shape and dtype are
        left, see :mod:`tinytorch.nn.meta`.
        """
        if "copy" in kwargs:
            raise RuntimeError(".to() does not accept copy argument")
        where, dtype, _, _ = parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        if str(where) == "meta":
            from tinytorch.nn.meta import module_to_meta

            module_to_meta(self, dtype)
            return self

        def convert(tensor: Tensor) -> Tensor:
            return ops.to(tensor, where, dtype if tensor._array.dtype.kind in INEXACT else None)

        return self._apply(convert)

    def to_empty(self: T, *, device: Any, recurse: bool = True) -> T:
        """All parameters and buffers with arbitrary values; those on the meta device get their memory."""
        from tinytorch.nn.meta import module_from_meta

        check_device(device)
        module_from_meta(self, recurse)
        return self._apply(lambda tensor: ops.empty_like(tensor), recurse)

    def type(self: T, dst_type: Any) -> T:
        """All parameters and buffers in another dtype, integers too."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self: T) -> T:
        """Floating-point parameters and buffers in float32."""
        return self.to(dtypes.float32)

    def double(self: T) -> T:
        """Floating-point parameters and buffers in float64."""
        return self.to(dtypes.float64)

    def half(self: T) -> T:
        """Floating-point parameters and buffers in float16."""
        return self.to(dtypes.float16)

    def bfloat16(self: T) -> T:
        """Floating-point parameters and buffers in bfloat16."""
        return self.to(dtypes.bfloat16)

    def cpu(self: T) -> T:
        """The module: it is on the CPU."""
        return self

    def cuda(self: T, device: Any = None) -> T:
        """Raises RuntimeError: there is no GPU here."""
        return self.to("cuda" if device is None else device)

    def xpu(self: T, device: Any = None) -> T:
        """Raises RuntimeError: there is no GPU here."""
        return self.to("xpu" if device is None else device)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: there is no compiler, see :func:`tinytorch.compile`."""

    # ------------------------------------------------------------------------------------ printing and copying

    def extra_repr(self) -> str:
        """What stands in brackets behind the class name; layers override it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        child_lines = [f"({name}): {_indented(repr(child))}" for name, child in self._modules.items()]
        if len(extra_lines) == 1 and not child_lines:
            return f"{self._get_name()}({extra})"
        lines = extra_lines + child_lines
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(lines) + "\n" if lines else "") + ")"

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__.update(attributes)
        for name in _HOOKS:  # saved before the dictionary existed
            self.__dict__.setdefault(name, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_scope_names", _ScopeNames())


class _ScopeNames:
    """The qualified name of every module in a tree, by ``id``, kept until some tree changes.

    Copies and pickles of it are empty, because ids mean nothing elsewhere.
    """

    def __init__(self) -> None:
        self.changes = -1
        self.names: dict[int, ModuleName] = {}

    def of(self, root: Module) -> dict[int, ModuleName]:
        """Names of ``root`` and all modules below."""
        if self.changes != tree_changes.count:
            self.names = {id(module): ModuleName(name, module) for name, module in root.named_modules()}
            self.changes = tree_changes.count
        return self.names

    def __reduce__(self) -> Any:
        return _ScopeNames, ()


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _addindent(s_: str, numSpaces: int) -> str:
    """All lines but the first moved to the right: for a ``__repr__`` written outside."""
    return s_.replace("\n", "\n" + " " * numSpaces)


def __getattr__(name: str) -> Any:
    return elsewhere(__name__, name, "tinytorch.nn.modules.global_hooks")
