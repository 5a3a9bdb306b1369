"""Every op of PyTorch's own database (``op_db``), run in both libraries on PyTorch's own samples, and compared.

    python -m tests.databases.run_ops                     # everything: a table of what fails, and the shares
    python -m tests.databases.run_ops add nn.functional.  # ops whose name starts so, with every failure's reason

For each op, dtype and sample: value, dtype, shape; gradients for random cotangents, theirs too where PyTorch has them; the
method, in-place and ``out=`` forms; and for each of PyTorch's wrong inputs, that it raises an error of PyTorch's type.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import itertools
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import tinytorch
from tests.databases.translate import resolve, to_numpy, translate

DTYPES = (
    torch.float64,
    torch.float32,
    torch.int64,
    torch.bool,
    torch.complex128,
    torch.float16,
    torch.bfloat16,
    torch.uint8,
    torch.int32,
)
LIMITS = {
    "bf2": (1.6e-2, 1e-2),
    "f2": (5e-3, 5e-3),
    "f4": (1e-4, 1e-5),
    "f8": (1e-7, 1e-8),
    "c8": (1e-4, 1e-5),
    "c16": (1e-7, 1e-8),
}


@dataclasses.dataclass
class Report:
    """Outcomes by (op, kind of check): how many checks passed, and the failures' reasons."""

    passed: collections.Counter[tuple[str, str]] = dataclasses.field(default_factory=collections.Counter)
    failed: dict[tuple[str, str], list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    @contextlib.contextmanager
    def check(self, op: str, kind: str, what: str) -> Iterator[None]:
        try:
            yield
        except Skip:
            pass
        except Exception as error:
            self.failed[op, kind].append(f"{what}: {type(error).__name__}: {str(error).strip()[:300]}")
        else:
            self.passed[op, kind] += 1

    def take(self, part: Report, reasons: int) -> None:
        """Add the outcomes of ``part``, and print its failures with so many reasons each."""
        self.passed.update(part.passed)
        self.failed.update(part.failed)
        for (name, kind), messages in part.failed.items():
            print(f"{name} [{kind}] {len(messages)} failed, {part.passed[name, kind]} passed")
            for message in messages[:reasons]:
                print(f"    {message}")
        sys.stdout.flush()


class Skip(Exception):
    """PyTorch itself cannot do this."""


def full_name(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def run_op(op: Any, report: Report, dtypes: Any = DTYPES, most: int = 10_000, forms: bool = True) -> None:
    """All checks of one op."""
    name = full_name(op)
    for dtype in dtypes:
        if dtype not in op.supported_dtypes("cpu"):
            continue
        differentiable = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
        differentiable = differentiable and dtype in (torch.float64, torch.complex128)
        torch.manual_seed(0)
        np.random.seed(0)
        samples = itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=differentiable), most)
        for number, sample in enumerate(samples):
            run_sample(
                op, name, sample, f"{str(dtype).removeprefix('torch.')} #{number}", differentiable, report, forms
            )
    if op.error_inputs_func is not None and forms:
        run_errors(op, name, report)


def run_sample(op: Any, name: str, sample: Any, where: str, differentiable: bool, report: Report, forms: bool) -> None:
    where += " " + describe(sample)
    arguments = map_tensors(as_leaf, (sample.input, sample.args, sample.kwargs))
    dtype = where.split()[0]
    kind = "gradient" if differentiable else "value"
    random, process = op.has_nondeterministic_output, sample.output_process_fn_grad
    with report.check(name, f"{kind} {dtype}", where):
        both(op.op, arguments, False, False, random, process)
        if differentiable:
            both(op.op, arguments, True, op.supports_gradgrad, random, process, op.gradcheck_wrapper)
    if not forms:
        return
    if op.method_variant is not None and isinstance(sample.input, torch.Tensor):
        with report.check(name, "method", where):
            both(op.method_variant, arguments, False, False, random, process)
    if op.inplace_variant is not None and isinstance(sample.input, torch.Tensor) and not sample.broadcasts_input:
        with report.check(name, "in place", where):
            both(op.inplace_variant, without_grad(arguments), False, False, random, process)
    if op.supports_out and not random:
        with report.check(name, "out=", where):
            with_out(op.op, without_grad(arguments), process)


def describe(sample: Any) -> str:
    return describe_arguments((sample.input, *sample.args), sample.kwargs)


def describe_arguments(args: Any, kwargs: Any) -> str:
    def short(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype)[6:]}{list(value.shape)}"
        if isinstance(value, (list, tuple)):
            return "(" + ",".join(map(short, value)) + ")"
        return repr(value)[:60]

    parts = [*map(short, args), *(f"{key}={short(value)}" for key, value in kwargs.items())]
    return f"({', '.join(parts)})"


def map_tensors(function: Callable[[torch.Tensor], Any], value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        items = [map_tensors(function, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: map_tensors(function, item) for key, item in value.items()}
    return value


def as_leaf(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor that is a part of another sample's: as such it would have no gradient of its own in PyTorch."""
    return tensor.detach().clone().requires_grad_() if tensor.requires_grad and tensor._is_view() else tensor


def without_grad(arguments: Any) -> Any:
    return map_tensors(lambda tensor: tensor.detach().clone(), arguments)


def flatten(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)) and not isinstance(value, (torch.Size, tinytorch.Size)):
        return [item for part in value for item in flatten(part)]
    return [value]


def call(function: Any, arguments: Any) -> list[Any]:
    first, args, kwargs = arguments
    return flatten(function(first, *args, **kwargs))


def as_it_is(value: Any) -> Any:
    return value


def called(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def both(
    function: Any,
    arguments: Any,
    gradient: bool,
    second: bool,
    random: bool,
    process: Callable[[Any], Any] = as_it_is,
    wrapper: Callable[..., Any] = called,
) -> None:
    """The same call in both libraries; raises AssertionError where they differ.

    ``process`` takes away from the result what is arbitrary (the signs of eigenvectors), ``wrapper`` prepares the inputs
    (makes them symmetric); both belong to PyTorch's samples.
    """
    ours_in = translate(arguments)
    ours_function = resolve(function)
    torch.manual_seed(7)
    first, args, kwargs = arguments
    try:
        theirs = flatten(process(wrapper(function, first, *args, **kwargs)))
    except Exception:
        raise Skip from None
    tinytorch.manual_seed(7)
    first, args, kwargs = ours_in
    ours = flatten(resolve(process)(resolve(wrapper)(ours_function, first, *args, **kwargs)))
    equal_all("value", theirs, ours, random)
    if gradient and not random:
        gradients(theirs, ours, tensors_of(arguments), tensors_of(ours_in), second)


def tensors_of(value: Any) -> list[Any]:
    tensors = [v for v in flatten(list(value)) if isinstance(v, (torch.Tensor, tinytorch.Tensor))]
    return [tensor for tensor in tensors if tensor.requires_grad]


def gradients(theirs: Any, ours: Any, theirs_from: Any, ours_from: Any, second: bool) -> None:
    rng = np.random.default_rng(0)
    pairs = [
        (a, b)
        for a, b in zip(theirs, ours, strict=True)
        if isinstance(a, torch.Tensor) and a.requires_grad and (a.is_floating_point() or a.is_complex())
    ]
    if not pairs or not theirs_from:
        return
    for _, b in pairs:
        assert b.requires_grad, "the result should require grad"
    cotangents = [cotangent(a, rng) for a, _ in pairs]
    kept = {"create_graph": second, "allow_unused": True}
    try:
        their_grads = torch.autograd.grad([a for a, _ in pairs], theirs_from, cotangents, **kept)
    except Exception:
        raise Skip from None
    our_grads = tinytorch.autograd.grad([b for _, b in pairs], ours_from, [translate(c) for c in cotangents], **kept)
    for a, b in zip(their_grads, our_grads, strict=True):
        if a is None or b is None:  # no gradient on one side is a gradient of zeros on the other
            rest = a if a is not None else b
            assert rest is None or not np.abs(to_numpy(rest)).sum(), "gradient: missing on one side"
        else:
            equal("gradient", a, b, factor=3)
    if second:
        some = [(a, b) for a, b in zip(their_grads, our_grads, strict=True) if a is not None and a.requires_grad]
        some = [(a, b) for a, b in some if b is not None]
        if some:
            second_gradients(some, theirs_from, ours_from, rng)


def second_gradients(pairs: Any, theirs_from: Any, ours_from: Any, rng: Any) -> None:
    cotangents = [cotangent(a, rng) for a, _ in pairs]
    try:
        theirs = torch.autograd.grad([a for a, _ in pairs], theirs_from, cotangents, allow_unused=True)
    except Exception:
        raise Skip from None
    connected = [(b, translate(c)) for (_, b), c in zip(pairs, cotangents, strict=True) if b.requires_grad]
    ours: Any = [None] * len(ours_from)
    if connected:
        ours = tinytorch.autograd.grad(
            [b for b, _ in connected], ours_from, [c for _, c in connected], allow_unused=True
        )
    for a, b in zip(theirs, ours, strict=True):
        if a is None or b is None:
            rest = a if a is not None else b
            assert rest is None or np.allclose(to_numpy(rest), 0, atol=1e-9), "second derivative: missing on one side"
        else:
            equal("second derivative", a, b, factor=100)


def cotangent(tensor: torch.Tensor, rng: Any) -> torch.Tensor:
    values = rng.standard_normal(tuple(tensor.shape))
    if tensor.is_complex():
        values = values + 1j * rng.standard_normal(tuple(tensor.shape))
    return torch.from_numpy(np.asarray(values)).to(tensor.dtype)


def equal_all(what: str, theirs: Any, ours: Any, random: bool, factor: float = 1) -> None:
    assert len(theirs) == len(ours), f"{what}: {len(ours)} results, PyTorch has {len(theirs)}"
    for a, b in zip(theirs, ours, strict=True):
        equal(what, a, b, factor, values=not random)


def equal(what: str, theirs: Any, ours: Any, factor: float = 1, values: bool = True) -> None:
    """One result of each library: type, dtype, shape, values."""
    if not isinstance(theirs, torch.Tensor):
        assert not isinstance(ours, tinytorch.Tensor), f"{what}: a Tensor, PyTorch gives {type(theirs).__name__}"
        if isinstance(theirs, (bool, int, float, complex)):
            assert theirs == ours or np.isclose(theirs, ours, equal_nan=True), f"{what}: {ours}, PyTorch {theirs}"
        elif isinstance(theirs, torch.Size):
            assert tuple(theirs) == tuple(ours)
        return
    assert isinstance(ours, tinytorch.Tensor), f"{what}: {type(ours).__name__} instead of a Tensor"
    assert str(ours.dtype) == str(theirs.dtype), f"{what}: dtype {ours.dtype}, PyTorch {theirs.dtype}"
    assert tuple(ours.shape) == tuple(theirs.shape), f"{what}: shape {tuple(ours.shape)}, PyTorch {tuple(theirs.shape)}"
    if not values:
        return
    a, b = to_numpy(theirs), to_numpy(ours)
    half = theirs.dtype is torch.bfloat16  # in NumPy: float32
    relative, absolute = LIMITS.get("bf2" if half else a.dtype.str[1:], (0, 0))
    if a.dtype.kind in "fc" and a.size:  # sums of large numbers that cancel are off by the rounding of those
        largest = np.abs(a, where=np.isfinite(a), out=np.zeros(a.shape, a.real.dtype)).max()
        absolute = max(absolute, 8 * (2.0**-8 if half else float(np.finfo(a.dtype).eps)) * float(largest))
    close = np.isclose(b, a, rtol=relative * factor, atol=absolute * factor, equal_nan=True)
    if not close.all():
        index = tuple(int(i) for i in np.argwhere(~close)[0])
        raise AssertionError(
            f"{what}: {int((~close).sum())} of {close.size} differ, first at {list(index)}: {b[index]}, PyTorch {a[index]}"
        )


def with_out(function: Any, arguments: Any, process: Callable[[Any], Any]) -> None:
    """``out=``: the given tensors are filled and returned. For ``process`` see :func:`both`."""
    try:
        expected = function(arguments[0], *arguments[1], **arguments[2])
        out = map_tensors(torch.empty_like, expected)
        function(arguments[0], *arguments[1], **arguments[2], out=out)
    except Exception:
        raise Skip from None
    ours_in, ours_out = translate(arguments), translate(out)
    result = resolve(function)(ours_in[0], *ours_in[1], **ours_in[2], out=ours_out)
    equal_all("out=", flatten(process(expected)), flatten(resolve(process)(result)), False)
    for a, b in zip(flatten(result), flatten(ours_out), strict=True):
        assert a is b, "out=: the result is not the tensor given"


def run_errors(op: Any, name: str, report: Report) -> None:
    made = []
    for _ in range(2):  # one for each library: a call that fails may have resized its out=
        torch.manual_seed(0)
        try:
            made.append([sample.sample_input for sample in op.error_inputs("cpu")])
        except Exception:
            return
    for number, (sample, same) in enumerate(zip(*made, strict=True)):
        what = f"error #{number} {describe(sample)}"
        with report.check(name, "error", what):
            arguments = [(given.input, given.args, given.kwargs) for given in (sample, same)]
            raises_alike(op.op, *arguments)


def raises_alike(function: Any, arguments: Any, same: Any) -> None:
    try:
        call(function, arguments)
    except Exception as error:
        expected = error
    else:
        raise Skip
    ours_in = translate(same)
    ours_function = resolve(function)
    try:
        call(ours_function, ours_in)
    except type(expected):
        return
    except Exception as error:
        if isinstance(error, NotImplementedError) and isinstance(expected, RuntimeError):
            return
        raise AssertionError(
            f"{type(error).__name__} ({str(error)[:120]}), PyTorch {type(expected).__name__}: {expected}"
        ) from None
    raise AssertionError(f"no error; PyTorch: {type(expected).__name__}: {str(expected)[:150]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only ops whose name starts with one of these")
    parser.add_argument("--most", type=int, default=10_000, help="samples per op and dtype")
    parser.add_argument("--reasons", type=int, default=None, help="failures printed per op and kind")
    parser.add_argument("--skip-complex", action="store_true")
    parser.add_argument("--dtypes", nargs="+", default=None, help="only these, complex128 say")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    reasons = options.reasons if options.reasons is not None else (3 if options.names else 1)
    dtypes = [d for d in DTYPES if not (options.skip_complex and d.is_complex)]
    if options.dtypes is not None:
        dtypes = [getattr(torch, name) for name in options.dtypes]
    total, started = Report(), time.time()
    for op in op_db:
        if options.names and not any(full_name(op).startswith(name) for name in options.names):
            continue
        report = Report()
        try:
            run_op(op, report, dtypes, options.most)
        except Exception as error:
            report.failed[full_name(op), "samples"].append(f"{type(error).__name__}: {error}")
        total.take(report, reasons)
    summary(total, time.time() - started)


def summary(report: Report, seconds: float) -> None:
    failures = sum(map(len, report.failed.values()))
    kinds: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    for (_, kind), count in report.passed.items():
        kinds[kind][0] += count
    for (_, kind), messages in report.failed.items():
        kinds[kind][1] += len(messages)
    for kind, (passed, failed) in sorted(kinds.items()):
        print(f"{kind:24} {passed:6} passed {failed:6} failed")
    names = {name for name, _ in report.passed} | {name for name, _ in report.failed}
    whole = names - {name for name, _ in report.failed}
    print(f"without any failure: {len(whole)} of {len(names)} ({seconds:.0f} s)")
    print(f"{sum(report.passed.values())} passed, {failures} failed")


if __name__ == "__main__":
    main()
