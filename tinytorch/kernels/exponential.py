"""e^x and its logarithm in single precision at twice NumPy's speed.

(After: `loops`. Next: `elementwise`.)

NumPy's own `exp` takes 0.46 ns a number on a processor with AVX-512; its `exp2`, which comes from a vendor's library
there, 0.21. As e^x is 2^(x / ln 2), a multiplication makes the one from the other; and most formulas multiply x by
something anyway, if only by -1.

What it costs. x / ln 2 is rounded, and that error is one of the result's exponent: up to |x| units in the last place.
(The sigmoid of an x near 10 is within 10^-4 of 0 or 1; where it matters more, as in a softmax, x is kept small.) And
results that are no normal numbers, 0 and ∞ above all, are taken one by one, twenty times as slowly. So a look at the
first few numbers tells whether there are more than a handful of them, and then `np.exp` does it. Who expects many in
one place (the e^-∞ of masks in a softmax) looks at all first, whether they are above `LOWEST`.

Where `exp2` has no such loops, `np.exp` and `np.log` are called.

>>> x = np.array([0.0, 1.0, -2.0], np.float32)
>>> exp(x, np.empty_like(x), -0.5).round(4)
array([1.    , 0.6065, 2.7183], dtype=float32)
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from tinytorch.kernels.memory import Array

__all__ = ["LOWEST", "exp", "exp2_is_fast", "log"]

SMALL = 1 << 12
"""Elements up to which one call less is worth more."""
FEW = 1 << 12
"""Elements that are looked at."""
LOWEST = -87.0
"""e^x is a normal number from here on."""


def exp(x: Array, out: Array, factor: float = 1.0) -> Array:
    """out = e^(factor · x); `out` may be `x`. In double precision it is `np.exp`."""
    if x.size > SMALL and x.dtype == np.float32 and exp2_is_fast():
        np.multiply(x, x.dtype.type(factor / math.log(2)), out=out)
        head = out[: len(out) * FEW // out.size + 1]
        if np.minimum.reduce(head, axis=None) >= -126 and np.maximum.reduce(head, axis=None) < 128:
            return np.exp2(out, out=out)
        np.multiply(out, x.dtype.type(math.log(2)), out=out)
        return np.exp(out, out=out)
    if factor != 1.0:
        x = np.multiply(x, x.dtype.type(factor), out=out)
    return np.exp(x, out=out)


def log(x: Array, out: Array) -> Array:
    """out = ln x, likewise by `np.log2`; it has one rounding more than `np.log`."""
    if x.size > SMALL and x.dtype == np.float32 and exp2_is_fast():
        np.log2(x, out=out)
        return np.multiply(out, x.dtype.type(math.log(2)), out=out)
    return np.log(x, out=out)


@cache
def exp2_is_fast() -> bool:
    """Whether NumPy's `exp2` of float32 has vector instructions of its own on this processor."""
    try:
        found = np.lib.introspect.opt_func_info(func_name="^exp2$", signature="float32")
        return not found["exp2"]["ff"]["current"].startswith("baseline")
    except (AttributeError, KeyError):  # an older NumPy, or one built otherwise
        return False
