"""Chapter 2, part 2. A tensor among Python's and NumPy's objects: numbers, lists, arrays, printing, copying.

After: tinytorch/tensor_base.py
Next: tinytorch/tensor.py

Goal: know what leaves autograd when a tensor becomes something else.

``len(x)``, ``float(x)``, ``for row in x``, ``np.asarray(x)``, ``print(x)``, ``copy.deepcopy(x)``: for each of them
Python or NumPy calls a method with two underscores. They are here, in a base class of its own (:class:`Conversions`),
so that what a tensor *is* stands alone in the part before. Three kinds are to be told apart::

    item(), tolist(), float(x)     copies of the numbers: whatever they lead to, no gradient flows back through it
    numpy(), __array__             the same memory; refused for a tensor that requires grad
    for row in x                   tensors, made by an op (unbind): gradients flow back

>>> import tinytorch
>>> x = tinytorch.tensor([1.0, 2.0], requires_grad=True)
>>> sum(row * row for row in x).backward()
>>> x.grad
tensor([2., 4.])

What PyTorch does. The same, from the same methods, with the same errors.

Pitfalls. ``total += loss.item()`` adds numbers; ``total += loss`` keeps the graph of every batch alive until the end.

Exercises. Which of ``x.tolist()``, ``x.detach().numpy()`` and ``x.clone()`` show a change of x in place that is made
later? Why must ``x == y`` not decide whether x is a key of a dictionary?
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import tinytorch  # complete by the time that a method here is called
from tinytorch import formatting
from tinytorch.autograd.modes import state
from tinytorch.autograd.saving import Memory
from tinytorch.dtypes import SCALAR_NAMES, default_numpy_dtype, from_numpy_dtype
from tinytorch.kernels.blocks import memory_block, memory_owner, offset_in_block
from tinytorch.torch_function import overrides

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["Conversions"]


class Conversions:
    """The part of a tensor that makes other things of it, and it of other things."""

    if TYPE_CHECKING:  # what the rest of the tensor has
        _array: np.ndarray
        _grad: Tensor | None
        _requires_grad: bool

        @property
        def requires_grad(self) -> bool: ...

        @property
        def grad_fn(self) -> Any: ...

        @property
        def is_leaf(self) -> bool: ...

        @property
        def dtype(self) -> Any: ...

        @classmethod
        def _wrap(cls, array: np.ndarray) -> Tensor: ...

        def _alias(self) -> Tensor: ...

        def _shared_memory(self) -> Any: ...

    def as_subclass(self, cls: type) -> Any:
        """A view of the whole tensor as an object of ``cls``, a subclass of Tensor. Gradients flow back through it."""
        if not (isinstance(cls, type) and issubclass(cls, Conversions)):
            raise TypeError(f"cls must be a type derived from Tensor (got {cls!r})")
        return tinytorch.ops.copying.Alias.apply(self)._as_object_of(cls)

    def _as_object_of(self, cls: type) -> Any:
        """This tensor, which nobody else has seen yet, as an object of a subclass."""
        other: Any = object.__new__(cls)
        vars(other).update(vars(self))
        return other

    @staticmethod
    def _make_subclass(cls: type, data: Any, require_grad: bool = False) -> Any:
        """``data``, cut off from its graph, as an object of ``cls``; what a subclass's ``__new__`` calls."""
        return data.detach()._as_object_of(cls).requires_grad_(require_grad)

    def item(self) -> Any:
        """The one element as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number for a 0-dimensional tensor."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The same memory as a NumPy array. Raises RuntimeError if the tensor requires grad and grad mode is on
        (``force=True``: detaches), TypeError for bfloat16, as PyTorch does.
        """
        if self.requires_grad and state.grad_enabled and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        self._shared_memory()
        if self._array.dtype.kind == "V":
            raise TypeError(f"Got unsupported ScalarType {SCALAR_NAMES[self.dtype]}")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"cannot convert {array.dtype} to {dtype} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
        result = np.asarray(array)
        from_numpy_dtype(result.dtype)  # TypeError for what a tensor cannot hold: objects, long doubles
        return self._wrap(result)

    def __dlpack__(self, *, stream: Any = None, **options: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        self._shared_memory()
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    # ------------------------------------------------------------------------------------ Python's protocols

    def __bool__(self) -> bool:
        if self._array.size == 1:
            return bool(self._array.item())
        what = "no values" if self._array.size == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")

    __nonzero__ = __bool__

    def _one_number(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def _one_real_number(self, kind: str) -> Any:
        number = self._one_number()
        if not isinstance(number, complex):
            return number
        if number.imag:
            raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
        return number.real

    def __float__(self) -> float:
        return float(self._one_real_number("double"))

    def __int__(self) -> int:
        return int(self._one_real_number("int64_t"))

    __long__ = __int__

    def __complex__(self) -> complex:
        return complex(self._one_number())

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(tinytorch.ops.unbind(self, 0))  # type: ignore[arg-type]

    def __reversed__(self) -> Tensor:
        """Reversed along the first dimension, in one tensor."""
        return tinytorch.ops.flip(self, 0) if self._array.ndim else self  # type: ignore[arg-type, return-value]

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Conversions, int, float, bool, complex)):
            return bool(tinytorch.ops.eq(self, element)._array.any())
        raise RuntimeError(
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element).__name__}."
        )

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        try:
            name = None if self.grad_fn is None else self.grad_fn.name()
        except RuntimeError:  # a view whose base was changed, of which it cannot be said what it means now
            name = "Invalid"
        kind = type(self)
        text = formatting.format_tensor(
            self._array,
            requires_grad=self._requires_grad,
            grad_fn_name=name,
            default_dtype=default_numpy_dtype(),
            prefix=f"{kind.__name__}(" if overrides(kind) else "tensor(",
        )
        return f"Parameter({text})" if getattr(self, "_is_param", False) else text

    def __format__(self, format_spec: str) -> str:
        if self._array.ndim == 0:
            return formatting.format_scalar(self._array, format_spec)
        return object.__format__(self, format_spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment. Use clone() or detach() first."
            )
        if id(self) in memo:
            return memo[id(self)]
        array, memory = copied_memory(self._array, self._memory, memo)  # type: ignore[attr-defined]
        memo[id(self)] = copied = self._rebuild(type(self), array, self._requires_grad)
        copied._memory = memory
        if self._grad is not None:
            copied._grad = self._grad.__deepcopy__(memo)
        for name, value in self._users_attributes().items():
            setattr(copied, name, copy.deepcopy(value, memo))
        return copied

    def _users_attributes(self) -> dict[str, Any]:
        """The attributes that are not the tensor's own, by name."""
        own = tinytorch.tensor_base.TensorBase.__annotations__
        return {name: value for name, value in vars(self).items() if name not in own}

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The graph stays behind, as in PyTorch: what the reader gets is a leaf.
        array = np.ascontiguousarray(self._array).reshape(self._array.shape)
        return self._rebuild, (type(self), array, self.requires_grad), self._users_attributes() or None

    @staticmethod
    def _rebuild(cls: type, array: np.ndarray, requires_grad: bool) -> Any:
        from_numpy_dtype(array.dtype)  # may be the first of its kind in this process
        tensor: Any = object.__new__(cls)
        tensor._array = array
        tensor._requires_grad = requires_grad
        return tensor

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Without argument the type's old name, ``'torch.FloatTensor'``; else the tensor in that dtype."""
        if dtype is None:
            return f"torch.{SCALAR_NAMES[self.dtype]}Tensor"
        from tinytorch.legacy import dtype_named

        return tinytorch.ops.to(self, dtype_named(dtype))  # type: ignore[arg-type]


def copied_memory(array: np.ndarray, memory: Memory | None, memo: dict[Any, Any]) -> tuple[np.ndarray, Memory | None]:
    """The numbers copied, and the record of their memory. Tensors that see the same memory have copies that do so, too,
    within one ``deepcopy``, whose ``memo`` this is.
    """
    if memory is None or not memory.shared:
        return array.copy(order="K"), None
    key = "memory of tensors", id(memory_owner(array))
    if key not in memo:
        whole, memory = memory_block(array), Memory()
        if array.flags.forc and array.nbytes == whole.nbytes:
            memo[key] = array.copy(order="K"), memory
            return memo[key]
        memo[key] = whole.copy(), memory
    block, memory = memo[key]
    memory.shared = True
    return np.ndarray(array.shape, array.dtype, memory_block(block), offset_in_block(array), array.strides), memory
