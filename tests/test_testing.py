"""``assert_close`` passes, fails and words its message as PyTorch's; ``make_tensor`` gives the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

CALLS = """
t([1., 2.]), t([1., 2.])
t([1., 2., 3.]), t([1., 2.5, 3.])
t([[1., 2.], [3., 4.]]), t([[1., 2.], [3., 5.]])
t([1., 2.]), t([1., 2.]) + 1e-6
t([1., 2.]), t([1., 2.00001])
t([1., 2.]), t([1., 2., 3.])
t([1., 2.]), t([1., 2.]).double()
t([1., 2.]), t([1., 2.]).double(), check_dtype=False
t([1., 2.]), t([1., 3.]), rtol=0, atol=2
t([1., 2.]), t([1., 3.]), rtol=0, atol=.5
t([1., 2.]), t([1., 2.]), rtol=0
t([1, 2]), t([1, 4])
t([True, False]), t([True, True])
t([1., float('nan')]), t([1., float('nan')])
t([1., float('nan')]), t([1., float('nan')]), equal_nan=True
t([float('inf'), 1.]), t([float('inf'), 1.])
t(1.), t(2.)
t(1), t(2)
t([]), t([])
1., 1.
1., 2.
1, 2
1, 1.
1., float('nan')
[1., 2.], [1., 2.1]
[1., 2.], [1.]
[t([1.]), [t([2.])]], [t([1.]), [t([3.])]]
{'a': t([1.])}, {'a': t([1.])}
{'a': t([1.]), 'b': 2.}, {'a': t([1.]), 'b': 3.}
{'a': 1.}, {'b': 1.}
np.ones(2), np.ones(2)
np.ones(2), np.zeros(2)
t([1.]), None
None, None
'a', 'a'
t([1.]), t([2.]), msg='mine'
t([1.]), t([2.]), msg=lambda text: 'mine: ' + text
t([1 + 2j]), t([1 + 3j])
t([1.]), 1.
t([[1., 2.], [3., 4.]]).t(), t([[1., 3.], [2., 4.]]), check_stride=True
t([1., 2.], requires_grad=True), t([1., 2.])
"""


def _outcome(library: Any, call: str) -> Any:
    try:
        eval(f"assert_close({call})", {"assert_close": library.testing.assert_close, "t": library.tensor, "np": np})
    except Exception as error:
        return type(error), str(error).replace("tinytorch", "torch") if isinstance(error, AssertionError) else None
    return None


def test_the_same_outcome_and_message() -> None:
    for call in CALLS.strip().splitlines():
        assert (call, _outcome(tinytorch, call)) == (call, _outcome(torch, call))
    torch.testing.assert_allclose([1.0], torch.ones(1).double())
    tinytorch.testing.assert_allclose([1.0], tinytorch.ones(1).double())
    with pytest.raises(AssertionError):
        tinytorch.testing.assert_allclose([1.0], tinytorch.zeros(1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64", "uint8", "bool", "int16"])
def test_make_tensor(dtype: str) -> None:
    for options in ({}, {"low": 1, "high": 5}, {"noncontiguous": True}, {"exclude_zero": True}):
        if dtype == "bool" and options:
            continue
        results = []
        for library in (torch, tinytorch):
            library.manual_seed(3)
            results.append(library.testing.make_tensor((3, 4), dtype=getattr(library, dtype), device="cpu", **options))
        theirs, mine = results
        assert mine.shape == theirs.shape and mine.is_contiguous() == theirs.is_contiguous()
        assert str(mine.dtype) == str(theirs.dtype)
        if "noncontiguous" not in options:
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    assert tinytorch.testing.make_tensor(2, 3, dtype=tinytorch.float32, device="cpu", requires_grad=True).requires_grad
