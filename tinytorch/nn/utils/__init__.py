"""Utilities on parameters: gradient clipping, conversion to one vector (``torch.nn.utils``)."""

from typing import Any

from tinytorch.nn.utils import rnn
from tinytorch.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tinytorch.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tinytorch.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from tinytorch.nn.utils.weight_norm import remove_weight_norm, weight_norm

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
           "parameters_to_vector", "remove_spectral_norm", "remove_weight_norm", "rnn", "spectral_norm",
           "vector_to_parameters", "weight_norm"]  # fmt: skip


#: Loaded when first asked for, so that `import tinytorch` stays fast.
_LAZY_MODULES = ("fusion", "memory_format", "parametrizations", "parametrize", "prune", "stateless")
_LAZY_NAMES = {
    "fuse_conv_bn_eval": "fusion",
    "fuse_conv_bn_weights": "fusion",
    "fuse_linear_bn_eval": "fusion",
    "fuse_linear_bn_weights": "fusion",
    "convert_conv2d_weight_memory_format": "memory_format",
    "convert_conv3d_weight_memory_format": "memory_format",
    "skip_init": "init",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name in _LAZY_MODULES:
        return importlib.import_module(f"tinytorch.nn.utils.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(f"tinytorch.nn.utils.{_LAZY_NAMES[name]}"), name)
    from tinytorch.missing import missing

    raise missing(__name__, name)
