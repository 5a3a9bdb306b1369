"""Every op of PyTorch's database, with one tensor changed in place between forward and backward.

    python -m tests.trust.changes               # all ops, five samples each
    python -m tests.trust.changes index_ max    # those whose name starts so

One after the other, each tensor that the op was given or gave (arguments, indices, masks, weights, results) is changed,
directly or through a view that is made only then. The backward then has to raise, or give the gradient that it gives
when nothing was changed. Where tinytorch raises and PyTorch does not, because it has saved something else, is listed:
that is a program which runs there alone.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import tinytorch
from tests.databases.run_ops import as_leaf, cotangent, describe, flatten, full_name, map_tensors
from tests.databases.translate import resolve, to_numpy, translate

RAISED = "raised"


def directly(T: Any, tensor: Any) -> None:
    change(tensor.detach() if tensor.requires_grad else tensor)


def through_a_view(T: Any, tensor: Any) -> None:
    change(tensor.detach()[...])


def change(tensor: Any) -> None:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        tensor.copy_(tensor.logical_not() if "bool" in str(tensor.dtype) else tensor.flip(tuple(range(tensor.ndim))))
    else:
        tensor.mul_(-3).add_(0.5)


def run(T: Any, op: Any, arguments: Any, which: int | None, way: Callable[[Any, Any], None]) -> Any:
    """The gradients of all arguments with the tensor of this number changed; how many there are to change, with None."""
    ours = T is tinytorch
    first, args, kwargs = arguments
    T.manual_seed(7)
    function, wrapper = (resolve(op.op), resolve(op.gradcheck_wrapper)) if ours else (op.op, op.gradcheck_wrapper)
    results = [r for r in flatten(wrapper(function, first, *args, **kwargs)) if isinstance(r, T.Tensor)]
    given = [value for value in flatten([first, list(args), kwargs]) if isinstance(value, T.Tensor)]
    known = {id(tensor) for tensor in given}
    tensors = given + [result for result in results if id(result) not in known]
    leaves, ends = [t for t in given if t.requires_grad], [r for r in results if r.requires_grad]
    if which is None:
        return len(tensors) if leaves and ends else 0
    if which >= 0:
        way(T, tensors[which])
    rng = np.random.default_rng(0)
    cotangents = [
        cotangent(torch.empty(tuple(end.shape), dtype=getattr(torch, str(end.dtype)[6:])), rng) for end in ends
    ]
    try:
        found = T.autograd.grad(ends, leaves, translate(cotangents) if ours else cotangents, allow_unused=True)
    except RuntimeError as error:
        if "modified by an inplace" not in str(error):
            raise
        return RAISED
    return [None if gradient is None else to_numpy(gradient) for gradient in found]


def same(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(
        x is y if x is None or y is None else np.allclose(x, y, 1e-9, 1e-12, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def examine(op: Any, sample: Any, outcomes: collections.Counter[str]) -> None:
    """All changes around one call."""

    def outcome(T: Any, which: int | None, way: Any = None) -> Any:
        arguments = map_tensors(_fresh, (sample.input, sample.args, sample.kwargs))
        return run(T, op, translate(arguments) if T is tinytorch else arguments, which, way)

    for which in range(outcome(tinytorch, None)):
        for way in (directly, through_a_view):
            try:
                ours = outcome(tinytorch, which, way)
            except (RuntimeError, ValueError) as error:
                outcomes[f"refused: {str(error)[:60]}"] += 1
                continue
            if ours is not RAISED:
                right = same(ours, outcome(tinytorch, -1))
                outcomes["the right gradient" if right else "WRONG"] += 1
                if not right:
                    print(f"WRONG: {full_name(op)} {describe(sample)}: tensor {which}, {way.__name__}")
                continue
            theirs = outcome(torch, which, way)
            outcomes["an error, as in PyTorch" if theirs is RAISED else "an error, in PyTorch none"] += 1
            if theirs is not RAISED:
                print(f"stricter: {full_name(op)} {describe(sample)}: tensor {which}, {way.__name__}")


def _fresh(tensor: torch.Tensor) -> torch.Tensor:
    return as_leaf(tensor).detach().clone().requires_grad_(tensor.requires_grad)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only ops whose name starts with one of these")
    parser.add_argument("--most", type=int, default=5, help="samples per op")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    outcomes: collections.Counter[str] = collections.Counter()
    for op in op_db:
        if options.names and not full_name(op).startswith(tuple(options.names)):
            continue
        if torch.float64 not in op.supported_backward_dtypes("cpu") or op.has_nondeterministic_output:
            continue
        torch.manual_seed(0)
        np.random.seed(0)
        for sample in itertools.islice(op.sample_inputs("cpu", torch.float64, requires_grad=True), options.most):
            try:
                examine(op, sample, outcomes)
            except Exception as error:
                outcomes[f"not run: {type(error).__name__}"] += 1
    print(f"{sum(outcomes.values())} calls with a tensor changed before backward")
    for outcome, count in outcomes.most_common():
        print(f"  {count:6} {outcome}")
    return 1 if outcomes["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
