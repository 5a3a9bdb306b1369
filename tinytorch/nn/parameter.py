"""Parameter: a tensor that a module learns; Buffer: one that it merely carries along.

Both are ordinary tensors. What makes them special is only that :class:`~tinytorch.nn.Module` notices when one is
assigned to an attribute, and keeps it where ``parameters()``, ``state_dict()`` and the optimizers find it. Results
of ops on parameters are plain tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import default_numpy_dtype, get_default_dtype, to_numpy_dtype
from tinytorch.tensor import Tensor
from tinytorch.torch_function import disabled_torch_function, overrides

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "Valueless", "is_lazy", "valueless"]


class _Marked(type(Tensor)):  # type: ignore[misc]
    """What makes ``isinstance(x, Parameter)`` and ``isinstance(x, Buffer)`` look for a mark, besides the class: so an
    object of a user's subclass of Tensor can be a parameter and stay what it is.
    """

    def __instancecheck__(cls, instance: Any) -> bool:
        kind, mark = type(instance), vars(cls).get("_mark")
        return issubclass(kind, cls) or bool(mark and issubclass(kind, Tensor) and getattr(instance, mark, False))


class Parameter(Tensor, metaclass=_Marked):
    """A tensor to be learned (``torch.nn.Parameter``).

    Shares memory with ``data`` (an empty tensor if None), and is always a leaf: ``Parameter(x * 2)`` starts a new
    history. Of an object of a user's subclass of Tensor the parameter is an object of that class. Raises RuntimeError
    for integers unless ``requires_grad=False``.

    >>> import tinytorch
    >>> tinytorch.nn.Parameter(tinytorch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    _mark = "_is_param"
    __torch_function__ = disabled_torch_function  # type: ignore[assignment]

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is not None and getattr(data, "is_meta", False):
            from tinytorch.nn.meta import parameter_without_values

            return parameter_without_values(data, requires_grad)
        if isinstance(data, Tensor) and overrides(type(data)):
            return _marked(data, requires_grad)
        parameter = object.__new__(cls)
        _share(parameter, data)
        parameter.requires_grad = requires_grad
        return parameter

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter with the same values and no gradient."""
        if id(self) not in memo:
            memo[id(self)] = self._rebuild(type(self), self._array.copy(order="K"), self._requires_grad)
        return memo[id(self)]

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


def _marked(data: Any, requires_grad: bool) -> Any:
    """The parameter of an object of a user's class: another object of it, with a mark."""
    marked = data.detach().requires_grad_(requires_grad)
    if type(marked) is not type(data):
        kinds = type(data).__name__, type(marked).__name__
        raise RuntimeError(
            f"Creating a Parameter from an instance of type {kinds[0]} requires that detach() returns an instance of "
            f"the same type, but return type {kinds[1]} was found instead."
        )
    marked._is_param = True
    return marked


class Buffer(Tensor, metaclass=_Marked):
    """A tensor that belongs to a module's state and is not learned (``torch.nn.Buffer``).

    Assigning one to a module's attribute registers it; ``persistent=False`` leaves it out of ``state_dict()``. It is a
    plain tensor with a mark, by which ``isinstance`` knows it.
    """

    persistent: bool = True
    _mark = "_is_buffer"
    __torch_function__ = disabled_torch_function  # type: ignore[assignment]

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Tensor:  # type: ignore[misc]
        buffer: Any = object.__new__(Tensor)
        _share(buffer, data)
        buffer.requires_grad = data is not None and data.requires_grad
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer


def _share(tensor: Tensor, data: Tensor | None) -> None:
    """Let ``tensor`` be another name for the memory of ``data``, outside its graph."""
    if data is None:
        tensor._array = np.empty(0, default_numpy_dtype())
        return
    if not isinstance(data, Tensor):
        raise TypeError(f"{type(tensor).__name__} data has to be a Tensor, but got {type(data).__name__}")
    tensor._array, tensor._memory = data._array, data._shared_memory()


class Valueless(Tensor):
    """What tensors without values have in common, here and on the meta device (:mod:`.meta`): a dtype, and perhaps a
    shape. Whatever needs their values ends up at ``_array``, and raises there.
    """

    _form: Tensor  # has dtype and shape; its elements are one and the same, so that it takes no memory
    __torch_function__ = disabled_torch_function  # type: ignore[assignment]

    @classmethod
    def _of(cls, form: Tensor, requires_grad: bool) -> Any:
        made: Any = object.__new__(cls)
        made._form, made._requires_grad = form, requires_grad
        return made

    @property
    def dtype(self) -> Any:
        """The type of the elements that are not there."""
        return self._form.dtype

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = self._of(self._form, self._requires_grad)
        vars(copied).update(self._users_attributes())
        return memo.setdefault(id(self), copied)

    def __reduce_ex__(self, protocol: Any) -> Any:
        attributes = {name: value for name, value in self._users_attributes().items() if name != "_form"}
        return valueless, (type(self), tuple(self._form.shape), self.dtype, self._requires_grad), attributes or None


def valueless(cls: type[Valueless], shape: tuple[int, ...], dtype: Any, requires_grad: bool) -> Any:
    """An object of the class."""
    return cls._of(Tensor._wrap(np.broadcast_to(np.zeros((), to_numpy_dtype(dtype)), shape)), requires_grad)


class _Uninitialized(Valueless):
    """What a parameter and a buffer have in common while they have no shape: the power to get one."""

    @property
    def _array(self) -> Any:  # type: ignore[override]
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` or "
            "explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using LazyModules call "
            "`forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    @property
    def shape(self) -> Any:
        """Raises RuntimeError: there is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def data(self) -> Tensor:
        """An empty tensor of the dtype."""
        return self._form

    @data.setter
    def data(self, value: Tensor) -> None:
        self._form = value

    def detach(self) -> Any:
        """The same object: there is nothing to share yet."""
        return self

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer of this shape, with uninitialized values."""
        numpy_dtype = self._form._array.dtype if dtype is None else to_numpy_dtype(dtype)
        self.__class__ = Parameter if isinstance(self, UninitializedParameter) else Tensor  # type: ignore[assignment]
        self._array = np.empty(tuple(shape), numpy_dtype)  # type: ignore[misc]
        del self._form

    def __repr__(self) -> str:  # type: ignore[override]
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter without a shape, until ``materialize(shape)`` (``torch.nn.parameter.UninitializedParameter``)."""

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        return valueless(cls, (0,), dtype or get_default_dtype(), requires_grad)


class UninitializedBuffer(_Uninitialized):
    """A buffer without a shape, until ``materialize(shape)`` (``torch.nn.parameter.UninitializedBuffer``)."""

    persistent: bool

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        buffer = valueless(cls, (0,), dtype or get_default_dtype(), requires_grad)
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer


def is_lazy(value: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(value, _Uninitialized)
