"""``torch.fx``: only what libraries write at their top. There is no symbolic tracing; see ``tinytorch.viz``."""

from __future__ import annotations

from typing import Any

__all__ = ["symbolic_trace", "wrap"]


def wrap(fn_or_name: Any) -> Any:
    """The function itself: it would be kept whole when traced."""
    return fn_or_name


def symbolic_trace(root: Any, concrete_args: Any = None) -> Any:
    """Raises NotImplementedError: there is no symbolic tracing."""
    raise NotImplementedError(
        "tinytorch.fx traces nothing: to look at a model's graph use tinytorch.viz, to change it change its modules."
    )
