"""Random calls: value, gradients, and whether it raises, as in PyTorch.

A hundred calls that hypothesis draws, the same ones each time; the first difference is shrunk. ``TINYTORCH_CASES=N`` (``all``: 20,000) draws
N instead, from ``TINYTORCH_SEED`` on, and prints all that differ, each with the line that repeats it: :mod:`tests.trust.random_calls`.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trust.bad_calls import Difference
from tests.trust.random_calls import Call, collect, is_known, outcome, random_call

ASKED = os.environ.get("TINYTORCH_CASES")
SEED = int(os.environ.get("TINYTORCH_SEED", "0"))


@st.composite
def calls(draw: Any) -> Call | None:
    return random_call(lambda items: draw(st.sampled_from(items)))


@pytest.mark.skipif(ASKED is not None, reason="more of them are asked for")
@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(calls())
def test_random_call(call: Call | None) -> None:
    if call is None:
        return
    try:
        outcome(call)
    except Difference as difference:
        if not is_known(call, difference):
            raise


@pytest.mark.skipif(ASKED is None, reason="TINYTORCH_CASES=N says how many")
def test_many_random_calls() -> None:
    """``pytest -rP`` prints the counts."""
    found = collect(20_000 if ASKED == "all" else int(ASKED or 0), SEED)
    print(found)
    assert not found.differences, found.listing()
