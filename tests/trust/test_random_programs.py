"""Random programs: tensors, gradients and errors as in PyTorch after every statement.

Sixty programs a run, always the same; ``TINYTORCH_CASES=N`` tries N (``all``: 20,000), from ``TINYTORCH_SEED`` on. A difference is printed with the
statements that it needs.
"""

from __future__ import annotations

import os

import pytest

from tests.trust.random_programs import first_difference, program, shorter

ASKED = os.environ.get("TINYTORCH_CASES", "60")
FIRST = int(os.environ.get("TINYTORCH_SEED", "0"))
PROGRAMS = range(FIRST, FIRST + (20_000 if ASKED == "all" else int(ASKED)))


@pytest.mark.parametrize("part", range(4))
def test_random_programs(part: int) -> None:
    different = []
    for seed in PROGRAMS[part::4]:
        statements = program(seed)
        found = first_difference(statements)
        if found:
            needed = "\n    ".join(shorter(statements, found))
            different.append(f"seed {seed}: {found[1]}\n    {needed}")
    assert not different, "\n".join(different)


def test_a_difference_is_found_and_shortened() -> None:
    """The comparison compares: a program that asks which library it runs in."""
    statements = [*program(3, 2), "a = new((2,), False)", "a *= 2 if T.__name__ == 'torch' else 3", "b = a + 1"]
    found = first_difference(statements)
    assert found is not None and found[1].startswith("a: ")
    assert shorter(statements, found)[-2:] == statements[-3:-1]
