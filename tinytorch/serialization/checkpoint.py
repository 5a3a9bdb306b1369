"""``save`` and ``load``: an object to a file and back."""

from __future__ import annotations

import mmap as memory_map
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from tinytorch.device import check_device, device
from tinytorch.serialization.archive import MAGIC, ArchiveReader, ArchiveWriter, damaged
from tinytorch.serialization.atomic import replacing
from tinytorch.serialization.memory_map import MemoryMap
from tinytorch.serialization.pickler import Pickler
from tinytorch.serialization.safe_globals import AllowingUnpickler, get_safe_globals
from tinytorch.serialization.storages import Storage, StorageLoader
from tinytorch.serialization.unpickler import Unpickler

__all__ = ["MAP_LOCATION", "load", "save"]

MAP_LOCATION = Callable[[Storage, str], Storage] | device | str | dict[str, str] | None

_FORMAT_VERSION = b"3\n"
_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # torch.save before PyTorch 1.6


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Save ``obj`` to a file that :func:`load` and ``torch.load(weights_only=True)`` read (``torch.save``).

    Equal content gives equal bytes. A file named by its path is replaced whole or, after an error, not at
    all, even if the process is killed meanwhile.

    Args:
        obj: tensors, Parameters, state_dicts, numbers, strings, bytes, ``Size``, ``dtype``, ``device``, and
            lists, tuples, dicts, OrderedDicts, Counters and sets of them. Tensors that share memory still
            share it when loaded. Gradients, hooks and the graph are not saved. Other objects, such as
            modules and NumPy arrays, can be saved too; a file that holds them loads with ``weights_only=False``
            only.
        f: a path, or an object with a ``write`` method.
        pickle_module, pickle_protocol, _use_new_zipfile_serialization: as in PyTorch; only the defaults are
            supported.

    Raises:
        pickle.PicklingError: for an object that cannot be made again (a lambda), naming where it is.
        RuntimeError: if the folder does not exist, or tensors of different dtypes share memory.
    """
    if pickle_module is not pickle or pickle_protocol != 2 or not _use_new_zipfile_serialization:
        raise NotImplementedError(
            "tinytorch writes PyTorch's default format only: pickle_module=pickle, pickle_protocol=2, zip archive"
        )
    if isinstance(f, (str, os.PathLike)):
        pickled, memory = _pickled(obj)  # first, so that what cannot be saved touches no file
        with replacing(f) as file:
            _write(pickled, memory, file.write, not _disable_byteorder_record)
        return
    if not callable(getattr(f, "write", None)):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    _write(*_pickled(obj), f.write, not _disable_byteorder_record)
    if callable(getattr(f, "flush", None)):
        f.flush()


def _pickled(obj: Any) -> tuple[bytes, MemoryMap]:
    """The pickle of ``obj`` and its storages. A first pass sees which memory is shared, a second writes."""
    memory = MemoryMap()
    Pickler(memory.note).dump(obj)
    memory.merge()
    return Pickler(memory.place).dump(obj), memory


def _write(pickled: bytes, memory: MemoryMap, write: Callable[[Any], Any], name_byteorder: bool) -> None:
    archive = ArchiveWriter(write)
    archive.add("data.pkl", pickled)
    if name_byteorder:
        archive.add("byteorder", sys.byteorder.encode())
    for key, storage in enumerate(memory.storages):
        archive.add(f"data/{key}", b"" if storage is None else storage.numbers().view(np.uint8))
    archive.add("version", _FORMAT_VERSION)
    archive.add(".data/serialization_id", archive.fingerprint().encode())
    archive.close()


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """The object in a file that :func:`save` or ``torch.save`` wrote (``torch.load``). Runs no code from the
    file, unless ``weights_only=False`` says that it is trusted.

    Args:
        f: a path, or a binary file object that can seek. A path that ends in ``.safetensors`` is read as that
            format.
        map_location: where tensors saved on other devices go. There is only the CPU here: ``"cpu"``,
            ``device("cpu")``, a dictionary from saved to wanted locations, or a function ``(storage,
            location)`` that returns the storage or None.
        weights_only: True loads tensors and plain containers alone. False loads any object, such as a whole
            module, by importing and calling what the file names: only for files that you trust.
        mmap: map the file instead of reading it (``f`` must be a path): numbers come from the disk when they
            are first used. Changes stay in memory. Checksums of the numbers are not looked at.

    Tensors of ``torch.bfloat16`` come as float32, with a warning, where the package ``ml_dtypes`` is missing
    (``pip install tinytorch[bfloat16]``); dtypes that tinytorch lacks raise.

    Raises:
        pickle.UnpicklingError: the file names anything but tensors and plain containers (the message says
            what), or its pickle is damaged.
        RuntimeError: the file is damaged or cut short, claims more than it holds, has the format before
            PyTorch 1.6, or holds tensors of another device and ``map_location`` does not say where to put
            them.
        EOFError: the file is empty.
    """
    safely = weights_only is None or bool(weights_only)
    if pickle_module is not None and safely:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if pickle_module not in (None, pickle):
        raise NotImplementedError("tinytorch loads with Python's pickle only: leave pickle_module out")
    encoding = pickle_load_args.pop("encoding", "utf-8")
    if pickle_load_args:
        warnings.warn("pickle_load_args are not used, except for `encoding`.", stacklevel=2)
    if isinstance(f, (str, os.PathLike)):
        if os.fspath(f).endswith(".safetensors"):
            from tinytorch.serialization.safetensors import load_file

            return load_file(f, "cpu" if map_location is None else map_location)
        with open(f, "rb") as file:
            return _load(file, map_location, bool(mmap), encoding, safely)
    if not all(callable(getattr(f, name, None)) for name in ("read", "seek", "tell")):
        raise AttributeError(
            f"'{type(f).__name__}' object is no path and cannot read, seek and tell. You can only load from a file "
            "that is seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    return _load(f, map_location, False, encoding, safely)


def _load(file: BinaryIO, map_location: Any, mapped: bool, encoding: str, safely: bool) -> Any:
    start = file.tell()
    beginning = file.read(len(_LEGACY_MAGIC))
    file.seek(start)
    if not beginning:
        raise EOFError("the file is empty, so nothing can be loaded from it")
    if beginning == _LEGACY_MAGIC:
        raise RuntimeError(
            "the file has the format of PyTorch before 1.6, which tinytorch does not read. Convert it in PyTorch: "
            "torch.save(torch.load(path), new_path)"
        )
    if not beginning.startswith(MAGIC):
        raise damaged("not a ZIP archive")
    archive = ArchiveReader(file)
    if "constants.pkl" in archive:
        raise RuntimeError(
            "the file is a TorchScript archive: a program rather than tensors. In PyTorch, save the weights alone: "
            "torch.save(torch.jit.load(path).state_dict(), new_path)"
        )
    whole_file = memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_COPY) if mapped else None
    storages = StorageLoader(archive, _restore_location(map_location), whole_file)
    if not safely:
        from tinytorch.serialization.trusting import TrustingUnpickler

        return TrustingUnpickler(archive.read("data.pkl"), storages.load, encoding).load()
    if get_safe_globals():
        return AllowingUnpickler(archive.read("data.pkl"), storages.load, encoding).load()
    try:
        return Unpickler(archive.read("data.pkl"), storages.load, encoding).load()
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"Weights only load failed. {error}") from None


def _restore_location(map_location: Any) -> Callable[[Storage, str], None]:
    """The function that raises unless a storage saved at ``location`` shall go to the CPU."""
    if isinstance(map_location, bytes):
        map_location = map_location.decode()
    if isinstance(map_location, (str, device)):
        check_device(map_location)
        return lambda storage, location: None
    if isinstance(map_location, dict):
        return lambda storage, location: _check_location(map_location.get(location, location))
    if map_location is None:
        return lambda storage, location: _check_location(location)
    if not callable(map_location):
        raise TypeError(f"map_location must be a device, a dictionary or a function, not {type(map_location).__name__}")

    def by_function(storage: Storage, location: str) -> None:
        result = map_location(storage, location)
        if result is None:
            _check_location(location)
        elif result is not storage:
            raise TypeError(f"map_location must return the storage that it got, or None, not {type(result).__name__}")

    return by_function


def _check_location(location: Any) -> None:
    if str(location) != "cpu":
        raise RuntimeError(
            f"Attempting to deserialize object on device '{str(location)[:40]}', but tinytorch runs on the CPU only. "
            "Please use load with map_location='cpu' to map your storages to the CPU."
        )
