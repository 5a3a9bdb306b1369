"""Random calls: hypothesis draws an op, one of PyTorch's samples, dtypes, memory layouts, a change of one argument; value, gradient, and
whether it raises are compared with PyTorch.

A hundred draws a run, the same ones each time; ``TINYTORCH_CASES=N`` draws N (``all``: 20,000). A failure is shrunk and printed with the seed that repeats it.
"""

from __future__ import annotations

import collections
import itertools
import os
import warnings
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases.run_ops import Skip, both, full_name, map_tensors
from tests.databases.translate import Untranslatable, resolve
from tests.databases.unsupported import REASONS
from tests.trust.bad_calls import Difference, compare_call
from tests.trust.differences import is_fatal, is_known
from tests.trust.test_bad_calls import OPEN, OPS
from tests.trust.wrong_values import perturbed

ASKED = os.environ.get("TINYTORCH_CASES", "100")
DRAWS = 20_000 if ASKED == "all" else int(ASKED)
DTYPES = (torch.float64, torch.float32, torch.int64, torch.complex128)

#: Memory layouts: the same numbers lying differently. (Negative strides are refused, as PyTorch refuses them.)
LAYOUTS = {
    "as it is": lambda t: t,
    "columns": lambda t: t.mT.contiguous().mT if t.ndim > 1 else t,
    "gaps": lambda t: t.repeat_interleave(2, -1)[..., ::2] if t.ndim else t,
    "offset": lambda t: torch.cat([t.new_zeros((1, *t.shape[1:])), t])[1:] if t.ndim else t,
    "reversed dims": lambda t: t.permute(*range(t.ndim)[::-1]).contiguous().permute(*range(t.ndim)[::-1]) if t.ndim else t,
    "expanded": lambda t: t[:1].expand(t.shape) if t.ndim and t.shape[0] else t,
}  # fmt: skip
#: Samples whose numbers stand in a certain relation (factors of a matrix, sorted boundaries), which a layout that changes them breaks.
KEEPS_NUMBERS = tuple(name for name in LAYOUTS if name != "expanded")

tried: collections.Counter[str] = collections.Counter()


@st.composite
def calls(draw: Any) -> tuple[Any, ...]:
    """(op, dtype, what was changed, whether to differentiate, arguments, what takes away from the result what is arbitrary)."""
    op = draw(st.sampled_from(OPS))
    dtypes = [dtype for dtype in DTYPES if dtype in op.supported_dtypes("cpu")]
    dtype = draw(st.sampled_from(dtypes or [min(op.supported_dtypes("cpu"), key=str)]))
    gradient = op.supports_autograd and dtype in op.supported_backward_dtypes("cpu") and dtype == torch.float64
    torch.manual_seed(draw(st.integers(0, 3)))
    sample = _sample(op, dtype, gradient, draw(st.integers(0, 5)))
    if sample is None:
        return op, dtype, "no sample", False, (), {}, None
    layout = draw(st.sampled_from(KEEPS_NUMBERS))
    args, kwargs = map_tensors(lambda t: _laid_out(t, layout), ((sample.input, *sample.args), sample.kwargs))
    if draw(st.booleans()):
        return op, dtype, f"memory: {layout}", gradient, args, kwargs, sample.output_process_fn_grad
    try:
        changes = list(perturbed(args, kwargs))
    except (RuntimeError, TypeError):  # floats of 8 bits, which PyTorch itself cannot fill with infinities
        return op, dtype, "no sample", False, (), {}, None
    what, args, kwargs = draw(st.sampled_from(changes))
    return op, dtype, what, False, args, kwargs, None


def _sample(op: Any, dtype: torch.dtype, gradient: bool, number: int) -> Any:
    try:
        samples = list(itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=gradient), number + 1))
    except RuntimeError:
        return None
    return samples[-1] if samples else None


def _laid_out(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or not tensor.numel():
        return tensor
    return LAYOUTS[layout](tensor.detach()).requires_grad_(tensor.requires_grad)


@settings(
    max_examples=DRAWS,
    deadline=None,
    derandomize=ASKED == "100",
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(calls())
def test_random_call(call: Any) -> None:
    op, dtype, what, gradient, args, kwargs, process = call
    name = full_name(op)
    argument, _, change = what.partition(": ")
    if (
        what == "no sample"
        or is_fatal(name, argument, change)
        or any(f"{name} [{kind} {str(dtype)[6:]}]" in REASONS for kind in ("value", "gradient"))
    ):
        return
    random = op.has_nondeterministic_output or any(word in name for word in OPEN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if argument == "memory":
                both(op.op, (args[0], args[1:], kwargs), gradient, False, random, process, op.gradcheck_wrapper)
                tried["gradient" if gradient else "value"] += 1
                return
            tried[compare_call(op.op, resolve(op.op), args, kwargs, random)] += 1
        except (Untranslatable, Skip):
            tried["PyTorch has no answer, or one that NumPy cannot hold"] += 1
        except Difference as difference:
            tried["known to differ"] += 1
            if dtype == torch.float64 and not is_known(difference.kind, name, argument, change):
                raise


def test_how_many() -> None:
    """``pytest -rP`` prints the counts."""
    print(f"{sum(tried.values())} random calls tried in both libraries")
    for outcome, count in tried.most_common():
        print(f"  {count:6} {outcome}")
