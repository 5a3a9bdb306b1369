"""Event files for TensorBoard, read back; the expected bytes are those that PyTorch's writer leaves with TensorBoard."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinytorch as torch
from tinytorch import nn
from tinytorch.utils.tensorboard import SummaryWriter
from tinytorch.utils.tensorboard.records import _masked_crc


def fields(data: bytes) -> dict[int, list[Any]]:
    """A protobuf message: the values of every field."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            value: Any = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value = data[at : at + size]
            at += size
            value = struct.unpack("<d" if kind == 1 else "<f", value)[0] if kind in (1, 5) else value
        found.setdefault(number, []).append(value)
    return found


def events(folder: Path) -> list[dict[int, list[Any]]]:
    """All events of a folder's files, after checking the check sums."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            assert data[8:12] == _masked_crc(data[:8]) and data[12 + size : 16 + size] == _masked_crc(
                data[12 : 12 + size]
            )
            found.append(fields(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def values(folder: Path) -> dict[str, dict[int, list[Any]]]:
    """The summaries of a folder, by tag."""
    summaries = [fields(fields(event[5][0])[1][0]) for event in events(folder) if 5 in event]
    return {summary[1][0].decode(): summary for summary in summaries}


def test_check_sums():
    assert _masked_crc(b"123456789") == struct.pack("<I", ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % 2**32)


def test_numbers(tmp_path):
    with SummaryWriter(tmp_path, purge_step=3) as writer:
        writer.add_scalar("loss", torch.tensor(0.5), 3, walltime=0.0)
        writer.add_scalars("a/b", {"x": 1, "y": np.float64(2.5)}, 10**10)
        writer.add_histogram("w", torch.tensor([1.0, 1.0, 2.0, 9.0]), bins=np.array([0.0, 1.5, 2.5, 5.0, 10.0, 20.0]))
        writer.add_histogram("joined", np.arange(8.0), bins=np.arange(8.0), max_bins=3)
        writer.add_scalar("new", 0.1, new_style=True)
        writer.add_scalar("double", 0.1, new_style=True, double_precision=True)
        writer.add_histogram_raw("raw", 1, 9, 4, 13, 87, [0.0, 1.5, 2.5, 5.0, 10.0], [0, 2, 1, 0, 1])
        writer.add_pr_curve_raw("pr raw", *torch.arange(18.0).reshape(6, 3), num_thresholds=3)
        writer.add_pr_curve("pr", torch.tensor([0, 1, 1, 0]), torch.tensor([0.1, 0.9, 0.4, 0.6]), num_thresholds=3)
        with pytest.raises(AssertionError, match="one element"):
            writer.add_scalar("two", torch.ones(2))
        with pytest.raises(NotImplementedError, match="numpy array or torch tensor"):
            writer.add_scalar("list", [1.0])
    first, purge, loss = events(tmp_path)[:3]
    assert first[3] == [b"brain.Event:2"] and purge[7] == [b"\x08\x01"] and purge[2] == [3]
    assert loss == {1: [0.0], 2: [3], 5: [b"\n\x0b\n\x04loss\x15\x00\x00\x00?"]}
    assert values(tmp_path / "a_b_y")["a/b"][2] == [2.5] and events(tmp_path / "a_b_x")[1][2] == [10**10]
    found = values(tmp_path)
    counted = fields(found["w"][5][0])
    assert [counted[i][0] for i in range(1, 6)] == [1, 9, 4, 13, 87]
    assert np.frombuffer(counted[6][0]).tolist() == [0, 1.5, 2.5, 5, 10]
    assert np.frombuffer(counted[7][0]).tolist() == [0, 2, 1, 0, 1]
    assert found["raw"][5] == found["w"][5]
    assert np.frombuffer(fields(found["pr raw"][8][0])[5][0], np.float32).tolist() == list(range(18))
    joined = fields(found["joined"][5][0])
    assert np.frombuffer(joined[6][0]).tolist() == [0, 2, 4, 6, 7]
    assert np.frombuffer(joined[7][0]).tolist() == [0, 2, 2, 2, 2]
    assert fields(found["new"][8][0]) == {1: [1], 5: [np.float32(0.1).tobytes()]}
    assert fields(found["double"][8][0]) == {1: [2], 6: [np.float64(0.1).tobytes()]}
    rows = np.frombuffer(fields(found["pr"][8][0])[5][0], np.float32).reshape(6, 3)
    np.testing.assert_allclose(rows, [[2, 1, 0], [2, 1, 0], [0, 1, 2], [0, 1, 2], [0.5, 0.5, 0], [1, 0.5, 0]])


def picture(summary: dict[int, list[Any]]) -> np.ndarray:
    """The pixels of the PNG in a summary."""
    image = fields(summary[4][0])
    height, width, channels, data = (image[i][0] for i in (1, 2, 3, 4))
    size = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41 : 41 + size]), np.uint8).reshape(height, -1)
    return rows[:, 1:].reshape(height, width, channels)


def test_pictures_sound_and_text(tmp_path):
    pixels = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("grey", pixels[0].float() / 255, dataformats="HW")
        writer.add_image("colours", pixels, dataformats="HCW")
        writer.add_images("two", torch.stack([pixels, pixels + 100]), dataformats="NHCW")
        writer.add_audio("sound", torch.tensor([0.0, 1.0, -2.0]), sample_rate=8000)
        writer.add_text("words", "grün")
        with pytest.raises(AssertionError, match="twice"):
            writer.add_image("wrong", pixels, dataformats="HHW")
        with pytest.raises(NotImplementedError, match="add_image"):
            writer.add_video("film", pixels)
    found = values(tmp_path)
    assert picture(found["colours"]).tolist() == pixels.permute(0, 2, 1).tolist()
    assert picture(found["grey"])[:, :, 1].tolist() == pixels[0].tolist()
    assert picture(found["two"]).shape == (2, 8, 3)
    assert fields(found["sound"][6][0])[4][0].endswith(struct.pack("<3h", 0, 32767, -32767))
    assert fields(found["words/text_summary"][8][0])[8] == ["grün".encode()]


def test_models(tmp_path):
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Sequential(nn.Linear(8, 3)))
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(net, torch.ones(2, 4))
        writer.add_hparams({"lr": 0.1, "kind": "sgd", "none": None}, {"accuracy": 0.5}, {"lr": [0.1, 1.0]}, "run")
        writer.add_embedding(torch.eye(2), [["a", 1], ["b", 2]], torch.rand(2, 3, 4, 5), 7, "a/b", ["name", "number"])
        with pytest.raises(TypeError, match="dictionary"):
            writer.add_hparams([], {})
        with pytest.raises(TypeError, match="list of same type"):
            writer.add_hparams({"lr": 0.1}, {}, {"lr": ["a"]})
        with pytest.raises(AssertionError, match="labels"):
            writer.add_embedding(torch.eye(2), ["a"])
    (graph,) = [fields(event[4][0]) for event in events(tmp_path) if 4 in event]
    nodes = {fields(node)[1][0].decode(): fields(node) for node in graph[1]}
    assert nodes["Sequential/2/0/linear"][3] == [
        b"Sequential/1/tanh",
        b"Sequential/2/0/weight",
        b"Sequential/2/0/bias",
    ]
    run = values(tmp_path / "run")
    assert run["accuracy"][2] == [0.5] and b"hparams" in run["_hparams_/session_start_info"][9][0]
    assert struct.pack("<d", 1.0) in run["_hparams_/experiment"][9][0]
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "00007/a%2fb/tensors.tsv"' in config and "single_image_dim: 5" in config
    assert (tmp_path / "00007/a%2fb/metadata.tsv").read_text() == "name\tnumber\na\t1\nb\t2\n"
    assert (tmp_path / "00007/a%2fb/sprite.png").read_bytes().startswith(b"\x89PNG")


def test_figures_and_later_files(tmp_path, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    writer = SummaryWriter(comment="-test")
    writer.add_figure("figure", pyplot.figure(figsize=(2, 1), dpi=50))
    assert not pyplot.get_fignums()
    writer.close()
    writer.add_scalar("later", 1)
    writer.flush()
    folder = Path(writer.get_logdir())
    assert folder.parent.name == "runs" and folder.name.endswith("-test") and len(list(folder.iterdir())) == 2
    assert picture(values(folder)["figure"]).shape == (50, 100, 3)
    writer.close()
