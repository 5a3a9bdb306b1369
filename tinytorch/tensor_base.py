"""Chapter 2. The tensor.

After: tinytorch/autograd/part.py
Next: tinytorch/tensor_conversions.py

Goal: know what a Tensor is: a NumPy array that remembers how it was made.

The idea. Everything else is kept elsewhere; a tensor has these and little more::

    _array          the numbers
    _edge           (node, output index): the recorded op that made it; None for a leaf
    _requires_grad  whether ops on it are recorded
    _grad           for a leaf, where ``backward()`` adds its gradient
    _base, _memory  for views (chapter 4): whose memory this is; how often it was changed in place (chapter 5)

>>> import tinytorch
>>> x = tinytorch.ones(2, requires_grad=True)
>>> y = (x * 3).sum()
>>> x.is_leaf, y.is_leaf, y.grad_fn.name()
(True, False, 'SumBackward0')
>>> y.backward()
>>> x.grad
tensor([3., 3.])

This file holds what a tensor *is*: its place in the autograd graph, and its memory. What can be made of it, numbers,
arrays, text, is the next part; what can be *computed* with it - one line per method, each a call of an op - is in
:mod:`tinytorch.tensor`.

The circle. Tensor methods call ops, ops make Tensors, and the engine adds Tensors. This is the one circle of imports
in the package: it is closed by the imports at the *end* of this file and of the files of ``ops``, when the class
exists.

What PyTorch does. ``at::Tensor`` holds a storage, and an ``AutogradMeta`` with fields like these. ``detach()`` and
``data`` are, as there, a second tensor over the same memory without the history.

Pitfalls. Only leaves keep ``.grad``; ask for ``y.retain_grad()`` to see another's. ``numpy()`` shares memory: writing
through it is seen by the tensor and not by autograd.

Exercises. Is ``(x * 3)[0]`` a leaf? And ``x.detach()``? What is the version (``x._version``) after ``x.data.add_(1)``?
Answers: ``python -m tinytorch.learn answers 2``; more: ``python -m tinytorch.learn start --chapter 2``.
Check: ``python -m pytest tests/autograd/test_memory.py tests/autograd/test_aliases.py``.

"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.grad_attribute import checked_gradient, warn_of_no_gradient
from tinytorch.autograd.hooks import RemovableHandle
from tinytorch.autograd.modes import state
from tinytorch.autograd.node import as_known
from tinytorch.autograd.saving import Memory
from tinytorch.device import CPU, device
from tinytorch.dtypes import INEXACT, dtype, from_numpy_dtype
from tinytorch.layouts import strided
from tinytorch.size import Size
from tinytorch.tensor_conversions import Conversions

__all__ = ["MADE_IN_FUNCTION", "MADE_IN_NO_GRAD", "TensorBase"]


_new_tuple = tuple.__new__  # NumPy's shapes are ints: Size need not look at them
MADE_IN_NO_GRAD = "was created in no_grad mode"
MADE_IN_FUNCTION = "was created inside a custom Function (or is an input that it returned as-is)"


class TensorBase(Conversions):
    """State and autograd; :class:`~tinytorch.tensor.Tensor` adds the methods that compute."""

    # Class attributes are the defaults: making a tensor stores only its array, which keeps small ops fast.
    _array: np.ndarray
    _edge: Any = None
    _requires_grad: bool = False
    _grad: Tensor | None = None
    _memory: Memory | None = None  # made when memory is first shared or changed
    _base: Tensor | None = None
    _seen_version: int = 0  # of the memory, when a view's _edge was last known to be right
    _view_obstacle: str | None = None  # why this view may not be changed in place under autograd
    _hooks: dict[int, Callable[..., Any]] | None = None
    _post_accumulate_hooks: dict[int, Callable[..., Any]] | None = None
    _inference: bool = False
    __array_priority__ = 1000  # NumPy's operators step back for ours

    # ------------------------------------------------------------------------------------ construction

    @classmethod
    def _wrap(cls, array: np.ndarray) -> Tensor:
        """A tensor over this very array: no copy, no checks. How every op makes its result."""
        tensor = object.__new__(Tensor)
        tensor._array = array
        return tensor

    def _alias(self) -> Tensor:
        """A second Tensor object for the same value: same memory, same place in the graph."""
        other = Tensor._wrap(self._array)
        other._edge, other._requires_grad, other._memory = self._edge, self._requires_grad, self._memory
        other._inference = self._inference
        return other

    # ------------------------------------------------------------------------------------ shape and type

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return _new_tuple(Size, self._array.shape)

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return from_numpy_dtype(self._array.dtype)

    @property
    def device(self) -> device:
        """Where the tensor lives: always the CPU."""
        return CPU

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def is_cuda(self) -> bool:
        """False: there is no GPU here."""
        return False

    #: What else scripts ask a tensor about itself: it is none of these.
    is_mps = is_xpu = is_meta = is_sparse = is_sparse_csr = is_quantized = is_mkldnn = is_nested = False
    is_ipu = is_maia = is_mtia = is_vulkan = is_xla = False
    is_cpu = True
    layout = strided

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    # ------------------------------------------------------------------------------------ autograd

    @property
    def requires_grad(self) -> bool:
        """Whether ops on this tensor are recorded, so that gradients can flow to it or through it."""
        if self._base is not None:
            self._follow_base()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._edge is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self._array.dtype.kind not in INEXACT:
            raise RuntimeError(
                f"only Tensors of floating point and complex dtype can require gradients, and this one is {self.dtype}"
            )
        if value and self._inference and not state.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. clone() it first."
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set :attr:`requires_grad`; returns the tensor. Raises RuntimeError for integers and for results of ops."""
        if not isinstance(requires_grad, bool):
            kind = type(requires_grad).__name__
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
        if self._edge is None or not requires_grad:
            self.requires_grad = requires_grad
        return self  # type: ignore[return-value]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward()`` added up here, or None. UserWarning for the result of an op, which gets
        none without :meth:`retain_grad`.
        """
        grad = self._grad
        if grad is None and self._edge is not None and not self.retains_grad:
            warn_of_no_gradient()
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self._grad = None if value is None else checked_gradient(self, value)

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Any:
        """The node of the graph that made this tensor; None for a leaf."""
        return None if self.is_leaf else as_known(self._edge[0])

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        if self._base is not None:
            self._follow_base()
        return self._edge is None

    def _is_view(self) -> bool:
        """Whether the tensor is a view of another, its ``_base``, whose history its own follows."""
        return self._base is not None

    @property
    def output_nr(self) -> int:
        """Which output of :attr:`grad_fn` this tensor is."""
        return 0 if self.is_leaf else self._edge[1]

    @property
    def retains_grad(self) -> bool:
        """Whether :meth:`retain_grad` was called on this non-leaf tensor."""
        hooks = None if self._edge is None else self._edge[0].hooks
        return hooks is not None and self._edge[1] in hooks.retained

    def _gradient_edge(self) -> tuple[Any, int]:
        """Where a gradient for this tensor goes."""
        if self._base is not None:
            self._follow_base()
        return self._edge or (self, 0)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add d(self)/d(leaf) into ``leaf.grad`` of every leaf; see :func:`tinytorch.autograd.backward`."""
        engine.backward(self, gradient, retain_graph, create_graph, inputs)  # type: ignore[arg-type]

    def graph(self, model: Any = None) -> Any:
        """The graph that made this tensor, to print or to draw: see :func:`tinytorch.viz.graph`."""
        from tinytorch.viz.walk import graph_with_variables, variables_of

        return graph_with_variables(self, model, None, False, variables_of(sys._getframe(1)))

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf tensor in ``.grad`` too. Does nothing for a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._edge is not None:
            node, index = self._edge
            node._own_hooks().retained[index] = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever this tensor's gradient has been computed; a returned tensor replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._edge is not None:
            node, index = self._edge
            hooks = node._own_hooks().of_output.setdefault(index, {})
        else:
            if self._hooks is None:
                self._hooks = {}
            hooks = self._hooks
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(self)`` after ``backward()`` has added to this leaf's ``.grad``."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._edge is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = {}
        handle = RemovableHandle(self._post_accumulate_hooks)
        self._post_accumulate_hooks[handle.id] = hook
        return handle

    def detach(self) -> Tensor:
        """The same memory outside the graph. Changes in place are seen by both, and by version checks."""
        other = Tensor._wrap(self._array)
        other._memory = self._shared_memory()
        other._inference = self._inference
        return other

    def detach_(self) -> Tensor:
        """Take this tensor itself out of the graph: it becomes a leaf."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._edge, self._requires_grad = None, False
        return self  # type: ignore[return-value]

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, with a version counter of its own: changes are not checked. Prefer
        detach().
        """
        self._shared_memory()
        other = Tensor._wrap(self._array)
        other._memory = Memory(shared=True)
        return other

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if value._array.dtype.kind not in INEXACT and self._requires_grad:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        value._shared_memory()
        if value._array is self._array:  # ``x.data += 1``
            return
        version = self._version  # keeps counting its own versions, as PyTorch
        self._array, self._base, self._memory = value._array, None, Memory(shared=True)
        self._memory.version = version

    # ------------------------------------------------------------------------------------ memory and views

    @property
    def _version(self) -> int:
        """How often this tensor's memory was changed in place. RuntimeError for those made in inference mode."""
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return 0 if self._memory is None else self._memory.version

    @property
    def _cdata(self) -> int:
        """A number for this tensor alone, while it lives: programs compare it to see if two names are one tensor."""
        return id(self)

    def _own_memory(self) -> Memory:
        """The record of this tensor's memory, made when it is first needed."""
        if self._memory is None:
            self._memory = Memory()
        return self._memory

    def _shared_memory(self) -> Memory:
        """The same, noting that others see this memory from now on."""
        memory = self._own_memory()
        memory.shared = True
        return memory

    def _bump_version(self) -> None:
        self._own_memory().version += 1

    def _link_views(self, views: tuple[Tensor, ...]) -> None:
        """:meth:`_link_to_base` for the views of this tensor that one op returns."""
        base, memory = self if self._base is None else self._base, self._shared_memory()
        owner = self._array if self._array.base is None else self._array.base
        for view in views:
            if view._array.base is owner or _owner(view._array) is _owner(self._array):
                view._base = base  # type: ignore[assignment]
                view._memory = memory
                view._view_obstacle = "is the output of a function that returns multiple views"
                if memory.version:
                    view._seen_version = memory.version
                if self._inference:
                    view._inference = True

    def _link_to_base(self, source: Tensor) -> None:
        """Note that this result of a view op shares memory with ``source`` (unless NumPy had to copy)."""
        mine, theirs = self._array, source._array
        if (theirs if theirs.base is None else theirs.base) is not mine.base and _owner(mine) is not _owner(theirs):
            return
        self._base = source if source._base is None else source._base
        self._memory = memory = source._own_memory()
        memory.shared = True
        self._seen_version = memory.version
        self._inference = source._inference
        if source._view_obstacle is not None:
            self._view_obstacle = source._view_obstacle
        elif not state.grad_enabled:
            self._view_obstacle = MADE_IN_NO_GRAD

    def _follow_base(self) -> None:
        """If the memory of this view was changed since, its history now leads through the base's."""
        memory = self._memory
        if memory is not None and memory.version != self._seen_version and inplace.follows_base(self):
            self._seen_version = memory.version

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode."""
        return self._inference

    def data_ptr(self) -> int:
        """The address of the first element: equal for tensors that start at the same memory."""
        return self._array.__array_interface__["data"][0]

    def storage_offset(self) -> int:
        """How many elements lie in memory before the first one of this view."""
        return (self.data_ptr() - _owner(self._array).__array_interface__["data"][0]) // self._array.itemsize

    def is_pinned(self, device: Any = None) -> bool:
        """False: pinned memory is for copies to an accelerator."""
        return False

    def pin_memory(self, device: Any = None) -> Tensor:
        """RuntimeError, as in a PyTorch that finds no accelerator."""
        raise RuntimeError("Cannot access accelerator device when none is available.")

    def is_shared(self) -> bool:
        """Whether the tensor lies in memory that other processes see, too."""
        from tinytorch import shared_memory  # late: it needs multiprocessing

        return shared_memory.is_shared(self)  # type: ignore[arg-type]

    def share_memory_(self) -> Tensor:
        """Move the tensor to memory that processes share: changes in place are seen by all that have it.

        A forked process has it, and any other to which it is sent through :mod:`tinytorch.multiprocessing`. Returns the
        tensor. Raises RuntimeError where views or NumPy arrays see its memory now, as they would not move with it.
        """
        from tinytorch import shared_memory

        shared_memory.share(self)  # type: ignore[arg-type]
        return self  # type: ignore[return-value]

    def get_device(self) -> int:
        """-1, the number that stands for the CPU."""
        return -1


def _owner(array: Any) -> Any:
    """Whose memory an array shows. NumPy's ``as_strided`` puts an object of its own between, so one step is not
    enough.
    """
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


# The package's one import circle: tensors call ops and the engine, which make tensors. It is closed here. This module
# is the first that `tinytorch` imports; by now TensorBase exists, so `tinytorch.tensor` can build Tensor on it, and the
# modules that it loads at its own end find Tensor ready.
# isort: off
from tinytorch.tensor import Tensor  # noqa: E402
from tinytorch.autograd import engine, inplace  # noqa: E402
