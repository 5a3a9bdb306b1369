"""What things are called: parameters by their modules, other tensors by the variables that hold them."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from tinytorch.autograd.modes import ModuleCall
from tinytorch.tensor import Tensor

__all__ = ["Names", "variables_of"]


def variables_of(frame: Any) -> dict[str, Any]:
    """The local variables of a frame that may name something in a picture, in the order of their definition."""
    local = frame.f_locals
    found = {name: value for name, value in local.items() if name.isidentifier() and name[0] != "_"}
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        local.clear()  # until 3.13 this is a copy that the frame keeps, and all tensors in it
    return found


class Names:
    """Looks up what a program calls its tensors.

    Args:
        model: names count from it; without it, from the outermost modules that ran.
        given: names that the user gives: ``{"x": tensor}``.
        variables: names in the user's program, which come last.
    """

    def __init__(self, model: Any = None, given: dict[str, Any] | None = None, variables: Any = None) -> None:
        self.model = model
        self._leaves: dict[int, str] = {}
        self._results: dict[tuple[int, int], str] = {}
        self._modules: dict[int, str] = {}
        self.variables: dict[int, str] = {}  # tensors in variables, by id
        self._arrays: dict[int, str] = {}  # the names of parameters and buffers by the ids of their arrays
        self._buffers: set[int] = set()
        for name, value in {**(variables or {}), **(given or {})}.items():
            self._add_variable(name, value)
        if model is not None:
            self.add_module(model)

    def _add_variable(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            self.variables[id(value)] = name
            node = value.grad_fn
            if node is None:
                self._leaves[id(value)] = name
            else:
                self._results[id(node), value.output_nr] = name
        elif hasattr(value, "named_modules"):
            self._modules.setdefault(id(value), name)

    def add_calls(self, calls: list[ModuleCall]) -> None:
        """Learn the names of parameters from the outermost modules of these calls, if they still live."""
        roots: dict[int, Any] = {}
        for call in calls:
            module = call[0].module()
            if call[1] is None and module is not None:
                roots.setdefault(id(module), module)
        owners = [module for module in roots.values() if next(module.parameters(), None) is not None]
        for module in owners:
            prefix = f"{self.of_module(module) or type(module).__name__}." if len(owners) > 1 else ""
            self.add_module(module, prefix)

    def add_module(self, module: Any, prefix: str = "") -> None:
        """Learn the names of a module's parameters and buffers; the first module to name one wins."""
        if self.model is not None and module is not self.model:
            inside = {id(m): name for name, m in self.model.named_modules()}
            if id(module) in inside:
                return
        self._buffers.update(id(buffer._array) for buffer in module.buffers())
        for pairs in (module.named_parameters(), module.named_buffers()):
            for name, tensor in pairs:
                if id(tensor._array) not in self._arrays:
                    self._leaves[id(tensor)] = self._arrays[id(tensor._array)] = prefix + name

    def of_leaf(self, tensor: Tensor | None, array: Any) -> str:
        """The name of a tensor that no op made, or of the one whose array it shares; ``""`` if it has none."""
        return self._leaves.get(id(tensor), "") or self._arrays.get(id(array), "")

    def is_buffer(self, array: Any) -> bool:
        """Whether this is the array of a buffer of a module that ran."""
        return id(array) in self._buffers

    def of_result(self, node: Any, index: int = 0) -> str:
        """The variable that holds a node's result; ``""`` if there is none."""
        return self._results.get((id(node), index), "")

    def of_module(self, module: Any) -> str:
        """The variable that holds a module; ``""`` if there is none."""
        return self._modules.get(id(module), "")
