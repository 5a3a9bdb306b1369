"""Wrong arguments for every op of PyTorch's database: PyTorch's value, or an error of its type that says what is wrong.

The good calls are PyTorch's own samples, up to three of each op that differ in their arguments' names; :mod:`tests.trust.wrong_values`
replaces one argument at a time. Every fourteenth change is tried, other ones for each op; ``TINYTORCH_CASES=all`` tries every one
(two minutes), and then what the table of differences lists and did not differ fails, too.
"""

from __future__ import annotations

import collections
import itertools
import os
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

from tests.databases.run_ops import describe_arguments, full_name
from tests.databases.translate import Untranslatable, resolve
from tests.databases.unsupported import REASONS
from tests.trust.bad_calls import Difference, compare_call
from tests.trust.differences import BAD_CALLS, is_fatal
from tests.trust.wrong_values import perturbed

EVERY = 1 if os.environ.get("TINYTORCH_CASES") == "all" else 14
SAMPLES = 3
#: Only ``torch.ops.aten`` has these, whose arguments' types are checked in C++.
INNER = (
    "_batch_norm_with_update",
    "_upsample_bilinear2d_aa",
    "max_pool2d_with_indices_backward",
    "native_dropout_backward",
    "slice",
)
OPS = [op for op in op_db if full_name(op) not in (*REASONS, *INNER) and op.supported_dtypes("cpu")]
#: Results that are whatever stood in memory.
OPEN = ("empty", "resize", "set_")

tried: collections.Counter[str] = collections.Counter()


def samples_of(op: Any) -> Iterator[Any]:
    """The first good calls of each form."""
    dtypes = op.supported_dtypes("cpu")
    dtype = torch.float64 if torch.float64 in dtypes else max(dtypes, key=str)
    torch.manual_seed(0)
    forms = set()
    try:
        for sample in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=False), 40):
            form = (len(sample.args), *sample.kwargs)
            if form not in forms:
                forms.add(form)
                yield sample
    except RuntimeError:  # a sample that PyTorch was not built for
        return


@pytest.mark.parametrize("op", OPS, ids=full_name)
def test_same_value_or_same_error(op: Any) -> None:
    name = full_name(op)
    try:
        ours = resolve(op.op)
    except Untranslatable as reason:
        pytest.skip(str(reason))
    undefined = op.has_nondeterministic_output or any(word in name for word in OPEN)
    wrong = []
    outcomes: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in itertools.islice(samples_of(op), SAMPLES):
            changes = perturbed((sample.input, *sample.args), sample.kwargs)
            for what, args, kwargs in itertools.islice(changes, zlib.crc32(name.encode()) % EVERY, None, EVERY):
                argument, _, change = what.partition(": ")
                if is_fatal(name, argument, change):
                    continue
                try:
                    tried[compare_call(op.op, ours, args, kwargs, undefined, name)] += 1
                except Untranslatable:
                    continue
                except Difference as difference:
                    outcomes[argument, change].add(difference.kind)
                    if BAD_CALLS.lists(difference.kind, name, argument, change):
                        tried[f"known to differ: {difference.kind}"] += 1
                    else:
                        wrong.append(
                            f"{difference.kind} | {what} {describe_arguments(args, kwargs)[:150]}: {difference}"
                        )
    assert not wrong, "\n".join(wrong)
    agree = BAD_CALLS.no_longer_needed(name, outcomes) if EVERY == 1 else []
    assert not agree, "these agree, and need not be listed in differences.txt:\n" + "\n".join(agree)


def test_listed_ops_are_tried() -> None:
    assert BAD_CALLS.ops() <= set(map(full_name, OPS))


def test_how_many() -> None:
    """Thousands of calls; ``pytest -rP`` prints the counts."""
    print(f"{sum(tried.values())} calls with a wrong argument tried in both libraries")
    for outcome, count in tried.most_common():
        print(f"  {count:6} {outcome}")
    if not os.environ.get("PYTEST_XDIST_WORKER") and len(tried) > 2:
        known = sum(count for outcome, count in tried.items() if outcome.startswith("known"))
        assert known < 0.1 * sum(tried.values())
