"""Automatic differentiation: recording, walking back, and checking (``torch.autograd``).

``backward`` and ``grad`` walk the recorded graph (:mod:`.engine`), :class:`Function` lets users write ops
(:mod:`.function`), ``gradcheck`` judges derivatives by finite differences (:mod:`.gradcheck`), ``no_grad`` and its
kin switch recording (:mod:`.modes`). The course reads node, saving, primitive, part and engine. Around them::

    starts, fitting, accumulate     a walk's beginning, a gradient's shape and dtype on the way, its end in ``.grad``
    deferred                        gradients that another thread computes meanwhile
    grad_attribute                  what reading and setting ``.grad`` checks
    hooks, calling_hooks, packing   what users hang on nodes, and when it is called
    multi_grad, graph               the same as PyTorch's ``autograd.graph`` offers it
    inplace                         changes in place, and views
    watching, anomaly               who sees ops run; the search for the first NaN
    half                            float16 and bfloat16, computed in float32
    functional, forward_ad          derivatives of derivatives
    anomaly_mode, grad_mode, profiler, variable     PyTorch's places for what stands elsewhere here
"""

from typing import Any

import tinytorch.tensor_base  # the circle (see its end) has to be closed before the engine can load
from tinytorch.autograd.anomaly import detect_anomaly, set_detect_anomaly
from tinytorch.autograd.engine import backward, grad
from tinytorch.autograd.function import Function
from tinytorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from tinytorch.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinytorch.autograd.variable import Variable

__all__ = ["Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "grad", "gradcheck",
           "gradgradcheck", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
           "set_detect_anomaly", "set_grad_enabled"]  # fmt: skip


_MODULES = ("anomaly_mode", "forward_ad", "functional", "grad_mode", "graph", "profiler", "variable")


def __getattr__(name: str) -> Any:
    if name in _MODULES:  # loaded when first asked for
        import importlib

        return importlib.import_module(f"tinytorch.autograd.{name}")
    from tinytorch.missing import missing

    raise missing(__name__, name)
