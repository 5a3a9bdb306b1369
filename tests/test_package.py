"""The package as it is installed: a wheel that works outside the checkout, with its data; and what `import tinytorch` gives."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

import tinytorch
from tests.programs import check_import

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import tinytorch as torch
from tinytorch.datasets import MNISTSample
digits = MNISTSample(train=False)
assert len(digits) == 1000 and digits.data.sum() > 0
model = torch.nn.Linear(784, 10)
torch.nn.functional.cross_entropy(model(digits.data.float().flatten(1) / 255), digits.targets).backward()
assert "torch" not in __import__("sys").modules
print(torch.__file__, float(model.weight.grad.abs().max()) > 0)
"""


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(tmp_path), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("tinytorch-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert "tinytorch/py.typed" in names and "tinytorch/datasets/data/mnist_5k.npz" in names
    assert not any(name.startswith(("tests/", "examples/")) for name in names)
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{PROGRAM}"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site)) and done.stdout.strip().endswith("True")


def test_the_names_that_scripts_import():
    for name in ("nn", "optim", "autograd", "utils", "random", "linalg", "cuda", "backends"):
        assert hasattr(tinytorch, name), name
    assert tinytorch.cuda.is_available() is False
    assert tinytorch.float32 is tinytorch.float and repr(tinytorch.int64) == "torch.int64"


IMPORTS = """
import torch.backends.cudnn as cudnn
import torch.backends.cuda
from torch.backends import mps, cudnn
from torch.nn.modules.padding import ReflectionPad2d, ZeroPad2d
from torch.nn.modules.instancenorm import _InstanceNorm, InstanceNorm2d
from torch.nn.modules.pixelshuffle import PixelShuffle
from torch.nn.modules.channelshuffle import ChannelShuffle
from torch.nn.modules.module import _IncompatibleKeys
from torch.nn.common_types import _size_1_t, _size_2_t, _size_any_t, _ratio_any_t
from torch.nn.parallel.scatter_gather import gather, scatter, scatter_kwargs
from torch.autograd.variable import Variable
from torch.autograd.grad_mode import no_grad, inference_mode
from torch.autograd.anomaly_mode import detect_anomaly
from torch.autograd.function import FunctionCtx
from torch.hub import _get_torch_home, tqdm
from torch.utils.model_zoo import load_url, tqdm
from torch.jit.annotations import BroadcastingList1, BroadcastingList2, List
from torch._jit_internal import BroadcastingList3
from torch.jit import ScriptModule, ScriptFunction, TracerWarning, _overload_method, trace_module
from torch.serialization import MAP_LOCATION, add_safe_globals, safe_globals, get_safe_globals, clear_safe_globals
from torch.utils.checkpoint import get_device_states, set_device_states
from torch.utils._foreach_utils import _group_tensors_by_device_and_dtype, _has_foreach_support
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors
from torch._C import _LinAlgError, _get_tracing_state, _is_tracing, _log_api_usage_once, DisableTorchFunctionSubclass, Value
from torch.jit.annotations import BroadcastingList1, BroadcastingList2, BroadcastingList3
from torch.distributions.utils import _standard_normal, _sum_rightmost
from torch.distributions.transforms import _InverseTransform
"""


@pytest.mark.parametrize("line", IMPORTS.strip().splitlines())
def test_import_lines_of_public_programs(line):
    check_import(line)
    assert tinytorch.backends.cudnn is __import__("sys").modules["tinytorch.backends.cudnn"]


def test_names_with_an_underscore_that_programs_use():
    for library in (torch, tinytorch):
        library._assert(True, "fine")
        library._check(True)
        with pytest.raises(AssertionError, match="no"):
            library._assert(False, "no")
        with pytest.raises(RuntimeError, match="Expected cond"):
            library._check(False)
        with pytest.raises(RuntimeError, match="too long"):
            library._check(False, lambda: "too long")
        with pytest.raises(TypeError, match="bool"):
            library._check(1)
        assert library._shape_as_tensor(library.ones(2, 3)).tolist() == [2, 3]
        assert library._cast_Long(library.ones(1)).dtype is library.int64
        assert library._standard_gamma(library.ones(3)).shape == (3,)
        parts = [library.ones(2, 2), library.zeros(3)]
        utils = __import__(f"{library.__name__}._utils", fromlist=["_utils"])
        flat = utils._flatten_dense_tensors(parts)
        assert [part.tolist() for part in utils._unflatten_dense_tensors(flat, parts)] == [p.tolist() for p in parts]


def test_a_missing_name_says_so():
    with pytest.raises(AttributeError, match="sparse_coo_tensor"):
        tinytorch.sparse_csr_tensor  # noqa: B018
    with pytest.raises(AttributeError, match="softmax"):
        tinytorch.softmaxx  # noqa: B018


def test_asking_for_a_gpu_is_one_clear_error():
    for ask in (
        lambda: tinytorch.ones(2, device="cuda"),
        lambda: tinytorch.ones(2).to("cuda"),
        lambda: tinytorch.ones(2).cuda(),
        lambda: tinytorch.nn.Linear(2, 2).cuda(),
    ):
        with pytest.raises(AssertionError, match="CPU only") as caught:  # as PyTorch without CUDA
            ask()
        assert isinstance(caught.value, RuntimeError)


def test_no_numpy_warnings_from_our_lines():
    program = """
import torch

import tinytorch
x = tinytorch.tensor([0.0, -1.0, 1e38], requires_grad=True)
y = (1 / x) + x.log() + x.sqrt() + x * x + (x * x).exp() + x / 0
y.sum().backward()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0 and done.stderr == ""


def test_the_version_begins_with_pytorchs_and_ends_with_the_packages():
    import importlib.metadata

    interface, own = tinytorch.__version__.split("+tinytorch.")
    assert tuple(map(int, interface.split("."))) == tuple(map(int, torch.__version__.split("+")[0].split(".")))
    assert own == importlib.metadata.version("tinytorch")
