"""An order of arguments from before PyTorch 1.5, which it still takes: factors stand before what they scale.

``torch.addmm(beta, m, alpha, a, b)`` is ``torch.addmm(m, a, b, beta=beta, alpha=alpha)``, and ``x.addcmul_(value, a,
b)`` is ``x.addcmul_(a, b, value=value)``. Optimizers of those days are written so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["accepts_factors_in_front"]

F = TypeVar("F", bound=Callable[..., Any])


def accepts_factors_in_front(*names: str) -> Callable[[F], F]:
    """Let an op of three tensors, or a method, take its factors (the keywords ``names``) by position, too."""

    def decorate(op: F) -> F:
        @functools.wraps(op)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if len(args) > 3:
                factors = [arg for arg in args if isinstance(arg, (int, float, complex))]
                if len(args) - len(factors) == 3 and len(factors) <= len(names):
                    kwargs = {**dict(zip(names, factors, strict=False)), **kwargs}
                    args = tuple(arg for arg in args if not isinstance(arg, (int, float, complex)))
            return op(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate
