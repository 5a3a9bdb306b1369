"""The two digit datasets: files, items, split, errors."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import urllib.error
import urllib.request

import numpy as np
import pytest

import tinytorch
from tinytorch.datasets import MNIST, MNISTSample
from tinytorch.datasets.download import Resource
from tinytorch.datasets.mnist import stratified_split
from tinytorch.utils.data import DataLoader, Dataset, Subset, default_collate

NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]
COUNTS = {"train": 12, "t10k": 5}
RNG = np.random.default_rng(0)
IMAGES = {part: RNG.integers(0, 256, (count, 28, 28), np.uint8) for part, count in COUNTS.items()}
LABELS = {part: np.arange(count, 0, -1, dtype=np.uint8) % 10 for part, count in COUNTS.items()}


def encode(array: np.ndarray) -> bytes:
    return struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()


FILES = {
    f"{part}-{kind}": encode(arrays[part])
    for part in ("train", "t10k")
    for kind, arrays in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


def write_files(folder, packed: bool, names=tuple(NAMES)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(FILES[name]))
        else:
            (folder / name).write_bytes(FILES[name])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("where", ["MNIST/raw", "."])
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("as_text", [False, True])
def test_reads_files(tmp_path, packed, where, train, as_text):
    write_files(tmp_path / where, packed)
    dataset = MNIST(str(tmp_path) if as_text else tmp_path, train=train)
    part = "train" if train else "t10k"
    assert isinstance(dataset, Dataset)
    assert len(dataset) == len(LABELS[part])
    assert dataset.data.dtype == tinytorch.uint8
    assert dataset.targets.dtype == tinytorch.int64
    np.testing.assert_array_equal(dataset.data.numpy(), IMAGES[part])
    np.testing.assert_array_equal(dataset.targets.numpy(), LABELS[part])
    for index in range(-len(dataset), len(dataset)):
        image, label = dataset[index]
        assert type(label) is int
        assert label == LABELS[part][index]
        assert image.dtype == tinytorch.float32
        expected = IMAGES[part][index][None].astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(image.numpy(), expected)
        assert image.shape == (1, 28, 28)


def test_missing_files(tmp_path):
    with pytest.raises(RuntimeError, match=r"Dataset not found.*download=True.*MNISTSample\(\)"):
        MNIST(tmp_path)
    write_files(tmp_path, False, NAMES[:1])
    with pytest.raises(RuntimeError, match="Dataset not found"):
        MNIST(tmp_path)
    assert os.listdir(tmp_path) == NAMES[:1]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (NAMES[0], LABELS["train"], r"expected uint8 images \(N, 28, 28\), got uint8 \(12,\)"),
        (NAMES[0], np.zeros((12, 32, 32), np.uint8), r"got uint8 \(12, 32, 32\)"),
        (NAMES[1], IMAGES["train"], r"expected uint8 labels \(N,\), got uint8 \(12, 28, 28\)"),
        (NAMES[1], LABELS["train"][:-1], "has 12 images, but .* has 11 labels"),
        (NAMES[1], LABELS["train"] + 2, "label 11 is not a digit"),
    ],
)
def test_files_that_are_not_mnist(tmp_path, name, array, message):
    write_files(tmp_path, False)
    (tmp_path / name).write_bytes(encode(array))
    with pytest.raises(ValueError, match=message):
        MNIST(tmp_path)


def test_damaged_file_is_named(tmp_path):
    write_files(tmp_path, True)
    (tmp_path / f"{NAMES[0]}.gz").write_bytes(gzip.compress(FILES[NAMES[0]])[:-20])
    with pytest.raises(ValueError, match=f"{NAMES[0]}.gz: not a valid IDX file"):
        MNIST(tmp_path)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror on disk with small files, which MNIST takes for the real ones."""
    folder = tmp_path / "mirror"
    write_files(folder, True)
    resources = []
    for name in NAMES:
        content = (folder / f"{name}.gz").read_bytes()
        resources.append(Resource(f"{name}.gz", hashlib.md5(content).hexdigest(), len(content)))
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", [(tmp_path / "no-mirror").as_uri() + "/", folder.as_uri() + "/"])
    return folder


def test_download(tmp_path, mirror, monkeypatch):
    root = tmp_path / "data"
    assert len(MNIST(root, train=True, download=True)) == 12
    assert sorted(os.listdir(root / "MNIST" / "raw")) == sorted(f"{name}.gz" for name in NAMES)
    monkeypatch.setattr(MNIST, "mirrors", [])  # from now on a download would fail
    assert len(MNIST(root, train=False, download=True)) == 5


def test_download_fetches_only_what_is_missing(tmp_path, mirror):
    root = tmp_path / "data"
    write_files(root, False, NAMES[:2])
    MNIST(root, download=True)
    assert sorted(os.listdir(root / "MNIST" / "raw")) == sorted(f"{name}.gz" for name in NAMES[2:])


def test_download_with_a_wrong_file_leaves_none(tmp_path, mirror):
    (mirror / f"{NAMES[0]}.gz").write_bytes(b"<html>moved</html>")
    root = tmp_path / "data"
    with pytest.raises(RuntimeError, match=r"could not download train-images-idx3-ubyte\.gz") as caught:
        MNIST(root, download=True)
    assert "by hand" in str(caught.value)
    assert os.listdir(root / "MNIST" / "raw") == []


def test_no_network(tmp_path, monkeypatch):
    def urlopen(url, timeout):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(RuntimeError) as caught:
        MNIST(tmp_path, download=True)
    text = str(caught.value)
    for part in (
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz: ",
        "http://yann.lecun.com/exdb/mnist/train-images-idx3-ubyte.gz: ",
        "Name or service not known", "by hand", str(tmp_path / "MNIST" / "raw"), "t10k-labels-idx1-ubyte.gz",
        "MNISTSample()",
    ):  # fmt: skip
        assert part in text


def test_sample_is_stratified_and_disjoint():
    train, held_out = MNISTSample(train=True), MNISTSample(train=False)
    assert (len(train), len(held_out)) == (4000, 1000)
    assert np.bincount(train.targets.numpy()).tolist() == [400] * 10
    assert np.bincount(held_out.targets.numpy()).tolist() == [100] * 10
    seen = {image.tobytes() for image in train.data.numpy()}
    assert len(seen) == 4000
    assert not any(image.tobytes() in seen for image in held_out.data.numpy())
    # mixed, so that any 100 in a row hold every digit
    for dataset in (train, held_out):
        for start in range(0, len(dataset), 100):
            assert len(set(dataset.targets.tolist()[start : start + 100])) == 10


def test_sample_is_the_same_forever():
    train, held_out = stratified_split(np.repeat(np.arange(10, dtype=np.uint8), 500))
    digest = hashlib.sha256(np.concatenate([train, held_out]).astype("<i8").tobytes()).hexdigest()
    assert digest == "b79263d4f82369f20489f45a2937d5d021ebabb1176957e20f92b0a58672e909"
    data = hashlib.sha256()
    for dataset in (MNISTSample(train=True), MNISTSample(train=False)):
        data.update(dataset.data.numpy().tobytes())
        data.update(dataset.targets.numpy().astype("<i8").tobytes())
    assert data.hexdigest() == "ba0534c340bae3c2198903619945c9bbca04768fc32478dc91342b56dbbfc560"


def test_labels_belong_to_images():
    """A nearest-mean classifier gets about 80 % right: far from 10 %, so pixels and labels are in step."""
    train, test = MNISTSample(train=True), MNISTSample(train=False)
    pixels, labels = train.data.numpy().reshape(4000, 784).astype(float), train.targets.numpy()
    means = np.stack([pixels[labels == digit].mean(0) for digit in range(10)])
    distances = ((test.data.numpy().reshape(1000, 1, 784) - means) ** 2).sum(-1)
    assert (distances.argmin(1) == test.targets.numpy()).mean() > 0.75


def test_transforms():
    plain = MNISTSample(train=False)
    dataset = MNISTSample(train=False, transform=lambda x: (x - 0.5) * 2, target_transform=lambda label: f"<{label}>")
    image, label = dataset[3]
    np.testing.assert_allclose(image.numpy(), plain[3][0].numpy() * 2 - 1, atol=1e-6)
    assert label == f"<{plain[3][1]}>"
    images, labels = next(iter(DataLoader(dataset, batch_size=4)))
    assert images.shape == (4, 1, 28, 28)
    assert list(labels) == [f"<{plain[i][1]}>" for i in range(4)]
    assert images.numpy().min() == -1


def test_batches_read_at_once_equal_collated_samples():
    dataset = MNISTSample(train=False)
    for source in (dataset, Subset(dataset, list(range(999, 0, -3)))):
        for indices in ([0], [5, 5, 300], [-1, 7]):
            images, labels = next(iter(DataLoader(source, batch_sampler=[indices])))
            expected_images, expected_labels = default_collate([source[i] for i in indices])
            assert images.dtype == expected_images.dtype
            assert labels.dtype == expected_labels.dtype
            np.testing.assert_array_equal(images.numpy(), expected_images.numpy())
            np.testing.assert_array_equal(labels.numpy(), expected_labels.numpy())


def test_data_may_be_replaced():
    dataset = MNISTSample(train=True)
    dataset.data, dataset.targets = dataset.data[:10], dataset.targets[:10]
    assert len(dataset) == 10
    assert [batch[0].shape[0] for batch in DataLoader(dataset, batch_size=4)] == [4, 4, 2]


def test_images_do_not_share_memory_with_the_dataset():
    dataset = MNISTSample(train=False)
    before = dataset.data.numpy().copy()
    dataset[0][0].numpy()[:] = 7
    np.testing.assert_array_equal(dataset.data.numpy(), before)


@pytest.mark.parametrize("index", [1000, -1001])
def test_index_out_of_range(index):
    dataset = MNISTSample(train=False)
    with pytest.raises(IndexError):
        dataset[index]
    with pytest.raises(IndexError):
        next(iter(DataLoader(dataset, batch_sampler=[[0, index]])))


@pytest.mark.parametrize("index", [1.0, "0", slice(3), None])
def test_index_of_the_wrong_type(index):
    with pytest.raises(TypeError):
        MNISTSample(train=False)[index]


def test_iteration_ends():
    assert sum(1 for _ in MNISTSample(train=False)) == 1000


def test_classes():
    dataset = MNISTSample()
    assert dataset.classes[7] == "7 - seven"
    assert dataset.class_to_idx["7 - seven"] == 7


def test_repr(tmp_path):
    write_files(tmp_path, False)
    assert repr(MNIST(tmp_path, train=False)) == (
        f"Dataset MNIST\n    Number of datapoints: 5\n    Root location: {tmp_path}\n    Split: Test"
    )
    text = repr(MNISTSample(transform=abs))
    assert text == (
        "Dataset MNISTSample\n    Number of datapoints: 4000\n    Split: Train\n    Transform: <built-in function abs>"
    )
