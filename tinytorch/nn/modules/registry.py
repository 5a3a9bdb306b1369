"""Chapter 8, part 2. Attributes that a module remembers: parameters, buffers and submodules.

After: tinytorch/nn/modules/module.py
Next: tinytorch/nn/init.py

Goal: see how a plain assignment becomes a parameter.

``self.weight = Parameter(...)`` looks like an ordinary assignment. Python calls ``__setattr__`` for it, and there
the value is put into the dictionary for its kind instead of the instance's own ``__dict__``. Reading
``self.weight`` finds nothing in ``__dict__``, so Python falls back to ``__getattr__``, which looks into the three
dictionaries. That is all the magic there is.

What PyTorch does. The same (``torch/nn/modules/module.py``), with the same errors.

Pitfalls. Before ``super().__init__()`` the dictionaries do not exist: assigning a parameter raises, and says so.

Exercises. What happens to ``net.weight = 3`` where weight was a parameter? And to a tensor that is no parameter: is it
in ``state_dict()``?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tinytorch.nn.modules.global_hooks import (
    buffer_registration,
    module_registration,
    parameter_registration,
    replaced_by_hooks,
)
from tinytorch.nn.parameter import Buffer, Parameter
from tinytorch.tensor import Tensor

if TYPE_CHECKING:
    from tinytorch.nn.modules.module import Module

__all__ = ["Registry", "tree_changes", "typename"]


def typename(value: Any) -> str:
    """A value's type for error messages: ``'list'``, ``'torch.FloatTensor'``, ``'package.module.Class'``."""
    if isinstance(value, Tensor):
        return value.type()
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


class _Changes:
    """How often any module tree was changed, so that what was derived from a tree can tell that it is out of date."""

    count = 0


tree_changes = _Changes()


class Registry:
    """The part of :class:`Module` that keeps parameters, buffers and submodules under their names."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    if TYPE_CHECKING:  # typing.get_type_hints of a user's module would not find the name
        _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    # ------------------------------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        attributes = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            members = attributes.get(kind)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__
        is_tensor = isinstance(value, Tensor)  # mostly not, and then the slower questions need not be asked
        if is_tensor and isinstance(value, Parameter):
            _require_init(self, "_parameters", "parameters")
            _forget(self, name)
            self.register_parameter(name, value)
        elif name in attributes.get("_parameters", ()):
            if value is not None:
                raise TypeError(_wrong_kind(value, "parameter", name, "torch.nn.Parameter"))
            self.register_parameter(name, None)
        elif _is_module(value):
            _require_init(self, "_modules", "module")
            _forget(self, name, keep="_modules")  # reassigning a submodule keeps its place in the order
            self._modules[name] = replaced_by_hooks(module_registration, self, name, value)
            tree_changes.count += 1
        elif name in attributes.get("_modules", ()):
            if value is not None:
                raise TypeError(_wrong_kind(value, "child module", name, "torch.nn.Module"))
            self._modules[name] = None
            tree_changes.count += 1
        elif (is_tensor and isinstance(value, Buffer)) or name in attributes.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(_wrong_kind(value, "buffer", name, "torch.nn.Buffer, torch.Tensor"))
            old = name not in attributes.get("_non_persistent_buffers_set", ())
            persistent = getattr(value, "persistent") if isinstance(value, Buffer) else old  # noqa: B009
            if type(self).register_buffer is Registry.register_buffer:
                self.register_buffer(name, value, persistent)
            else:  # an override may know no ``persistent``
                Registry.register_buffer(self, name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                tree_changes.count += 1
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [*object.__dir__(self), *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in set(names) if not name[0].isdigit())  # "0" of a Sequential is no identifier

    # ------------------------------------------------------------------------------------ registration

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None reserves the name (a layer without bias).

        Raises KeyError for a bad or taken name, TypeError for what is no Parameter, ValueError for the result of an
        op.
        """
        _require_init(self, "_parameters", "parameter")
        _check_name(self, name, "parameter", self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                "forward() method."
            )
        self._parameters[name] = replaced_by_hooks(parameter_registration, self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but not learned; ``persistent=False`` keeps it out of
        ``state_dict()``.
        """
        _require_init(self, "_buffers", "buffer")
        _check_name(self, name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = replaced_by_hooks(buffer_registration, self, name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as :meth:`add_module`."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under ``name``.

        Raises TypeError for what is no Module, KeyError for a bad or taken name.
        """
        if module is not None and not _is_module(module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        _check_name(self, name, "module", self._modules)
        self._modules[name] = replaced_by_hooks(module_registration, self, name, module)
        tree_changes.count += 1

    # ------------------------------------------------------------------------------------ look-up by path

    def get_submodule(self, target: str) -> Module:
        """The submodule at a dotted path such as ``"block1.0"``; this module for ``""``. Raises AttributeError."""
        module: Any = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{type(module).__name__} has no attribute `{part}`")
            module = getattr(module, part)
            if not _is_module(module):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path such as ``"fc1.weight"``. Raises AttributeError."""
        owner, name = _owner(self, target)
        if name not in owner._parameters:
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return owner._parameters[name]  # type: ignore[return-value]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path such as ``"block1.1.running_mean"``. Raises AttributeError."""
        owner, name = _owner(self, target)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return owner._buffers[name]  # type: ignore[return-value]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at a dotted path; with ``strict`` something must be there already. Raises AttributeError."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not _is_module(module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict and not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        if hasattr(owner, name) and not _is_module(getattr(owner, name)):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(owner, name, module)

    # ------------------------------------------------------------------------------------ walking the tree

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with their dotted names; parents before children."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self  # type: ignore[misc]
        for name, child in self._modules.items():
            if child is not None:
                below = prefix + ("." if prefix else "") + name
                yield from child.named_modules(memo, below, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The submodules one level down, each once, with their names."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The submodules one level down."""
        for _, child in self.named_children():
            yield child

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; shared ones once. ``recurse=False``: this module's own."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _named_members(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for path, module in modules:
            for name, member in getattr(module, kind).items():
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield path + ("." if path else "") + name, member


def _wrong_kind(value: Any, what: str, name: str, expected: str) -> str:
    return f"cannot assign '{typename(value)}' as {what} '{name}' ({expected} or None expected)"


def _is_module(value: Any) -> bool:
    return isinstance(value, Registry)


def _require_init(module: Any, kind: str, what: str) -> None:
    if kind not in module.__dict__:
        raise AttributeError(f"cannot assign {what} before Module.__init__() call")


def _forget(module: Any, name: str, keep: str = "_parameters") -> None:
    """Drop whatever else has this name, before a new kind of thing takes it."""
    module.__dict__.pop(name, None)
    for kind in ("_parameters", "_buffers", "_modules"):
        if kind != keep:
            module.__dict__[kind].pop(name, None)
    module._non_persistent_buffers_set.discard(name)


def _check_name(module: Any, name: str, what: str, members: Any) -> None:
    """Refuse what cannot be the name of a member, or is taken by something that is not among ``members``."""
    if not isinstance(name, str):
        raise TypeError(f"{what} name should be a string. Got {typename(name)}")
    if what == "module" and "." in name:
        raise KeyError(f'module name can\'t contain ".", got: {name}')
    if "." in name:
        raise KeyError(f'{what} name can\'t contain "."')
    if name == "":
        raise KeyError(f'{what} name can\'t be empty string ""')
    if hasattr(module, name) and name not in members:
        raise KeyError(f"attribute '{name}' already exists")


def _owner(module: Any, target: str) -> tuple[Module, str]:
    """The module that a dotted path leads to, and the name within it."""
    path, _, name = target.rpartition(".")
    owner = module.get_submodule(path)
    if not hasattr(owner, name):
        raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
    return owner, name
