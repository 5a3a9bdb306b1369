"""Checkpoints against real PyTorch in both directions; hostile, damaged and interrupted files."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import random
import stat
import struct
import subprocess
import sys
import threading
import warnings
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.nn.parameter import Buffer, Parameter
from tinytorch.serialization import archive as archive_module
from tinytorch.serialization import load, save
from tinytorch.serialization.archive import ArchiveReader, ArchiveWriter
from tinytorch.serialization.safetensors import load_file, save_file

DTYPES = [
    "float16", "float32", "float64", "complex64", "complex128", "uint8", "uint16", "uint32", "uint64",
    "int8", "int16", "int32", "int64", "bool",
]  # fmt: skip
SHAPES = [(), (0,), (1,), (7,), (3, 4), (2, 0, 3), (2, 1, 3, 4), (1, 1, 1, 1, 1, 2)]


def random_array(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind == "c":
        return np.asarray(generator.normal(size=shape) + 1j * generator.normal(size=shape)).astype(dtype)
    if kind == "f":
        return np.asarray(generator.normal(size=shape)).astype(dtype)
    return np.asarray(generator.integers(0, 2 if kind == "b" else 100, size=shape)).astype(dtype)


def bytes_of(obj, library=tinytorch) -> bytes:
    file = io.BytesIO()
    library.save(obj, file)
    return file.getvalue()


def to_torch(obj):
    return torch.load(io.BytesIO(bytes_of(obj)), weights_only=True)


def from_torch(obj, **options):
    return load(io.BytesIO(bytes_of(obj, torch)), **options)


def assert_same(mine, theirs, strides: bool = True) -> None:
    """The same structure, types and numbers; ``mine`` from tinytorch, ``theirs`` from torch."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(mine, tinytorch.Tensor)
        assert type(mine).__name__ == type(theirs).__name__
        assert str(mine.dtype) == str(theirs.dtype)
        assert tuple(mine.shape) == tuple(theirs.shape)
        assert mine.requires_grad == theirs.requires_grad
        if theirs.dtype is torch.bfloat16:
            assert bool(
                (
                    mine.detach().view(tinytorch.int16)
                    == tinytorch.from_numpy(theirs.detach().view(torch.int16).numpy())
                ).all()
            )
        else:
            np.testing.assert_array_equal(mine.detach().numpy(), theirs.detach().resolve_conj().numpy())
        if strides and theirs.numel():  # the stride of a dimension of size 1 means nothing, and NumPy has its own
            mine_in_memory = [s // mine.itemsize for s, n in zip(mine._array.strides, mine.shape, strict=True) if n > 1]
            assert mine_in_memory == [s for s, n in zip(theirs.stride(), theirs.shape, strict=True) if n > 1]
    elif isinstance(theirs, dict):
        assert type(mine) is type(theirs) and list(mine) == list(theirs)
        for key in theirs:
            assert_same(mine[key], theirs[key], strides)
        assert getattr(mine, "_metadata", None) == getattr(theirs, "_metadata", None)
    elif type(theirs) in (list, tuple):
        assert type(mine) is type(theirs) and len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            assert_same(a, b, strides)
    elif isinstance(theirs, (torch.dtype, torch.device, torch.Size)):
        assert repr(mine) == repr(theirs)
    else:
        assert type(mine) is type(theirs) and mine == theirs


# ------------------------------------------------------------------------------------------------ tensors


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_tensors_in_both_directions(dtype, shape):
    array = random_array(dtype, shape)
    assert_same(tinytorch.from_numpy(array), to_torch(tinytorch.from_numpy(array)))
    assert_same(from_torch(torch.from_numpy(array)), torch.from_numpy(array))
    assert_same(load(io.BytesIO(bytes_of(tinytorch.from_numpy(array)))), torch.from_numpy(array))


@pytest.mark.parametrize(
    "view",
    [lambda x: x.t(), lambda x: x[::2], lambda x: x[:, 1:3], lambda x: x[1:2].expand(5, 6), lambda x: x[:, :, None].permute(2, 1, 0),
     lambda x: x[3, 4], lambda x: x[2:2], lambda x: x[:, 2]],
)  # fmt: skip
def test_views_keep_their_strides(view):
    array = random_array("float32", (4, 6))
    mine, theirs = view(tinytorch.from_numpy(array)), view(torch.from_numpy(array))
    assert_same(load(io.BytesIO(bytes_of(mine))), theirs)
    assert_same(from_torch(theirs), theirs)
    again = to_torch(mine)
    assert torch.equal(again, theirs)
    assert_same(load(io.BytesIO(bytes_of(mine))), again)


def test_flipped_tensor_is_copied():
    x = tinytorch.from_numpy(random_array("int64", (3, 4)))
    flipped = tinytorch.Tensor._wrap(x._array[::-1, ::-1])
    assert np.array_equal(to_torch([x, flipped])[1].numpy(), flipped.numpy())


def test_kernel_memory_order_is_written_as_row_major():
    array = random_array("float32", (5, 3, 4, 2))
    image = tinytorch.nn.functional.conv2d(tinytorch.from_numpy(array), tinytorch.ones(2, 3, 1, 1))
    lying = np.ascontiguousarray(array.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    for tensor in (image, tinytorch.Tensor._wrap(lying)):
        expected = tensor.numpy().copy()
        loaded = to_torch({"a": tensor, "b": tensor.detach()})
        assert loaded["a"].is_contiguous() and np.array_equal(loaded["a"].numpy(), expected)
        assert loaded["a"].data_ptr() == loaded["b"].data_ptr()  # two names of one memory stay so
    tensor = tinytorch.Tensor._wrap(lying)
    shared = to_torch([tensor, tensor[1:3]])
    shared[0].zero_()
    assert not shared[1].any()


def test_shared_memory_stays_shared_in_both_directions():
    flat = tinytorch.arange(24.0)
    loaded = to_torch({"rows": flat.view(4, 6), "middle": flat[4:10], "other": tinytorch.arange(24.0)})
    loaded["middle"].zero_()
    assert loaded["rows"].flatten()[4:10].eq(0).all() and loaded["other"][5] == 5

    base = torch.arange(24.0)
    mine = from_torch({"rows": base.view(4, 6), "turned": base.view(4, 6).t(), "tail": base[20:]})
    for checkpoint in (mine, load(io.BytesIO(bytes_of(mine)))):
        checkpoint["tail"].zero_()
        assert not checkpoint["rows"][3, 2:].any() and not checkpoint["turned"][2:, 3].any()
    assert mine["rows"][3, 1] == 19


def test_same_tensor_object_stays_one_object():
    x = tinytorch.ones(3)
    first, second = load(io.BytesIO(bytes_of([x, x])))
    assert first is second


def test_only_the_needed_part_of_memory_is_written():
    assert len(bytes_of(tinytorch.zeros(1_000_000)[:10])) < 2000
    assert len(bytes_of([tinytorch.zeros(100_000)[i : i + 3] for i in (0, 99_000)])) < 4000


def test_different_dtypes_on_one_memory_raise_as_in_torch():
    x = tinytorch.zeros(4)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        save([x, x.view(tinytorch.int32)], io.BytesIO())


def test_bfloat16_without_its_package_becomes_float32_exactly(monkeypatch):
    if importlib.util.find_spec("ml_dtypes"):
        monkeypatch.setattr(tinytorch.bfloat16, "numpy", tinytorch.bfloat16.numpy)  # made, if it was not,
        monkeypatch.delattr(tinytorch.bfloat16, "numpy")  # and taken away
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    source = {
        "a": torch.randn(50).to(torch.bfloat16),
        "n": torch.tensor([float("inf"), float("nan"), -0.0]).to(torch.bfloat16),
    }
    with pytest.warns(UserWarning, match=r"bfloat16.*float32"):
        mine = from_torch(source)
    assert_same(mine, {name: tensor.float() for name, tensor in source.items()})


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex32])
def test_unknown_dtypes_raise_clearly(dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor = torch.zeros(3).to(dtype)
    with pytest.raises(pickle.UnpicklingError, match=str(dtype)):
        from_torch(tensor)


def test_quantized_and_sparse_tensors_raise_clearly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match="_rebuild_qtensor"):
            from_torch(quantized)
        with pytest.raises(pickle.UnpicklingError, match="_rebuild_sparse_tensor"):
            from_torch(torch.eye(2).to_sparse())


def test_lazily_conjugated_tensor_names_the_cure():
    x = torch.from_numpy(random_array("complex64", (3,)))
    with pytest.raises(RuntimeError, match="resolve_conj"):
        from_torch(x.conj())
    assert_same(from_torch(x.conj().resolve_conj()), x.conj())


# ------------------------------------------------------------------------------------------------ parameters and containers


@pytest.mark.parametrize("requires_grad", [True, False])
def test_parameters_keep_class_and_requires_grad(requires_grad):
    array = random_array("float32", (3, 2))
    theirs = torch.nn.Parameter(torch.from_numpy(array), requires_grad)
    mine = Parameter(tinytorch.from_numpy(array), requires_grad)
    assert_same(from_torch(theirs), theirs)
    assert_same(mine, to_torch(mine))
    assert_same(load(io.BytesIO(bytes_of(mine))), theirs)


def test_requires_grad_of_plain_tensors_and_results():
    x = tinytorch.ones(2, requires_grad=True)
    assert_same(load(io.BytesIO(bytes_of([x, x * 2]))), to_torch([x, x * 2]))
    theirs = torch.ones(2, requires_grad=True)
    assert_same(from_torch([theirs, theirs * 3]), [theirs, (theirs * 3)])
    assert load(io.BytesIO(bytes_of(x * 2))).is_leaf


def test_attributes_of_tensors_and_buffers():
    theirs = torch.nn.Parameter(torch.ones(2))
    theirs.tag, theirs.scale = "bias", torch.tensor(3.0)
    mine = from_torch(theirs)
    assert mine.tag == "bias" and float(mine.scale) == 3
    back = to_torch(mine)
    assert type(back) is torch.nn.Parameter and back.tag == "bias" and back.scale == 3
    plain = tinytorch.ones(2)
    plain.note = [1, 2]
    assert to_torch(plain).note == [1, 2]
    buffer = from_torch(torch.nn.Buffer(torch.ones(2), persistent=False))
    assert isinstance(buffer, Buffer) and buffer.persistent is False
    assert isinstance(to_torch(Buffer(tinytorch.ones(2))), torch.nn.Buffer)


PLAIN = [
    None, True, False, 0, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**100, -(2**100), 2**2038,
    0.0, -1.5, float("inf"), 1e-310, 2 + 3j, "", "text", "h\u00e9llo \U0001f600", b"", b"abc\xff\x00", bytearray(b"xyz"), bytearray(),
    [], [1, [2, [3]]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": 1, 2: "b", (1, "k"): None, None: 0, 1.5: 2},
    set(), {1, 2, 3}, {"a", "b"}, OrderedDict(a=1, b=[2]), Counter("abracadabra"), [b"same", b"same", "same", "same"],
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=[f"{i} {type(v).__name__}" for i, v in enumerate(PLAIN)])
def test_plain_values_in_both_directions(value):
    assert_same(load(io.BytesIO(bytes_of(value))), value)
    assert_same(to_torch(value), value)
    assert_same(from_torch(value), value)


def test_torch_values_in_both_directions():
    for name in DTYPES:
        assert to_torch(getattr(tinytorch, name)) is getattr(torch, name)
        assert from_torch(getattr(torch, name)) is getattr(tinytorch, name)
    assert type(to_torch(tinytorch.Size([2, 3]))) is torch.Size
    assert type(from_torch(torch.Size([2, 3]))) is tinytorch.Size and from_torch(torch.Size([2, 3])) == (2, 3)
    for name in ("cpu", "cuda:1"):
        assert to_torch(tinytorch.device(name)) == torch.device(name)
        assert from_torch(torch.device(name)) == tinytorch.device(name)


def test_shared_and_recursive_containers():
    inner = [1]
    outer = [inner, inner, {"again": inner}]
    outer.append(outer)
    for loaded in (load(io.BytesIO(bytes_of(outer))), to_torch(outer), from_torch(outer)):
        assert loaded[0] is loaded[1] is loaded[2]["again"] and loaded[3] is loaded


def test_state_dicts_with_metadata():
    theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(3, 1))
    state = from_torch(theirs.state_dict())
    assert_same(state, theirs.state_dict())
    assert state._metadata["1"] == {"version": 2}
    back = to_torch(state)
    assert back._metadata == theirs.state_dict()._metadata
    theirs.load_state_dict(back)


def test_tied_weights_stay_tied():
    tied = torch.nn.Linear(3, 3)
    model = torch.nn.ModuleList([tied, tied])
    state = from_torch(model.state_dict())
    state["0.weight"].zero_()
    assert not state["1.weight"].any()


def test_optimizer_state_of_adam_in_both_directions():
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, amsgrad=True)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    for _ in range(3):
        model(torch.randn(5, 4)).square().mean().backward()
        optimizer.step()
        schedule.step()
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "epoch": 3,
    }
    mine = from_torch(checkpoint)
    assert_same(mine, checkpoint)
    back = to_torch(mine)
    assert_same(mine, back)
    again = torch.optim.Adam(model.parameters())
    again.load_state_dict(back["optimizer"])
    assert again.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


# ------------------------------------------------------------------------------------------------ what cannot be saved or loaded


class Unknown:
    def __reduce__(self):
        return os.system, ("echo never",)


class Settings:
    class Inner:
        level = 3

    def __init__(self, rate):
        self.rate, self.inner = rate, Settings.Inner()


@pytest.mark.parametrize(
    "obj, words",
    [({"a": [lambda: 0]}, r"lambda.*at \['a'\]\[0\]"), (2**5000, "bits"), (threading.Lock(), "lock")],
    ids=["lambda", "number", "lock"],
)
def test_what_cannot_be_made_again_is_not_saved(obj, words, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    with pytest.raises(pickle.PicklingError, match=words):
        save(obj, path)
    assert os.listdir(tmp_path) == ["model.pt"] and path.read_bytes() == b"old"


def reloaded(obj):
    data = bytes_of(obj)
    with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
        load(io.BytesIO(data))
    return load(io.BytesIO(data), weights_only=False)


def test_objects_of_other_classes_load_from_trusted_files():
    settings = reloaded(
        {"settings": Settings(0.1), "kind": Settings.Inner, "step": np.float32(2), "frozen": frozenset({1})}
    )
    assert settings["settings"].rate == 0.1 and settings["settings"].inner.level == 3
    assert settings["kind"] is Settings.Inner and settings["step"] == 2 and settings["frozen"] == frozenset({1})
    states = reloaded({"numpy": np.random.get_state(), "python": random.getstate(), "torch": tinytorch.get_rng_state()})
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
    tinytorch.set_rng_state(states["torch"])
    grouped = reloaded(defaultdict(list, {"a": [slice(1, 2)]}))
    assert grouped == {"a": [slice(1, 2)]} and grouped["b"] == []
    assert reloaded(len) is len


def test_whole_modules_and_optimizers_load_from_trusted_files():
    model = tinytorch.nn.Sequential(tinytorch.nn.Linear(3, 4), tinytorch.nn.BatchNorm1d(4), tinytorch.nn.Tanh())
    x = tinytorch.ones(2, 3)
    expected = model(x)
    optimizer = tinytorch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    expected.sum().backward()
    optimizer.step()
    copy, copied_optimizer, layer = reloaded([model, optimizer, model[0]])
    assert repr(copy) == repr(model) and layer is copy[0]
    assert copy(x).equal(model(x))
    assert copied_optimizer.param_groups[0]["params"][0] is copy[0].weight
    assert copied_optimizer.state[copy[0].weight]["momentum_buffer"].shape == (4, 3)


def test_modules_that_pytorch_saved_are_read_as_modules_of_tinytorch():
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    mine = load(io.BytesIO(bytes_of(theirs, torch)), weights_only=False)
    assert type(mine[0]) is tinytorch.nn.Linear
    x = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(
        mine(tinytorch.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-6
    )


def test_too_deep_objects_raise():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(pickle.PicklingError, match="nested"):
        save(nested, io.BytesIO())


@pytest.mark.parametrize(
    "obj", [Unknown(), {"a": Unknown()}, [os.getcwd], slice(0, 1), range(3)], ids=lambda o: type(o).__name__
)
def test_foreign_globals_are_refused_by_name(obj, capfd):
    with pytest.raises(
        pickle.UnpicklingError,
        match=r"Unsupported global: GLOBAL (posix|nt|os|builtins)\.(system|getcwd|slice|range|xrange) ",
    ):
        from_torch(obj)
    assert "never" not in capfd.readouterr().out


def test_weights_only_false_loads_plain_files_too():
    data = bytes_of({"a": tinytorch.ones(2), "p": Parameter(tinytorch.ones(1)), "d": tinytorch.float16})
    loaded = load(io.BytesIO(data), weights_only=False, map_location="cpu")
    assert loaded["a"].tolist() == [1, 1] and type(loaded["p"]) is Parameter and loaded["d"] is tinytorch.float16
    assert load(io.BytesIO(data), weights_only=None)["a"].shape == (2,)
    with pytest.raises(pickle.UnpicklingError, match="tinytorch does not have"):
        load(io.BytesIO(bytes_of(torch.jit.ScriptModule, torch)), weights_only=False)


def test_legacy_and_other_formats_are_named():
    file = io.BytesIO()
    torch.save(torch.ones(2), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    with pytest.raises(RuntimeError, match=r"1\.6.*torch\.save\(torch\.load"):
        load(file)
    file = io.BytesIO()
    torch.save(torch.ones(2), file, pickle_protocol=4)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"protocol 4.*Save again"):
        load(file)
    with pytest.raises(EOFError, match="empty"):
        load(io.BytesIO())
    with pytest.raises(RuntimeError, match="not a ZIP"):
        load(io.BytesIO(b"hello world, this is text"))
    script = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    script.seek(0)
    with pytest.raises(RuntimeError, match="TorchScript"):
        load(script)


# ------------------------------------------------------------------------------------------------ files


def test_layout_of_the_file():
    data = bytes_of([tinytorch.arange(5), tinytorch.zeros(0), tinytorch.ones(3)])
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert names == [
        f"archive/{n}"
        for n in ("data.pkl", "byteorder", "data/0", "data/1", "data/2", "version", ".data/serialization_id")
    ]
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    reader = ArchiveReader(io.BytesIO(data))
    for name in names:
        assert reader.locate(name.removeprefix("archive/"))[0] % 64 == 0
    assert len(reader.read(".data/serialization_id")) == 40


def test_equal_content_gives_equal_bytes():
    def checkpoint(words):
        return {"".join(words): tinytorch.arange(4), "set": set(words), "bytes": ["".join(words).encode(), b"ab"]}

    first = bytes_of(checkpoint(["a", "b"]))
    assert first == bytes_of(checkpoint(list("ab")))
    assert first == bytes_of(load(io.BytesIO(first)))
    code = (
        "import io, sys, tinytorch as t; f = io.BytesIO(); t.save({'ab': t.arange(4), 'set': {'a', 'b'}, 'bytes': [b'ab', b'ab']}, f); "
        "sys.stdout.buffer.write(f.getvalue())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment).stdout == first
    )


def test_paths_mmap_and_file_objects(tmp_path):
    x = {"weight": tinytorch.arange(10_000.0), "turned": tinytorch.arange(6).view(2, 3).t(), "none": tinytorch.zeros(0)}
    for name in ("a.pt", "with.dots.pth", "plain"):
        save(x, tmp_path / name)
        save(x, str(tmp_path / name))
        for mapped in (False, True):
            theirs = torch.load(tmp_path / name, mmap=mapped, weights_only=True)
            mine = load(tmp_path / name, mmap=mapped)
            assert_same(mine, theirs)
            mine["weight"].zero_()  # changes stay in memory
            assert not mine["weight"].any()
    assert load(tmp_path / "a.pt")["weight"][7] == 7
    torch.save({"weight": torch.ones(3)}, tmp_path / "torch.v1.pt")  # the archive is called torch.v1 inside
    assert load(tmp_path / "torch.v1.pt", mmap=True)["weight"].tolist() == [1, 1, 1]
    with open(tmp_path / "a.pt", "rb") as file:
        assert load(file)["turned"].shape == (3, 2)
    with pytest.raises(ValueError, match="file path"):
        load(io.BytesIO(bytes_of(x)), mmap=True)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.pt")
    with pytest.raises(RuntimeError, match="Parent directory"):
        save(x, tmp_path / "missing" / "a.pt")
    with pytest.raises(AttributeError, match="write"):
        save(x, 3)
    with pytest.raises(AttributeError, match="seek"):
        load(3)


def test_a_stream_that_only_writes_a_little_at_a_time():
    class Slow:
        data = b""

        def write(self, part):
            self.data += bytes(part[:1000])
            return min(len(part), 1000)

    slow, x = Slow(), tinytorch.arange(5000)
    save(x, slow)
    assert slow.data == bytes_of(x)
    behind = io.BytesIO(b"0123456789" + slow.data)
    behind.seek(10)
    assert_same(load(behind), torch.arange(5000))


def test_older_zip_files_and_the_other_byte_order():
    file = io.BytesIO()
    torch.save({"a": torch.arange(3.0)}, file, _disable_byteorder_record=True)
    assert_same(load(io.BytesIO(file.getvalue())), {"a": torch.arange(3.0)})

    members = members_of(bytes_of({"a": tinytorch.arange(3.0), "c": tinytorch.ones(2, dtype=tinytorch.complex64)}))
    members["byteorder"] = b"big"
    members["data/0"], members["data/1"] = (
        np.frombuffer(members[k], "<f4").astype(">f4").tobytes() for k in ("data/0", "data/1")
    )
    assert_same(load(archive_of(members)), {"a": torch.arange(3.0), "c": torch.ones(2, dtype=torch.complex64)})
    assert_same(load(archive_of(members)), torch.load(archive_of(members), weights_only=True))


def test_zip64_archives(monkeypatch, tmp_path):
    """The fields for files beyond 4 GB, tried with a small file; PyTorch and zipfile judge."""
    monkeypatch.setattr(archive_module, "_ZIP64_FROM", 500)
    x = [tinytorch.arange(1000), tinytorch.arange(3)]
    save(x, tmp_path / "large.pt")
    assert zipfile.ZipFile(tmp_path / "large.pt").testzip() is None
    for mapped in (False, True):
        assert_same(x, torch.load(tmp_path / "large.pt", mmap=mapped, weights_only=True))
        assert_same(load(tmp_path / "large.pt", mmap=mapped), [torch.arange(1000), torch.arange(3)])


def test_map_location():
    data = bytes_of(tinytorch.ones(2))
    for where in (
        None,
        "cpu",
        b"cpu",
        tinytorch.device("cpu"),
        {"cuda:0": "cpu"},
        lambda storage, location: storage,
        lambda storage, location: None,
    ):
        assert load(io.BytesIO(data), map_location=where).tolist() == [1, 1]
    members = members_of(data)
    members["data.pkl"] = members["data.pkl"].replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    for where in ("cpu", {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert load(archive_of(members), map_location=where).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="map_location='cpu'"):
        load(archive_of(members))
    with pytest.raises(RuntimeError, match="CPU only"):
        load(io.BytesIO(data), map_location="cuda")
    with pytest.raises(KeyError):  # the function's own error, not "damaged"
        load(io.BytesIO(data), map_location=lambda storage, location: {}[location])


# ------------------------------------------------------------------------------------------------ hostile files


def members_of(data: bytes) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


def archive_of(members: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    writer = ArchiveWriter(file.write)
    for name, data in members.items():
        writer.add(name, data)
    writer.close()
    file.seek(0)
    return file


def run_pickle(program: bytes, storage: bytes = bytes(16)):
    return load(archive_of({"data.pkl": b"\x80\x02" + program, "data/0": storage, "version": b"3\n"}))


def tensor_program(
    numel: int = 4, offset: int = 0, shape: tuple = (4,), strides: tuple = (1,), storage: str = "FloatStorage"
) -> bytes:
    def plain(value):
        return pickle.dumps(value, 2)[2:-1]

    pid = b"(" + plain("storage") + f"ctorch\n{storage}\n".encode() + plain("0") + plain("cpu") + plain(numel) + b"tQ"
    rest = plain(offset) + plain(shape) + plain(strides) + b"\x89ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + rest + b"tR."


def test_hand_made_tensor_is_accepted():
    assert run_pickle(tensor_program()).tolist() == [0, 0, 0, 0]
    assert run_pickle(tensor_program(shape=(2**40,), strides=(0,))).shape == (2**40,)  # a view: no memory
    assert run_pickle(tensor_program(shape=(1, 2), strides=(2**62, 1))).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    "claim",
    [{"numel": 5}, {"numel": 10**15}, {"numel": -1}, {"offset": 1}, {"offset": -1}, {"shape": (5,)}, {"shape": (-4,)}, {"strides": (2,)},
     {"strides": (-1,)}, {"strides": (1, 1)}, {"shape": (2**62, 4), "strides": (0, 1)}, {"shape": (0, 2**70), "strides": (0, 1)}, {"offset": 2**80},
     {"shape": (4.0,)}, {"shape": (1,) * 65, "strides": (1,) * 65}, {"storage": "DoubleStorage"}, {"storage": "NoSuchStorage"},
     {"storage": "UntypedStorage"}, {"shape": (2, 2), "strides": (2**63, 1)}],
    ids=str,
)  # fmt: skip
def test_false_claims_about_tensors(claim):
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        run_pickle(tensor_program(**claim))


def test_bombs_do_not_get_memory():
    """Each is a few bytes to a few hundred kilobytes that a careless reader would turn into gigabytes, or hang or crash on."""
    import tracemalloc

    big_list = b"](" + b"K\x01" * 50_000 + b"eq\x00"
    bombs = {
        "bytearray of a size": b"c__builtin__\nbytearray\n\x8a\x06" + (10**12).to_bytes(6, "little") + b"\x85R.",
        "long text": b"X\xff\xff\xff\xffabc.",
        "long integer": b"\x8b\xff\xff\xff\x7fabc.",
        "long bytes": b"\x8e" + (10**15).to_bytes(8, "little") + b".",
        "copies of a list": b"(" + big_list + b"c__builtin__\nset\nq\x01" + b"h\x01h\x00\x85R" * 20_000 + b"t.",
        "copies of an ordered dict": b"(]("
        + b"K\x01K\x01\x86" * 20_000
        + b"eq\x00ccollections\nOrderedDict\nq\x01"
        + b"h\x01h\x00\x85R" * 9000
        + b"t.",
        "deep tuples": b")" + b"\x85" * 60_000 + b".",
        "deep lists": b"]" * 60_000 + b"a" * 59_999 + b".",
        "deep marks": b"(" * 60_000 + b"t" * 60_000 + b".",
        "deep key": b"})" + b"\x85" * 60_000 + b"Ns.",
        "laughing key": b"}(" + b")" + b"q\x00h\x00\x86" * 60 + b"Nu.",
        "bare function": b"ctorch\nSize\n.",
        "bare storage class": b"ctorch\nFloatStorage\n.",
        "function in a list": b"]ctorch._utils\n_rebuild_tensor_v2\na.",
        "call of a string": b"X\x01\x00\x00\x00aN\x85R.",
        "hidden method": b"ctorch._tensor\n_rebuild_from_type_v2\n(N N N.",
        "new object": b"ctorch\nSize\n)\x81.",
        "instance": b"(ios\nsystem\n.",
        "text of a laughing list": b"]" + b"q\x00]h\x00ah\x00a" * 60 + b"Q.",
        "text of a deep list": b"]" * 60_000 + b"a" * 59_999 + b"Q.",
        "endless name": b"c" + b"x" * 60_000 + b"\nsystem\n.",
    }
    for name, program in bombs.items():
        tracemalloc.start()
        with pytest.raises((pickle.UnpicklingError, RuntimeError)):
            run_pickle(program)
            pytest.fail(f"accepted: {name}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50_000_000, name  # the longest of these programs has 120 kB
    assert run_pickle(b"Nr\xff\xff\xff\xff.") is None  # a memo with 4 billion entries in front, says Python's own


def test_attributes_cannot_hide_those_of_tensors():
    for name in ("_array", "backward", "__class__", "_grad"):
        parameter = torch.nn.Parameter(torch.ones(1))
        parameter.placeholder = 1
        members = members_of(bytes_of(parameter, torch))
        old, new = (struct.pack("<I", len(n)) + n.encode() for n in ("placeholder", name))
        members["data.pkl"] = members["data.pkl"].replace(old, new)
        with pytest.raises(pickle.UnpicklingError, match="hides"):
            load(archive_of(members))


def test_hostile_zip_archives():
    members = members_of(bytes_of(tinytorch.zeros(100_000)))

    def zipped(compression=zipfile.ZIP_STORED, extra=()):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, data in [*members.items(), *extra]:
                archive.writestr(f"archive/{name}", data)
        file.seek(0)
        return file

    assert load(zipped()).shape == (100_000,)  # made by another program, not aligned
    with pytest.raises(RuntimeError, match="compressed"):
        load(zipped(zipfile.ZIP_DEFLATED))
    with pytest.raises(RuntimeError, match="two members"):
        load(zipped(extra=[("data.pkl", b"\x80\x02N.")]))
    for name in ("data.pkl", "data/0"):
        with pytest.raises(RuntimeError, match="no member"):
            load(archive_of({n: d for n, d in members.items() if n != name}))
    with pytest.raises(RuntimeError, match="version"):
        load(archive_of({**members, "version": b"99\n"}))
    with pytest.raises(RuntimeError, match="byte order"):
        load(archive_of({**members, "byteorder": b"middle"}))
    data = bytearray(bytes_of(tinytorch.zeros(1000)))
    data[ArchiveReader(io.BytesIO(data)).locate("data/0")[0] + 77] ^= 1
    with pytest.raises(RuntimeError, match="checksum"):
        load(io.BytesIO(data))


def test_damaged_files_raise_and_nothing_worse():
    """Cut off, overwritten, doubled parts: an error that says so, or the right object. Never another exception."""
    checkpoint = {
        "w": tinytorch.arange(12.0).view(3, 4),
        "p": Parameter(tinytorch.ones(2)),
        "o": OrderedDict(a=(1, "x", b"y"), s={1, 2}),
    }
    whole = bytes_of(checkpoint)
    pickled = members_of(whole)["data.pkl"]
    generator = random.Random(1)
    for round_ in range(800):
        data = bytearray(whole)
        choice = round_ % 5
        if choice == 0:
            del data[generator.randrange(len(data)) :]
        elif choice == 1:
            for _ in range(generator.randrange(1, 4)):
                data[generator.randrange(len(data))] = generator.randrange(256)
        elif choice == 2:
            start = generator.randrange(len(data))
            data[start:start] = data[start : start + generator.randrange(1, 200)]
        else:  # the pickle, with right checksums
            program = bytearray(pickled)
            for _ in range(generator.randrange(1, 4)):
                position = generator.randrange(len(program))
                if choice == 3:
                    program[position] = generator.randrange(256)
                else:
                    del program[position : position + generator.randrange(1, 6)]
            data = bytearray(archive_of({**members_of(whole), "data.pkl": bytes(program)}).getvalue())
        try:
            load(io.BytesIO(data))
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            assert str(error)
    for length in range(0, len(whole), 37):
        with pytest.raises((RuntimeError, EOFError)):
            load(io.BytesIO(whole[:length]))


# ------------------------------------------------------------------------------------------------ replacing files


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and links")
def test_permissions_links_and_devices(tmp_path):
    old_mask = os.umask(0o027)
    try:
        save(1, tmp_path / "new.pt")
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(os.stat(tmp_path / "new.pt").st_mode) == 0o640
    os.chmod(tmp_path / "new.pt", 0o600)
    save(2, tmp_path / "new.pt")
    assert stat.S_IMODE(os.stat(tmp_path / "new.pt").st_mode) == 0o600
    os.symlink("new.pt", tmp_path / "latest.pt")
    save(3, tmp_path / "latest.pt")
    assert os.path.islink(tmp_path / "latest.pt") and load(tmp_path / "new.pt") == 3
    save(4, os.devnull)
    assert not os.path.isfile(os.devnull)
    with pytest.raises(IsADirectoryError):
        save(5, tmp_path)


# One process imports tinytorch and forks: each child saves without end and is killed at a random moment, then the file is read.
KILLING = """
import os, random, signal, sys, time
import tinytorch
path, kills = sys.argv[1], int(sys.argv[2])
generator = random.Random(3)
tinytorch.save({"n": 0, "w": tinytorch.full((20_000,), 0.0)}, path)
newest = 0
for kill in range(kills):
    child = os.fork()
    if child == 0:
        n = newest
        while True:
            n += 1
            tinytorch.save({"n": n, "w": tinytorch.full((20_000,), float(n))}, path)
    time.sleep(generator.uniform(0.002, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = tinytorch.load(path)
    assert found["n"] >= newest and bool((found["w"] == found["n"]).all()), found
    newest = found["n"]
print(newest)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_process_killed_200_times_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.pt"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(path), "200"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0  # some saves did end
    litter = [name for name in os.listdir(tmp_path) if name != "model.pt"]
    assert all(name.startswith(".tinytorch-") and name.endswith(".tmp") for name in litter)


# ------------------------------------------------------------------------------------------------ safetensors


def test_safetensors_in_both_directions(tmp_path, monkeypatch):
    package = pytest.importorskip("safetensors.torch")
    arrays = {f"{d}{s}": random_array(d, s) for d in DTYPES if d != "complex128" for s in [(), (0, 2), (3, 4)]}
    arrays["turned"] = random_array("float32", (3, 4)).T
    save_file(
        {n: tinytorch.from_numpy(a) for n, a in arrays.items()}, tmp_path / "mine.safetensors", metadata={"by": "me"}
    )
    theirs = package.load_file(tmp_path / "mine.safetensors")
    mine = load_file(tmp_path / "mine.safetensors")
    assert set(mine) == set(theirs) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(theirs[name].numpy(), array)
        assert_same(mine[name], theirs[name])
    package.save_file({"a": torch.randn(3), "b": torch.randn(2).to(torch.bfloat16)}, tmp_path / "theirs.safetensors")
    mine, theirs = load(tmp_path / "theirs.safetensors"), package.load_file(tmp_path / "theirs.safetensors")
    assert_same(mine, {"a": theirs["a"], "b": theirs["b"]})  # sorted by name, whatever order the package gives
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "ml_dtypes", None)
        without.delattr(tinytorch.bfloat16, "numpy")
        with pytest.warns(UserWarning, match="bfloat16"):
            assert_same(load(tmp_path / "theirs.safetensors")["b"], theirs["b"].float())
    mine["a"].zero_()
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 50)
    with pytest.raises(RuntimeError, match="no safetensors file"):
        load_file(tmp_path / "bad.safetensors")
    with pytest.raises(TypeError, match="complex128"):
        save_file({"a": tinytorch.zeros(2, dtype=tinytorch.complex128)}, tmp_path / "c.safetensors")


def test_missing_safetensors_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        save_file({}, tmp_path / "a.safetensors")


class Unknown:
    """An object of a class that nobody knows."""

    def __init__(self, weight):
        self.weight = weight


def test_classes_that_the_user_calls_safe(tmp_path):
    for library in (torch, tinytorch):
        path = tmp_path / "unknown.pt"
        library.save(Unknown(library.ones(2)), path)
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            library.load(path)
        with library.serialization.safe_globals([Unknown]):
            assert library.load(path).weight.tolist() == [1, 1]
            assert Unknown in library.serialization.get_safe_globals()
            library.save([eval], path)
            with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
                library.load(path)
        library.save(Unknown(library.ones(2)), path)
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            library.load(path)
        library.serialization.add_safe_globals([Unknown])
        assert isinstance(library.load(path), Unknown)
        library.serialization.clear_safe_globals()
