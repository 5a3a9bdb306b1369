"""vmap: a function of one example, applied to a batch of them.

PyTorch rewrites the function's ops so that they work on the whole batch at once. Here the function is simply called
once for each example, and the results are stacked: the same values and gradients, for any function (also one that
branches on values), at the cost of a Python call per example. Write the batch dimension into the function where speed
matters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import state
from tinytorch.random import default_generator
from tinytorch.tensor import Tensor
from tinytorch.utils._pytree import broadcast_prefix, tree_flatten, tree_leaves, tree_unflatten

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """``func`` mapped over dimension ``in_dims`` of its positional arguments; results are stacked along ``out_dims``.

    Args:
        in_dims: an int for all tensors, or one for each argument (nested like it); None: every call gets the whole.
        out_dims: an int, or one for each result.
        randomness: ``"error"`` refuses functions that draw random numbers, ``"same"`` gives every example the same
            ones, ``"different"`` its own.
        chunk_size: accepted; examples are taken one at a time anyway.

    Raises:
        ValueError: no inputs, nothing to map over, dims that do not fit, batches of different sizes, results that are
            not tensors.

    >>> import tinytorch as torch
    >>> vmap(torch.dot)(torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    if any(dim is not None and not isinstance(dim, int) for dim in tree_leaves(out_dims)):
        raise ValueError(
            f"vmap({getattr(func, '__name__', func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a "
            "python collection of ints representing where in the outputs the vmapped dimension should appear."
        )

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        examples = _split(args, in_dims, getattr(func, "__name__", repr(func)))
        seed, outer = default_generator.get_state(), state.examples
        results = []
        try:
            for example, pairs in examples:
                if randomness == "same":
                    default_generator.set_state(seed)
                state.examples = outer + pairs
                results.append(func(*example, **kwargs))
        finally:
            state.examples = outer
        if randomness == "error" and not ops.equal(seed, default_generator.get_state()):
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
        return _stack(results, out_dims)

    return mapped


def _split(args: tuple[Any, ...], in_dims: Any, name: str) -> list[tuple[Any, Any]]:
    """The arguments of each call, and those that are examples as pairs: the array of all, and of the one."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) "
            f"tuple matching the structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    leaves, spec = tree_flatten(args)
    dims = broadcast_prefix(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of inputs."
        )
    for leaf, dim in zip(leaves, dims, strict=True):
        _check_dim(leaf, dim, in_dims, name)
    sizes = {leaf.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None}
    if not sizes:
        raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): at least one input must be mapped over.")
    if len(sizes) > 1:
        listed = [leaf.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None]
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {listed} for the "
            "mapped dimension"
        )
    (size,) = sizes
    columns = [[leaf] * size if dim is None else ops.unbind(leaf, dim) for leaf, dim in zip(leaves, dims, strict=True)]
    mapped = [(leaf._array, column) for leaf, dim, column in zip(leaves, dims, columns, strict=True) if dim is not None]
    return [
        (tree_unflatten([column[i] for column in columns], spec), tuple([(all_, c[i]._array) for all_, c in mapped]))
        for i in range(size)
    ]


def _check_dim(leaf: Any, dim: Any, in_dims: Any, name: str) -> None:
    text = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for an input"
    if dim is None:
        return
    if not isinstance(dim, int):
        raise ValueError(f"{text} but in_dim must be either an integer dimension or None.")
    if not isinstance(leaf, Tensor):
        raise ValueError(
            f"{text} but the input is of type {type(leaf)}. We cannot vmap over non-Tensor arguments, please use None "
            "as the respective in_dim"
        )
    if not -leaf.dim() <= dim < leaf.dim():
        raise ValueError(
            f"{text}, but that input is a Tensor of dimensionality {leaf.dim()} so expected in_dim to satisfy "
            f"-{leaf.dim()} <= in_dim < {leaf.dim()}."
        )


def _stack(results: list[Any], out_dims: Any) -> Any:
    """One result with a batch dimension from those of the single calls."""
    flat = [tree_flatten(result) for result in results]
    if not flat:
        raise ValueError("vmap: the mapped dimension has size 0, so there is no result to take the shape from")
    first, spec = flat[0]
    dims = broadcast_prefix(out_dims, spec)
    if dims is None and isinstance(out_dims, tuple) and len(out_dims) == 1 and spec.kind is None:
        dims = list(out_dims)
    if dims is None:
        raise ValueError(
            f"vmap(f, out_dims={out_dims}, ...): out_dims is not compatible with the structure of outputs."
        )
    for leaf, dim in zip(first, dims, strict=True):
        if dim is not None and not isinstance(leaf, Tensor):
            raise ValueError(
                f"vmap(f, ...): `f` must only return Tensors, got type {type(leaf)}. Did you mean to set out_dims= to "
                "None for output?"
            )
    columns = zip(*[leaves for leaves, _ in flat], strict=True)
    stacked = [column[0] if dim is None else ops.stack(column, dim) for column, dim in zip(columns, dims, strict=True)]
    return tree_unflatten(stacked, spec)
