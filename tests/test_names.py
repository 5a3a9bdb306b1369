"""Names: what PyTorch keeps elsewhere, what is not here and says so, and the parts on which programs build their own."""

import importlib
import pickle
import typing
import warnings

import pytest
import torch

import tinytorch
from tests.programs import check_import

ELSEWHERE = """
from torch.nn.modules.loss import TripletMarginLoss, CosineEmbeddingLoss, _WeightedLoss, LinearCrossEntropyLoss
from torch.nn.modules.batchnorm import SyncBatchNorm, LazyBatchNorm2d, _BatchNorm
from torch.nn.modules.pooling import LPPool2d, MaxUnpool2d, FractionalMaxPool3d
from torch.nn.modules.conv import LazyConv2d, _ConvTransposeNd
from torch.nn.modules.transformer import _get_clones, _get_activation_fn, TransformerEncoderLayer
from torch.nn.modules.module import _addindent
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear, LazyLinear
from torch.nn.modules.activation import MultiheadAttention
from torch.nn.modules.container import ParameterList, ParameterDict
from torch.nn.modules.rnn import LSTMCell, RNNCellBase
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present, _list_with_default
from torch.nn.functional import _pair, has_torch_function, handle_torch_function, _in_projection_packed, _Reduction
from torch.nn import _reduction as _Reduction
from torch.nn.utils import clip_grad_norm, convert_conv2d_weight_memory_format
from torch.optim.optimizer import _use_grad_for_differentiable, _get_value, _stack_if_compiling
from torch.utils.data import DistributedSampler
from torch.utils.data._utils.collate import default_collate, default_convert
from torch.utils.data._utils.worker import get_worker_info
from torch.utils.checkpoint import detach_variable, check_backward_validity, noop_context_fn, set_checkpoint_early_stop
from torch.functional import norm, einsum, Tensor
from torch._tensor import Tensor
from torch._jit_internal import Optional, List, boolean_dispatch, _overload
from torch.overrides import has_torch_function_unary, is_tensor_like
from torch.torch_version import TorchVersion
from torch import OutOfMemoryError, sym_int, SymInt, norm_except_dim, _weight_norm, return_types, _VF
from torch.distributions.von_mises import VonMises
from torch.distributions.multivariate_normal import _batch_mahalanobis, _precision_to_scale_tril
from torch.fx import GraphModule, symbolic_trace, wrap
from torch.onnx import is_in_onnx_export
from torch.utils._pytree import _register_pytree_node
from torch import has_cuda, has_cudnn, has_mps
from torch.nn.init import _no_grad_normal_, _no_grad_trunc_normal_
from torch.jit import Attribute, Error, interface, set_fusion_strategy
import torch.backends.xnnpack
import torch.onnx
import torch.ao.quantization
import torch.__future__
"""


@pytest.mark.parametrize("line", ELSEWHERE.strip().splitlines())
def test_where_pytorch_keeps_things(line):
    check_import(line)


@pytest.mark.parametrize(
    ("module", "name", "advice"),
    [
        ("onnx", "export", "save model.state_dict"), ("ao.quantization", "QuantStub", "quantized"),
        ("distributed.fsdp", "FullyShardedDataParallel", "one process"), ("library", "Library", "autograd.Function"),
        ("quasirandom", "SobolEngine", "tinytorch.rand"), ("utils.cpp_extension", "load", "NumPy"),
        ("nested", "nested_tensor", "pad_sequence"), ("export", "Dim", "state_dict"), ("", "bits8", "quantized"),
        ("", "quantize_per_tensor", "quantized"), ("", "sparse_csr_tensor", "sparse_coo_tensor"), ("", "q_scale", "quantized"),
        ("", "cudnn_convolution", "without cudnn_"), ("", "matmull", "'matmul'"), ("nn", "Linaer", "'Linear'"),
    ],
)  # fmt: skip
def test_what_is_absent_says_what_to_do_instead(module, name, advice):
    path = f"tinytorch.{module}".rstrip(".")
    found = importlib.import_module(path)
    assert not hasattr(found, name) and getattr(found, name, None) is None
    with pytest.raises(AttributeError, match=f"'{path}' has no attribute '{name}'.*{advice}"):
        getattr(found, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from '{path}'.*{advice}"):
        exec(f"from {path} import {name}")


def test_no_model_is_a_graph_module():
    with pytest.raises(NotImplementedError, match=r"tinytorch\.viz"):
        tinytorch.fx.GraphModule(tinytorch.nn.Linear(1, 1), None)
    assert not isinstance(tinytorch.nn.Linear(1, 1), tinytorch.fx.GraphModule)


def test_other_modules_do_not_exist():
    for path in ("tinytorch.nonsense", "tinytorch.nn.nonsense"):
        with pytest.raises(ModuleNotFoundError, match=f"No module named '{path}'"):
            importlib.import_module(path)


def test_versions_are_ordered_as_pytorchs():
    for library in (torch, tinytorch):
        TorchVersion = importlib.import_module(f"{library.__name__}.torch_version").TorchVersion
        version = library.__version__
        assert isinstance(version, TorchVersion) and version.startswith("2.13.0+")
        assert version >= (1, 8) and version > "2.9" and version < "3" and version != "2.12.0" and version <= (3,)
        assert TorchVersion("1.10.0") > "1.9" and TorchVersion("1.8.0a0+1") < "1.8" and TorchVersion("2.0") == (2, 0, 0)
        assert hash(version) == hash(str(version)) and str(version).split(".")[0] == "2"


def test_parts_that_programs_build_on():
    for library in (torch, tinytorch):
        utils = importlib.import_module(f"{library.__name__}.nn.modules.utils")
        names = {"module.a.weight": 1, "module.b": 2, "c": 3}
        utils.consume_prefix_in_state_dict_if_present(names, "module.")
        assert names == {"a.weight": 1, "b": 2, "c": 3}
        assert utils._list_with_default([None, 2], [5, 6, 7]) == [6, 2]
        internal = importlib.import_module(f"{library.__name__}._jit_internal")
        chosen = internal.boolean_dispatch(
            "flag", 1, False, lambda x, flag=False: "yes", lambda x, flag=False: "no", __name__, "chosen"
        )
        assert [chosen(0), chosen(0, True), chosen(0, flag=True), chosen(0, False)] == ["no", "yes", "yes", "no"]
        reduction = library.nn._reduction
        assert [reduction.get_enum(name) for name in ("none", "mean", "sum")] == [0, 1, 2]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert reduction.legacy_get_string(False, None) == "sum" and reduction.legacy_get_enum(None, False) == 0
        assert library.sym_max(1, 2.0) == 2.0 and library.sym_int(-1.5) == -1 and library.sym_ite(True, 1, 2) == 1
        F = library.nn.functional
        library.manual_seed(0)
        q, k, w, b = library.rand(3, 2, 4), library.rand(3, 2, 4), library.rand(12, 4), library.rand(12)
        for tensors in ((q, q, q), (q, k, k), (q, k, q)):
            for got, part in zip(F._in_projection_packed(*tensors, w, b), range(3), strict=True):
                rows = slice(4 * part, 4 * part + 4)
                assert library.allclose(got, F.linear(tensors[part], w[rows], b[rows]), atol=1e-6)
        assert F._mha_shape_check(q, k, k, None, None, 2) and not F._mha_shape_check(q[0], k[0], k[0], None, None, 2)
        mask = F._canonical_mask(library.tensor([True, False]), "mask", None, "other", library.float32)
        assert mask.tolist() == [-float("inf"), 0.0]
        assert q._cdata == q._cdata != q.detach()._cdata and not library.onnx.is_in_onnx_export()
        assert not library._C._are_functorch_transforms_active() and not library.has_mps
        with pytest.raises(OSError, match="nowhere"):
            library.ops.load_library("nowhere.so")
        assert not F.has_torch_function((q,)) and library.overrides.is_tensor_like(q)
        assert [m for m in (F._none_or_dtype(None), F._none_or_dtype(q)) if m] == [library.float32]
        weight = library._weight_norm(w, library.ones(12, 1), 0)
        assert library.allclose(library.norm_except_dim(weight, 2, 0), library.ones(12, 1))


def test_trees_with_paths():
    for library in (torch, tinytorch):
        tree = importlib.import_module(f"{library.__name__}.utils._pytree")
        value = {"a": [1, (2,)], "b": 3}
        leaves, spec = tree.tree_flatten_with_path(value)
        assert [(tree.keystr(path), leaf) for path, leaf in leaves] == [
            ("['a'][0]", 1),
            ("['a'][1][0]", 2),
            ("['b']", 3),
        ]
        assert tree.tree_unflatten([4, 5, 6], spec) == {"a": [4, (5,)], "b": 6} and spec == tree.tree_structure(value)
        mapped = tree.tree_map_with_path(lambda path, x, y: (len(path), x + y), [1, 2], [3, 4])
        assert mapped == [(1, 4), (1, 6)] and list(tree.tree_iter(value)) == [1, 2, 3]
        assert tree.tree_all(lambda x: x > 0, value) and not tree.tree_all(lambda x: x > 1, value)
        kept = [library.ones(1)]
        assert tree.tree_map_(lambda x: x.add_(1), kept) is kept and kept[0].item() == 2


def test_timers():
    from tinytorch.utils import benchmark

    timer = benchmark.Timer(
        "y = f(x)", setup="x = torch.ones(2)", globals={"f": tinytorch.exp}, label="L", sub_label="S"
    )
    one = timer.timeit(3)
    assert one.number_per_run == 3 and len(one.raw_times) == 1 and one.mean == one.median > 0 and one.iqr == 0
    text = repr(one).splitlines()
    assert text[1:3] == ["L: S", "setup: x = torch.ones(2)"] and text[-1] == "  1 measurement, 3 runs, 1 thread"
    several = timer.blocked_autorange(min_run_time=0.002)
    assert sum(several.raw_times) >= 0.002 and several.title == "L: S"
    assert timer.adaptive_autorange(min_run_time=0.001, max_run_time=0.01).times
    other = benchmark.Timer("1 + 1", label="L", description="D", num_threads=2).timeit(2)
    table = str(benchmark.Compare([one, several, other])).splitlines()
    assert table[0].startswith("[-") and "2 threads: " in "\n".join(table) and table[-1].startswith("Times are in ")
    assert benchmark.select_unit(0.002) == ("ms", 1e-3) and benchmark.select_unit(0.0) == ("ns", 1e-9)
    with pytest.raises(NotImplementedError, match="Python"):
        benchmark.Timer("x", language="c++")


def test_functions_around_modules():
    for library in (torch, tinytorch):
        nn = library.nn
        model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm2d(3)), nn.Linear(2, 2))
        replaced = importlib.import_module(f"{library.__name__}.func").replace_all_batch_norm_modules_(model)
        assert replaced is model and model[0].running_mean is None and not model[1][0].track_running_stats
        layer, x = nn.Linear(2, 2), library.ones(3, 2)
        assert not library.cuda.is_available() and library.cuda.memory_stats() == {}
        assert not library.compiler.is_exporting()
        assert not any(getattr(x, f"is_{name}") for name in ("ipu", "maia", "mtia", "vulkan", "xla"))
        for ask in (library.cuda.Stream, library.cuda.Event, lambda T=library: T.cuda.nvtx.range_push("x")):
            with pytest.raises(RuntimeError):
                ask()
        if library is tinytorch:  # PyTorch cannot on the CPU
            assert nn.parallel.data_parallel(layer, x).equal(layer(x))
            assert [y.shape for y in nn.parallel.parallel_apply([layer, layer], [x, (x,)])] == [(3, 2), (3, 2)]
        assert library.get_device_module("cpu") is library.cpu and issubclass(library.OutOfMemoryError, RuntimeError)


def test_checkpoint_runs_in_the_contexts_that_it_is_given():
    from contextlib import contextmanager

    for library in (torch, tinytorch):
        entered = []

        @contextmanager
        def noted(name, entered=entered):
            entered.append(name)
            yield

        x = library.ones(2, requires_grad=True)
        checkpoint = importlib.import_module(f"{library.__name__}.utils.checkpoint")
        y = checkpoint.checkpoint(
            lambda x: x.exp().sin(), x, use_reentrant=False, context_fn=lambda: (noted("first"), noted("second"))
        )
        assert entered == ["first"]
        y.sum().backward()
        assert entered == ["first", "second"]
        with pytest.raises(ValueError, match="context_fn"):
            checkpoint.checkpoint(lambda x: x, x, use_reentrant=True, context_fn=lambda: (noted("a"), noted("b")))


def test_types_print_under_the_names_that_users_know():
    for library in (torch, tinytorch):
        x = library.ones(2)
        for value, name in ((x, "Tensor"), (x.shape, "Size"), (x.dtype, "dtype"), (x.device, "device")):
            assert repr(type(value)) == f"<class '{library.__name__}.{name}'>"
            assert pickle.loads(pickle.dumps(type(value))) is type(value)
        assert library.Size((library.tensor(2), 3)) == (2, 3) == library.Size(iter([2, 3])) and library.Size() == ()
        for wrong in ([1.5], ["a"]):
            with pytest.raises(TypeError):
                library.Size(wrong)


@pytest.mark.parametrize("part", ["nn", "optim", "utils.data", "autograd"])
def test_hints_can_be_read(part):
    """Dataclasses, argument parsers and type checkers read the hints of a program's own layer with those of its bases."""
    module = importlib.import_module(f"tinytorch.{part}")
    for name in module.__all__:
        if isinstance(getattr(module, name), type):
            typing.get_type_hints(getattr(module, name))


def test_dtypes_that_are_only_named():
    from tinytorch.dtype_names import DTYPES

    for name, ours in DTYPES.items():
        theirs = getattr(torch, name)
        assert getattr(tinytorch, name) is ours and pickle.loads(pickle.dumps(ours)) is ours
        assert repr(ours) == repr(theirs) and ours.itemsize == theirs.itemsize and ours != tinytorch.float32
        assert (ours.is_floating_point, ours.is_complex) == (theirs.is_floating_point, theirs.is_complex)
        for make in (lambda ours=ours: tinytorch.zeros(2, dtype=ours), lambda ours=ours: tinytorch.ones(2).to(ours)):
            with pytest.raises(NotImplementedError, match=rf"tensors of torch\.{name} are not supported.*Use torch"):
                make()
    assert tinytorch.chalf is tinytorch.complex32
    for name in ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"):
        theirs, ours = (library.finfo(getattr(library, name)) for library in (torch, tinytorch))
        for limit in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
            assert getattr(ours, limit) == getattr(theirs, limit)


def test_what_is_asked_of_the_compiler():
    for library in (torch, tinytorch):
        dynamo = importlib.import_module(f"{library.__name__}._dynamo")
        x = library.ones(2)
        assert dynamo.mark_static(x) is None and dynamo.mark_static_address(x) is None
        assert dynamo.maybe_mark_dynamic(x, 0) is None and dynamo.assume_constant_result(check_import) is check_import
        wrapped = importlib.import_module(f"{library.__name__}._dynamo._trace_wrapped_higher_order_op")
        with wrapped.TransformGetItemToIndex():
            taken = library.vmap(library.arange(5).__getitem__)(library.arange(3))
        assert taken.tolist() == [0, 1, 2]
        tree = importlib.import_module(f"{library.__name__}.utils._pytree")
        values, keys = tree._dict_flatten({"a": 1, "b": 2})
        assert tree._dict_unflatten(values, keys) == {"a": 1, "b": 2}
        assert [str(key) for key, _ in tree._dict_flatten_with_keys({"a": 1})[0]] == ["['a']"]


def test_parts_by_their_place_alone():
    for library in (torch, tinytorch):
        assert library.nn.modules.padding.ZeroPad2d is library.nn.ZeroPad2d
        assert library.nn.modules.instancenorm.InstanceNorm1d is library.nn.InstanceNorm1d
        assert library.distributions.exp_family.ExponentialFamily and library.distributions.chi2.Chi2
        pattern = importlib.import_module(f"{library.__name__}.utils.data._utils.collate").np_str_obj_array_pattern
        assert pattern.search("<U3") and not pattern.search("<f4")
        assert library.serialization.DEFAULT_PROTOCOL == 2 and not hasattr(library.nn.modules, "nonsense")
