"""Every layer of PyTorch's own database of modules (``module_db``), built and run in both libraries, and compared.

    python -m tests.databases.run_modules               # everything: what fails, and the shares
    python -m tests.databases.run_modules Conv Lazy     # layers whose name starts so, with every failure's reason

For each layer and sample, built from the same seed: its printed form; its ``state_dict`` (keys, shapes, dtypes and values),
before and after a step; the output in training and in evaluation; the gradients of inputs and parameters, and their
gradients where PyTorch has them; and for each of PyTorch's wrong inputs, that it raises an error of PyTorch's type.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import tinytorch
from tests.databases.run_ops import (
    Report,
    Skip,
    describe_arguments,
    equal,
    equal_all,
    flatten,
    gradients,
    summary,
    tensors_of,
)
from tests.databases.translate import named, translate

DTYPES = (torch.float64, torch.float32)


def run_module(info: Any, report: Report, dtypes: Any = DTYPES, most: int = 10_000) -> None:
    """All checks of one layer."""
    name = info.module_cls.__name__
    for dtype in dtypes:
        for training in (True, False):
            torch.manual_seed(0)
            samples = info.module_inputs_func(info, "cpu", dtype, requires_grad=True, training=training)
            for number, sample in enumerate(itertools.islice(samples, most)):
                mode = "training" if training else "evaluation"
                built = sample.constructor_input
                where = f"{str(dtype)[6:]} {mode} #{number} {describe_arguments(built.args, built.kwargs)} "
                given = sample.forward_input
                if given is not None:
                    where += describe_arguments(given.args, given.kwargs)
                run_sample(info, name, sample, dtype, training, where, report)
    run_errors(info, name, report)


def build(cls: Any, sample: Any, dtype: torch.dtype, training: bool) -> tuple[Any, Any]:
    """The layer in both libraries, from the same seed."""
    args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
    ours_args, ours_kwargs = translate(args), translate(kwargs)
    torch.manual_seed(3)
    try:
        theirs = cls(*args, **kwargs).to(dtype).train(training)
    except Exception:
        raise Skip from None
    tinytorch.manual_seed(3)
    ours = named(f"nn.{cls.__name__}", cls)(*ours_args, **ours_kwargs).to(translate(dtype)).train(training)
    return theirs, ours


def run_sample(
    info: Any, name: str, sample: Any, dtype: torch.dtype, training: bool, where: str, report: Report
) -> None:
    made: list[tuple[Any, Any]] = []
    with report.check(name, "construction", where):
        made.append(build(info.module_cls, sample, dtype, training))
        theirs, ours = made[0]
        assert repr(ours) == repr(theirs), f"printed {ours!r}, PyTorch {theirs!r}"
        same_state("state_dict", theirs, ours)
    if not made or sample.forward_input is None:
        return
    theirs, ours = made[0]
    with report.check(name, "training" if training else "evaluation", where):
        forward(theirs, ours, sample, training, info.supports_gradgrad and dtype is torch.float64)
    with report.check(name, "state afterwards", where):
        assert repr(ours) == repr(theirs), f"printed {ours!r}, PyTorch {theirs!r}"
        same_state("state_dict afterwards", theirs, ours)


def same_state(what: str, theirs: Any, ours: Any) -> None:
    """The same state_dict; a parameter without a shape (of a lazy layer) on both sides."""
    a, b = theirs.state_dict(), ours.state_dict()
    assert list(a) == list(b), f"{what}: keys {list(b)}, PyTorch {list(a)}"
    for key, value in a.items():
        if torch.nn.parameter.is_lazy(value):
            assert type(b[key]).__name__ == type(value).__name__, f"{what}: {key} is {type(b[key])}"
        else:
            equal(f"{what}: {key}", value, b[key])


def forward(theirs: Any, ours: Any, sample: Any, training: bool, second: bool) -> None:
    """One call in both libraries, and its gradients."""
    args, kwargs = sample.forward_input.args, sample.forward_input.kwargs
    ours_args, ours_kwargs = translate(args), translate(kwargs)
    torch.manual_seed(4)
    try:
        their_results = flatten(theirs(*args, **kwargs))
    except Exception:
        raise Skip from None
    tinytorch.manual_seed(4)
    our_results = flatten(ours(*ours_args, **ours_kwargs))
    equal_all("value", their_results, our_results, False)
    from_theirs = [*tensors_of([args, kwargs]), *theirs.parameters()]
    from_ours = [*tensors_of([ours_args, ours_kwargs]), *ours.parameters()]
    gradients(their_results, our_results, from_theirs, from_ours, second)


def run_errors(info: Any, name: str, report: Report) -> None:
    if info.module_error_inputs_func is None:
        return
    torch.manual_seed(0)
    samples = info.module_error_inputs_func(info, "cpu", torch.float64, requires_grad=False, training=True)
    for number, error in enumerate(samples):
        sample = error.module_error_input
        built = sample.constructor_input
        where = f"error #{number} {describe_arguments(built.args, built.kwargs)}"
        with report.check(name, "error", where):
            _raises_alike(info.module_cls, sample, error)


def _raises_alike(cls: Any, sample: Any, error: Any) -> None:
    ours = named(f"nn.{cls.__name__}", cls)
    args, kwargs = translate(sample.constructor_input.args), translate(sample.constructor_input.kwargs)
    try:
        layer = ours(*args, **kwargs)
        if error.error_on == ModuleErrorEnum.FORWARD_ERROR:
            layer(*translate(sample.forward_input.args), **translate(sample.forward_input.kwargs))
    except error.error_type:
        return
    except Exception as raised:
        raise AssertionError(
            f"{type(raised).__name__} ({str(raised)[:120]}), PyTorch {error.error_type.__name__}: {error.error_regex}"
        ) from None
    raise AssertionError(f"no error; PyTorch {error.error_type.__name__}: {error.error_regex}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only layers whose name starts with one of these")
    parser.add_argument("--reasons", type=int, default=2, help="failures printed per layer and kind")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    total, started = Report(), time.time()
    for info in module_db:
        if options.names and not info.module_cls.__name__.startswith(tuple(options.names)):
            continue
        report = Report()
        run_module(info, report)
        total.take(report, options.reasons)
    summary(total, time.time() - started)


if __name__ == "__main__":
    main()
