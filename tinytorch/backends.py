"""``tinytorch.backends``: the switches that scripts set for speed or reproducibility.

Setting one changes next to nothing, because everything here is deterministic and exact to the dtype (``mha`` decides
about zeros at padded positions, see `nn.TransformerEncoder`); reading it gives back what was set, and before that
PyTorch's default. Each backend is a module of its own, so that ``import tinytorch.backends.cudnn as cudnn`` finds it.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

__path__: list[str] = []  # a package; its modules are made below
__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "nnpack", "openmp", "opt_einsum", "quantized",
           "xnnpack"]  # fmt: skip


class _Backend(types.ModuleType):
    """A backend that is not there, with the flags it has in PyTorch."""

    def __init__(self, name: str, **flags: Any) -> None:
        super().__init__(f"{__name__}.{name}")
        sys.modules[self.__name__] = self
        vars(self).update(flags)

    @staticmethod
    def is_available() -> bool:
        """False."""
        return False

    @staticmethod
    def is_built() -> bool:
        """False."""
        return False

    @staticmethod
    def version() -> None:
        """None."""

    @contextlib.contextmanager
    def flags(self, **flags: Any) -> Iterator[None]:
        """Set flags for a while."""
        before = dict(vars(self))
        vars(self).update(flags)
        try:
            yield
        finally:
            vars(self).clear()
            vars(self).update(before)


class _CudaBackend(_Backend):
    """The switches of attention's CUDA kernels, which are remembered and choose nothing."""

    def __init__(self) -> None:
        reduced = {"allow_fp16_reduced_precision_reduction": True, "allow_bf16_reduced_precision_reduction": True}
        super().__init__("cuda", matmul=_Backend("cuda.matmul", allow_tf32=False, fp32_precision="none", **reduced))
        self._enabled = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}

    def _enable(self, kernel: str, enabled: bool) -> None:
        self._enabled[kernel] = enabled

    def enable_flash_sdp(self, enabled: bool) -> None:
        """Remembered."""
        self._enable("flash", enabled)

    def enable_mem_efficient_sdp(self, enabled: bool) -> None:
        """Remembered."""
        self._enable("mem_efficient", enabled)

    def enable_math_sdp(self, enabled: bool) -> None:
        """Remembered."""
        self._enable("math", enabled)

    def enable_cudnn_sdp(self, enabled: bool) -> None:
        """Remembered."""
        self._enable("cudnn", enabled)

    def flash_sdp_enabled(self) -> bool:
        """What was set; True at first."""
        return self._enabled["flash"]

    def mem_efficient_sdp_enabled(self) -> bool:
        """What was set; True at first."""
        return self._enabled["mem_efficient"]

    @staticmethod
    def preferred_linalg_library(backend: Any = None) -> None:
        """Accepted: there is one library, NumPy."""

    def math_sdp_enabled(self) -> bool:
        """What was set; True at first."""
        return self._enabled["math"]

    def cudnn_sdp_enabled(self) -> bool:
        """What was set; True at first."""
        return self._enabled["cudnn"]

    @contextlib.contextmanager
    def sdp_kernel(
        self,
        enable_flash: bool = True,
        enable_math: bool = True,
        enable_mem_efficient: bool = True,
        enable_cudnn: bool = True,
    ) -> Iterator[None]:
        """Choose kernels for a while."""
        before = dict(self._enabled)
        self._enabled.update(
            flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
        )
        try:
            yield
        finally:
            self._enabled = before


class _CpuBackend(_Backend):
    @staticmethod
    def get_cpu_capability() -> str:
        """``"DEFAULT"``: NumPy chooses its instructions itself."""
        return "DEFAULT"


class _MultiHeadAttentionBackend(_Backend):
    _fastpath = True

    def get_fastpath_enabled(self) -> bool:
        """What was set; True at first."""
        return self._fastpath

    def set_fastpath_enabled(self, value: bool) -> None:
        """Remembered: there is one path."""
        self._fastpath = value


cuda = _CudaBackend()
cudnn = _Backend("cudnn", enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True,
                 fp32_precision="none")  # fmt: skip
nnpack, xnnpack = _Backend("nnpack", enabled=False), _Backend("xnnpack", enabled=False)
mps, mkl, openmp, cpu = _Backend("mps"), _Backend("mkl"), _Backend("openmp"), _CpuBackend("cpu")
mkldnn = _Backend("mkldnn", enabled=True, deterministic=False, allow_tf32=True)
opt_einsum = _Backend("opt_einsum", enabled=False, strategy=None)
quantized = _Backend("quantized", engine="none", supported_engines=["none"])
mha = _MultiHeadAttentionBackend("mha")
