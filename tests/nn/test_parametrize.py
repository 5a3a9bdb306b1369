"""Parametrizations, spectral norm and pruning beside PyTorch: the same weights, gradients, names and printing."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.utils.parametrizations
import torch.nn.utils.prune

import tinytorch
from tests.compare import equal_tensors

LIMITS = {"float32": (2e-4, 1e-5)}


def both(program: Callable[[Any], Any]) -> None:
    results = []
    for T in (torch, tinytorch):
        T.manual_seed(0)
        results.append(program(T))
    theirs, ours = results
    assert len(ours) == len(theirs)
    for i, (got, expected) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(expected, torch.Tensor):
            equal_tensors(f"result {i}", got, expected, LIMITS)
        else:
            assert got == expected


def trained(T: Any, layer: Any, x: Any, steps: int = 3) -> list[Any]:
    """The layer's outputs and state over some steps of SGD."""
    optimizer = T.optim.SGD(layer.parameters(), lr=0.1)
    found = [str(layer), [name for name, _ in layer.named_parameters()], list(layer.state_dict())]
    for _ in range(steps):
        optimizer.zero_grad()
        out = layer(x)
        out.square().mean().backward()
        optimizer.step()
        found.append(out)
    layer.eval()
    return [*found, layer(x), *layer.state_dict().values()]


class Both:
    """Modules that need to be written once for each library."""

    def __init__(self, T: Any) -> None:
        class Symmetric(T.nn.Module):
            def forward(self, X: Any) -> Any:
                return X.triu() + X.triu(1).transpose(-1, -2)

            def right_inverse(self, A: Any) -> Any:
                return A.triu()

        class Scaled(T.nn.Module):
            def forward(self, X: Any) -> Any:
                return 2 * X

        self.Symmetric, self.Scaled = Symmetric, Scaled


def symmetric(T: Any) -> list[Any]:
    P, own = T.nn.utils.parametrize, Both(T)
    layer = T.nn.Linear(3, 3)
    P.register_parametrization(layer, "weight", own.Symmetric())
    facts = [P.is_parametrized(layer), P.is_parametrized(layer, "bias"), type(layer).__name__]
    layer.weight = T.arange(9.0).reshape(3, 3)
    P.register_parametrization(layer, "weight", own.Scaled())
    found = trained(T, layer, T.randn(4, 3))
    with P.cached():
        facts.append(layer.weight is layer.weight)
    clone = copy.deepcopy(layer)
    P.remove_parametrizations(layer, "weight")
    facts += [type(layer).__name__, str(layer), P.is_parametrized(clone), type(layer.weight).__name__]
    return [*facts, *found, layer.weight]


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "own": symmetric,
    "spectral": lambda T: trained(T, T.nn.utils.parametrizations.spectral_norm(T.nn.Linear(4, 3)), T.randn(5, 4)),
    "spectral conv": lambda T: trained(T, T.nn.utils.parametrizations.spectral_norm(T.nn.Conv2d(2, 3, 3)), T.randn(2, 2, 6, 6)),
    "spectral transposed": lambda T: trained(
        T, T.nn.utils.parametrizations.spectral_norm(T.nn.ConvTranspose2d(2, 3, 3), n_power_iterations=2), T.randn(2, 2, 6, 6)
    ),
    "old spectral": lambda T: trained(T, T.nn.utils.spectral_norm(T.nn.Linear(4, 3)), T.randn(5, 4)),
    "old spectral removed": lambda T: trained(T, T.nn.utils.remove_spectral_norm(T.nn.utils.spectral_norm(T.nn.Conv2d(2, 3, 3))), T.randn(2, 2, 6, 6)),
    "weight": lambda T: trained(T, T.nn.utils.parametrizations.weight_norm(T.nn.Linear(4, 3)), T.randn(5, 4)),
    "weight conv": lambda T: trained(T, T.nn.utils.parametrizations.weight_norm(T.nn.Conv1d(2, 3, 3), dim=None), T.randn(2, 2, 6)),
    "orthogonal": lambda T: trained(T, T.nn.utils.parametrizations.orthogonal(T.nn.Linear(4, 4)), T.randn(5, 4)),
    "orthogonal wide": lambda T: trained(T, T.nn.utils.parametrizations.orthogonal(T.nn.Linear(5, 3)), T.randn(5, 5)),
    "orthogonal tall": lambda T: trained(T, T.nn.utils.parametrizations.orthogonal(T.nn.Linear(3, 5)), T.randn(5, 3)),
    "orthogonal cayley": lambda T: trained(T, T.nn.utils.parametrizations.orthogonal(T.nn.Linear(3, 5), orthogonal_map="cayley"), T.randn(5, 3)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_pytorch(name):
    both(PROGRAMS[name])


def pruned(how: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    def program(T: Any) -> list[Any]:
        layer = T.nn.Conv2d(2, 4, 3)
        how(T.nn.utils.prune, layer)
        P = T.nn.utils.prune
        found = [sorted(dict(layer.named_parameters())), sorted(dict(layer.named_buffers())), P.is_pruned(layer)]
        found += trained(T, layer, T.randn(2, 2, 6, 6), 2)
        for name in ("weight", "bias"):
            if hasattr(layer, name + "_mask"):
                P.remove(layer, name)
        return [*found, P.is_pruned(layer), *layer.state_dict().values(), layer(T.randn(1, 2, 5, 5))]

    return program


def twice(P: Any, layer: Any) -> None:
    P.random_unstructured(layer, name="weight", amount=0.3)
    P.ln_structured(layer, name="weight", amount=0.5, n=2, dim=0)
    P.l1_unstructured(layer, name="weight", amount=2)
    P.l1_unstructured(layer, name="bias", amount=3)


PRUNING = {
    "random": lambda P, layer: P.random_unstructured(layer, "weight", 0.4),
    "smallest": lambda P, layer: P.l1_unstructured(layer, "weight", 10),
    "channels": lambda P, layer: P.ln_structured(layer, "weight", 0.5, n=2, dim=0),
    "random channels": lambda P, layer: P.random_structured(layer, "weight", 0.5, dim=1),
    "again": twice,
    "global": lambda P, layer: P.global_unstructured(
        [(layer, "weight"), (layer, "bias")], pruning_method=P.L1Unstructured, amount=0.4
    ),
    "identity": lambda P, layer: P.identity(layer, "bias"),
}


@pytest.mark.parametrize("name", PRUNING)
def test_pruning(name):
    both(pruned(PRUNING[name]))


def test_own_pruning_method():
    def program(T: Any) -> list[Any]:
        class EveryOther(T.nn.utils.prune.BasePruningMethod):
            PRUNING_TYPE = "unstructured"

            def compute_mask(self, t: Any, default_mask: Any) -> Any:
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask

        layer = T.nn.Linear(3, 2)
        EveryOther.apply(layer, "weight")
        masked = T.nn.Linear(2, 2)
        T.nn.utils.prune.custom_from_mask(masked, "bias", mask=T.tensor([0, 1]))
        return [layer.weight, layer.weight_mask, masked.bias, len(layer._forward_pre_hooks)]

    both(program)


ERRORS: dict[str, Callable[[Any], Any]] = {
    "channels of a vector": lambda T: T.nn.utils.prune.random_structured(T.nn.Linear(2, 2), "bias", 0.5, 0),
    "a channel dimension too many": lambda T: T.nn.utils.prune.ln_structured(T.nn.Linear(2, 2), "weight", 1, 2, 5),
    "no such tensor": lambda T: T.nn.utils.parametrize.register_parametrization(T.nn.Linear(2, 2), "w", T.nn.Identity()),
    "shape": lambda T: T.nn.utils.parametrize.register_parametrization(T.nn.Linear(2, 3), "weight", T.nn.Flatten(0)),
    "not parametrized": lambda T: T.nn.utils.parametrize.remove_parametrizations(T.nn.Linear(2, 3), "weight"),
    "no right inverse": lambda T: setattr(
        T.nn.utils.parametrize.register_parametrization(T.nn.Linear(2, 2), "weight", T.nn.Identity()), "weight", T.ones(2, 2)
    ),
    "pickling": lambda T: pickle.dumps(T.nn.utils.parametrizations.spectral_norm(T.nn.Linear(2, 2))),
    "orthogonal vector": lambda T: T.nn.utils.parametrizations.orthogonal(T.nn.Linear(2, 2), "bias"),
    "orthogonal map": lambda T: T.nn.utils.parametrizations.orthogonal(T.nn.Linear(2, 2), orthogonal_map="x"),
    "spectral twice": lambda T: T.nn.utils.spectral_norm(T.nn.utils.spectral_norm(T.nn.Linear(2, 2))),
    "spectral not there": lambda T: T.nn.utils.remove_spectral_norm(T.nn.Linear(2, 2)),
    "amount": lambda T: T.nn.utils.prune.l1_unstructured(T.nn.Linear(2, 2), "weight", 1.5),
    "amount too large": lambda T: T.nn.utils.prune.l1_unstructured(T.nn.Linear(2, 2), "weight", 9),
    "not pruned": lambda T: T.nn.utils.prune.remove(T.nn.Linear(2, 2), "weight"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](tinytorch)


def test_state_travels():
    """A state_dict of a parametrized model loads into another one."""
    first, second = (tinytorch.nn.utils.parametrizations.weight_norm(tinytorch.nn.Linear(3, 2)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(second.weight.detach().numpy(), first.weight.detach().numpy())
    tinytorch.nn.utils.parametrize.transfer_parametrizations_and_params(first, plain := tinytorch.nn.Linear(3, 2))
    np.testing.assert_array_equal(plain.weight.detach().numpy(), first.weight.detach().numpy())
