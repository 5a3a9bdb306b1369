"""A module's state as a flat dictionary, and back: what is written to disk.

``state_dict()`` walks the module tree and files every parameter and persistent buffer under its dotted name.
``load_state_dict()`` walks the same tree and copies the values in; whatever does not fit is collected on the way,
so that one error tells everything.

What PyTorch does: the same keys, the same ``_metadata`` (a version per module), the same words in the error.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tinytorch.autograd.hooks import RemovableHandle
from tinytorch.autograd.modes import no_grad
from tinytorch.nn.parameter import Parameter, is_lazy
from tinytorch.tensor import Tensor

if TYPE_CHECKING:
    from tinytorch.nn.modules.module import Module

__all__ = ["StateDict"]

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What ``load_state_dict`` returns."""

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class StateDict:
    """The part of :class:`Module` that saves and restores its state."""

    #: Version of what a class saves; a class that changes its keys counts it up and reads the old ones in
    #: ``_load_from_state_dict``.
    _version: int | None = 1
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    if TYPE_CHECKING:  # typing.get_type_hints of a user's module would not find the name
        _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
    _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    # ------------------------------------------------------------------------------------ saving

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers of this module and all below it, an OrderedDict by dotted names.

        The tensors share memory with the module's (``keep_vars=True``: are the module's own, with their graph).
        Names start with ``prefix``; a given ``destination`` is filled. By position the arguments are an old habit.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning, stacklevel=2,
            )  # fmt: skip
            values: Any = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = values
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            destination = destination if replaced is None else replaced
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in _persistent_state(self).items():
            destination[prefix + name] = value if keep_vars else value.detach()
        if type(self).get_extra_state is not StateDict.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What else a class wants in its ``state_dict``; override it together with :meth:`set_extra_state`."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """Take back what :meth:`get_extra_state` gave."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    # ------------------------------------------------------------------------------------ loading

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy values into this module and all below it; returns ``(missing_keys, unexpected_keys)``.

        Args:
            strict: raise for missing and unexpected keys too; shapes that differ always raise.
            assign: let the module hold the given tensors themselves, with their dtype, instead of copying.

        Raises:
            RuntimeError: one, which lists everything that does not fit. TypeError: ``state_dict`` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        given: Any = OrderedDict(state_dict)  # a copy, which a module's own loading code may change
        given._metadata = metadata
        _load_tree(self, given, "", metadata, assign, missing, unexpected, errors)
        if strict and unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        if strict and missing:
            errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own tensors. Classes override it to read what older versions saved."""
        for hook in self._load_state_dict_pre_hooks.values():
            module = (self,) if isinstance(hook, _WithModule) else ()
            hook(*module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = _persistent_state(self)
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, mine in own.items():
            key = prefix + name
            if key in state_dict:
                error = _load_tensor(self, name, mine, key, state_dict[key], assign)
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(key)
        _load_extra_state(self, state_dict, prefix + _EXTRA_STATE, strict, missing_keys, unexpected_keys)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != prefix + _EXTRA_STATE:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if first not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    # ------------------------------------------------------------------------------------ hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before this module is saved."""
        return _register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after; it may change ``state_dict`` in place."""

        def checked(*args: Any) -> None:
            if hook(*args) is not None:
                raise RuntimeError("state_dict post-hook must return None")

        return _register(self._state_dict_hooks, checked)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's older form: what the hook returns, if not None, becomes the ``state_dict``."""
        return _register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` before
        loading.
        """
        return _register(self._load_state_dict_pre_hooks, _WithModule(hook))

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        """PyTorch's older form: the hook does not get the module unless ``with_module``."""
        return (
            self.register_load_state_dict_pre_hook(hook)
            if with_module
            else _register(self._load_state_dict_pre_hooks, hook)
        )

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the two lists in place."""
        return _register(self._load_state_dict_post_hooks, hook)


class _WithModule:
    """A hook that wants the module, too. It does not hold it, which would be a cycle, and can be pickled."""

    def __init__(self, hook: Callable[..., None]) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> None:
        self.hook(*args)


def _register(hooks: OrderedDict[int, Any], hook: Any) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def _persistent_state(module: Any) -> dict[str, Tensor]:
    """This module's own parameters and persistent buffers."""
    buffers = {k: v for k, v in module._buffers.items() if k not in module._non_persistent_buffers_set}
    return {name: value for name, value in {**module._parameters, **buffers}.items() if value is not None}


def _load_tree(
    module: Any,
    state_dict: Any,
    prefix: str,
    metadata: Any,
    assign: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load this module, then its submodules, each from the part of the dictionary that bears its name."""
    local_metadata = dict(metadata.get(prefix[:-1], {})) if metadata is not None else {}
    if assign:
        local_metadata["assign_to_params_buffers"] = True
    module._load_from_state_dict(state_dict, prefix, local_metadata, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = {key: value for key, value in state_dict.items() if key.startswith(below)}
            _load_tree(child, part, below, metadata, assign, missing, unexpected, errors)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, _IncompatibleKeys(missing, unexpected)) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return "
                "new values, if incompatible_keys need to be modified, it should be done inplace."
            )


def _load_tensor(module: Any, name: str, mine: Tensor, key: str, value: Any, assign: bool) -> str | None:
    """Copy or assign one tensor; what is wrong with it, if something is."""
    if is_lazy(mine) and is_lazy(value):
        return None
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
            f"checkpoint but received {type(value)}"
        )
    if mine.dim() == 0 and value.shape == (1,):
        value = value[0]
    if value.shape != mine.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape "
            f"in current model is {mine.shape}."
        )
    try:
        with no_grad():
            if mine.is_meta and not value.is_meta and not assign:
                warnings.warn(
                    f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the "
                    "current model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the "
                    "state dictionary to their corresponding key in the module instead of copying them in place?)",
                    stacklevel=2,
                )
            elif not assign:
                mine.copy_(value)
            elif isinstance(mine, Parameter) and not isinstance(value, Parameter):
                setattr(module, name, Parameter(value, requires_grad=mine.requires_grad))
            else:
                if isinstance(mine, Parameter):
                    value.requires_grad_(mine.requires_grad)
                setattr(module, name, value)
    except Exception as error:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {mine.size()} '
            f"and whose dimensions in the checkpoint are {value.size()}, an exception occurred : {error.args}."
        )
    return None


def _load_extra_state(
    module: Any, state_dict: Any, key: str, strict: bool, missing_keys: list[str], unexpected_keys: list[str]
) -> None:
    if type(module).set_extra_state is not StateDict.set_extra_state:
        if key in state_dict:
            module.set_extra_state(state_dict[key])
        elif strict:
            missing_keys.append(key)
    elif strict and key in state_dict:
        unexpected_keys.append(key)
