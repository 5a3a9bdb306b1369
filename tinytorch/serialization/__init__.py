"""Checkpoints: tensors and containers to a file and back, in PyTorch's own format.

What :func:`save` writes, ``torch.load`` reads, and :func:`load` reads what ``torch.save`` wrote; PyTorch is
needed for neither. A ``.pt`` file is a ZIP archive::

    archive/data.pkl                  a pickle of the object; for a tensor it says which storage to look at
    archive/byteorder                 "little" or "big": how the numbers in the storages lie
    archive/data/0, archive/data/1    the storages: raw numbers, uncompressed, each on a 64-byte boundary
    archive/version                   of the format: "3"
    archive/.data/serialization_id    a fingerprint of all of the above

One idea a file, in the order to read them:

``archive``    the ZIP container, written and read
``memory_map`` tensors as views of storages: tensors that share memory share it again after loading
``pickler``    the object as a program for the pickle machine
``storages``   storages read from a file, and the views of them checked
``rebuild``    the only functions that such a program may call
``unpickler``  the pickle machine, without the instructions that make Python's own dangerous
``reduction``  objects of other classes, written
``trusting``   and loaded, from files that are trusted
``safe_globals``  or from others, when the user has named the classes
``atomic``     a file is replaced whole or not at all
``checkpoint`` ``save`` and ``load`` themselves
``safetensors``  the same for the other common format

>>> import io, tinytorch
>>> file = io.BytesIO()
>>> save({"weights": tinytorch.arange(3), "epoch": 7}, file)
>>> _ = file.seek(0)
>>> load(file)
{'weights': tensor([0, 1, 2]), 'epoch': 7}
"""

from tinytorch.serialization.checkpoint import MAP_LOCATION, load, save
from tinytorch.serialization.safe_globals import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

#: Of the pickles in a file: the one of PyTorch.
DEFAULT_PROTOCOL = 2

__all__ = ["DEFAULT_PROTOCOL", "MAP_LOCATION", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load",
           "safe_globals", "save"]  # fmt: skip
