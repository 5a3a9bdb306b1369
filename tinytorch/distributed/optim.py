"""The optimizer that spreads its state over a group's processes: over one, it is the optimizer itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.optim.optimizer import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """``optimizer_class(params, **defaults)`` under PyTorch's name (``torch.distributed.optim``).

    >>> import tinytorch as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=torch.optim.SGD, lr=0.1)
    >>> model(torch.ones(1, 2)).sum().backward()
    >>> optimizer.step()
    >>> optimizer.param_groups[0]["lr"]
    0.1
    """

    def __init__(
        self, params: Any, optimizer_class: type[Optimizer], process_group: Any = None,
        parameters_as_bucket_view: bool = False, overlap_with_ddp: bool = False, **defaults: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, defaults)
        self.optim = optimizer_class(self.param_groups, **defaults)
        self.param_groups, self.state = self.optim.param_groups, self.optim.state
        self.initialized = True

    def step(self, closure: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """A step of the optimizer."""
        return self.optim.step(closure, **kwargs)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As of the optimizer."""
        if hasattr(self, "optim"):
            self.optim.add_param_group(param_group)
        else:
            super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of the optimizer."""
        self.optim.load_state_dict(state_dict)
        self.param_groups, self.state = self.optim.param_groups, self.optim.state

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Does nothing: the state is all here."""
