"""A module called with other parameters than its own, and parameters of several modules stacked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from tinytorch import ops
from tinytorch.nn.modules.batchnorm import _BatchNorm
from tinytorch.nn.modules.module import Module
from tinytorch.tensor import Tensor

__all__ = ["functional_call", "functionalize", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with the given tensors in place of the parameters and buffers of these names.

    Args:
        parameter_and_buffer_dicts: one dictionary, or several with different keys.
        args: a tuple, or a single argument.
        tie_weights: a tensor that the module has under several names is replaced under all of them.
        strict: every parameter and buffer must be given, and no other name. Otherwise a name that the module has not
            is an attribute of it during the call.

    Raises:
        ValueError: a key that stands in two dictionaries, or tied ones with different values. RuntimeError: ``strict``
            and the names do not match.
    """
    given = parameter_and_buffer_dicts
    if isinstance(given, (list, tuple)):
        keys = [key for part in given for key in part]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise ValueError(
                f"{sorted(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        given = {key: value for part in given for key, value in part.items()}
    if not isinstance(given, dict):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(given)}"
        )
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


@contextlib.contextmanager
def _replaced(module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    own = _members(module)
    if strict:
        missing, unexpected = set(own) - set(given), set(given) - set(own)
        if tie_weights:
            present = {id(own[name]) for name in given if name in own}
            missing = {name for name in missing if id(own[name]) not in present}
        if missing or unexpected:
            raise RuntimeError(f"Unexpected key(s): {sorted(unexpected)}. Missing key(s): {sorted(missing)}.")
    replacements = dict(given)
    if tie_weights:
        by_tensor = {id(own[name]): value for name, value in given.items() if name in own}
        for tensor, value in by_tensor.items():
            names = [name for name in given if name in own and id(own[name]) == tensor]
            if any(given[name] is not value for name in names):
                raise ValueError(
                    f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                    "tie_weights=False"
                )
        replacements |= {name: by_tensor[id(t)] for name, t in own.items() if id(t) in by_tensor and name not in given}
    before = []
    try:
        for name, value in replacements.items():
            members, key = _place(module, name)
            before.append((members, key, members.get(key, _ABSENT)))
            members[key] = value
        yield
    finally:
        for members, key, original in reversed(before):
            if original is _ABSENT:
                del members[key]
            else:
                members[key] = original


_ABSENT: Any = object()


def _members(module: Module) -> dict[str, Tensor]:
    """All parameters and buffers, shared ones under each of their names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _place(module: Module, name: str) -> tuple[Any, str]:
    """The dictionary that holds the parameter, buffer or attribute of a dotted name, and its key there."""
    path, _, key = name.rpartition(".")
    owner = module.get_submodule(path)
    for members in (owner._parameters, owner._buffers):
        if key in members:
            return members, key
    return owner.__dict__, key


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Parameters and buffers of equal modules, stacked along a new first dimension, for ``vmap`` over the ensemble.

    The stacked parameters are leaves of their own. RuntimeError for no models, or models of different classes or modes.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    members = [dict(model.named_parameters()) for model in models]
    parameters = {}
    for name, first in members[0].items():
        stacked = ops.stack([member[name].detach() for member in members])
        parameters[name] = stacked.requires_grad_(first.requires_grad)
    buffers = [dict(model.named_buffers()) for model in models]
    return parameters, {name: ops.stack([buffer[name].detach() for buffer in buffers]) for name in buffers[0]}


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Let all batch norms in ``root`` forget their running statistics, which cannot be changed inside ``vmap``."""
    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def functionalize(func: Any, *, remove: str = "mutations") -> Any:
    """The function itself: changes in place are part of the graph here, so there is nothing to take out of it."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are: "
            "remove='mutations' and remove='mutations_and_views'"
        )
    return func
