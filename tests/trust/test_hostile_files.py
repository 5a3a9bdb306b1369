"""Files of strangers in the other formats: safetensors, IDX, graphs as JSON, ``.npz``, bare numbers. See :mod:`tests.trust.hostile`."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinytorch
from tests.trust.hostile import EXTREMES, Watch, counts, damage, damages, fuzzed
from tinytorch import viz
from tinytorch.datasets import MNIST, MNISTSample, mnist, read_idx
from tinytorch.viz.page_data import page_data
from tinytorch.viz.reading import entries_of
from tinytorch.viz.views import views_of

FOLDER = tempfile.TemporaryDirectory()
PATH = Path(FOLDER.name) / "file"


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported():
    """So that an import during a test is one that the file caused."""
    for watch, whole in (watch_safetensors, SAFETENSORS), (watch_idx, ARRAY), (watch_packed, gzip.compress(ARRAY)):
        with open(watch.path, "wb") as file:
            file.write(whole)
        watch.read(watch.path)
    read_graph(GRAPHS[0].encode())
    for kind in vars(viz.data).values():
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            entries_of(kind)  # of annotations, which are text, Python makes types when they are first asked for
    MNISTSample()


# ------------------------------------------------------------------------------------------------ safetensors


def safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype: object = "F32", shape: object = (1,), start: object = 0, end: object = 4) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


SAFETENSORS = safetensors(
    {"__metadata__": {"by": "me"}, "a": entry(shape=[2, 3], end=24), "b": entry("BOOL", [8], 24, 32), "c": entry("I64", [], 32, 40)},
    bytes(40),
)  # fmt: skip
watch_safetensors = Watch("safetensors", tinytorch.load, (RuntimeError,), 8, f"{PATH}.safetensors")


def test_safetensors_with_false_claims():
    numbers = [*EXTREMES, -1, 2**64, 10**30, 1.5, "1", None, [], True]
    for n in numbers:
        for header in (
            entry(shape=[n]),
            entry(shape=[1, n, 0], end=0),
            entry(start=n),
            entry(end=n),
            entry(shape=[0, n, n], end=0),
            {"x": n},
        ):
            watch_safetensors(safetensors({"a": header}, bytes(4)), str(header))
        if isinstance(n, int) and 0 <= n < 2**64 and n != 72:
            watch_safetensors.refuse(safetensors({"a": entry()}, bytes(4), length=n), f"a header of {n} bytes")
    for shape in ([1] * 65, [0] + [2**40] * 3, [2**32, 2**32, 0], [2**62, 4], [[1]], "1", 1):
        watch_safetensors.refuse(
            safetensors({"a": entry(shape=shape, end=0 if 0 in [*np.ravel(shape)] else 4)}, bytes(4)), str(shape)
        )
    for header in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"{}" + b" " * 50_000 + b"x",
        b"\xff" * 100,
        b'{"a":NaN}',
    ):
        watch_safetensors.refuse(safetensors(header, bytes(4)), header[:20].decode("latin1"))
    twice = b'{"a":%s,"a":%s}' % (json.dumps(entry()).encode(), json.dumps(entry(start=4, end=8)).encode())
    for header in (
        {"a": entry(), "b": entry()},
        {"a": entry(dtype="F8_E4M3", end=1)},
        {"a": entry("X")},
        {"__metadata__": {"x": 1}},
        twice,
    ):
        watch_safetensors.refuse(safetensors(header, bytes(8)), str(header)[:100])
    assert list(watch_safetensors(safetensors({"../../evil": entry()}, bytes(4)))) == ["../../evil"]  # a name, no more


def test_bools_are_zero_or_one():
    """Whatever byte a file has for True, ``x ^ True`` is False and a copy as uint8 is 1."""
    content = safetensors({"a": entry("BOOL", [3], 0, 3)}, b"\x00\x01\x07")
    x = watch_safetensors(content)["a"]
    assert x.view(tinytorch.uint8).tolist() == [0, 1, 1] and (x ^ True).tolist() == [True, False, False]


@fuzzed(300)
@given(damages)
def test_damaged_safetensors(how):
    watch_safetensors(damage(SAFETENSORS, *how))


def test_endless_files():
    """What never ends is not read to its end."""
    if not os.path.exists("/dev/zero"):
        pytest.skip("not on this system")
    link = PATH.with_name("endless.safetensors")
    link.symlink_to("/dev/zero")
    with pytest.raises(RuntimeError, match="no regular file"):
        tinytorch.load(link)
    with pytest.raises(RuntimeError, match="not a ZIP"):
        tinytorch.load("/dev/zero")
    with pytest.raises(ValueError, match="not a valid IDX"):
        read_idx("/dev/zero")
    with pytest.raises(RuntimeError, match="smaller than"):
        tinytorch.from_file("/dev/zero", size=10**13)


# ------------------------------------------------------------------------------------------------ IDX

ARRAY = struct.pack(">2xBB2I", 0x0B, 2, 3, 4) + np.arange(12, dtype=">i2").tobytes()
watch_idx = Watch("IDX", read_idx, (ValueError,), 4, str(PATH))
watch_packed = Watch("IDX", read_idx, (ValueError,), 4 * 1032, f"{PATH}.gz")  # DEFLATE's best


@fuzzed(300)
@given(damages)
def test_damaged_idx(how):
    watch_idx(damage(ARRAY, *how))
    watch_packed(gzip.compress(damage(ARRAY, *how)))
    watch_packed(damage(gzip.compress(ARRAY, mtime=0), *how))


def test_idx_with_false_claims():
    for kind in range(256):
        for rank in (0, 1, 3, 32, 33, 255):
            for size in (1, 2**32 - 1):
                content = struct.pack(">2xBB", kind, rank) + struct.pack(">I", size) * rank + bytes(8)
                if size > 1 or (kind not in range(8, 15) and rank):
                    watch_idx.refuse(content, f"{kind} {rank} {size}")
                else:
                    watch_idx(content)
    bomb = gzip.compress(struct.pack(">2xBBI", 8, 1, 1000) + bytes(20_000_000))
    watch_packed.refuse(bomb, "20 MB behind 1000 bytes")
    watch_packed.refuse(gzip.compress(bomb), "packed twice")
    header = b"\x1f\x8b\x08\x08" + bytes(6)  # a name that does not end
    watch_packed.refuse(header + b"x" * 100_000, "a long name")


def test_folders_of_hostile_digits(tmp_path):
    """``MNIST`` looks for its four names in the folder and nowhere else."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">2xBB3I", 8, 3, 2**32 - 1, 28, 28))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(struct.pack(">2xBBI", 8, 1, 0))
    with pytest.raises(ValueError, match="promises"):
        MNIST(tmp_path)


# ------------------------------------------------------------------------------------------------ .npz


def test_the_digits_of_the_package_are_those_of_the_package(monkeypatch):
    """The one ``.npz`` that is read is compared with its checksum before anything looks into it."""
    whole = mnist._SAMPLE_FILE.read_bytes()
    path = PATH.with_name("mnist_5k.npz")
    monkeypatch.setattr(mnist, "_SAMPLE_FILE", path)
    watch = Watch("npz", lambda _: MNISTSample(), (RuntimeError,), 3, str(path))
    for seed in range(20):
        assert str(path) in str(watch.refuse(damage(whole, seed) + b"."))
    np.savez(path, images=np.array([print], dtype=object), labels=np.arange(3))
    watch.refuse(path.read_bytes(), "a pickle in it")


# ------------------------------------------------------------------------------------------------ graphs


def example_graphs() -> list[str]:
    model = tinytorch.nn.Sequential(
        tinytorch.nn.Linear(3, 4), tinytorch.nn.ReLU(), tinytorch.nn.Sequential(tinytorch.nn.Linear(4, 2))
    )
    graph = viz.graph(model(tinytorch.ones(5, 3)).sum())
    return [graph.json(), graph.styled(saved=True, metrics=["memory"], rankdir="LR").color_by("memory").json()]


GRAPHS = example_graphs()
VALUES = [None, True, 0, -1, 3, 10**400, 1e308, float("inf"), float("nan"), "", "n0", "s0", "x" * 300, '"<b>]]>&\x00\n{}|</script>', "\ud800",
          "../../x", "n0; click n0 href evil", [], [1], ["a"], {}, {"a": 1}, {"a": "b"}, [[[]]], -(2**63)]  # fmt: skip
STYLES = (
    "x",
    "rankdir",
    "color_by",
    "view",
    "metrics",
    "max_chars",
    "op_names",
    "cells",
    "frames",
    "values",
    "saved",
    "parameters",
)


def read_graph(content: bytes) -> viz.Graph:
    return viz.Graph.from_json(content.decode("utf-8", "replace"))


read_graph_watched = Watch("graph", read_graph, (ValueError,), 100)


def watch_graph(content: bytes) -> viz.Graph | Exception:
    """What was read is then written in all formats that are text: nothing that was accepted may break a writer."""
    graph = read_graph_watched(content)
    if isinstance(graph, viz.Graph):
        for write in (graph.text, graph.mermaid, lambda: graph.digraph().source, lambda: graph.collapse(0).text()):
            assert write()
        json.dumps(page_data(graph, views_of(graph)))
        written = graph.json()
        assert viz.Graph.from_json(written).json() == written
    return graph


def parts(value: object, path: tuple = ()) -> list[tuple]:
    """The ways to everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(way for key, item in inner for way in parts(item, (*path, key)))]


def changed(text: str, edits: list[tuple[int, int, int, int]]) -> bytes:
    """The JSON with parts replaced, removed, doubled, exchanged."""
    data = json.loads(text)
    for where, kind, which, other in edits:
        ways = parts(data)
        *outer, last = ways[1 + where % (len(ways) - 1)] if len(ways) > 1 else [None]
        if last is None:
            continue
        target = data
        for key in outer:
            target = target[key]
        source = data
        for key in ways[other % len(ways)]:
            source = source[key]
        if kind == 0:
            target[last] = copy.deepcopy(VALUES[which % len(VALUES)])
        elif kind == 1:
            del target[last]
        elif kind == 2:
            target[last] = json.loads(json.dumps(source))
        elif isinstance(target, list):
            target.insert(last, json.loads(json.dumps(target[last])))
        else:
            data["style"] = {
                **(data.get("style") if isinstance(data.get("style"), dict) else {}),
                STYLES[other % len(STYLES)]: copy.deepcopy(VALUES[which % len(VALUES)]),
            }
    return json.dumps(data).encode()


numbers = st.integers(0, 10**6)


@fuzzed(250)
@given(
    st.sampled_from(GRAPHS), st.lists(st.tuples(numbers, st.integers(0, 3), numbers, numbers), min_size=1, max_size=3)
)
def test_changed_graphs(text, edits):
    watch_graph(changed(text, edits))


@fuzzed(60)
@given(st.sampled_from(GRAPHS), damages)
def test_damaged_graphs(text, how):
    watch_graph(damage(text.encode(), *how))


def test_graphs_that_would_hang_or_overflow():
    def graph(**entries):
        return json.dumps({"nodes": [], "edges": [], "scopes": [], **entries}).encode()

    def chain(n):
        return [{"id": f"s{i}", "name": "", "kind": "", "parent": f"s{i - 1}" if i else ""} for i in range(n)]

    node = {"id": "n0", "kind": "op", "name": "x"}
    assert len(watch_graph(graph(scopes=chain(90), nodes=[{**node, "scope": "s89"}])).scopes) == 90
    for what, content in {
        "deep scopes": graph(scopes=chain(5000)), "deep scopes, innermost first": graph(scopes=chain(5000)[::-1]),
        "scopes in a ring": graph(scopes=[{**scope, "parent": "s2999"} if scope["id"] == "s0" else scope for scope in chain(3000)]),
        "deep lists": b'{"nodes":' + b"[" * 100_000, "deep style": graph(style={}).replace(b'"style": {}', b'"style":' + b'{"x":' * 900 + b"1" + b"}" * 901),
        "a long number": graph(title=1).replace(b"1", b"9" * 100_000), "two of a name": graph(nodes=[node, node]),
        "code as a name": graph(nodes=[{**node, "id": 'n0["x"]; click n0 "javascript:alert()"'}]),
    }.items():  # fmt: skip
        read_graph_watched.refuse(content, what)
    for value in ("Infinity", "NaN"):
        endless = graph(nodes=[{**node, "metrics": {"params": 7}}]).replace(b"7", value.encode())
        read_graph_watched.refuse(endless, f"{value} parameters")
    ring = graph(
        nodes=[node, {**node, "id": "n1"}],
        edges=[{"source": "n0", "target": "n1"}, {"source": "n1", "target": "n0"}],
        results=["n0"],
    )
    watch_graph(ring)


@pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="the files are spread over several processes")
def test_counts():
    for name in ("safetensors", "IDX", "npz", "graph"):
        print(
            f"{counts[name, 'refused'] + counts[name, 'read']} hostile files of the kind {name}: {counts[name, 'refused']} refused, {counts[name, 'read']} read"
        )
        assert counts[name, "refused"]
