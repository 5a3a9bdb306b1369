"""``torch.fx``: only what libraries write at their top. There is no symbolic tracing; see ``tinytorch.viz``."""

from __future__ import annotations

from typing import Any

from tinytorch.nn import Module

__all__ = ["GraphModule", "symbolic_trace", "wrap"]

_NOTHING_IS_TRACED = (
    "tinytorch.fx traces nothing: to look at a model's graph use tinytorch.viz, to change it change its modules."
)


class GraphModule(Module):
    """What tracing would give: no module is one, and none can be made (NotImplementedError)."""

    def __init__(self, root: Any, graph: Any, class_name: str = "GraphModule") -> None:
        raise NotImplementedError(_NOTHING_IS_TRACED)


def wrap(fn_or_name: Any) -> Any:
    """The function itself: it would be kept whole when traced."""
    return fn_or_name


def symbolic_trace(root: Any, concrete_args: Any = None) -> Any:
    """Raises NotImplementedError: there is no symbolic tracing."""
    raise NotImplementedError(_NOTHING_IS_TRACED)
