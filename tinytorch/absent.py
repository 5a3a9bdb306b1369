"""The parts of PyTorch that are not here: they can be imported, and say what to do instead when something is used.

Programs import ``torch.onnx`` or ``torch.distributed.fsdp`` at their top for one rare option. So the import of such a
module gives one in which there is nothing::

    >>> import tinytorch.onnx
    >>> hasattr(tinytorch.onnx, "export")
    False
    >>> tinytorch.onnx.export  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AttributeError: module 'tinytorch.onnx' has no attribute 'export'. No ONNX is written: ...

Any other module that does not exist is a ModuleNotFoundError, as everywhere.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any

__all__ = ["INSTEAD"]

_QUANTIZED = "There are no quantized numbers: compute in floating point, or load the state_dict in PyTorch for it."
_ONE_PROCESS = (
    "Training runs in one process: use the module and the optimizer themselves, and tinytorch.distributed with a group "
    "of one where a script wants a group."
)
_NO_COMPILER = "Python code runs as it is: leave the call out, or keep it where tinytorch.compile passes it through."
#: What to do instead, by module (which stands for all below it, too).
INSTEAD = {
    "ao": _QUANTIZED,
    "contrib": "Draw the graph with tinytorch.viz.",
    "distributed": _ONE_PROCESS,
    "export": "Programs are not exported: save model.state_dict() and build the model from its class.",
    "library": "Write an op with tinytorch.library.custom_op, or as a subclass of tinytorch.autograd.Function.",
    "monitor": "Measure with tinytorch.profiler.",
    "nested": "Pad the sequences (tinytorch.nn.utils.rnn.pad_sequence), or pack them (pack_padded_sequence).",
    "nn.intrinsic": _QUANTIZED,
    "nn.qat": _QUANTIZED,
    "nn.quantizable": _QUANTIZED,
    "nn.quantized": _QUANTIZED,
    "onnx": "No ONNX is written: save model.state_dict(), load it into the same model in PyTorch, and export that.",
    "package": "Save model.state_dict() with tinytorch.save, and ship the code as a Python package.",
    "quantization": _QUANTIZED,
    "quasirandom": "There are no Sobol numbers: draw with tinytorch.rand, or take scipy.stats.qmc.Sobol.",
    "utils.bundled_inputs": "Save the inputs with tinytorch.save.",
    "utils.collect_env": "Print sys.version, numpy.__version__ and tinytorch.__version__.",
    "utils.cpp_extension": "Nothing is compiled here: write the op with tinytorch.autograd.Function on NumPy arrays.",
    "utils.mobile_optimizer": "There is no TorchScript here to optimize.",
    "_dynamo": _NO_COMPILER,
    "_inductor": _NO_COMPILER,
}


#: The best known functions in them, so that ``from torch.onnx import export`` is no import of a module.
_FUNCTIONS = {
    "as_nested_tensor", "convert", "custom_op", "define", "export", "fuse_modules", "fully_shard", "get_state_dict",
    "get_default_qconfig", "impl", "init_device_mesh", "init_rpc", "is_in_onnx_export", "load", "load_inline",
    "nested_tensor", "optimize_for_mobile", "parallelize_module", "prepare", "prepare_qat", "quantize_dynamic",
    "record", "register_fake", "rpc_async", "rpc_sync", "save", "triton_op",
}  # fmt: skip


class AbsentModule(types.ModuleType):
    """A module in which nothing is."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        from tinytorch.missing import missing

        raise missing(self.__name__, name)


def advice_on(module: str) -> str | None:
    """What to do instead of using ``module`` (``"tinytorch.onnx.utils"``); None if it is none of the above."""
    parts = module.split(".")[1:]
    return next(
        (INSTEAD[".".join(parts[:n])] for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in INSTEAD), None
    )


class _Finder:
    """Asked by ``import`` last of all, so only for what does not exist."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("tinytorch."):
            return None
        below = fullname.removeprefix("tinytorch.")
        name = below.rpartition(".")[2]
        if below in INSTEAD or (advice_on(fullname) is not None and name.islower() and name not in _FUNCTIONS):
            return ModuleSpec(fullname, _Finder, is_package=True)  # type: ignore[arg-type]
        return None

    @staticmethod
    def create_module(spec: ModuleSpec) -> AbsentModule:
        return AbsentModule(spec.name)

    @staticmethod
    def exec_module(module: types.ModuleType) -> None:
        """There is nothing in it."""


sys.meta_path.append(_Finder)
