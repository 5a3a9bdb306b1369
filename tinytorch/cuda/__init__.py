"""``tinytorch.cuda``: there is none. The questions that scripts ask get the answers of a PyTorch without GPUs."""

from __future__ import annotations

from typing import Any

from tinytorch import dtypes
from tinytorch.accelerators import Absent, AcceleratorError, OutOfMemoryError
from tinytorch.legacy import TensorType

_absent = Absent("CUDA")

is_available = is_initialized = is_bf16_supported = is_tf32_supported = _absent.false
device_count = memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = _absent.zero
manual_seed = manual_seed_all = seed = seed_all = empty_cache = set_rng_state_all = _absent.nothing
get_rng_state_all = get_arch_list = _absent.empty_list

# PyTorch raises here without a GPU. Scripts call these where timing or measuring a device, and every op has finished
# when it returns, so doing nothing is right.
synchronize = reset_peak_memory_stats = reset_max_memory_allocated = ipc_collect = _absent.nothing

init = current_device = set_device = get_device_name = get_device_properties = _absent.unavailable
get_device_capability = get_rng_state = set_rng_state = initial_seed = _absent.unavailable
memory_summary = memory_stats = mem_get_info = current_stream = default_stream = _absent.unavailable
Event = Stream = CUDAGraph = stream = graph = device = _absent.unavailable


_initialized = False


FloatTensor, DoubleTensor = TensorType(dtypes.float32, is_cuda=True), TensorType(dtypes.float64, is_cuda=True)
HalfTensor, BFloat16Tensor = TensorType(dtypes.float16, is_cuda=True), TensorType(dtypes.bfloat16, is_cuda=True)
ByteTensor, CharTensor = TensorType(dtypes.uint8, is_cuda=True), TensorType(dtypes.int8, is_cuda=True)
ShortTensor, IntTensor = TensorType(dtypes.int16, is_cuda=True), TensorType(dtypes.int32, is_cuda=True)
LongTensor, BoolTensor = TensorType(dtypes.int64, is_cuda=True), TensorType(dtypes.bool_, is_cuda=True)


def __getattr__(name: str) -> Any:
    if name in ("amp", "random"):  # loaded when first asked for
        import importlib

        return importlib.import_module(f"tinytorch.cuda.{name}")
    _absent.missing(name)
