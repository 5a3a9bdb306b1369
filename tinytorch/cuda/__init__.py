"""``tinytorch.cuda``: there is none. The questions that scripts ask get the answers of a PyTorch without GPUs."""

from __future__ import annotations

from typing import Any

from tinytorch import dtypes
from tinytorch.accelerators import Absent, AcceleratorError, OutOfMemoryError
from tinytorch.legacy import TensorType

_absent = Absent("CUDA")

is_available = is_initialized = is_bf16_supported = is_tf32_supported = is_current_stream_capturing = _absent.false
device_count = memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = _absent.zero
memory_cached = max_memory_cached = _absent.zero
manual_seed = manual_seed_all = seed = seed_all = empty_cache = set_rng_state_all = _absent.nothing
get_rng_state_all = get_arch_list = _absent.empty_list

# PyTorch raises here without a GPU. Scripts call these where timing or measuring a device, and every op has finished
# when it returns, so doing nothing is right.
synchronize = reset_peak_memory_stats = reset_max_memory_allocated = ipc_collect = _absent.nothing
reset_max_memory_cached = reset_accumulated_memory_stats = _absent.nothing

init = current_device = set_device = get_device_name = get_device_properties = _absent.unavailable
get_device_capability = get_rng_state = set_rng_state = initial_seed = _absent.unavailable
memory_summary = mem_get_info = current_stream = default_stream = _absent.unavailable
stream = graph = device = device_of = StreamContext = cudart = _lazy_init = _absent.unavailable
set_sync_debug_mode = get_sync_debug_mode = set_per_process_memory_fraction = _absent.unavailable
can_device_access_peer = utilization = temperature = power_draw = clock_rate = memory_usage = _absent.unavailable
list_gpu_processes = memory_snapshot = make_graphed_callables = _absent.unavailable
default_generators: tuple[()] = ()


_initialized = False


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Nothing is counted."""
    return {}


class Event:
    """A mark in the work of a GPU; there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _absent.unavailable()


class Stream:
    """A queue of work of a GPU; there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _absent.unavailable()


class CUDAGraph:
    """Recorded work of a GPU; there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _absent.unavailable()


FloatTensor, DoubleTensor = TensorType(dtypes.float32, is_cuda=True), TensorType(dtypes.float64, is_cuda=True)
HalfTensor, BFloat16Tensor = TensorType(dtypes.float16, is_cuda=True), TensorType(dtypes.bfloat16, is_cuda=True)
ByteTensor, CharTensor = TensorType(dtypes.uint8, is_cuda=True), TensorType(dtypes.int8, is_cuda=True)
ShortTensor, IntTensor = TensorType(dtypes.int16, is_cuda=True), TensorType(dtypes.int32, is_cuda=True)
LongTensor, BoolTensor = TensorType(dtypes.int64, is_cuda=True), TensorType(dtypes.bool_, is_cuda=True)


def __getattr__(name: str) -> Any:
    if name in ("amp", "memory", "nvtx", "random"):  # loaded when first asked for
        import importlib

        return importlib.import_module(f"tinytorch.cuda.{name}")
    _absent.missing(name)
