"""Chapter 11. Optimizers.

After: tinytorch/ops/loss.py
Next: tinytorch/optim/sgd.py

Goal: from gradients to better parameters; here is what all optimizers share.

The idea. ``loss.backward()`` leaves in each parameter's ``.grad`` the direction in which the loss grows fastest. An
optimizer walks the other way::

    for x, y in loader:
        optimizer.zero_grad()            # gradients add up: start from none
        loss = loss_fn(model(x), y)
        loss.backward()                  # fills p.grad for every parameter p
        optimizer.step()                 # changes every p that has a gradient

Optimizers differ in one formula alone: how parameter, gradient and what is remembered from earlier steps make
the next parameter. That formula is each optimizer's ``_update``. Everything else is here:

``param_groups``
    A list of dictionaries: the parameters of a group under ``"params"``, and the options (``"lr"``...) that
    hold for them. Users change options between steps, and so do learning-rate schedulers.
``state``
    For each parameter a dictionary of what is remembered, such as ``{"step": tensor(3.), "exp_avg": ...}``.
``state_dict()``
    Both of them in a form that can be saved: parameters are replaced by numbers in the order of the groups.

The derivation. With the gradient g, to first order L(p + d) = L(p) + g·d, and of all d of one length the one along -g
lowers L most: p <- p - lr g. The chapter's parts are what people added to it, each as its difference to the one before.

What PyTorch does. The same formulas, groups and state; a state saved by one library continues in the other.

Pitfalls. An option is looked up in its *group* at every step. Changing ``optimizer.defaults`` has no effect later on.
Without ``zero_grad()`` every step uses the sum of all gradients so far.

Exercises. On L = p²/2, for which lr does gradient descent converge, and for which one at once?
Answers: ``python -m tinytorch.learn answers 11``; more: ``python -m tinytorch.learn start --chapter 11``.
Check: ``python -m pytest tests/optim/test_trajectories.py``.

"""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from tinytorch.autograd.accumulate import zero_gradient
from tinytorch.autograd.modes import enable_grad, no_grad
from tinytorch.dtypes import FLOATS, default_numpy_dtype
from tinytorch.optim.formula import as_numbers
from tinytorch.optim.hooks import (
    OptimizerHooks,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    with_step_hooks,
)
from tinytorch.tensor import Tensor

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook", "required"]

ParamsT = Iterable[Any]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


#: As a default: every group must give this option itself.
required = _Required()


class Optimizer(OptimizerHooks):
    """Base of all optimizers (``torch.optim.Optimizer``).

    A subclass defines ``_update(param, group)``, which changes one parameter by its gradient; or, as in
    PyTorch, a ``step`` of its own.

    Args:
        params: tensors, or ``(name, tensor)`` tuples, or dictionaries with ``"params"`` and the options of
            one group each.
        defaults: the options and their values for groups that do not say otherwise.

    Raises TypeError for what is no iterable of tensors, ValueError if there are none, for tensors that an op
    made, and for a parameter in two groups.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in cls.__dict__:
            cls.step = with_step_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + _type_name(params)
            )
        self.defaults = defaults
        self._init_hooks()
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # ------------------------------------------------------------------------------------ the step

    @with_step_hooks
    @no_grad
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Args:
            closure: computes the loss, with ``backward()``, and returns it; it is called first.

        Returns what the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with np.errstate(all="ignore"):  # infinities and NaN are values, not warnings, as in PyTorch
            for group in self.param_groups:
                options = as_numbers(group)
                special = options.get("differentiable") or options.get("capturable")
                for param in group["params"]:
                    if param.grad is not None:
                        update = self._update_sparse if param.grad.is_sparse else self._update
                        if special:
                            update = _special(update, options)
                        update(param, options)
                        param._bump_version()  # a graph that saved the old value must not use the new one
        return loss

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        """Change ``param`` in place by ``param.grad`` and the options of ``group``."""
        raise NotImplementedError(f"{type(self).__name__} defines neither step nor _update")

    def _update_sparse(self, param: Tensor, group: dict[str, Any]) -> None:
        """The same, for a sparse gradient of an embedding."""
        raise RuntimeError(
            f"{type(self).__name__} does not support sparse gradients, please consider SparseAdam instead"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with ``set_to_none=False`` fill them with zeros in place instead.

        A parameter whose gradient is None is skipped by ``step``; one with a zero gradient still moves by
        momentum.
        """
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                else:
                    zero_gradient(param)

    # ------------------------------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: ``{"params": ..., "lr": ...}``. Options that it does not name get their defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        _unpack_names(param_group)
        for param in param_group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {_type_name(param)}")
            if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_modes(param_group)
        self._check_unique(param_group)
        self.param_groups.append(param_group)

    def _check_modes(self, group: dict[str, Any]) -> None:
        """``foreach`` and ``fused`` choose among implementations in PyTorch; there is one here, and it does for all."""
        if group.get("fused") and group.get("differentiable"):
            raise RuntimeError("`fused` does not support `differentiable`")
        if group.get("fused") and group.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        if group.get("fused") and not all(param.is_floating_point() for param in group["params"]):
            raise RuntimeError("`fused=True` requires all the params to be floating point Tensors")

    def _check_unique(self, param_group: dict[str, Any]) -> None:
        params = set(param_group["params"])
        if len(params) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                which = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    f"all optimizer param groups should be with/without names. cannot add param group {which} to the "
                    "optimizer"
                )
            if not params.isdisjoint(group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")

    # ------------------------------------------------------------------------------------ saving and loading

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {0: {...}, ...}, "param_groups": [{..., "params": [0, ...]}, ...]}``.

        Parameters are numbered through all groups. Tensors are the optimizer's own, not copies.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        number: dict[int, int] = {}
        for position, param in enumerate(chain.from_iterable(group["params"] for group in self.param_groups)):
            number.setdefault(id(param), position)
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [number[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {number[id(k)] if isinstance(k, Tensor) else k: value for k, value in self.state.items()}
        state_dict: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            result = hook(self, state_dict)
            state_dict = state_dict if result is None else result
        return state_dict

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave: tensors are copied, in their parameter's dtype and memory order.

        Raises ValueError if the groups do not match in number or in size. Make schedulers before loading:
        constructing one sets learning rates.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            result = hook(self, state_dict)
            state_dict = state_dict if result is None else result
        groups, saved_groups = self.param_groups, copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved_groups, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        param_of: dict[Any, Tensor] = {}
        for group, saved in zip(groups, saved_groups, strict=True):
            param_of.update(zip(saved["params"], group["params"], strict=True))
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in param_of:
                state[param_of[key]] = _copy_for(param_of[key], value)
            else:
                state[key] = value
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._init_hooks()
        self.__dict__.update(state)
        for group in self.param_groups:
            for name, default in self.defaults.items():  # a state saved before an option existed
                if default is not required:
                    group.setdefault(name, default)
            for param in group["params"]:
                remembered = self.state.get(param, {})
                for name in ("step", "mu_product"):  # once saved as plain numbers
                    if isinstance(remembered.get(name), (int, float)):
                        remembered[name] = scalar_state(remembered[name])

    def __repr__(self) -> str:
        groups = []
        for number, group in enumerate(self.param_groups):
            options = [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
            groups.append(f"\nParameter Group {number}\n" + "".join(options))
        return f"{type(self).__name__} ({''.join(groups)})"


# ---------------------------------------------------------------------------------------- for optimizers


def scalar_state(value: float) -> Tensor:
    """A number that is remembered from step to step, as PyTorch keeps it: a float32 tensor without dimensions.

    (float64 where that is the default dtype.)
    """
    return Tensor._wrap(np.array(value, np.promote_types(np.float32, default_numpy_dtype())))


def zeros_like_param(param: Tensor) -> Tensor:
    """Zeros in the shape, dtype and memory order of ``param``."""
    return Tensor._wrap(np.zeros_like(param._array))


def start_state(state: dict[str, Any], param: Tensor, *names: str, **numbers: float) -> None:
    """The state before the first step: a counter ``"step"``, ``numbers``, and under ``names`` zeros like ``param``."""
    state["step"] = scalar_state(0.0)
    for name, number in numbers.items():
        state[name] = scalar_state(number)
    for name in names:
        state[name] = zeros_like_param(param)


def count_step(state: dict[str, Any]) -> float:
    """Count ``state["step"]`` up and return it as a Python number."""
    if state["step"].requires_grad:
        raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
    step = state["step"]._array
    step += 1
    return step.item()


def check_not_negative(**options: Any) -> None:
    """ValueError for a negative (or NaN) option: ``check_not_negative(weight_decay=-1)``."""
    texts = {"lr": "learning rate", "eps": "epsilon value"}
    for name, value in _negative(options):
        raise ValueError(f"Invalid {texts.get(name, name + ' value')}: {value}")


def check_at_least_zero(**options: Any) -> None:
    """The same in the words of PyTorch's younger optimizers: "weight_decay should be >= 0 but is: -1"."""
    for name, value in _negative(options):
        raise ValueError(f"{'Learning rate' if name == 'lr' else name} should be >= 0 but is: {value}")


def _negative(options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that are negative or NaN. ValueError for a learning rate of several numbers, TypeError for text."""
    for name, value in options.items():
        if name == "lr" and isinstance(value, Tensor) and value._array.size != 1:
            raise ValueError("Tensor lr must be 1-element")
        if isinstance(value, str):  # float() would read it
            raise TypeError(f"{name} must be a number, not {value!r}")
        if not float(value) >= 0.0:
            yield name, value


def check_betas(betas: tuple[Any, Any]) -> None:
    """ValueError unless both betas lie in [0, 1); IndexError if one is missing."""
    for index in range(2):
        beta = betas[index]
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


# ---------------------------------------------------------------------------------------- inside this file


def _unpack_names(group: dict[str, Any]) -> None:
    """Make ``group["params"]`` a list of tensors; names given as ``(name, tensor)`` go to ``group["param_names"]``."""
    params = group["params"]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead."
        )
    params = [params] if isinstance(params, Tensor) else list(params)
    names = [param[0] for param in params if isinstance(param, tuple)]
    if names and len(names) != len(params):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    group["params"] = [param[1] if isinstance(param, tuple) else param for param in params]
    if names:
        group["param_names"] = names


def _copy_for(param: Tensor, value: Any, key: Any = None) -> Any:
    """``value`` of a loaded state, copied; tensors in the dtype of ``param``, except the counter ``"step"``."""
    if isinstance(value, Tensor):
        array = value._array
        dtype = param._array.dtype if key != "step" and param._array.dtype.kind in FLOATS else array.dtype
        same_shape = array.shape == param._array.shape
        copied = np.empty_like(param._array if same_shape else array, dtype=dtype)
        copied[...] = array
        return Tensor._wrap(copied)
    if isinstance(value, dict):
        return {k: _copy_for(param, v, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy_for(param, v) for v in value)
    return value


def _special(update: Callable[..., None], group: dict[str, Any]) -> Callable[..., None]:
    """``update`` as the modes of ``group`` want it."""
    if group.get("capturable"):
        raise AssertionError(
            "If capturable=True, params and state_steps must be on supported devices: those with CUDA graphs. There is "
            "none here: leave capturable=False."
        )
    if group.get("foreach"):
        raise AssertionError("_foreach ops don't support autograd: leave foreach=None with differentiable=True.")
    return enable_grad(update)


def _type_name(value: Any) -> str:
    if isinstance(value, Tensor):
        return value.type()
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return name if module in (None, "builtins") else f"{module}.{name}"


def __getattr__(name: str) -> Any:
    from tinytorch.missing import elsewhere

    return elsewhere(__name__, name, "tinytorch.optim.optimizer_parts")
