"""The other common format for weights, safetensors: a list of names, dtypes and sizes, then raw numbers.

It holds one flat dictionary of tensors and nothing else: no containers, no shared memory. The format is read
and written by the package ``safetensors``; here its bytes become tensors::

    save_file(model.state_dict(), "model.safetensors")
    model.load_state_dict(load_file("model.safetensors"))
"""

from __future__ import annotations

import os
import stat
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import check_device
from tinytorch.serialization.atomic import replacing
from tinytorch.serialization.storages import bfloat16_to_float32, valid_bools
from tinytorch.tensor import Tensor

__all__ = ["load_file", "save_file"]

_DTYPES = {
    "F64": dtypes.float64, "F32": dtypes.float32, "F16": dtypes.float16, "BF16": dtypes.bfloat16,
    "C64": dtypes.complex64, "BOOL": dtypes.bool_,
    "I64": dtypes.int64, "I32": dtypes.int32, "I16": dtypes.int16, "I8": dtypes.int8,
    "U64": dtypes.uint64, "U32": dtypes.uint32, "U16": dtypes.uint16, "U8": dtypes.uint8,
}  # fmt: skip


def save_file(
    tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Write tensors (``safetensors.torch.save_file``). The file is replaced whole or not at all.

    Tensors that share memory are written once each. Raises TypeError for keys that are no strings, values
    that are no tensors, and complex128, which the format lacks; ImportError without the package
    ``safetensors``.
    """
    package = _package()
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise TypeError(f"save_file takes strings and tensors, but got {name!r}: {type(tensor).__name__}")
        if tensor.dtype not in _DTYPES.values():
            raise TypeError(
                f"the safetensors format has no {tensor.dtype} ({name!r}); convert it, or use tinytorch.save"
            )
        arrays[name] = np.asarray(tensor._array, order="C")
    content = package.numpy.save(arrays, metadata=metadata)
    with replacing(filename) as file:
        file.write(content)


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors of a file (``safetensors.torch.load_file``), sorted by name.

    bfloat16 comes as float32 where the package ``ml_dtypes`` is missing (``pip install tinytorch[bfloat16]``).
    Raises RuntimeError if the file is damaged or holds dtypes or shapes that tinytorch lacks; ImportError without
    the package.
    """
    package = _package()
    check_device(device)
    with open(filename, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise RuntimeError(f"{os.fspath(filename)} is no regular file")  # /dev/zero never ends
        content = file.read()
    try:
        members = package.deserialize(content)
    except package.SafetensorError as error:
        raise RuntimeError(f"{os.fspath(filename)} is no safetensors file, or it is damaged: {error}") from None
    return {name: _tensor(name, about) for name, about in sorted(members, key=lambda member: member[0])}


def _tensor(name: str, about: dict[str, Any]) -> Tensor:
    kind, shape, data = about["dtype"], tuple(about["shape"]), about["data"]
    if not isinstance(data, bytearray):  # tensors can be written to
        data = bytearray(data)
    if kind == "BF16" and not dtypes.has_bfloat16():
        array = bfloat16_to_float32(np.frombuffer(data, "<u2").astype(np.uint16))
    elif kind in _DTYPES:
        dtype = _DTYPES[kind].numpy
        array = np.frombuffer(data, dtype.newbyteorder("<")) if data else np.empty(0, dtype)
        array = valid_bools(array.astype(dtype, copy=False))
    else:
        raise RuntimeError(
            f"tensor {name!r} has the dtype {kind}, which tinytorch lacks; convert the file in PyTorch first"
        )
    try:
        return Tensor._wrap(array.reshape(shape))
    except ValueError as error:
        raise RuntimeError(f"tensor {name!r:.80} has a shape that NumPy's arrays cannot have: {error}") from None


def _package() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "reading and writing .safetensors files needs the package safetensors: pip install safetensors"
        ) from None
    return safetensors
