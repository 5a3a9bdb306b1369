"""The AttributeError for a name that is not there: is it one of PyTorch's, and what is the nearest thing here?

A package's ``__getattr__`` runs only when a name was not found, and ends in::

    def __getattr__(name):
        raise missing(__name__, name)

It must be an AttributeError whatever the reason, or ``hasattr(torch, name)`` and ``getattr(torch, name, None)``, with
which scripts ask what their library can do, would fail instead of saying no.
"""

from __future__ import annotations

import difflib
import sys

__all__ = ["missing"]

#: Where a name leads that is left out on purpose: what to do instead.
INSTEAD = {
    "chalf": "NumPy has no complex numbers of half precision: use complex64.",
    "complex32": "NumPy has no complex numbers of half precision: use complex64.",
    "onnx": "Save the state_dict and export it with PyTorch.",
    "quantization": "Only floating-point inference is supported.",
    "sparse_csr_tensor": "Sparse tensors are kept by coordinates: use sparse_coo_tensor.",
}


def missing(module: str, name: str) -> AttributeError:
    """The error for ``module.name``.

    >>> str(missing("tinytorch.nn", "Linaer"))
    "module 'tinytorch.nn' has no attribute 'Linaer'. The nearest name there is: 'Linear'."
    >>> str(missing("tinytorch.nn", "SyncBatchNorm"))[:85]
    "module 'tinytorch.nn' has no attribute 'SyncBatchNorm' (PyTorch has it, tinytorch doe"
    """
    text = f"module '{module}' has no attribute '{name}'"
    if name.startswith("__"):
        return AttributeError(text)
    if _is_pytorchs(module, name):
        text += " (PyTorch has it, tinytorch does not)"
    if name in INSTEAD:
        return AttributeError(f"{text}. {INSTEAD[name]}")
    near = difflib.get_close_matches(name, [n for n in vars(sys.modules[module]) if not n.startswith("_")], n=1)
    return AttributeError(text + (f". The nearest name there is: '{near[0]}'." if near else "."))


def _is_pytorchs(module: str, name: str) -> bool:
    from tinytorch.compat import pytorch_names  # a list that is read only when a name was not found

    return name in pytorch_names().get(module.replace("tinytorch", "torch", 1), ()) or name in INSTEAD
