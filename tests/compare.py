"""The same expression typed in PyTorch and in tinytorch, compared to the second derivative.

    compare(lambda T, x, y: T.matmul(x, y).relu(), normal(3, 4), normal(4, 5))

``T`` is the library. Inputs are NumPy arrays; floating ones require grad. Compared are: value, shape, dtype and
``requires_grad`` of every output; every input's gradient for *random* cotangents (with ``.sum()`` as the loss many a wrong
permutation passes), its dtype and shape, computed with ``create_graph`` and without; and the gradients of those gradients, again with
random weights.

Whatever passes is noted (``seen``): names used from the library, and the classes of the graph's nodes. ``tests/ops/test_coverage.py``
asks there whether every op was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import tinytorch
from tinytorch.autograd import engine
from tinytorch.autograd.node import Node

TOLERANCE = {
    "float16": (2e-3, 2e-3), "float32": (2e-5, 2e-6), "float64": (1e-10, 1e-12),
    "complex64": (2e-5, 2e-6), "complex128": (1e-10, 1e-12),
}  # fmt: skip
#: Later derivatives are sums of products of earlier ones, so rounding adds up.
LOOSER = {"value": 1, "gradient": 5, "second derivative": 25}


class Seen:
    """What has been compared with PyTorch so far, in this test session."""

    def __init__(self) -> None:
        self.names: set[str] = set()  # of functions taken from the library
        self.first: set[type] = set()  # classes of nodes whose gradient was compared
        self.second: set[type] = set()  # classes of nodes in a graph whose second derivative was compared

    def nodes_of(self, tensors: Sequence[Any]) -> set[type]:
        """The classes of all nodes from which ``tensors`` were made."""
        stack = [t.grad_fn for t in tensors if isinstance(t, tinytorch.Tensor) and t.requires_grad]
        reached: dict[int, Node] = {}
        while stack:
            node = stack.pop()
            if isinstance(node, Node) and id(node) not in reached:
                reached[id(node)] = node
                stack.extend(edge[0] for edge in node.edges if edge is not None)
        return {node.op_type for node in reached.values()}


seen = Seen()


class Recorder:
    """Stands for a library and notes the dotted names that are taken from it."""

    def __init__(self, library: Any, names: set[str], path: str = "") -> None:
        self._library, self._names, self._path = library, names, path

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._library, name)
        self._names.add(self._path + name)
        is_module = type(value).__name__ == "module"
        return Recorder(value, self._names, f"{self._path}{name}.") if is_module else value


def compare(
    function: Callable[..., Any],
    *inputs: Any,
    gradient: bool = True,
    second: bool = True,
    tolerance: dict[str, tuple[float, float]] | None = None,
    seed: int = 0,
) -> None:
    """Run ``function(library, *tensors)`` in both libraries and compare all that comes out.

    Args:
        inputs: arrays, which become tensors over a copy of the same memory layout (floating ones require grad); anything else
            is passed as it is.
        gradient: compare gradients (where an output requires grad), and with ``second`` theirs.
        tolerance: by dtype name, (relative, absolute); replaces ``TOLERANCE`` entry by entry.
        seed: of the cotangents.
    """
    names: set[str] = set()
    limits = {**TOLERANCE, **(tolerance or {})}
    theirs_in = [_make(torch, value, gradient) for value in inputs]
    ours_in = [_make(tinytorch, value, gradient) for value in inputs]
    theirs = flatten(function(torch, *theirs_in))
    ours = flatten(function(Recorder(tinytorch, names), *ours_in))
    _equal_all("value", ours, theirs, limits)
    nodes = seen.nodes_of(ours)
    if gradient and any(isinstance(t, torch.Tensor) and t.requires_grad for t in theirs):
        rng = np.random.default_rng(seed)
        theirs_from, ours_from = _differentiable(theirs_in), _differentiable(ours_in)
        their_grads, our_grads = _both_gradients("gradient", theirs, ours, theirs_from, ours_from, rng, limits)
        seen.first |= nodes
        if second:
            nodes |= seen.nodes_of(our_grads)
            if any(g is not None and g.requires_grad for g in (*their_grads, *our_grads)):
                _both_gradients("second derivative", their_grads, our_grads, theirs_from, ours_from, rng, limits)
            seen.first |= nodes
            seen.second |= nodes
    seen.names |= names | methods_named(function.__code__)


def _make(library: Any, value: Any, requires_grad: bool) -> Any:
    """A tensor over a copy of an array that has the array's memory layout."""
    if not isinstance(value, np.ndarray):
        return value
    tensor = library.from_numpy(same_layout_copy(value))
    return tensor.requires_grad_() if requires_grad and value.dtype.kind in "fc" else tensor


def same_layout_copy(array: np.ndarray) -> np.ndarray:
    """A copy with the strides of ``array``, whatever they are (gaps included)."""
    extent = array.itemsize + sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True) if n)
    memory = np.zeros(max(extent, array.itemsize), np.uint8)
    copy = np.ndarray(array.shape, array.dtype, memory, 0, array.strides)
    copy[...] = array
    return copy


def methods_named(code: Any) -> set[str]:
    """The Tensor methods that a function's own code names: ``x.expand(2, 3)`` names expand."""
    inner = [constant for constant in code.co_consts if isinstance(constant, type(code))]
    return {name for name in code.co_names if hasattr(tinytorch.Tensor, name)}.union(*map(methods_named, inner))


def flatten(value: Any) -> list[Any]:
    """Tensors and plain values in nested tuples, lists and named tuples; a shape stays one value."""
    if isinstance(value, (tuple, list)) and not isinstance(value, (torch.Size, tinytorch.Size)):
        return [item for part in value for item in flatten(part)]
    return [value]


def _differentiable(inputs: Sequence[Any]) -> list[Any]:
    return [t for t in inputs if hasattr(t, "requires_grad") and t.requires_grad]


def _both_gradients(
    what: str, theirs: Any, ours: Any, theirs_from: Any, ours_from: Any, rng: Any, limits: Any
) -> tuple[list[Any], list[Any]]:
    """Gradients in both libraries for the same random cotangents, compared; the cotangents join the inputs.

    A constant among first gradients (0, or the cotangent itself) may need a graph in one library and none in the other; what it
    adds to the second derivative must then be 0.
    """
    create = what == "gradient"
    sides: list[tuple[list[Any], list[Any]]] = [([], []), ([], [])]
    for pair in zip(theirs, ours, strict=True):
        if not any(isinstance(t, (torch.Tensor, tinytorch.Tensor)) and t.requires_grad for t in pair):
            continue
        numbers = rng.standard_normal(tuple(pair[0].shape))
        if pair[0].is_complex():
            numbers = numbers + 1j * rng.standard_normal(tuple(pair[0].shape))
        cotangent = np.asarray(numbers).astype(str(pair[0].dtype).removeprefix("torch."))
        for (starts, cotangents), tensor, library in zip(sides, pair, (torch, tinytorch), strict=True):
            if tensor.requires_grad:
                starts.append(tensor)
                cotangents.append(_make(library, cotangent, True))
    (their_starts, their_cotangents), (our_starts, our_cotangents) = sides
    options = {"create_graph": create, "allow_unused": True}
    their_grads: Any = [None] * len(theirs_from)
    our_grads: Any = [None] * len(ours_from)
    if their_starts:
        their_grads = torch.autograd.grad(their_starts, theirs_from, their_cotangents, **options)
    if our_starts:
        if create:  # a backward that need not be recorded may have a way of its own
            plain = engine.grad(our_starts, ours_from, our_cotangents, retain_graph=True, allow_unused=True)
            _equal_all(what, plain, their_grads, limits)
        our_grads = engine.grad(our_starts, ours_from, our_cotangents, **options)
    if not create:  # a zero second derivative may be reported as None
        their_grads = [torch.zeros_like(x) if g is None else g for g, x in zip(their_grads, theirs_from, strict=True)]
        our_grads = [tinytorch.zeros_like(x) if g is None else g for g, x in zip(our_grads, ours_from, strict=True)]
    _equal_all(what, our_grads, their_grads, limits)
    theirs_from += their_cotangents
    ours_from += our_cotangents
    return list(their_grads), list(our_grads)


def _equal_all(what: str, ours: Sequence[Any], theirs: Sequence[Any], limits: Any) -> None:
    assert len(ours) == len(theirs), f"{what}: {len(ours)} results, PyTorch has {len(theirs)}"
    for position, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        where = f"{what} {position}"
        if isinstance(their, torch.Tensor):
            assert isinstance(our, tinytorch.Tensor), f"{where}: {type(our).__name__} instead of a Tensor"
            equal_tensors(where, our, their, limits, LOOSER[what])
            if what == "value":
                assert our.requires_grad == their.requires_grad, f"{where}: requires_grad is {our.requires_grad}"
        elif isinstance(their, torch.dtype):
            assert str(our) == str(their), f"{where}: {our}, PyTorch has {their}"
        else:
            same_kind = isinstance(our, tuple) if isinstance(their, tuple) else type(our) is type(their)
            assert same_kind, f"{where}: {type(our).__name__}, PyTorch has {type(their).__name__}"
            assert our == their or (our != our and their != their), f"{where}: {our!r}, PyTorch has {their!r}"


def equal_tensors(where: str, our: Any, their: Any, limits: Any = TOLERANCE, looser: float = 1) -> None:
    """AssertionError unless dtype, shape and values agree; nan equals nan, and infinities must match."""
    assert str(our.dtype) == str(their.dtype), f"{where}: dtype {our.dtype}, PyTorch has {their.dtype}"
    assert tuple(our.shape) == tuple(their.shape), f"{where}: shape {our.shape}, PyTorch has {their.shape}"
    a, b = our.detach().numpy(), their.detach().resolve_conj().resolve_neg().numpy(force=True)
    relative, absolute = limits.get(str(b.dtype), (0, 0))
    np.testing.assert_allclose(a, b, relative * looser, absolute * looser, err_msg=where)


def compare_errors(function: Callable[..., Any], *inputs: Any, match: str | None = None) -> None:
    """A misuse must raise the same type of error in both libraries; ``match`` is searched in tinytorch's message."""
    their_error = _error_of(function, torch, inputs)
    our_error = _error_of(function, tinytorch, inputs)
    assert their_error is not None, "PyTorch raises nothing here"
    assert our_error is not None, f"nothing raised; PyTorch: {type(their_error).__name__}: {their_error}"
    assert type(our_error) is type(their_error), (
        f"{type(our_error).__name__}: {our_error}\nPyTorch: {type(their_error).__name__}: {their_error}"
    )
    if match is not None:
        assert match in str(our_error), f"{our_error}\nPyTorch: {their_error}"


def _error_of(function: Callable[..., Any], library: Any, inputs: Sequence[Any]) -> Exception | None:
    try:
        function(library, *[_make(library, value, True) for value in inputs])
    except Exception as error:
        return error
    return None
