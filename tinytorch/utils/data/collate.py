"""Chapter 12, part 3. Collating: from a list of samples to a batch.

After: tinytorch/utils/data/sampler.py
Next: tinytorch/utils/data/dataloader.py

Goal: stack what can be stacked, however deep the samples are nested.

``default_collate`` follows the structure of the samples: a batch of ``(image, label)`` becomes ``[images,
labels]``, a batch of dicts becomes a dict of batches, and so on down to tensors, which are stacked, and
numbers, which become a tensor. ``default_convert`` is its sibling for a single sample: same walk, arrays
become tensors, nothing is stacked.

What PyTorch does. The same rules, type by type; ``collate_fn=`` replaces them.

Pitfalls. Samples of unequal size cannot be stacked: pad them, in a collate function of your own.

Exercises. What becomes of the samples ``(image, {"label": 3, "name": "a"})`` and
``(image, {"label": 4, "name": "b"})``?
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from tinytorch.tensor import Tensor

CollateFnMap = dict[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays and numbers inside ``data`` into tensors and leave everything else as it is.

    Containers are rebuilt with their own type, except that a plain tuple becomes a list (as in PyTorch).
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUO" else _as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuild_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):  # a namedtuple
        return type(data)(*(default_convert(item) for item in data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild_sequence(data, [default_convert(item) for item in data])
    return data


def collate(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """Collate by the type of the first sample: a function from the map, else container by container.

    Args:
        batch: the samples.
        collate_fn_map: from a type (or a tuple of types) to ``fn(batch, *, collate_fn_map)``. The exact type
            is looked up first, then the first entry of which the sample is an instance.

    Raises:
        RuntimeError: sequences of different lengths.
        TypeError: nothing fits.
    """
    sample = batch[0]
    functions = collate_fn_map or {}
    if type(sample) in functions:
        return functions[type(sample)](batch, collate_fn_map=collate_fn_map)
    for types, function in functions.items():
        if isinstance(sample, types):
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(sample, Mapping):
        columns = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in sample}
        return _rebuild_mapping(sample, columns)
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):  # a namedtuple
        return type(sample)(*_collate_columns(batch, collate_fn_map))
    if isinstance(sample, Sequence):
        if any(len(item) != len(sample) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        items = _collate_columns(batch, collate_fn_map)
        return items if isinstance(sample, tuple) else _rebuild_sequence(sample, items)
    raise TypeError(_error_message(type(sample)))


def _collate_columns(batch: Sequence[Any], collate_fn_map: CollateFnMap | None) -> list[Any]:
    return [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch, strict=False)]


def _rebuild_mapping(original: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """``items`` in a container like ``original`` (an OrderedDict stays one)."""
    try:
        if isinstance(original, MutableMapping):
            clone: Any = copy.copy(original)
            clone.update(items)
            return clone
        return type(original)(items)  # type: ignore[call-arg]
    except TypeError:  # its constructor wants something else
        return items


def _rebuild_sequence(original: Sequence[Any], items: list[Any]) -> Any:
    try:
        if isinstance(original, MutableSequence):
            clone: Any = copy.copy(original)
            for index, item in enumerate(items):
                clone[index] = item
            return clone
        return type(original)(items)  # type: ignore[call-arg]
    except TypeError:  # for example a range
        return items


def _error_message(found: Any) -> str:
    return f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"


def _as_tensor(data: Any) -> Tensor:
    from tinytorch import as_tensor

    return as_tensor(data)


def collate_tensor_fn(batch: Sequence[Tensor], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """Tensors of one shape, stacked along a new dimension 0."""
    from tinytorch import stack

    return stack(list(batch), 0)


def collate_numpy_array_fn(batch: Sequence[np.ndarray], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """Arrays as tensors; text and objects cannot become one."""
    if batch[0].dtype.kind in "SUO":
        raise TypeError(_error_message(batch[0].dtype))
    return collate([_as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """NumPy numbers keep their dtype."""
    return _as_tensor(list(batch))


def collate_float_fn(batch: Sequence[float], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """Python floats have 53 bits of precision, so float64: PyTorch's choice, and easy to trip over."""
    from tinytorch import as_tensor, float64

    return as_tensor(list(batch), dtype=float64)


def collate_int_fn(batch: Sequence[int], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """int64; bools, which are ints in Python, stay bool."""
    return _as_tensor(list(batch))


def collate_str_fn(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Sequence[Any]:
    """Text stays a list of texts."""
    return batch


#: What ``default_collate`` does with which type; add your own types here.
default_collate_fn_map: CollateFnMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
_ORIGINAL_MAP = dict(default_collate_fn_map)


def default_collate(batch: Sequence[Any]) -> Any:
    """Put samples together into a batch with a new dimension 0 (``torch.utils.data.default_collate``).

    * tensors and NumPy arrays: stacked; NumPy numbers: a tensor of their dtype
    * ``float``: float64; ``int``: int64; ``bool``: bool
    * ``str`` and ``bytes``: unchanged
    * mappings, namedtuples and lists: the same container of batches; tuples: a list of batches

    Raises:
        RuntimeError: samples of different lengths or shapes.
        TypeError: a type that cannot be batched; give the DataLoader a ``collate_fn`` of your own.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def is_unchanged_default(collate_fn: Callable[..., Any]) -> bool:
    """Whether ``collate_fn`` is :func:`default_collate`, and nobody has added types to its map."""
    return collate_fn is default_collate and default_collate_fn_map == _ORIGINAL_MAP
