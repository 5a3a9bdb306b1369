"""One formula, two ways to carry it out: fast on arrays, or on tensors so that autograd records the step.

An optimizer's formula is written once::

    m += (1 - beta1) * (g - m)
    v *= beta2
    v += (1 - beta2) * g * g
    p -= step_size * m / (sqrt(v) / bias + eps)

As a rule its letters are NumPy arrays (see :mod:`~tinytorch.optim.blocks`): a step is no part of what is
differentiated. With ``differentiable=True`` they are tensors, and each operation is recorded: the new parameter is a
function of the old one, of its gradient, of what the optimizer remembers, and of options that are tensors. Learning a
learning rate is then ``backward()`` through a few steps (meta-learning, MAML: Finn et al., 2017,
https://arxiv.org/abs/1703.03400)::

    w = w0.clone()                                     # a leaf cannot be changed in place: a copy can
    optimizer = SGD([w], lr=lr, differentiable=True)   # lr: a tensor that requires grad
    w.grad, = autograd.grad(loss(w.clone()), w, create_graph=True)   # a copy: the step changes w, and loss may save it
    optimizer.step()
    loss(w).backward()                                 # reaches w0 and lr

The functions below stand for those of NumPy in formulas, and do the same for tensors.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.optim.blocks import update_in_blocks
from tinytorch.tensor import Tensor

__all__ = ["apply_formula", "as_numbers", "clip", "raise_to", "sign", "sqrt"]


def apply_formula(
    formula: Callable[..., None], param: Tensor, group: dict[str, Any], *state: Tensor | None, **options: Any
) -> None:
    """Call ``formula(param, grad, *state, **options)``, which changes ``param`` and ``state`` in place, never ``grad``.

    Options that the formula names and that are not given (``lr``, ``weight_decay``...) are those of ``group``.
    Tensors of ``state`` have the shape of ``param``; None is passed on. Complex numbers are seen as pairs of real ones.
    """
    for name in _left_to_group(formula, *options):
        options[name] = group[name]
    if group.get("differentiable"):
        _apply_recorded(formula, param, state, options)
    else:
        arrays = [None if tensor is None else tensor._array for tensor in state]
        update_in_blocks(formula, param._array, param.grad._array, arrays, options)  # type: ignore[union-attr]


@functools.cache
def _left_to_group(formula: Callable[..., None], *given: str) -> list[str]:
    """The keyword arguments of a formula, which name the options that it reads, but those ``given``."""
    parameters = inspect.signature(formula).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.name not in given]


def _apply_recorded(
    formula: Callable[..., None], param: Tensor, state: tuple[Tensor | None, ...], options: dict[str, Any]
) -> None:
    """The formula works on copies: what it saves for backward is not touched by the next step."""
    kept = [param, *state]
    p, *rest = [None if tensor is None else _as_real(tensor).clone() for tensor in kept]
    formula(p, _as_real(param.grad), *rest, **options)  # type: ignore[arg-type]
    for tensor, changed in zip(kept, [p, *rest], strict=True):
        if tensor is not None and changed is not None:
            _as_real(tensor).copy_(changed)


def _as_real(tensor: Tensor) -> Tensor:
    return ops.view_as_real(tensor) if tensor.is_complex() else tensor


def as_numbers(group: dict[str, Any]) -> dict[str, Any]:
    """The options of a group, tensors among them as the numbers they are now, unless steps are differentiable."""
    if group.get("differentiable"):
        return group
    return {name: value if name == "params" else _as_number(value) for name, value in group.items()}


def _as_number(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_as_number, value))
    if (isinstance(value, Tensor) and value.numel() == 1) or isinstance(value, np.generic):
        return value.item()
    return value


def sqrt(x: Any) -> Any:
    """The root of each element."""
    return np.sqrt(x) if isinstance(x, np.ndarray) else x.sqrt()


def raise_to(x: Any, floor: Any) -> None:
    """Elements of ``x`` below ``floor`` become that, in place."""
    if isinstance(x, np.ndarray):
        np.maximum(x, floor, out=x)
    else:
        x.copy_(ops.maximum(x.clone(), floor))


def clip(x: Any, smallest: float, largest: float) -> None:
    """Bring the elements of ``x`` between the two, in place."""
    if isinstance(x, np.ndarray):
        np.clip(x, smallest, largest, out=x)
    else:
        x.clamp_(smallest, largest)


def sign(x: Any) -> Any:
    """-1, 0 or 1 for each element."""
    return np.sign(x) if isinstance(x, np.ndarray) else x.sign()
