"""Saved tensors in a form of the user's own: what ``saved_tensors_hooks`` of :mod:`.graph` puts into nodes.

A single saved tensor can be packed, too, after its op ran:

>>> import tinytorch
>>> y = tinytorch.ones(2, requires_grad=True).exp()
>>> y.grad_fn._raw_saved_result.register_hooks(lambda t: t.tolist(), tinytorch.tensor)
>>> y.grad_fn._saved_result                              # out of the list of numbers
tensor([2.7183, 2.7183], grad_fn=<ExpBackward0>)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.autograd.modes import no_grad, state

__all__ = ["PackedByHook", "SavedTensor"]


class PackedByHook:
    """A saved tensor in the form that the user's ``pack_hook`` gave it; ``unpack_hook`` makes it a tensor again."""

    __slots__ = ("edge", "packed", "unpack")

    def __init__(self, tensor: Any, pack: Callable[..., Any], unpack: Callable[..., Any]) -> None:
        self.unpack = unpack
        self.edge: Any = tensor._gradient_edge() if tensor._requires_grad else None
        given = tensor.detach()
        version = given._version
        with no_grad():
            self.packed = pack(given)
        if given._version != version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations as this can lead to unexpected side-effects. clone() it first."
            )

    def as_tensor(self) -> Any:
        """The tensor, at its place in the graph."""
        with no_grad():
            unpacked = self.unpack(self.packed)
        if not hasattr(unpacked, "_array"):
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                            f"{type(unpacked)}")  # fmt: skip
        if self.edge is None or not state.grad_enabled:
            return unpacked
        target, index = self.edge
        if hasattr(target, "_array"):  # a leaf: gradients reach it through an identity
            if target._array is unpacked._array:
                return target
            target, index = target.view_as(target)._edge
        tensor = unpacked.detach()
        tensor._edge, tensor._requires_grad = (target, index), True
        return tensor


class SavedTensor:
    """One of the tensors that ``node`` saved, as it is kept: what ``node._raw_saved_<name>`` gives."""

    def __init__(self, node: Any, position: int) -> None:
        self.node, self.position = node, position

    def register_hooks(self, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        """Keep what ``pack_hook`` makes of the tensor instead; ``unpack_hook`` of that is a tensor for backward.

        Raises:
            RuntimeError: backward has freed the tensor, or it has such hooks already.
        """
        node, position = self.node, self.position
        if node._saved is not None and isinstance(node._saved[position], PackedByHook):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of "
                "hooks is allowed at a time."
            )
        saved = list(node.saved_tensors)  # raises if they are freed
        packed = PackedByHook(saved[position], pack_hook, unpack_hook)
        node._saved = [*node._saved[:position], packed, *node._saved[position + 1 :]]
