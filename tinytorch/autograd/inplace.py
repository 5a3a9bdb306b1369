"""Chapter 5, part 3. Changes in place, seen by autograd.

After: tinytorch/ops/gather.py
Next: tinytorch/ops/linalg.py

Goal: let values change under autograd, and notice when that would spoil a gradient.

To autograd values never change: ``x.mul_(2)`` *computes a new value* and lets the name ``x`` mean it from now on. So
an in-place op is its out-of-place op, a copy of the result into ``x``'s memory, and ``x._edge`` pointing at the new
node. Two things make it safe:

- The memory's version is counted up. A node that had saved the old value notices when backward asks for it, and raises.
- Views. If ``v`` is a view of ``b``, writing to ``v`` also gives ``b`` a new value: b with a region replaced
  (:class:`StridedPut`). Every other view of ``b`` then means a region of the new b (:class:`StridedGet`), which it
  finds out when it is next used (``Tensor._follow_base``).

>>> import tinytorch
>>> x = tinytorch.ones(3, requires_grad=True)
>>> b = x * 1                                        # x itself, a leaf, may not be changed
>>> v = b[1:]
>>> v.mul_(5)
tensor([5., 5.], grad_fn=<AsStridedBackward0>)
>>> b                                                # changed through its view, and its history tells
tensor([1., 5., 5.], grad_fn=<CopySlices>)
>>> b.sum().backward()
>>> x.grad
tensor([1., 5., 5.])

Where the region lies is plain memory geometry: offset, sizes and strides of the view within its base.
(The rules and error messages are PyTorch's: torch/csrc/autograd/variable.cpp.)

What PyTorch does. The same version counters, the same rules for views and leaves, the same errors; in
``VariableHooks`` and generated code.

Pitfalls. exp saves its result, so changing the *result* in place spoils it; mul saves its inputs, so there it is the
inputs. ``x.data`` changes the numbers and counts nothing: a wrong gradient is then not noticed.

Exercises. Which of these raises in ``backward()``: ``y = x.exp(); y.add_(1)`` or ``y = x + 1; y.mul_(2)``? Why not
both?
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided

from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import SavedOutput
from tinytorch.autograd.watching import changed_in_place, watchers
from tinytorch.dtypes import SCALAR_NAMES, can_cast
from tinytorch.tensor import Tensor
from tinytorch.tensor_base import MADE_IN_FUNCTION, MADE_IN_NO_GRAD

__all__ = ["adopt_history", "change_in_place", "follows_base"]


class Geometry(NamedTuple):
    """Where a view lies in its base: all strides and the offset in elements."""

    base_shape: tuple[int, ...]
    base_strides: tuple[int, ...]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, view: np.ndarray, base: np.ndarray) -> Geometry:
        """The geometry of ``view`` within ``base``, from their addresses."""
        size = base.itemsize
        offset = view.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        return cls(
            base.shape, tuple(s // size for s in base.strides), offset // size,
            view.shape, tuple(s // size for s in view.strides),
        )  # fmt: skip

    def repeats(self) -> bool:
        """Whether the view may show an element of the base several times."""
        seen = 0  # by the dimensions so far, as a distance in memory
        for stride, size in sorted(zip(map(abs, self.strides), self.shape, strict=True)):
            if size > 1 and stride <= seen:
                return True
            seen += (size - 1) * stride
        return False

    def laid_out(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A copy of ``array`` (of the base's shape) with the base's strides, and the region within it."""
        size = array.itemsize
        extent = 1 + sum((n - 1) * s for n, s in zip(self.base_shape, self.base_strides, strict=True) if n)
        memory = np.zeros(max(extent, 1), array.dtype)
        whole = as_strided(memory, self.base_shape, tuple(s * size for s in self.base_strides))
        whole[...] = array
        region = as_strided(memory[self.offset :], self.shape, tuple(s * size for s in self.strides))
        return whole, region


class StridedGet(Primitive):
    """The region of a base that a view shows."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, base: np.ndarray, geometry: Geometry) -> np.ndarray:
        return geometry.laid_out(base)[1].copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return StridedAdd.apply(grad, geometry=ctx.attributes["geometry"])

    known_name = "AsStridedBackward0"


class StridedAdd(Primitive):
    """Zeros of the base's shape with ``value`` added in the region: the transpose of :class:`StridedGet`."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, value: np.ndarray, geometry: Geometry) -> np.ndarray:
        whole, region = geometry.laid_out(np.zeros(geometry.base_shape, value.dtype))
        if geometry.repeats():  # an expanded view, or windows that overlap: each appearance of an element contributes
            positions = geometry.laid_out(np.arange(whole.size).reshape(whole.shape))[1]
            total = np.zeros(whole.size, value.dtype)
            np.add.at(total, positions.ravel(), value.ravel())
            return total.reshape(whole.shape)
        region[...] = value
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return StridedGet.apply(grad, geometry=ctx.attributes["geometry"])


class StridedPut(Primitive):
    """The base with the region replaced by ``value``."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, base: np.ndarray, value: np.ndarray, geometry: Geometry) -> np.ndarray:
        whole, region = geometry.laid_out(base)
        region[...] = value
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        geometry = ctx.attributes["geometry"]
        need_base, need_value = ctx.needs_input_grad
        zeros = Tensor._wrap(np.zeros(geometry.shape, grad._array.dtype))
        return (
            StridedPut.apply(grad, zeros, geometry=geometry) if need_base else None,
            StridedGet.apply(grad, geometry=geometry) if need_value else None,
        )

    known_name = "CopySlices"


def change_in_place(x: Tensor, op: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
    """Give ``x`` the value ``op(x, *args, **kwargs)``, in x's own memory; returns ``x``.

    Raises:
        RuntimeError: a leaf that requires grad (or a view of one), a result of another shape or of a higher dtype
            category, memory that several elements of ``x`` share, an inference tensor outside inference mode.
    """
    check_writable(x)
    if _overwritten(x, op, args, kwargs):
        return x
    result, before = _from_old_value(x, op, args, kwargs)
    if result._array.shape != x._array.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(result.shape)}")
    if result._array.dtype != x._array.dtype:
        if not can_cast(result.dtype, x.dtype):
            raise RuntimeError(
                f"result type {SCALAR_NAMES[result.dtype]} can't be cast to the desired output type "
                f"{SCALAR_NAMES[x.dtype]}"
            )
        result = ops.cast(result, x._array.dtype)
    recorded = result._requires_grad
    if recorded or _base_requires_grad(x):
        check_differentiable_target(x)
    if recorded and _may_move(x, result):
        x._array = result._array
    else:
        kept = before()
        if kept is not None:  # a node saved the old value: it gets memory of its own
            kept._array = kept._array.copy(order="K")
        np.copyto(x._array, result._array)
    x._bump_version()
    if recorded:
        _move_saved_output(result, x)
        adopt_history(x, result)
    if watchers:
        changed_in_place(x, result)
    return x


def _overwritten(x: Tensor, op: Callable[..., Tensor], args: Any, kwargs: Any) -> bool:
    """The same without a temporary result and its copy: ``op`` writes over ``x``, if it knows how to, and if no node
    needs x's old value. (Optimizers change every parameter so, in every step.)

    False, with ``x`` as it was, where that does not apply: for other ops, operands of another dtype, shapes that do
    not fit. The general way does it then, and knows the right error.
    """
    overwrite = ops.OVERWRITING.get(op)
    if overwrite is None or watchers:
        return False
    operands = ops.unconverted(op, x._array.dtype, args)
    if operands is None or (kwargs and ops.unconverted(op, x._array.dtype, kwargs.values(), tensors=()) is None):
        return False
    recorded = False
    if state.grad_enabled:
        recorded = x.requires_grad
        for arg in args:
            recorded = recorded or (isinstance(arg, Tensor) and arg.requires_grad)
        if recorded and (op not in ops.NODES_WITHOUT_INPUTS or kwargs.get("alpha", 1) != 1):
            return False
        if recorded or _base_requires_grad(x):
            check_differentiable_target(x)
    before = x._alias() if recorded else None
    try:
        overwrite(x._array, *operands, **kwargs)
    except (ValueError, OverflowError, TypeError):
        return False
    x._bump_version()
    if recorded:
        result = Tensor._wrap(x._array)
        node, saves_result = ops.NODES_WITHOUT_INPUTS[op]
        node.record_result(result, (before, *args))
        if saves_result:
            result._edge[0]._saved = (SavedOutput(x, 0),)
        adopt_history(x, result)
    return True


def adopt_history(x: Tensor, result: Tensor) -> None:
    """Let ``x`` mean the value that ``result`` recorded, and move what hangs on its meaning."""
    old_edge = x._edge
    rebase_history(x, result)
    _move_retained_grad(old_edge, x)


def _may_move(x: Tensor, result: Tensor) -> bool:
    """Whether ``x`` may take the result's array for its own, instead of a copy: nobody else sees either of them."""
    old, new = x._array, result._array
    return (
        x._base is None
        and (x._memory is None or not x._memory.shared)
        and (result._memory is None or not result._memory.shared)
        and new.base is None
        and new is not old
        and new.strides == old.strides
    )


def _move_retained_grad(old_edge: Any, x: Tensor) -> None:
    """``x.retain_grad()`` asked for the gradient of what ``x`` means, so it follows to the new value; other hooks
    stay.
    """
    if old_edge is not None and old_edge[0].hooks is not None:
        retained = old_edge[0].hooks.retained.pop(old_edge[1], None)
        if retained is not None:
            node, index = x._edge
            node._own_hooks().retained[index] = retained


def _from_old_value(x: Tensor, op: Callable[..., Tensor], args: Any, kwargs: Any) -> tuple[Tensor, Any]:
    """``op`` of what ``x`` is before the change, and a weak reference to that old value: alive if a node saved it."""
    if x._base is not None:
        x._follow_base()
    before = x._alias()
    before._memory = None
    result = op(before, *[before if arg is x else arg for arg in args], **kwargs)
    return result, weakref.ref(before)


def check_writable(x: Tensor) -> None:
    """Raise where memory may not be written at all."""
    if x._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    array = x._array
    flags = array.flags
    if (
        not flags.forc
        and array.size
        and any(stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    if not flags.writeable:
        raise RuntimeError(
            "this tensor's memory is read-only (a NumPy array's, or a copy that stands for a view of images, which "
            "lie in another order here); clone() it to change it in place"
        )


def _base_requires_grad(x: Tensor) -> bool:
    """Whether ``x`` is a view whose history the change would spoil, though nothing is recorded for x itself."""
    return x._view_obstacle is not None and x._base is not None and x._base._requires_grad


def check_differentiable_target(x: Tensor) -> None:
    """Raise where autograd cannot give ``x`` a new value."""
    if not state.grad_enabled:
        return
    if x._base is not None:
        if x._base._edge is None and x._base._requires_grad:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if x._view_obstacle is not None:
            maker = f"Output {x._edge[1]} of {x._edge[0].name()} is a view and" if x._edge else "A view"
            raise RuntimeError(
                f"{maker} {x._view_obstacle} and is being modified inplace with grad mode enabled. Such "
                "views do not allow the output views to be modified inplace. You should replace the inplace operation "
                "by an out-of-place one."
            )
    if x._edge is None and x._requires_grad:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def _move_saved_output(result: Tensor, x: Tensor) -> None:
    """The result lives in x's memory now, so a node that saved its result has to watch x's memory."""
    node, index = result._edge
    if node._saved:
        node._saved = tuple([
            SavedOutput(x, index)
            if isinstance(saved, SavedOutput) and saved.index == index and saved.array is result._array
            else saved
            for saved in node._saved
        ])  # fmt: skip


def rebase_history(x: Tensor, result: Tensor) -> None:
    """Let ``x`` (and, for a view, its base) mean the value that ``result`` recorded."""
    if x._base is None:
        x._edge, x._requires_grad = result._edge, True
        return
    base = x._base
    _record_region(StridedPut, base, (base._alias(), result), x._array, base._array)
    x._requires_grad = True
    history_through_base(x)
    x._seen_version = x._own_memory().version


def follows_base(view: Any) -> bool:
    """Let the view's history lead through its base, whose memory was changed since; False if that is not yet to be.

    RuntimeError where it would leave out what made the view, and gradients are wanted.
    """
    base = view._base
    if base is None or (view._edge is None and view._requires_grad):
        return True  # requires_grad_() made this view a leaf: it has no history to follow
    if view._view_obstacle not in (MADE_IN_NO_GRAD, MADE_IN_FUNCTION):
        history_through_base(view)
        return True
    if state.grad_enabled and base._requires_grad:
        which = f"Output {view._edge[1]} of {view._edge[0].name()} is a view" if view._edge else "A view was made"
        raise RuntimeError(
            f"{which} and its base or another view of its base has been modified inplace. This view "
            f"{view._view_obstacle}: make it again after the change, or clone() it before."
        )
    return False


def history_through_base(view: Tensor) -> None:
    """Let the view's history be: a region of its base, as the base is now."""
    base = view._base
    assert base is not None
    if base._requires_grad:
        _record_region(StridedGet, view, (base,), view._array, base._array)
    else:
        view._edge, view._requires_grad = None, False


def _record_region(
    op: type[Primitive], result: Tensor, inputs: tuple[Tensor, ...], view: np.ndarray, base: np.ndarray
) -> None:
    """Record ``result`` as ``op`` of ``inputs``, for the region of ``base`` that ``view`` shows.

    A view of another dtype shows parts of complex numbers, or pairs as complex numbers: then all are seen as real.
    """
    (first, last), (low, high) = byte_bounds(view), byte_bounds(base)
    if view.size and not low <= first <= last <= high:
        raise RuntimeError(
            "a view was changed in place, or used, after it or its base was given other memory (by assigning to .data, "
            "or by set_()): make the view again"
        )
    if view.dtype == base.dtype:
        op.record_result(result, inputs, geometry=Geometry.of(view, base))
        return
    is_complex = result._array.dtype.kind == "c"
    parts = Tensor._wrap(ops.real_pairs(result._array)) if is_complex else result
    geometry = Geometry.of(ops.real_pairs(view), ops.real_pairs(base))
    op.record_result(parts, tuple([_as_real(tensor) for tensor in inputs]), geometry=geometry)
    if is_complex:
        ops.ViewAsComplex.record_result(result, (parts,))


def _as_real(tensor: Tensor) -> Tensor:
    return ops.view_as_real(tensor) if tensor._array.dtype.kind == "c" else tensor


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
