"""The same layer in PyTorch and in tinytorch: built by the same text, from the same seed, compared to the second derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tinytorch
import tinytorch.nn
from tests.compare import equal_tensors, flatten
from tinytorch.autograd import engine

LIBRARIES = {"torch": torch, "tinytorch": tinytorch}


def build(text: str, seed: int = 0) -> tuple[Any, Any]:
    """``eval(text)`` with ``nn`` and ``T`` of each library, after the same seed: (tinytorch's, PyTorch's)."""
    return both(lambda T: eval(text, {"nn": T.nn, "T": T}), seed)


def both(function: Callable[[Any], Any], seed: int = 0) -> tuple[Any, Any]:
    """``function(library)`` for each library after the same seed: (tinytorch's, PyTorch's)."""
    results = []
    for library in (tinytorch, torch):
        library.manual_seed(seed)
        results.append(function(library))
    return results[0], results[1]


def error_of(function: Callable[[Any], Any], library: Any) -> Exception | None:
    """What ``function(library)`` raises."""
    try:
        function(library)
    except Exception as error:
        return error
    return None


def assert_same_error(function: Callable[[Any], Any], same_text: bool = True) -> None:
    """Both libraries raise the same type of error, with the same text up to the library's name."""
    ours, theirs = error_of(function, tinytorch), error_of(function, torch)
    assert theirs is not None, "PyTorch raises nothing here"
    assert type(ours) is type(theirs), f"{ours!r}, PyTorch: {theirs!r}"
    if same_text:
        assert str(ours).replace("tinytorch.", "torch.") == str(theirs)


def assert_same_state(ours: Any, theirs: Any, exactly: bool = True) -> None:
    """The same keys in the same order, dtypes, shapes and values."""
    our_state, their_state = ours.state_dict(), theirs.state_dict()
    assert list(our_state) == list(their_state)
    for key, value in our_state.items():
        if exactly:
            assert str(value.dtype) == str(their_state[key].dtype), key
            np.testing.assert_array_equal(value.numpy(), their_state[key].numpy(), err_msg=key)
        else:
            equal_tensors(key, value, their_state[key], looser=5)


def copy_state(theirs: Any, ours: Any) -> None:
    """Load PyTorch's state into tinytorch's module."""
    state = {key: tinytorch.from_numpy(value.detach().numpy().copy()) for key, value in theirs.state_dict().items()}
    ours.load_state_dict(state)


def compare_modules(
    ours: Any, theirs: Any, *inputs: Any, second: bool = True, seed: int = 0, looser: float = 5
) -> None:
    """Results, gradients of inputs and parameters for random cotangents, and gradients of those; afterwards the state."""
    our_in = [_tensor(tinytorch, value) for value in inputs]
    their_in = [_tensor(torch, value) for value in inputs]
    our_out, their_out = flatten(ours(*our_in)), flatten(theirs(*their_in))
    assert len(our_out) == len(their_out)
    for our, their in zip(our_out, their_out, strict=True):
        equal_tensors("output", our, their, looser=looser)
    our_leaves = [t for t in [*our_in, *ours.parameters()] if t.requires_grad]
    their_leaves = [t for t in [*their_in, *theirs.parameters()] if t.requires_grad]
    their_out = [out for out in their_out if out.requires_grad]
    our_out = [out for out in our_out if out.requires_grad]
    assert len(our_out) == len(their_out)
    if not their_out:
        return
    rng = np.random.default_rng(seed)
    cotangents = [rng.standard_normal(tuple(out.shape)).astype(str(out.dtype)[6:]) for out in their_out]
    our_grads = engine.grad(
        our_out, our_leaves, [tinytorch.tensor(c) for c in cotangents], create_graph=second, allow_unused=True
    )
    their_grads = torch.autograd.grad(
        their_out, their_leaves, [torch.tensor(c) for c in cotangents], create_graph=second, allow_unused=True
    )
    for position, (our, their) in enumerate(zip(our_grads, their_grads, strict=True)):
        assert (our is None) == (their is None), f"gradient {position}"
        if their is not None:
            equal_tensors(f"gradient {position}", our, their, looser=looser * 5)
    if second:
        _compare_second(our_grads, our_leaves, their_grads, their_leaves, rng, looser * 25)
    assert_same_state(ours, theirs, exactly=False)


def _compare_second(
    our_grads: Any, our_leaves: Any, their_grads: Any, their_leaves: Any, rng: Any, looser: float
) -> None:
    """Gradients of Σ w · grad for random w."""
    our_sum, their_sum = 0.0, 0.0
    for our, their in zip(our_grads, their_grads, strict=True):
        if their is None or not their.requires_grad:
            continue
        weights = rng.standard_normal(tuple(their.shape)).astype(str(their.dtype)[6:])
        their_sum = their_sum + (their * torch.tensor(weights)).sum()
        if our.requires_grad:
            our_sum = our_sum + (our * tinytorch.tensor(weights)).sum()
    if not isinstance(their_sum, torch.Tensor):
        return
    # where ours does not depend on anything any more (a linear layer), theirs must be 0
    none = [None] * len(our_leaves)
    our_second = none if isinstance(our_sum, float) else engine.grad(our_sum, our_leaves, allow_unused=True)
    their_second = torch.autograd.grad(their_sum, their_leaves, allow_unused=True)
    for position, (our, their) in enumerate(zip(our_second, their_second, strict=True)):
        if their is None and our is None:
            continue
        if our is None:
            assert float(their.abs().max()) == 0.0, f"second derivative {position}"
        elif their is None:
            assert float(our.abs().max()) == 0.0, f"second derivative {position}"
        else:
            equal_tensors(f"second derivative {position}", our, their, looser=looser)


def _tensor(library: Any, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    tensor = library.tensor(value.copy())
    return tensor.requires_grad_() if value.dtype.kind == "f" else tensor
