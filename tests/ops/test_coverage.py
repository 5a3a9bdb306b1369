"""No op without a comparison with PyTorch: of its value, its gradient and its second derivative.

What counts is what :func:`tests.compare.compare` has seen in this session, from whatever test. A test module that compares by
other means (random numbers by seed, say) lists the names in a module variable ``COMPARED``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import tinytorch.ops
from tests.compare import seen
from tinytorch.autograd.primitive import Primitive

pytestmark = pytest.mark.usefixtures("everything_ran")

#: Classes that are never a node of their own, with the reason.
ABSTRACT = {
    "Curve": "base of the activations in pieces",
    "Elementwise": "base of ops that NumPy broadcasts",
    "NoReflections": "has none in PyTorch either; test_linalg_more.py compares that",
    "FloorDivide": "PyTorch has no derivative; test_errors.py compares the refusal",
}
#: What the tests of modules compare, with gradients and second derivatives: the file, and a word that must stand in it.
COMPARED_IN = {
    "BackwardHookFunction": ("tests/nn/test_hooks.py", "full_backward_hook"),
    "SparseRows": ("tests/optim/test_sparse_gradients.py", "sparse=True"),
    "RowsByFrequency": ("tests/nn/test_functional.py", "scale_grad_by_freq=True"),
    "AddByFrequency": ("tests/nn/test_functional.py", "scale_grad_by_freq=True"),
    "RNNSequence": ("tests/nn/test_rnn.py", "RNN"),
    "LSTMSequence": ("tests/nn/test_rnn.py", "LSTM"),
    "GRUSequence": ("tests/nn/test_rnn.py", "GRU"),
    "scaled_dot_product_attention": ("tests/nn/test_attention.py", "scaled_dot_product_attention"),
    "multi_head_attention_forward": ("tests/nn/test_attention.py", "MultiheadAttention"),
}
#: Ops whose second derivative PyTorch does not have either.
FIRST_ONLY = {
    "EuclideanDistances": "gradgradcheck in test_reductions_more.py; PyTorch has no second derivative of it",
    "GridSampler2D": "gradgradcheck in test_grid_sample.py; PyTorch has no second derivative of it",
    "Hardsigmoid": "flat pieces: PyTorch has no second derivative of it",
}


def op_modules() -> Iterator[object]:
    """Every module of tinytorch.ops."""
    for info in pkgutil.iter_modules(tinytorch.ops.__path__):
        yield importlib.import_module(f"tinytorch.ops.{info.name}")


def compared_otherwise() -> set[str]:
    """Names in the ``COMPARED`` of test modules, whichever process runs those."""
    root = Path(__file__).resolve().parents[2]
    files = [
        path for path in (root / "tests").rglob("test_*.py") if "\nCOMPARED = " in path.read_text(encoding="utf-8")
    ]
    assert len(files) > 2
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in files]
    return {name for module in names for name in importlib.import_module(module).COMPARED} | COMPARED_IN.keys()


def test_the_files_that_compare_modules_do() -> None:
    root = Path(__file__).resolve().parents[2]
    for name, (file, word) in COMPARED_IN.items():
        assert word in (root / file).read_text(encoding="utf-8"), (
            f"{file} no longer speaks of {word}, which covers {name}"
        )


def primitives(base: type = Primitive) -> Iterator[type]:
    """All ops with a derivative of their own."""
    for cls in base.__subclasses__():
        if cls.__name__ == "InSingle" or hasattr(cls, "op"):  # what stands for an op in half precision
            continue
        yield cls
        yield from primitives(cls)


def in_pytorch(name: str) -> bool:
    """Whether PyTorch has a public function of this name; other names are helpers."""
    return any(
        callable(getattr(place, name, None)) for place in (torch, torch.nn.functional, torch.special, torch.Tensor)
    )


def test_every_primitive_is_compared() -> None:
    list(op_modules())
    done = compared_otherwise()
    ours = {cls for cls in primitives() if cls.__module__.startswith("tinytorch.") and cls.__name__ not in done}
    names = {cls.__name__ for cls in ours}
    assert not (ABSTRACT.keys() | FIRST_ONLY.keys()) - names - done, "exempted, but there is no such class"
    without_gradient = sorted(cls.__name__ for cls in ours - seen.first if cls.__name__ not in ABSTRACT)
    without_second = sorted(
        cls.__name__ for cls in ours - seen.second if cls.__name__ not in ABSTRACT.keys() | FIRST_ONLY.keys()
    )
    assert not without_gradient, f"gradient never compared: {without_gradient}"
    assert not without_second, f"second derivative never compared: {without_second}"


def test_every_public_op_is_compared() -> None:
    used = {name.rpartition(".")[2] for name in seen.names} | compared_otherwise()
    missing = {
        f"{module.__name__.removeprefix('tinytorch.')}.{name}"  # type: ignore[attr-defined]
        for module in op_modules()
        for name in module.__all__  # type: ignore[attr-defined]
        if name not in used and in_pytorch(name)
    }
    assert not missing, f"never called under compare(): {sorted(missing)}"
