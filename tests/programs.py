"""Small programs: the same outcome in both libraries, be it gradients or an error; and lines that import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tinytorch
from tests.compare import compare, flatten, same_layout_copy


def same_outcome(program: Callable[..., Any], *inputs: np.ndarray, second: bool = True) -> str:
    """Run ``program(T, *leaves)`` and backward in both libraries; returns 'gradients', or where it raised.

    An error must come at the same stage (the program itself, or its backward) and have the same type. Without one, everything that
    :func:`tests.compare.compare` compares must agree.
    """
    theirs, ours = _outcome(torch, program, inputs), _outcome(tinytorch, program, inputs)
    assert _kind(ours) == _kind(theirs), f"{ours}\nPyTorch: {theirs}"
    if theirs[1] is None:
        compare(program, *inputs, second=second)
    return theirs[0]


def _outcome(library: Any, program: Callable[..., Any], inputs: Any) -> tuple[str, Exception | None]:
    leaves = [library.from_numpy(same_layout_copy(array)).requires_grad_() for array in inputs]
    try:
        results = flatten(program(library, *leaves))
    except Exception as error:
        return "program", error
    results = [result for result in results if result.requires_grad]
    try:
        for result in results:  # a different weight for every element
            weight = library.arange(1, result.numel() + 1, dtype=result.dtype).reshape(result.shape)
            result.backward(weight, retain_graph=True)
    except Exception as error:
        return "backward", error
    return "gradients", None


def _kind(outcome: tuple[str, Exception | None]) -> tuple[str, type]:
    return outcome[0], type(outcome[1])


def check_import(line: str) -> None:
    """The import statement works for ``torch`` as it stands, and with ``tinytorch`` in its place."""
    for source in (line, re.sub(r"\btorch\b(?!_)", "tinytorch", line)):
        found: dict[str, Any] = {}
        exec(source, found)
        assert all(value is not None for name, value in found.items() if not name.startswith("__"))
