"""The error for a name that is not there: is it one of PyTorch's, what is the nearest thing here, what to do instead?

A module's ``__getattr__`` runs only when a name was not found, and ends in::

    def __getattr__(name):
        raise missing(__name__, name)

It is an AttributeError whatever the reason, or ``hasattr(torch, name)`` and ``getattr(torch, name, None)``, with
which scripts ask what their library can do, would fail instead of saying no. ``from torch import name`` gets an
ImportError: Python would replace an AttributeError by one of its own, which says nothing.
"""

from __future__ import annotations

import difflib
import importlib
import opcode
import sys
from typing import Any

from tinytorch.absent import advice_on

__all__ = ["elsewhere", "missing"]

_QUANTIZED = "There are no quantized numbers."
_COO = "Sparse tensors are kept by coordinates: use sparse_coo_tensor."
_SYMBOLS = "Sizes are plain numbers here: use Python's int, float, max, min and math.sqrt."
#: Where a name leads that is left out on purpose: what to do instead. ``*`` stands for any end.
INSTEAD = {
    "IterDataPipe": "Derive from tinytorch.utils.data.IterableDataset.",
    "MapDataPipe": "Derive from tinytorch.utils.data.Dataset.",
    "SobolEngine": "Draw with tinytorch.rand, or take scipy.stats.qmc.Sobol.",
    "TorchDispatchMode": "Watch ops with tinytorch.profiler, or look at the graph with tinytorch.viz.",
    "TorchFunctionMode": "Watch ops with tinytorch.profiler, or look at the graph with tinytorch.viz.",
    "bits*": _QUANTIZED,
    "cudnn_*": "There is no GPU: call the function without cudnn_ in front.",
    "dequantize": _QUANTIZED,
    "eig": "PyTorch removed it: call linalg.eig, whose results are complex.",
    "fbgemm_*": _QUANTIZED,
    "lstsq": "PyTorch removed it: call linalg.lstsq(A, B), with the arguments the other way round.",
    "matrix_rank": "PyTorch removed it: call linalg.matrix_rank.",
    "miopen_*": "There is no GPU: call the function without miopen_ in front.",
    "mkldnn_*": "Call the function without mkldnn_ in front.",
    "per_channel_*": _QUANTIZED,
    "per_tensor_*": _QUANTIZED,
    "q_*": _QUANTIZED,
    "qscheme": _QUANTIZED,
    "quant*": _QUANTIZED,
    "solve": "PyTorch removed it: call linalg.solve(A, B), with the arguments the other way round.",
    "sparse_bs*": _COO,
    "sparse_cs*": _COO,
    "sym_*": _SYMBOLS,
    "symeig": "PyTorch removed it: call linalg.eigh, which reads the lower triangle by default.",
    "SymBool": _SYMBOLS,
    "SymFloat": _SYMBOLS,
    "SymInt": _SYMBOLS,
}


def missing(module: str, name: str) -> AttributeError | ImportError:
    """The error for ``module.name``.

    >>> str(missing("tinytorch.nn", "Linaer"))
    "module 'tinytorch.nn' has no attribute 'Linaer'. The nearest name there is: 'Linear'."
    >>> str(missing("tinytorch", "quantize_per_tensor"))[58:]
    '(PyTorch has it, tinytorch does not). There are no quantized numbers.'
    """
    text = f"module '{module}' has no attribute '{name}'"
    if name.startswith("__"):
        return AttributeError(text)
    if _is_pytorchs(module, name):
        text += " (PyTorch has it, tinytorch does not)"
    advice = advice_on(module) or _advice(name)
    if advice is None:
        near = difflib.get_close_matches(name, [n for n in vars(sys.modules[module]) if not n.startswith("_")], n=1)
        advice = f"The nearest name there is: '{near[0]}'." if near else None
    text += "." if advice is None else f". {advice}"
    if _asked_by_import():
        return ImportError(f"cannot import name '{name}' from '{module}': {text}", name=module)
    return AttributeError(text)


def elsewhere(module: str, name: str, other: str) -> Any:
    """``module.name`` from ``other``, among whose public names are those that PyTorch has in ``module`` as well."""
    if not name.startswith("__"):
        found = importlib.import_module(other)
        if name in found.__all__:
            return getattr(found, name)
    raise missing(module, name)


def _advice(name: str) -> str | None:
    if name in INSTEAD:
        return INSTEAD[name]
    starts = ((key[:-1], advice) for key, advice in INSTEAD.items() if key.endswith("*"))
    return next((advice for start, advice in starts if name.startswith(start)), None)


def _is_pytorchs(module: str, name: str) -> bool:
    from tinytorch.compat import pytorch_names  # a list that is read only when a name was not found

    return name in pytorch_names().get(module.replace("tinytorch", "torch", 1), ())


def _asked_by_import() -> bool:
    """Whether the line that wants the name is ``from module import name``."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name in ("__getattr__", "elsewhere", "found_elsewhere"):
        frame = frame.f_back
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]
