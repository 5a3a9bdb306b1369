"""Random calls: an op, one of PyTorch's samples, a dtype, a memory layout or a change of one argument; what PyTorch makes of each, compared.

    python -m tests.trust.random_calls --cases 20000 --seed 1     # every difference, once per op and kind
    python -m tests.trust.random_calls --seed 1 --only 4711       # that one call, with its arguments and the traceback

A call is drawn by ``choose``, which takes one of several things: hypothesis's in the suite, a random number generator's here, where each call
has its own seed, so that each can be repeated alone.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import itertools
import random
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from tests.databases.run_ops import Skip, both, describe_arguments, full_name, map_tensors
from tests.databases.translate import Untranslatable, resolve
from tests.databases.unsupported import REASONS
from tests.trust.bad_calls import Difference, compare_call
from tests.trust.differences import BAD_CALLS, RANDOM_CALLS, is_fatal
from tests.trust.test_bad_calls import OPEN, OPS
from tests.trust.wrong_values import perturbed

__all__ = ["Call", "Collected", "collect", "outcome", "random_call"]

DTYPES = (torch.float64, torch.float32, torch.int64, torch.complex128)

#: Memory layouts: the same numbers lying differently. (Negative strides are refused, as PyTorch refuses them.)
LAYOUTS = {
    "as it is": lambda t: t,
    "columns": lambda t: t.mT.contiguous().mT if t.ndim > 1 else t,
    "gaps": lambda t: t.repeat_interleave(2, -1)[..., ::2] if t.ndim else t,
    "offset": lambda t: torch.cat([t.new_zeros((1, *t.shape[1:])), t])[1:] if t.ndim else t,
    "reversed dims": lambda t: t.permute(*range(t.ndim)[::-1]).contiguous().permute(*range(t.ndim)[::-1]) if t.ndim else t,
}  # fmt: skip

Choose = Callable[[Sequence[Any]], Any]


@dataclasses.dataclass
class Call:
    """One call: ``argument`` is what was changed ("memory": only where the numbers lie), and ``change`` into what."""

    op: Any
    dtype: torch.dtype
    argument: str
    change: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    process: Callable[[Any], Any] | None = None  # takes away from the result what is arbitrary
    gradient: bool = False

    @property
    def name(self) -> str:
        return full_name(self.op)

    def __str__(self) -> str:
        return f"{self.name}{describe_arguments(self.args, self.kwargs)[:200]} | {self.argument} | {self.change}"


def random_call(choose: Choose) -> Call | None:
    """A call, or None if PyTorch has no sample of it, or must not be asked."""
    op = choose(OPS)
    supported = op.supported_dtypes("cpu")
    dtype = choose([dtype for dtype in DTYPES if dtype in supported] or [min(supported, key=str)])
    gradient = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu") and dtype == torch.float64
    torch.manual_seed(choose(range(4)))
    sample = _sample(op, dtype, gradient, choose(range(6)))
    if sample is None or any(f"{full_name(op)} [{kind} {str(dtype)[6:]}]" in REASONS for kind in ("value", "gradient")):
        return None
    layout = choose(sorted(LAYOUTS))
    args, kwargs = map_tensors(lambda t: _laid_out(t, layout), ((sample.input, *sample.args), sample.kwargs))
    if choose((True, False)):
        return Call(op, dtype, "memory", layout, args, kwargs, sample.output_process_fn_grad, gradient)
    try:
        changes = list(perturbed(args, kwargs))
    except (RuntimeError, TypeError):  # floats of 8 bits, which PyTorch itself cannot fill with infinities
        return None
    what, args, kwargs = choose(changes)
    argument, _, change = what.partition(": ")
    return None if is_fatal(full_name(op), argument, change) else Call(op, dtype, argument, change, args, kwargs)


def _sample(op: Any, dtype: torch.dtype, gradient: bool, number: int) -> Any:
    before = random.getstate()
    random.seed(0)  # some samples are drawn with Python's generator
    try:
        samples = list(itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=gradient), number + 1))
    except RuntimeError:
        return None
    finally:
        random.setstate(before)
    return samples[-1] if samples else None


def _laid_out(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or not tensor.numel():
        return tensor
    return LAYOUTS[layout](tensor.detach()).requires_grad_(tensor.requires_grad)


def outcome(call: Call) -> str:
    """How the two libraries agree; raises :class:`Difference`."""
    undefined = call.op.has_nondeterministic_output or any(word in call.name for word in OPEN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if call.argument != "memory":
                return compare_call(call.op.op, resolve(call.op.op), call.args, call.kwargs, undefined, call.name)
            arguments = (call.args[0], call.args[1:], call.kwargs)
            both(call.op.op, arguments, call.gradient, False, undefined, call.process, call.op.gradcheck_wrapper)
        except (Untranslatable, Skip):
            return "PyTorch has no answer, or one that NumPy cannot hold"
        except AssertionError as error:
            raise Difference(str(error).partition(":")[0], str(error)) from None
        except Difference:
            raise
        except Exception as error:
            raise Difference(
                "refuses", f"{type(error).__name__}({str(error)[:200]!r}); PyTorch has an answer"
            ) from error
    return "same gradient" if call.gradient else "same value"


def is_known(call: Call, difference: Difference) -> bool:
    """Whether one of the tables lists the difference."""
    return any(
        table.lists(difference.kind, call.name, call.argument, call.change) for table in (BAD_CALLS, RANDOM_CALLS)
    )


@dataclasses.dataclass
class Collected:
    """The outcomes of many calls, and each difference that the table does not list, by kind and op."""

    seed: int
    tried: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    differences: dict[tuple[str, str], list[str]] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        agreed = sum(count for outcome, count in self.tried.items() if not outcome.startswith(("differs", "known")))
        counts = "\n".join(f"  {count:6} {outcome}" for outcome, count in self.tried.most_common())
        return (
            f"{self.tried.total()} random calls from seed {self.seed} tried in both libraries, {agreed} agree\n{counts}"
        )

    def listing(self) -> str:
        """What differs, with the line that repeats each."""
        return "\n".join(
            f"[{kind}] {len(calls)} of {op}, such as {calls[0]}"
            for (kind, op), calls in sorted(self.differences.items())
        )


def numbered_call(seed: int, number: int) -> Call | None:
    """Call ``number`` of those that ``seed`` gives."""
    return random_call(random.Random(f"{seed} {number}").choice)


def collect(cases: int, seed: int) -> Collected:
    """Try that many calls, whatever the outcome."""
    found = Collected(seed)
    number = 0
    while found.tried.total() < cases:
        call = numbered_call(seed, number)
        number += 1
        if call is None:
            continue
        try:
            found.tried[outcome(call)] += 1
        except Difference as difference:
            if is_known(call, difference):
                found.tried[f"known to differ: {difference.kind}"] += 1
                continue
            found.tried[f"differs: {difference.kind}"] += 1
            again = f"python -m tests.trust.random_calls --seed {seed} --only {number - 1}"
            said = f"{call}\n    {difference}\n    {again}"
            found.differences.setdefault((difference.kind, call.name), []).append(said)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, default=None, help="the number of one call")
    options = parser.parse_args()
    if options.only is not None:
        call = numbered_call(options.seed, options.only)
        print(call)
        print(call.args, call.kwargs)
        try:
            print(outcome(call))
        except Difference as difference:
            traceback.print_exception(difference)
        return
    found = collect(options.cases, options.seed)
    print(found.listing(), found, sep="\n")


if __name__ == "__main__":
    main()
