"""Switches, accelerators that are not there, and what scripts import for training in several processes."""

import importlib

import pytest
import torch

import tinytorch

ANSWERS = """
cuda.device_count() | cuda.is_bf16_supported() | cuda.memory_allocated() | cuda.max_memory_allocated()
cuda.manual_seed_all(1) | cuda.empty_cache() | cuda.get_rng_state_all() | cuda.is_initialized()
mps.is_available() | mps.device_count() | mps.manual_seed(1) | xpu.is_available() | xpu.device_count()
cpu.is_available() | cpu.device_count() | cpu.current_device() | accelerator.is_available() | version.cuda | version.hip
accelerator.current_accelerator() | backends.cudnn.benchmark | backends.cudnn.enabled | backends.cudnn.is_available()
backends.cudnn.version() | backends.mps.is_available() | backends.mps.is_built() | backends.cuda.is_built()
backends.cuda.flash_sdp_enabled() | backends.cuda.matmul.allow_tf32 | backends.mha.get_fastpath_enabled()
get_float32_matmul_precision() | are_deterministic_algorithms_enabled() | get_deterministic_debug_mode() | newaxis
is_deterministic_algorithms_warn_only_enabled() | is_warn_always_enabled() | distributed.is_initialized()
"""


@pytest.mark.parametrize("call", [call.strip() for line in ANSWERS.strip().splitlines() for call in line.split(" | ")])
def test_the_answers_are_pytorchs(call):
    assert eval(f"T.{call}", {"T": tinytorch}) == eval(f"T.{call}", {"T": torch})


def test_what_is_set_is_remembered():
    tinytorch.use_deterministic_algorithms(True, warn_only=True)
    assert tinytorch.is_deterministic_algorithms_warn_only_enabled() and tinytorch.get_deterministic_debug_mode() == 1
    tinytorch.set_deterministic_debug_mode("error")
    assert not tinytorch.is_deterministic_algorithms_warn_only_enabled()
    tinytorch.use_deterministic_algorithms(False)
    assert not tinytorch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="debug_mode"):
        tinytorch.set_deterministic_debug_mode("loud")
    tinytorch.set_float32_matmul_precision("high")
    assert tinytorch.get_float32_matmul_precision() == "high"
    with pytest.warns(UserWarning, match="medium"):
        tinytorch.set_float32_matmul_precision("low")
    tinytorch.set_float32_matmul_precision("highest")
    with tinytorch.backends.cudnn.flags(benchmark=True):
        assert tinytorch.backends.cudnn.benchmark
    assert not tinytorch.backends.cudnn.benchmark
    with tinytorch.backends.cuda.sdp_kernel(enable_flash=False):
        assert not tinytorch.backends.cuda.flash_sdp_enabled()
    assert tinytorch.backends.cuda.flash_sdp_enabled()


def test_devices():
    tinytorch.set_default_device("cpu")
    assert tinytorch.get_default_device() == tinytorch.device("cpu") == tinytorch.Generator().device
    with pytest.raises(RuntimeError, match="CPU only"):
        tinytorch.set_default_device("cuda")
    with tinytorch.device("cpu"):
        assert tinytorch.ones(2).device.type == "cpu"
    with pytest.raises(RuntimeError, match="CPU only"), tinytorch.device("cuda"):
        pass
    with pytest.raises(RuntimeError, match="CPU only"):
        tinytorch.cuda.get_device_name(0)
    with pytest.raises(AttributeError, match="is_available"):
        tinytorch.cuda.no_such_name  # noqa: B018


def test_one_process():
    distributed = importlib.import_module("tinytorch.distributed")
    assert not distributed.is_available() and not distributed.is_initialized()
    with pytest.raises(ValueError, match="init_process_group"):
        distributed.get_rank()
    layer = tinytorch.nn.Linear(2, 3)
    model = tinytorch.nn.DataParallel(layer)
    theirs = torch.nn.DataParallel(torch.nn.Linear(2, 3))
    assert repr(model) == repr(theirs) and list(model.state_dict()) == list(theirs.state_dict())
    x = tinytorch.ones(4, 2)
    assert model(x).equal(layer(x))
    with pytest.raises(ValueError, match="init_process_group"):
        tinytorch.nn.parallel.DistributedDataParallel(layer)


@pytest.mark.parametrize("arguments", [{}, {"shuffle": False}, {"drop_last": True}, {"seed": 3}])
@pytest.mark.parametrize("length", [7, 8, 2])
def test_the_sampler_of_one_process_among_several(length, arguments):
    for rank in range(3):
        samplers = [
            importlib.import_module(f"{library}.utils.data.distributed").DistributedSampler(
                range(length), 3, rank, **arguments
            )
            for library in ("torch", "tinytorch")
        ]
        for epoch in (0, 1):
            for sampler in samplers:
                sampler.set_epoch(epoch)
            assert list(samplers[0]) == list(samplers[1]) and len(samplers[0]) == len(samplers[1])


def test_the_choice_of_an_attention_kernel():
    attention = tinytorch.nn.attention
    assert repr(attention.SDPBackend.MATH) == repr(torch.nn.attention.SDPBackend.MATH)
    with attention.sdpa_kernel([attention.SDPBackend.FLASH_ATTENTION, attention.SDPBackend.MATH]):
        pass
    with pytest.raises(RuntimeError, match="MATH"), attention.sdpa_kernel(attention.SDPBackend.FLASH_ATTENTION):
        pass
    with pytest.raises(AssertionError), attention.sdpa_kernel(["math"]):
        pass
