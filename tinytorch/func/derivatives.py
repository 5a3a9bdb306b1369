"""Chapter 18, part 2. Derivatives as functions of functions: grad, vjp, jvp, Jacobians, Hessians (``torch.func``).

After: tinytorch/autograd/functional.py
Next: whatever you like

Goal: differentiate functions instead of results, and nest derivatives in one another.

Each takes a function, runs it on tracked copies of the arguments (fresh leaves, so the caller's tensors keep their own
history), and differentiates the result. Because backward is itself made of recorded ops, the results can be
differentiated again: ``grad(grad(f))`` works, to any order.

A Jacobian-vector product J v is had as in the part before, from the vector-Jacobian product g(u) = Jᵀ u, which is
linear in u: its own transpose is J, so ``J v = d<g(u), v>/du``.

What PyTorch does. The same names and results, by transforms inside its dispatcher and with a true forward mode.

Pitfalls. The function must not change its arguments, and sees copies of them: what it stores elsewhere is not
differentiated.

Exercises. Write the product of the Hessian and a vector with ``jvp`` and ``grad`` in one line. For a function of 2
numbers with 100 results, how many passes does ``jacrev`` take, and how many ``jacfwd``?
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tinytorch import ops
from tinytorch.autograd.engine import grad as engine_grad
from tinytorch.autograd.modes import enable_grad, is_grad_enabled
from tinytorch.autograd.part import reachable
from tinytorch.tensor import Tensor
from tinytorch.utils._pytree import TreeSpec, tree_flatten, tree_map_only, tree_unflatten

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]

Argnums = int | tuple[int, ...]


# ------------------------------------------------------------------------------------------ tracking


def _track(x: Tensor) -> Tensor:
    """A copy that requires grad: connected to ``x`` where x itself takes part in an outer derivative."""
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()


def _tracked(tree: Any) -> tuple[Any, list[Tensor], TreeSpec]:
    """A tree with its tensors replaced by tracked copies, the copies, and the tree's spec."""
    leaves, spec = tree_flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ValueError(f"the arguments to differentiate by must be Tensors (or trees of them), got {type(leaf)}")
    copies = [_track(leaf) for leaf in leaves]
    return tree_unflatten(copies, spec), copies, spec


def has_other_leaves(results: Sequence[Tensor], own: list[Tensor]) -> bool:
    """Whether results depend on anything that requires grad other than ``own``: an outer derivative wants them."""
    mine = {id(copy) for copy in own}
    return any(id(leaf) not in mine for leaf in reachable(results)[1])


def _released(tree: Any, keep: bool) -> Any:
    """Results for the caller: detached, unless an outer derivative goes on through them."""
    return tree if keep else tree_map_only(Tensor, lambda t: t.detach(), tree)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_flatten(tree)[0] if isinstance(leaf, Tensor)]


def _gradients(
    outputs: list[Tensor], inputs: list[Tensor], cotangents: list[Tensor] | None, create: bool
) -> list[Tensor]:
    """Zeros where an output does not depend on an input. The graph is kept: it may be walked again."""
    pairs = [(o, None if cotangents is None else cotangents[i]) for i, o in enumerate(outputs) if o.requires_grad]
    if not pairs:
        return [ops.zeros_like(x) for x in inputs]
    starts, weights = [o for o, _ in pairs], [w for _, w in pairs]
    found = engine_grad(starts, inputs, weights, retain_graph=True, create_graph=create, materialize_grads=True)
    return [gradient for gradient in found if gradient is not None]  # all of them, materialized


# ------------------------------------------------------------------------------------------ gradients


def _select(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """The arguments that ``argnums`` names: one, or a tuple."""
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(n, int) for n in numbers):
        raise RuntimeError(f"argnum must be int or tuple of ints, got: {type(argnums)}")
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    if len({n % len(args) for n in numbers}) != len(numbers):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return tuple(args[n] for n in numbers) if isinstance(argnums, tuple) else args[argnums]


def _replace(args: tuple[Any, ...], argnums: Argnums, chosen: Any) -> tuple[Any, ...]:
    """The arguments with the chosen ones replaced."""
    new = list(args)
    for n, value in zip(argnums, chosen, strict=True) if isinstance(argnums, tuple) else [(argnums, chosen)]:
        new[n] = value
    return tuple(new)


def _split_aux(result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError("expected the function to return a tuple (output, aux) because has_aux is set to True")
    return result


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """The function that returns ``(gradient, value)``, or ``(gradient, (value, aux))`` with ``has_aux``."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        recording = is_grad_enabled()
        with enable_grad():
            chosen, copies, spec = _tracked(_select(args, argnums))
            output, aux = _split_aux(func(*_replace(args, argnums, chosen), **kwargs), has_aux)
            if not isinstance(output, Tensor):
                raise RuntimeError(
                    f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}"
                )
            if output.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with "
                    f"{output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            outer = has_other_leaves([output], copies)
            gradients = tree_unflatten(_gradients([output], copies, None, create=outer), spec)
        keep = recording and outer
        value = (output, aux) if has_aux else output
        return _released(gradients, keep), _released(value, keep)

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function with a scalar result, with respect to argument ``argnums`` (or several).

    Arguments may be trees of tensors, such as a dictionary of parameters. With ``has_aux`` the function returns
    ``(result, aux)`` and its gradient ``(gradient, aux)``.

    >>> import tinytorch as torch
    >>> grad(grad(torch.sin))(torch.tensor(0.0))
    tensor(-0.)
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradients, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return wrapper


# ------------------------------------------------------------------------------------------ products with vectors


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``(output, vjp_fn)``, and ``aux`` with ``has_aux``: ``vjp_fn(cotangents)`` is Jᵀ u, one for each primal."""
    recording = is_grad_enabled()
    with enable_grad():
        arguments, copies, spec = _tracked(primals)
        output, aux = _split_aux(func(*arguments), has_aux)
    outputs = _checked_outputs(output, "vjp")
    outer = has_other_leaves(outputs, copies)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        weights = tree_flatten(cotangents)[0]
        if len(weights) != len(outputs):
            raise RuntimeError(f"vjp_fn: expected {len(outputs)} cotangents, got {len(weights)}")
        for weight, out in zip(weights, outputs, strict=True):
            if weight.shape != out.shape:
                raise RuntimeError(f"vjp_fn: expected a cotangent of shape {list(out.shape)}, got {list(weight.shape)}")
        create = is_grad_enabled() and (outer or any(weight.requires_grad for weight in weights))
        with enable_grad():
            gradients = _gradients(outputs, copies, weights, create)
        return tree_unflatten(gradients, spec)

    result = _released(output, recording and outer)
    return (result, vjp_fn, _released(aux, recording and outer)) if has_aux else (result, vjp_fn)


def _checked_outputs(output: Any, name: str) -> list[Tensor]:
    outputs = tree_flatten(output)[0]
    if not outputs or not all(isinstance(out, Tensor) for out in outputs):
        raise RuntimeError(f"{name}(f, ...): Expected f to return Tensors only, got {type(output)}")
    return outputs


class _Transposed:
    """J v for a function already run: the transpose of ``u -> Jᵀ u``."""

    def __init__(self, outputs: list[Tensor], copies: list[Tensor]) -> None:
        with enable_grad():
            self.cotangents = [ops.zeros_like(out).requires_grad_() for out in outputs]
            self.products = _gradients(outputs, copies, self.cotangents, create=True)

    def times(self, tangents: list[Tensor], create: bool) -> list[Tensor]:
        """J v, one tensor for each output."""
        with enable_grad():
            return _gradients(self.products, self.cotangents, tangents, create)


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """``(output, J v)``, and ``aux`` with ``has_aux``; ``primals`` and ``tangents`` are tuples of the same shapes."""
    if not isinstance(primals, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call "
                           "f(*primals).")  # fmt: skip
    vectors = tree_flatten(tangents)[0]
    recording = is_grad_enabled()
    with enable_grad():
        arguments, copies, spec = _tracked(primals)
        if tree_flatten(tangents)[1] != spec:
            raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the same structure")
        output, aux = _split_aux(func(*arguments), has_aux)
    outputs = _checked_outputs(output, "jvp")
    outer = has_other_leaves(outputs, copies) or any(vector.requires_grad for vector in vectors)
    keep = recording and outer
    moved = _Transposed(outputs, copies).times(vectors, keep)
    result = _released(output, keep), _released(tree_unflatten(moved, tree_flatten(output)[1]), keep)
    return (*result, _released(aux, keep)) if has_aux else result


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``(output, jvp_fn)``: ``jvp_fn(*tangents)`` is J v at these primals, without running ``func`` again."""
    with enable_grad():
        arguments, copies, _ = _tracked(primals)
        output = func(*arguments)
    spec = tree_flatten(output)[1]
    transposed = _Transposed(_checked_outputs(output, "linearize"), copies)

    def jvp_fn(*tangents: Any) -> Any:
        return _released(tree_unflatten(transposed.times(tree_flatten(tangents)[0], False), spec), False)

    return _released(output, False), jvp_fn


# ------------------------------------------------------------------------------------------ Jacobians


def _one_hots(like: Tensor) -> Iterable[Tensor]:
    """The unit vectors of a tensor's space, in its shape."""
    for row in ops.eye(like.numel(), dtype=like.dtype):
        yield row.reshape(like.shape)


def _jacobian(func: Callable[..., Any], argnums: Argnums, has_aux: bool, rows: Any) -> Callable[..., Any]:
    """What jacrev and jacfwd share; ``rows(outputs, copies, create)`` gives for each output a list, one per input."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        recording = is_grad_enabled()
        with enable_grad():
            chosen, copies, spec = _tracked(_select(args, argnums))
            output, aux = _split_aux(func(*_replace(args, argnums, chosen), **kwargs), has_aux)
            outputs = _checked_outputs(output, "jacobian")
            outer = has_other_leaves(outputs, copies)
            blocks = [tree_unflatten(block, spec) for block in rows(outputs, copies, outer)]
            jacobian = tree_unflatten(blocks, tree_flatten(output)[1])
        keep = recording and outer
        return (_released(jacobian, keep), _released(aux, keep)) if has_aux else _released(jacobian, keep)

    return wrapper


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of shape ``output.shape + input.shape``: one backward pass for each element of the output."""
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    def rows(outputs: list[Tensor], copies: list[Tensor], create: bool) -> list[list[Tensor]]:
        blocks = []
        for out in outputs:
            found = [_gradients([out], copies, [unit], create) for unit in _one_hots(out)]
            columns = zip(*found, strict=True) if found else [()] * len(copies)
            blocks.append([_joined(list(column), out, x) for column, x in zip(columns, copies, strict=True)])
        return blocks

    return _jacobian(func, argnums, has_aux, rows)


def _joined(rows: list[Tensor], out: Tensor, x: Tensor) -> Tensor:
    shape = tuple(out.shape) + tuple(x.shape)
    return ops.stack(rows).reshape(shape) if rows else ops.zeros(shape, dtype=out.dtype)


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The same Jacobian column by column: one J v for each element of the inputs. For few inputs and many outputs."""

    def rows(outputs: list[Tensor], copies: list[Tensor], create: bool) -> list[list[Tensor]]:
        transposed = _Transposed(outputs, copies)
        blocks: list[list[Tensor]] = [[] for _ in outputs]
        for position, x in enumerate(copies):
            columns = []
            for unit in _one_hots(x):
                vectors = [unit if i == position else ops.zeros_like(other) for i, other in enumerate(copies)]
                columns.append(transposed.times(vectors, create))
            for block, out, parts in zip(blocks, outputs, zip(*columns, strict=True), strict=True):
                block.append(ops.stack(list(parts), -1).reshape(tuple(out.shape) + tuple(x.shape)))
        return blocks

    return _jacobian(func, argnums, has_aux, rows)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The second derivatives of a function with a scalar result: ``jacfwd(jacrev(func))``."""
    return jacfwd(jacrev(func, argnums), argnums)
