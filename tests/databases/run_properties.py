"""What else PyTorch's own test-suite asks of each op of its database (``op_db``), asked of both libraries.

    python -m tests.databases.run_properties                  # everything: what fails, and the shares
    python -m tests.databases.run_properties add sum --kinds dtypes out

``run_ops`` compares values, gradients and forms on the samples of the supported dtypes. Here:

- ``dtypes``: what each of the other dtypes gives, a result or an error; and whether gradients of float32 and float16 do.
- ``reference``: the larger set of samples that PyTorch compares with NumPy, and samples that are not contiguous.
- ``out``: tensors for the result of another shape, dtype or memory order, or that require grad.
- ``in place``: gradients through the in-place form, and what it refuses; ``aliases``; ``operators``; ``views``.
- ``promotion`` of pairs of dtypes and of Python numbers, for ops of two tensors; ``extremal`` values, for ops of one;
  ``reduction``: every kind of ``dim``, ``keepdim`` and ``dtype``, empty tensors.
- ``jvp``: derivatives in a direction, forward.

Where PyTorch raises an error, one of the same type has to be raised here.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import BinaryUfuncInfo, ReductionOpInfo, UnaryUfuncInfo

import tinytorch
from tests.databases.run_ops import (
    Report,
    Skip,
    as_it_is,
    both,
    describe,
    describe_arguments,
    equal_all,
    flatten,
    full_name,
    map_tensors,
    summary,
    tensors_of,
    without_grad,
)
from tests.databases.translate import resolve, to_numpy, translate

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
FLOATS = (torch.float16, torch.float32, torch.float64)
COMPLEX = (torch.complex64, torch.complex128)
DTYPES = (torch.bool, *INTEGERS, *FLOATS, *COMPLEX)
#: Numbers of Python that are combined with tensors.
NUMBERS = (True, 3, 2.5, 1 + 2j)


def alike(function: Any, arguments: Any, random: bool = False, process: Callable[[Any], Any] = as_it_is) -> None:
    """The same call in both libraries gives the same, or an error of the same type (or one derived from it).

    For ``process`` see :func:`both`.
    """
    ours_in, ours_function = translate(arguments), resolve(function)
    torch.manual_seed(7)
    try:
        theirs = flatten(process(called(function, arguments)))
    except Exception as expected:
        if "ComplexHalf" in str(expected):  # NumPy has no such dtype
            raise Skip from None
        try:
            called(ours_function, ours_in)
        except type(expected):
            return
        except Exception as error:
            raise AssertionError(f"{_line(error)}, PyTorch {_line(expected)}") from None
        raise AssertionError(f"no error; PyTorch {_line(expected)}") from None
    if any(isinstance(result, torch.Tensor) and result.dtype is torch.complex32 for result in theirs):
        raise Skip
    tinytorch.manual_seed(7)
    ours = flatten(resolve(process)(called(ours_function, ours_in)))
    equal_all("value", theirs, ours, random)


def called(function: Any, arguments: Any) -> Any:
    first, args, kwargs = arguments
    return function(first, *args, **kwargs)


def _line(error: Exception) -> str:
    return f"{type(error).__name__} ({str(error)[:120]})"


def samples(op: Any, dtype: torch.dtype, most: int, grad: bool = False, kind: str = "sample_inputs") -> Iterator[Any]:
    torch.manual_seed(0)
    np.random.seed(0)
    try:
        made = list(itertools.islice(getattr(op, kind)("cpu", dtype, requires_grad=grad), most))
    except Exception:
        return
    for sample in made:
        yield sample, (sample.input, sample.args, sample.kwargs)


# ------------------------------------------------------------------------------------------------------------ dtypes


def check_dtypes(op: Any, report: Report, most: int) -> None:
    name, supported = full_name(op), op.supported_dtypes("cpu")
    for dtype in DTYPES:
        kind = "dtype" if dtype in supported else "dtype refused"
        for sample, arguments in samples(op, dtype, most):
            with report.check(name, kind, f"{dtype} {describe(sample)}"):
                alike(op.op, without_grad(arguments), op.has_nondeterministic_output, sample.output_process_fn_grad)
        if dtype in (torch.float32, torch.float16, torch.complex64) and dtype in supported and op.supports_autograd:
            for sample, arguments in samples(op, dtype, most, grad=True):
                with report.check(name, "dtype backward", f"{dtype} {describe(sample)}"):
                    differentiable_alike(op, sample, arguments)


def differentiable_alike(op: Any, sample: Any, arguments: Any) -> None:
    """Backward runs in both libraries, or in neither, with gradients of the inputs' dtypes."""
    ours_in = translate(arguments)
    try:
        theirs = backward(called(op.op, arguments), arguments)
    except Exception:
        raise Skip from None
    ours = backward(called(resolve(op.op), ours_in), ours_in)
    assert ours == theirs, f"gradients {ours}, PyTorch {theirs}"


def backward(result: Any, arguments: Any) -> list[str]:
    results = [r for r in flatten(result) if hasattr(r, "requires_grad") and r.requires_grad]
    inputs = tensors_of(arguments)
    if not results or not inputs:
        raise Skip
    sum(r.sum().abs() for r in results).backward()  # type: ignore[attr-defined]
    return [str(i.grad.dtype) if i.grad is not None else "none" for i in inputs]


# ---------------------------------------------------------------------------------------------------- more samples


def check_reference(op: Any, report: Report, most: int) -> None:
    name = full_name(op)
    supported = op.supported_dtypes("cpu")
    random = op.has_nondeterministic_output
    for dtype in (torch.float64, torch.int64, torch.complex128, torch.bool, torch.float32):
        if dtype not in supported:
            continue
        for number, (sample, arguments) in enumerate(samples(op, dtype, most, kind="reference_inputs")):
            with report.check(name, "reference", f"{dtype} #{number} {describe(sample)}"):
                both(op.op, arguments, False, False, random, sample.output_process_fn_grad)
    for dtype in (torch.float64, torch.int64, torch.complex128):
        if dtype not in supported:
            continue
        differentiable = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
        for number, (sample, _) in enumerate(samples(op, dtype, most, grad=differentiable)):
            with report.check(name, "noncontiguous", f"{dtype} #{number} {describe(sample)}"):
                other = sample.noncontiguous()
                arguments = (other.input, other.args, other.kwargs)
                process, wrapper = sample.output_process_fn_grad, op.gradcheck_wrapper
                both(op.op, arguments, differentiable, False, random, process, wrapper)


# -------------------------------------------------------------------------------------------------------------- out=


def check_out(op: Any, report: Report, most: int) -> None:
    name = full_name(op)
    if (
        not op.supports_out or op.has_nondeterministic_output or name == "lu_unpack"
    ):  # PyTorch's writes where it should not
        return
    for dtype in (torch.float32, torch.int64, torch.complex64):
        if dtype not in op.supported_dtypes("cpu"):
            continue
        for sample, arguments in samples(op, dtype, most):
            arguments = without_grad(arguments)
            try:
                expected = called(op.op, arguments)
                assert all(isinstance(r, torch.Tensor) for r in flatten(expected))
            except Exception:
                continue
            for what, out in outs(expected):
                with report.check(name, f"out= {what.split()[0]}", f"{what} {dtype} {describe(sample)}"):
                    out_alike(op.op, arguments, out)


def outs(expected: Any) -> Iterator[tuple[str, Any]]:
    """Tensors for the result, as PyTorch's own test varies them."""
    yield "order reversed", map_tensors(_reversed_order, expected)
    yield "shape empty", map_tensors(lambda r: r.new_empty(0), expected)
    yield "shape other", map_tensors(lambda r: r.new_zeros((*r.shape, 2)), expected)
    for dtype in (torch.bool, torch.int32, torch.int64, torch.float32, torch.float64, torch.complex64):
        yield f"dtype {dtype}", map_tensors(lambda r: torch.zeros_like(r, dtype=dtype), expected)  # noqa: B023
    floats = [r for r in flatten(expected) if r.is_floating_point() or r.is_complex()]
    if len(floats) == len(flatten(expected)):
        yield "grad", map_tensors(lambda r: torch.zeros_like(r).requires_grad_(), expected)


def _reversed_order(result: torch.Tensor) -> torch.Tensor:
    return torch.zeros(result.shape[::-1], dtype=result.dtype).permute(tuple(range(result.ndim))[::-1])


def _rounded(tensor: Any) -> Any:
    """Results of single precision in a wider tensor, as single precision."""
    name = str(tensor.dtype)
    return tensor.float() if name == "torch.float64" else tensor.cfloat() if name == "torch.complex128" else tensor


def _resizable(out: torch.Tensor) -> torch.Tensor:
    return out.detach().clone().requires_grad_(out.requires_grad)


def out_alike(function: Any, arguments: Any, out: Any) -> None:
    ours_out = translate(out)
    out = map_tensors(_resizable, out)  # translated, it no longer is

    def with_warning(call: Any, given: Any, target: Any) -> bool:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            returned = call(given[0], *given[1], **given[2], out=target)
        for a, b in zip(flatten(returned), flatten(target), strict=True):
            assert a is b, "the result is not the tensor given"
        return any("was resized" in str(w.message) for w in caught)

    ours_in = translate(arguments)
    try:
        warned = with_warning(function, arguments, out)
    except AssertionError:
        raise Skip from None
    except Exception as expected:
        try:
            with_warning(resolve(function), ours_in, ours_out)
        except type(expected):
            return
        except Exception as error:
            raise AssertionError(f"{_line(error)}, PyTorch {_line(expected)}") from None
        raise AssertionError(f"no error; PyTorch {_line(expected)}") from None
    ours_warned = with_warning(resolve(function), ours_in, ours_out)
    single = any(
        t.dtype in (torch.float32, torch.complex64) for t in flatten(list(arguments)) if isinstance(t, torch.Tensor)
    )
    shown = [[_rounded(t.detach()) if single else t.detach() for t in flatten(value)] for value in (out, ours_out)]
    equal_all("out=", *shown, False)
    assert ours_warned == warned, f"warned of resizing: {ours_warned}, PyTorch {warned}"
    for a, b in zip(flatten(out), flatten(ours_out), strict=True):
        if a.numel() > 1:
            assert b.stride() == a.stride(), f"strides {b.stride()}, PyTorch {a.stride()}"


# --------------------------------------------------------------------------------- in place, aliases, operators, views


def check_forms(op: Any, report: Report, most: int) -> None:
    name, random = full_name(op), op.has_nondeterministic_output
    for dtype in (torch.float64, torch.int64, torch.complex128):
        if dtype not in op.supported_dtypes("cpu"):
            continue
        differentiable = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
        for sample, arguments in samples(op, dtype, most, grad=differentiable):
            where = f"{dtype} {describe(sample)}"
            for alias in op.aliases:
                for form in (alias.op, alias.method_variant, alias.inplace_variant):
                    if form is not None and (form is alias.op or isinstance(sample.input, torch.Tensor)):
                        with report.check(name, "aliases", f"{alias.name} {where}"):
                            alike(form, without_grad(arguments), random)
            for form in (op.operator_variant, op.inplace_operator_variant):
                if form is not None and not sample.kwargs and len(sample.args) < 2:
                    with report.check(name, "operators", f"{form} {where}"):
                        alike(form, without_grad(arguments), random)
            if op.inplace_variant is not None and isinstance(sample.input, torch.Tensor):
                with report.check(name, "in place refused", where):
                    alike(op.inplace_variant, without_grad(arguments), random)
                if differentiable and not sample.broadcasts_input:
                    with report.check(name, "in place gradient", where):
                        both(functools.partial(_on_a_copy, op.inplace_variant), arguments, True, False, random)
            if isinstance(sample.input, torch.Tensor):
                with report.check(name, "views", where):
                    views_alike(op, without_grad(arguments))


def _on_a_copy(function: Any, first: Any, *args: Any, **kwargs: Any) -> Any:
    return function(first.clone(), *args, **kwargs)


def views_alike(op: Any, arguments: Any) -> None:
    """The result shares memory with the input in both libraries, or in neither."""
    ours_in = translate(arguments)
    try:
        theirs = flatten(called(op.op, arguments))
    except Exception:
        raise Skip from None
    ours = flatten(called(resolve(op.op), ours_in))
    for a, b in zip(theirs, ours, strict=True):
        if isinstance(a, torch.Tensor) and a.numel():
            same = a.untyped_storage().data_ptr() == arguments[0].untyped_storage().data_ptr()
            if a.is_conj() or a.is_neg():
                continue
            ours_same = np.may_share_memory(to_numpy(b), to_numpy(ours_in[0]))
            assert ours_same == same, f"shares memory: {ours_same}, PyTorch {same}"


# ------------------------------------------------------------------------------------------------- families of ops


def check_promotion(op: Any, report: Report, most: int) -> None:
    """Dtypes of pairs of tensors (of dimensions 1 and 0), and of tensors with Python numbers, either way round."""
    if not isinstance(op, BinaryUfuncInfo):
        return
    name = full_name(op)
    for a, b in itertools.product(DTYPES, DTYPES):
        x, y = torch.tensor([1, 1, 0]).to(a), torch.tensor([1, 1, 1]).to(b)
        for first, second in ((x, y), (x, y[0]), (x[0], y)):
            with report.check(name, "promotion", f"{describe_arguments((first, second), {})}"):
                alike(op.op, (first, (second,), {}))
                if op.inplace_variant is not None and first.ndim:
                    alike(op.inplace_variant, (first.clone(), (second,), {}))
    for a, number in itertools.product(DTYPES, NUMBERS):
        for x in (torch.tensor([1, 2, 3]).to(a), torch.tensor(1).to(a)):
            with report.check(name, "promotion numbers", f"{describe_arguments((x, number), {})}"):
                alike(op.op, (x, (number,), {}))
            with report.check(name, "promotion numbers", f"{describe_arguments((number, x), {})}"):
                alike(op.op, (number, (x,), {}))
            if op.inplace_variant is not None:
                with report.check(name, "promotion numbers", f"in place {describe_arguments((x, number), {})}"):
                    alike(op.inplace_variant, (x.clone(), (number,), {}))


def check_extremal(op: Any, report: Report, most: int) -> None:
    if not isinstance(op, UnaryUfuncInfo):
        return
    name = full_name(op)
    kwargs = op.sample_kwargs("cpu", torch.float32, torch.zeros(1))[0]
    for dtype in op.supported_dtypes("cpu") & {*DTYPES}:
        for what, values in extremal(dtype):
            with report.check(name, f"extremal {what}", f"{dtype}"):
                both(op.op, (values, (), kwargs), False, False, False)


def extremal(dtype: torch.dtype) -> Iterator[tuple[str, torch.Tensor]]:
    if dtype is torch.bool:
        yield "bool", torch.tensor([True, False])
    elif not dtype.is_floating_point and not dtype.is_complex:
        limits = torch.iinfo(dtype)
        yield (
            "integers",
            torch.tensor([limits.min, limits.min + 1, -1 if limits.min else 0, 0, 1, limits.max], dtype=dtype),
        )
    else:
        real = torch.finfo(dtype)
        special = [0.0, -0.0, float("inf"), float("-inf"), float("nan")]
        large = [
            real.max,
            real.min,
            real.tiny,
            -real.tiny,
            real.eps,
            1.0,
            -1.0,
            0.5,
            -0.5,
            1e3,
            -1e3,
            1e4,
            -1e4,
            30,
            -30,
        ]
        if dtype.is_complex:
            yield "complex", torch.tensor([complex(a, b) for a in special for b in [*special, 1.0, -1.0]], dtype=dtype)
            parts = [real.max, 1.0, -1.0, 0.0, 1e3, -1e3]
            yield "complex large", torch.tensor([complex(a, b) for a in parts for b in parts], dtype=dtype)
        else:
            yield "special", torch.tensor(special, dtype=dtype)
            yield "large", torch.tensor(large, dtype=dtype)


def check_reduction(op: Any, report: Report, most: int) -> None:
    """Every kind of dim, with and without keepdim, on tensors of all sorts of shapes; and dtype=."""
    if not isinstance(op, ReductionOpInfo):
        return
    name = full_name(op)
    args, kwargs = next(iter(op.generate_args_kwargs(torch.ones(2, 3), dim=0, keepdim=False)))
    dims: list[Any] = [None, 0, -1, 1, (), (0,), (0, 1), [1, 0], (0, -1), (0, 0), 7, (-8,), True, 1.0]
    shapes = [(), (1,), (0,), (2, 3), (2, 0, 3), (3, 1, 2), (0, 0)]
    for dtype in op.supported_dtypes("cpu") & {torch.float32, torch.int64, torch.bool, torch.complex64}:
        for shape in shapes:
            x = torch.testing.make_tensor(shape, dtype=dtype, device="cpu", low=-3, high=3)
            for dim, keep in itertools.product([*dims, "none given"], (False, True, None)):
                given = dict(kwargs)
                if dim != "none given":
                    given["dim"] = dim
                if keep is not None:
                    given["keepdim"] = keep
                with report.check(name, "reduction", describe_arguments((x, *args), given)):
                    alike(op.op, (x, args, given))
        x = torch.testing.make_tensor((2, 3), dtype=dtype, device="cpu", low=0, high=3)
        for other in DTYPES:
            for given in ({"dtype": other}, {"dtype": other, "dim": 0}):
                with report.check(name, "reduction dtype", describe_arguments((x, *args), {**kwargs, **given})):
                    alike(op.op, (x, args, {**kwargs, **given}))


def check_jvp(op: Any, report: Report, most: int) -> None:
    if not op.supports_forward_ad or op.has_nondeterministic_output:
        return
    for sample, arguments in samples(op, torch.float64, most, grad=True):
        with report.check(full_name(op), "jvp", describe(sample)):
            theirs, ours = ([], []), ([], [])  # type: ignore[var-annotated]
            for tensor in tensors_of(arguments):
                value = tensor.detach()
                tangent = torch.from_numpy(np.random.default_rng(0).standard_normal(tuple(value.shape)))
                for found, pair in ((theirs, (value, tangent)), (ours, (translate(value), translate(tangent)))):
                    found[0].append(pair[0])
                    found[1].append(pair[1])
            process = sample.output_process_fn_grad
            jvp_alike(op.op, arguments, theirs, ours, process, op.gradcheck_wrapper)


def jvp_alike(function: Any, arguments: Any, theirs: Any, ours: Any, process: Any, wrapper: Any) -> None:
    def called_with(function: Any, process: Any, wrapper: Any, given: Any, tensor_type: type) -> Any:
        """The function of those of its arguments that require grad."""

        def of_tensors(*tensors: Any) -> Any:
            rest = iter(tensors)
            first, args, kwargs = _replaced(given, lambda t: next(rest) if t.requires_grad else t, tensor_type)
            results = flatten(process(wrapper(function, first, *args, **kwargs)))
            return tuple(r for r in results if isinstance(r, tensor_type) and r.dtype.is_floating_point)

        return of_tensors

    ours_given = translate(arguments)
    try:
        call = called_with(function, process, wrapper, arguments, torch.Tensor)
        _, expected = torch.func.jvp(call, tuple(theirs[0]), tuple(theirs[1]))
    except Exception:
        raise Skip from None
    call = called_with(resolve(function), resolve(process), resolve(wrapper), ours_given, tinytorch.Tensor)
    _, found = tinytorch.func.jvp(call, tuple(ours[0]), tuple(ours[1]))
    equal_all("jvp", list(expected), list(found), False)


def _replaced(value: Any, function: Any, tensor_type: type) -> Any:
    if isinstance(value, tensor_type):
        return function(value)
    if isinstance(value, (list, tuple)) and not isinstance(value, (torch.Size, tinytorch.Size)):
        return type(value)(_replaced(item, function, tensor_type) for item in value)
    if isinstance(value, dict):
        return {key: _replaced(item, function, tensor_type) for key, item in value.items()}
    return value


CHECKS: dict[str, Callable[[Any, Report, int], None]] = {
    "dtypes": check_dtypes,
    "reference": check_reference,
    "out": check_out,
    "forms": check_forms,
    "promotion": check_promotion,
    "extremal": check_extremal,
    "reduction": check_reduction,
    "jvp": check_jvp,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only ops whose name starts with one of these")
    parser.add_argument("--kinds", nargs="+", default=list(CHECKS), choices=list(CHECKS))
    parser.add_argument("--most", type=int, default=10_000, help="samples per op and dtype")
    parser.add_argument("--reasons", type=int, default=2, help="failures printed per op and kind")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    total, started = Report(), time.time()
    for op in op_db:
        if options.names and not any(full_name(op).startswith(name) for name in options.names):
            continue
        report = Report()
        for kind in options.kinds:
            try:
                CHECKS[kind](op, report, options.most)
            except Exception as error:
                report.failed[full_name(op), f"{kind}: samples"].append(f"{type(error).__name__}: {error}")
        total.take(report, options.reasons)
    summary(total, time.time() - started)


if __name__ == "__main__":
    main()
