"""Checkpoints of strangers: an error or the right object; no code runs, no memory beyond what the file justifies."""

from __future__ import annotations

import codecs
import io
import itertools
import os
import pickle
import pickletools
import struct
import sys
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinytorch
from tests.trust.hostile import EXTREMES, REPEATS, Watch, counts, damage, damages, fuzzed
from tinytorch.serialization.archive import ArchiveWriter

#: What ``tinytorch.load`` raises for files that it does not take.
ERRORS = (RuntimeError, pickle.UnpicklingError, EOFError)
FACTOR = 100  # bytes of memory for a byte of pickle: an empty list is one byte there
watch = Watch("checkpoint", lambda content: tinytorch.load(io.BytesIO(content)), ERRORS, FACTOR)


def archive(members: dict[str, bytes]) -> bytes:
    """A well-formed archive of these members."""
    file = io.BytesIO()
    writer = ArchiveWriter(file.write)
    for name, data in members.items():
        writer.add(name, data)
    writer.close()
    return file.getvalue()


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name.split("/", 1)[1]: opened.read(name) for name in opened.namelist()}


def with_pickle(program: bytes) -> bytes:
    return archive({"data.pkl": program, "data/0": bytes(16), "version": b"3\n"})


def saved(library, obj) -> bytes:
    file = io.BytesIO()
    library.save(obj, file)
    return file.getvalue()


def everything(library):
    """All that a checkpoint may hold."""
    nn = library.nn
    base = library.arange(12.0)
    parameter, buffer = nn.Parameter(library.ones(2)), nn.Buffer(library.zeros(2))
    parameter.note = "kept"
    return {
        "views": [base, base.view(3, 4).t(), base[5:7]], "parameter": parameter, "buffer": buffer,
        "untyped": library.arange(3).to(library.uint16), "empty": library.zeros(0, 3), "complex": library.ones(2, dtype=library.complex64),
        "state": nn.BatchNorm1d(2).state_dict(), "plain": (None, True, 3, -(2**70), 1.5, 2j, "text", b"bytes", bytearray(b"x")),
        "sets": {1, "a"}, "counter": Counter("aab"), "ordered": OrderedDict(a=1), "size": library.Size([2, 3]),
        "dtype": library.int8, "device": library.device("cpu"),
    }  # fmt: skip


OURS, THEIRS = saved(tinytorch, everything(tinytorch)), saved(torch, everything(torch))


def equal(a, b) -> bool:
    if isinstance(a, tinytorch.Tensor):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported():
    """So that an import during a test is one that the file caused."""
    for content in (OURS, THEIRS):
        tinytorch.load(io.BytesIO(content))
    codecs.lookup("cp437")  # ZIP's old encoding of names


# ------------------------------------------------------------------------------------------------ damage


@pytest.mark.parametrize("whole", [OURS, THEIRS], ids=["tinytorch", "pytorch"])
def test_flipped_bits(whole):
    """Never another object than the one that was saved."""
    expected = tinytorch.load(io.BytesIO(whole))
    for position in range(0, len(whole), max(1, 11 // REPEATS)):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        result = watch(bytes(data), f"bit {position % 8} of byte {position}")
        assert isinstance(result, Exception) or equal(result, expected), f"byte {position} changes the object"


def test_cut_off_anywhere():
    for length in range(0, len(OURS), 7):
        watch.refuse(OURS[:length], f"{length} bytes")


@fuzzed(150)
@given(damages, st.sampled_from([OURS, THEIRS]))
def test_damaged_archives(how, whole):
    watch(damage(whole, *how))


@fuzzed(300)
@given(damages, st.sampled_from([OURS, THEIRS]), st.sampled_from(["data.pkl", "data/0", "byteorder", "version"]))
def test_damaged_members_with_right_checksums(how, whole, name):
    members = members_of(whole)
    watch(archive({**members, name: damage(members[name], *how)}))


# ------------------------------------------------------------------------------------------------ the container


def directory_fields(content: bytes) -> list[tuple[int, int]]:
    """Position and size of the numbers in the archive's headers, directory and end."""
    fields = []
    for signature, sizes in (
        (b"PK\x03\x04", (2, 2, 2, 2, 2, 4, 4, 4, 2, 2)),
        (b"PK\x01\x02", (2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4)),
        (b"PK\x05\x06", (2, 2, 2, 2, 4, 4, 2)),
    ):
        start = content.find(signature)
        while start >= 0:
            position = start + 4
            for size in sizes:
                fields.append((position, size))
                position += size
            start = content.find(signature, start + 1)
    return fields


def test_every_number_of_the_container_made_extreme():
    """Sizes and positions of terabytes, negative ones, overlapping members."""
    whole = saved(tinytorch, {"w": tinytorch.arange(4.0)})
    for position, size in directory_fields(whole):
        for value in {extreme % 256**size for extreme in EXTREMES}:
            watch(
                whole[:position] + value.to_bytes(size, "little") + whole[position + size :], f"{value} at {position}"
            )


def test_names_that_lead_elsewhere(tmp_path, monkeypatch):
    """Members are never files: whatever they are called, nothing outside the archive is read or written."""
    monkeypatch.chdir(tmp_path)
    names = [
        "../evil",
        "/etc/passwd",
        "..\\evil",
        "C:\\evil",
        "data/../../evil",
        "data/0/",
        "\x00",
        "data/\u202e0",
        "a" * 60_000,
    ]
    for name in names:
        members = members_of(saved(tinytorch, tinytorch.ones(2)))
        watch(archive({**members, name: b"evil"}), name)
        program = members["data.pkl"].replace(
            b"X\x01\x00\x00\x000", b"X" + struct.pack("<I", len(name.encode())) + name.encode()
        )
        watch.refuse(archive({**members, "data.pkl": program}), f"a storage called {name}"[:100])
    link = zipfile.ZipInfo("archive/data/0")
    link.external_attr = 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("archive/data.pkl", members_of(saved(tinytorch, tinytorch.ones(2)))["data.pkl"])
        opened.writestr(link, "/etc/passwd")
    watch(file.getvalue(), "a symbolic link")
    assert not list(tmp_path.iterdir())


def test_bombs():
    """What unpacks to more than the file holds is refused before it is unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members_of(saved(tinytorch, tinytorch.zeros(1_000_000))).items():
            opened.writestr(f"archive/{name}", data)
    assert "compressed" in str(watch.refuse(file.getvalue(), "4 MB in 5 kB"))
    small = saved(tinytorch, [tinytorch.zeros(1000) for _ in range(20)])
    first, last = small.find(b"PK\x01\x02"), small.rfind(b"PK\x01\x02")
    directory = bytearray(small[first:last])  # every member is now the first storage: the same bytes, twenty times
    position = 0
    while (position := directory.find(b"PK\x01\x02", position)) >= 0:
        directory[position + 20 : position + 28] = struct.pack("<II", 4000, 4000)
        position += 4
    watch.refuse(small[:first] + bytes(directory) + small[last:], "overlapping members")


# ------------------------------------------------------------------------------------------------ the pickle

#: What attackers call. A module and a name, which may have dots.
GADGETS = """
os system|posix system|nt system|os popen|os execv|os remove|os.path join|builtins eval|builtins exec|builtins compile
builtins __import__|builtins getattr|builtins setattr|builtins open|builtins map|builtins apply|builtins type|builtins object
builtins classmethod|builtins super|builtins bytes.fromhex|builtins getattr.__call__|__builtin__ eval|__main__ x|sys modules
sys exit|subprocess Popen|subprocess call|subprocess check_output|functools partial|functools reduce|operator attrgetter
operator methodcaller|operator itemgetter|importlib import_module|importlib._bootstrap _load|runpy run_path|runpy _run_code|pty spawn
code InteractiveInterpreter|pickle loads|_pickle loads|pickle Unpickler|marshal loads|types FunctionType|types CodeType|ctypes CDLL
ctypes string_at|cProfile run|profile run|timeit timeit|pdb run|bdb Bdb|trace Trace|webbrowser open|socket create_connection
urllib.request urlopen|http.client HTTPConnection|shutil rmtree|shutil copyfile|tempfile mkstemp|pathlib Path|zipimport zipimporter
logging.config dictConfig|multiprocessing.util spawnv_passfds|asyncio.unix_events _UnixSelectorEventLoop|copyreg _reconstructor
copyreg __newobj__|copyreg add_extension|copy_reg _reconstructor|_codecs decode|codecs decode|collections namedtuple
collections defaultdict|collections OrderedDict.__init__.__globals__|collections OrderedDict.fromkeys|weakref ref|ssl get_server_certificate
numpy load|numpy fromfile|numpy memmap|numpy save|numpy.core.multiarray _reconstruct|numpy._core.multiarray scalar|numpy ndarray
numpy.f2py.crackfortran getlincoef|numpy.testing._private.utils runstring|numpy dtype|torch load|torch save|torch hub.load
torch.hub load|torch.jit load|torch.package PackageImporter|torch.storage _load_from_bytes|torch._utils _rebuild_wrapper_subclass
torch._utils _rebuild_sparse_tensor|torch._tensor _convert|torch.utils.collect_env run|torch._inductor.codecache compile_file
torch Tensor.__reduce_ex__|torch Size.__new__|torch Tensor|torch FloatStorage|torch.serialization load|torch ../x
torch.nn.modules.linear Linear|torch._utils _rebuild_tensor_v2.__globals__|torch.tensor _rebuild_from_type_v2|tinytorch load
tinytorch save|tinytorch from_file|tinytorch.hub download_url_to_file|tinytorch.serialization.trusting TrustingUnpickler
tinytorch.serialization.rebuild KNOWN_GLOBALS|tinytorch.nn.modules.module Module|tinytorch.kernels.rng Generator|builtins set.__class__
""".replace("\n", "|")
PAIRS = [tuple(item.split(" ", 1)) for item in GADGETS.split("|") if item]


def plain(value) -> bytes:
    """The instructions that put ``value`` on the stack."""
    return pickletools.optimize(pickle.dumps(value, 2))[2:-1]


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def attempts(module: str, name: str) -> dict[str, bytes]:
    """Programs that try to call ``module.name("touch evil")``, or to get hold of it."""
    found, args = f"c{module}\n{name}\n".encode(), plain(("touch evil",))
    allowed = b"ctorch._utils\n_rebuild_tensor_v2\n"
    short = [b"\x8c" + bytes([len(part.encode())]) + part.encode() for part in (module, name)]
    return {
        "call": found + args + b"R.",
        "named from the stack": b"".join(short) + b"\x93" + args + b"R.",
        "protocol 0": b"(S'touch evil'\ni" + f"{module}\n{name}\n.".encode(),
        "OBJ": b"(" + found + text("touch evil") + b"o.",
        "NEWOBJ": found + args + b"\x81.",
        "NEWOBJ_EX": found + args + b"}\x92.",
        "from the memo": found + b"q\x01h\x01" + args + b"R.",
        "extension": b"\x82\x01" + args + b"R.",
        "bare": found + b".",
        "in a list": b"]" + found + b"a.",
        "in a dictionary": b"}" + text("a") + found + b"s.",
        "as a key": b"}" + found + b"Ns.",
        "in a set": b"cbuiltins\nset\n](" + found + b"e\x85R.",
        "in an OrderedDict": b"ccollections\nOrderedDict\n]](" + text("a") + found + b"ea\x85R.",
        "as an attribute": b"ccollections\nOrderedDict\n)R}" + text("a") + found + b"sb.",
        "as __setstate__": b"ccollections\nOrderedDict\n)R}" + text("__setstate__") + found + b"sb" + text("touch evil") + b"b.",
        "as __class__": b"ccollections\nOrderedDict\n)R}" + text("__class__") + found + b"sb.",
        "state of itself": found + b"}" + text("x") + text("y") + b"sb.",
        "state of a tensor": allowed + args + b"R}" + text("__reduce__") + found + b"sb.",
        "slots": b"ccollections\nOrderedDict\n)RN}" + text("__class__") + found + b"s\x86b.",
        "the rebuilding function": b"ctorch._tensor\n_rebuild_from_type_v2\n(" + found + found + args + b"NtR.",
        "the class of a tensor": b"ctorch._tensor\n_rebuild_from_type_v2\n(" + allowed + found + args + b"NtR.",
        "a storage": b"ctorch._utils\n_rebuild_tensor_v2\n(" + found + plain((0, (1,), (1,), False)) + b"R.",
        "the type of a storage": b"(" + text("storage") + found + text("0") + text("cpu") + b"K\x04tQ.",
        "the key of a storage": b"(" + text("storage") + b"ctorch\nFloatStorage\n" + found + text("cpu") + b"K\x04tQ.",
        "a persistent id": found + b"Q.",
        "a persistent id of protocol 0": b"Ptouch evil\n.",
        "the dtype": b"ctorch._utils\n_rebuild_tensor_v3\n(NK\x00))\x89N" + found + b"tR.",
        "hooks": b"ctorch._utils\n_rebuild_parameter\n(N\x89" + found + args + b"RtR.",
        "the codec": b"c_codecs\nencode\n(" + text("touch evil") + found + b"tR.",
        "called with itself": found + found + b"\x85R.",
        "the arguments": b"ctorch\nSize\n" + found + b"R.",
        "a call of what a call gave": b"ccollections\nOrderedDict\n)R" + args + b"R.",
        "a name of two lines": b"c" + module.encode() + b"\r\n" + name.encode() + b"\r\n" + args + b"R.",
        "protocol 4": b"\x95" + struct.pack("<Q", 2**40) + found + args + b"R.",
    }  # fmt: skip


def test_nothing_that_a_pickle_names_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    protocols = itertools.cycle([b"\x80\x02", b"\x80\x02", b"\x80\x04", b""])
    for pair in PAIRS:
        for way, program in attempts(*pair).items():
            watch.refuse(with_pickle(next(protocols) + program), f"{pair}: {way}")
    assert not list(tmp_path.iterdir())


def test_what_is_allowed_cannot_be_abused():
    """Calls of allowed functions with arguments that PyTorch never writes."""
    names = ["torch._utils\n_rebuild_tensor", "torch._utils\n_rebuild_tensor_v2", "torch._utils\n_rebuild_tensor_v3",
             "torch._utils\n_rebuild_parameter", "torch._utils\n_rebuild_parameter_with_state", "torch._tensor\n_rebuild_from_type_v2",
             "torch\nSize", "torch\ndevice", "collections\nOrderedDict", "collections\nCounter", "builtins\nset", "builtins\nbytes",
             "builtins\nbytearray", "builtins\ncomplex", "_codecs\nencode", "torch\nTensor", "torch\nfloat32"]  # fmt: skip
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x04tQ"
    values = [
        plain(v)
        for v in (None, True, 10**12, -1, 2**70, 1e308, "x" * 9, "zlib", ("a",), (2**62,) * 3, [[[]]], {"a": {}}, ())
    ]
    values += [storage, *(b"c" + name.encode() + b"\n" for name in names[:3])]
    for name in names:
        for first in values:
            for rest in (
                b"",
                plain(0),
                plain(0) + plain((2**62, 4)) + plain((0, 1)),
                plain(0) + plain((4,)) + plain((1,)) + plain(False),
            ):
                watch(with_pickle(b"\x80\x02c" + name.encode() + b"\n(" + first + rest + b"tR."), name)
    assert counts["checkpoint", "read"]


OPCODES = [bytes([n]) for n in range(256)]
OPERANDS = st.sampled_from([b"", b"\x00", b"\x01", b"\xff\xff\xff\xff", b"\x00" * 8, b"\xff" * 8, b"os\nsystem\n", b"collections\nOrderedDict\n",
                            b"torch\nFloatStorage\n", b"torch._utils\n_rebuild_tensor_v2\n", b"\x04\x00\x00\x00evil", b"1\n", b"'x'\n"])  # fmt: skip


@fuzzed(300)
@given(st.lists(st.tuples(st.sampled_from(OPCODES), OPERANDS), max_size=30))
def test_random_programs(instructions):
    watch(with_pickle(b"\x80\x02" + b"".join(code + operand for code, operand in instructions) + b"."))


INSTRUCTIONS = [
    [program[start:end] for start, end in zip(starts, [*starts[1:], len(program)], strict=True)]
    for program in (members_of(OURS)["data.pkl"], members_of(THEIRS)["data.pkl"])
    for starts in [[position for _, _, position in pickletools.genops(program)]]
]


@fuzzed(300)
@given(
    st.sampled_from([0, 1]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 3)), min_size=1, max_size=5),
)
def test_real_programs_with_instructions_exchanged(which, edits):
    """Deeper into the machine than random bytes come: whole instructions are dropped, doubled, exchanged."""
    program = list(INSTRUCTIONS[which])
    for at, other, kind in edits:
        at, other = at % len(program), other % len(program)
        if kind == 0:
            del program[at]
        elif kind == 1:
            program.insert(at, program[other])
        elif kind == 2:
            program[at], program[other] = program[other], program[at]
        else:
            program[at] = program[other]
    watch(archive({**members_of((OURS, THEIRS)[which]), "data.pkl": b"".join(program)}))


def test_memory_stays_in_proportion():
    """A byte of pickle that becomes an object, twenty thousand times; the longest that stays within the rules."""
    n = 20_000
    for what, program in {
        "lists": b"(" + b"]" * n + b"t.",
        "dictionaries": b"(" + b"}" * n + b"t.",
        "tuples in tuples": b"(" * n + b"t" * n + b".",
        "ordered dictionaries": b"(ccollections\nOrderedDict\nq\x01" + b"h\x01)R" * (n // 4) + b"t.",
        "memo": b"N" + b"".join(b"r" + struct.pack("<I", 2**32 - 1 - i) for i in range(n // 5)) + b".",
        "wide text": b"X" + struct.pack("<I", n) + "\U0001f600".encode() + b"a" * (n - 4) + b".",
        "attributes": b"(ccollections\nOrderedDict\nq\x01" + b"h\x01)R}" * (n // 5) + b"b" + b"t.",
    }.items():
        watch(with_pickle(b"\x80\x02" + program), what)


def test_keys_that_collide():
    """Numbers that all have one hash would take hours to insert; as many that have not are what real files hold."""
    n, prime = 10_000, sys.hash_info.modulus
    multiples = [pickle.dumps(i * prime, 2)[2:-1] for i in range(1, n)]
    sums = [b"cbuiltins\ncomplex\nG" + struct.pack(">dcd", -1000003.0 * k, b"G", k) + b"\x86R" for k in range(n)]
    for what, program in {
        "at once": b"}(" + b"N".join(multiples) + b"Nu.",
        "one by one": b"}" + b"Ns".join(multiples) + b"Ns.",
        "in a set": b"cbuiltins\nset\n](" + b"".join(multiples) + b"e\x85R.",
        "in an OrderedDict": b"ccollections\nOrderedDict\n](" + b"N\x86".join(multiples) + b"N\x86e\x85R.",
        "complex numbers": b"}(" + b"N".join(sums) + b"Nu.",
    }.items():
        assert "collide" in str(watch.refuse(with_pickle(b"\x80\x02" + program), what))
    addresses = {0x7F0123456780 + 64 * i: None for i in range(n)}  # parameters by id(), as old optimizers saved them
    assert watch(saved(tinytorch, addresses), "addresses") == addresses


@pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="the files are spread over several processes")
def test_counts():
    read, refused = counts["checkpoint", "read"], counts["checkpoint", "refused"]
    print(f"{read + refused} hostile checkpoints: {refused} refused, {read} read")
    assert read and refused
