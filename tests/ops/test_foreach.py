"""The functions over lists of tensors (``torch._foreach_add`` and its kin) beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch import foreach

ONE = """abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal round
rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"""
CALLS = """
add(a,b) ; add(a,b,alpha=2) ; add(a,1.5) ; add(a,[1,2]) ; sub(a,b,alpha=3) ; sub(a,2) ; mul(a,b) ; mul(a,3) ; mul(a,s)
mul(a,[2,.5]) ; div(a,b) ; div(a,4) ; div(a,[2,4]) ; addcmul(a,b,b) ; addcmul(a,b,b,2) ; addcmul(a,b,b,value=.5)
addcmul(a,b,b,[1,2]) ; addcmul(a,b,b,two) ; addcdiv(a,b,b,.5) ; addcdiv(a,b,a,[1,2]) ; lerp(a,b,.3) ; lerp(a,b,b)
lerp(a,b,[.1,.2]) ; pow(a,2) ; pow(a,b) ; pow(a,[1,2]) ; maximum(a,b) ; maximum(a,.5) ; minimum(a,b) ; minimum(a,[0,1])
clamp_min(a,.5) ; clamp_max(a,b) ; norm(a) ; norm(a,1) ; norm(a,ord=float("inf")) ; max(a) ; clone(a) ; pow(2,a)
copy_(a,b) ; zero_(a)
"""
NO_PLACE = ("norm", "max", "clone", "pow(2")


def _run(library: Any, call: str) -> Any:
    rng = np.random.default_rng(0)
    a, b = ([library.from_numpy(rng.uniform(0.1, 0.9, shape)) for shape in ((2, 3), (4,))] for _ in range(2))
    names = {"a": a, "b": b, "s": library.tensor(2.0), "two": library.tensor([1.0, 2.0])}
    result = eval(f"T._foreach_{call}", {"T": library, **names})
    return type(result), [each.numpy() for each in result], [each.numpy() for each in a]


@pytest.mark.parametrize("line", [*CALLS.strip().splitlines(), " ; ".join(f"{name}(a)" for name in ONE.split())])
def test_beside_pytorch(line: str) -> None:
    for call in line.split(" ; "):
        variants = [call] if call.startswith(NO_PLACE) or "_(" in call else [call, call.replace("(", "_(", 1)]
        for each in variants:
            expected, got = _run(torch, each), _run(tinytorch, each)
            assert got[0] is expected[0], each
            for x, y in zip(got[1] + got[2], expected[1] + expected[2], strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-6, err_msg=each)
                assert x.dtype == y.dtype, each


def test_bad_lists() -> None:
    for library in (torch, tinytorch):
        with pytest.raises(RuntimeError, match="at least one tensor"):
            library._foreach_abs([])
        with pytest.raises(RuntimeError, match="same number of tensors"):
            library._foreach_add_([library.ones(1)], [library.ones(1)] * 2)


def test_all_of_them_are_compared() -> None:
    compared = set(ONE.split()) | {call.split("(")[0].rstrip("_") for call in CALLS.replace("\n", " ; ").split(" ; ")}
    own = {name.removeprefix("_foreach_").rstrip("_") for name in vars(foreach) if name.startswith("_foreach_")}
    assert own <= compared
